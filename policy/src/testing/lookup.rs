//! Questions for lists: on which objects, and who.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    check::{read_permission, read_time, said, Around},
    context::{read_context, Context},
};
use crate::{
    fields::{list, map, needed, text, Placed},
    name::{excerpt, Name},
    relationship::{ObjectRef, Subject},
    schema::{PolicyError, Position},
    yaml::{error, Entry, Node, Value},
};

/// On which objects of a resource a subject has a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupObjects {
    /// Where it stands.
    pub position: Position,
    /// Who.
    pub subject: Subject,
    /// A permission or relation of the resource, or `manage(relation)`.
    pub permission: String,
    /// Of which resource.
    pub resource: Name,
    /// What is known; see [`super::Check::context`].
    pub context: Context,
    /// When; see [`super::Check::time`].
    pub time: Option<String>,
    /// These, and no others, are allowed; sorted.
    pub allowed: Vec<ObjectRef>,
    /// These, and no others, are conditional, if the file says so; sorted.
    pub conditional: Option<Vec<ObjectRef>>,
}

/// Who has a permission on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupSubjects {
    /// Where it stands.
    pub position: Position,
    /// On what.
    pub object: ObjectRef,
    /// A permission or relation of the object's resource, or `manage(relation)`.
    pub permission: String,
    /// Which subjects are meant, as `types` write them (`actor`, `group`, `group->member`); all if
    /// nothing is said.
    pub kind: Option<String>,
    /// What is known; see [`super::Check::context`].
    pub context: Context,
    /// When; see [`super::Check::time`].
    pub time: Option<String>,
    /// These, and no others, are allowed; sorted.
    pub allowed: Vec<ExpectedSubject>,
    /// These, and no others, are conditional, if the file says so; sorted.
    pub conditional: Option<Vec<ExpectedSubject>>,
}

/// A subject that must be found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedSubject {
    /// Who.
    pub subject: Subject,
    /// Of everyone, all but these; sorted.
    pub except: Vec<Subject>,
}

/// What both kinds have.
struct Common {
    context: Context,
    time: Option<String>,
    permission: Option<String>,
    allowed: Option<Vec<Node>>,
    conditional: Option<Vec<Node>>,
}

impl Common {
    fn new(around: &Around<'_>) -> Self {
        Self {
            context: around.context.clone(),
            time: around.time.map(ToOwned::to_owned),
            permission: None,
            allowed: None,
            conditional: None,
        }
    }

    /// Takes the entry if it is one of these.
    fn take(&mut self, entry: Entry) -> Result<Option<Entry>, PolicyError> {
        match entry.key.as_str() {
            "permission" => {
                self.permission = Some(read_permission(text(entry.node, "`permission`")?)?);
            }
            "context" => {
                let context = read_context(entry.node)?;
                self.context = context.or(&self.context);
            }
            "time" => self.time = Some(read_time(entry.node)?),
            "answer" => self.allowed = Some(list(entry.node, "`answer`")?),
            "conditional" => self.conditional = Some(list(entry.node, "`conditional`")?),
            _ => return Ok(Some(entry)),
        }
        Ok(None)
    }
}

pub(super) fn read_objects(
    node: Node,
    around: &Around<'_>,
) -> Result<Vec<LookupObjects>, PolicyError> {
    let items = list(node, "`objects`")?.into_iter();
    items.map(|item| read_object_lookup(item, around)).collect()
}

fn read_object_lookup(node: Node, around: &Around<'_>) -> Result<LookupObjects, PolicyError> {
    let keys = [
        "subject",
        "permission",
        "resource",
        "answer",
        "conditional",
        "context",
        "time",
    ];
    let (position, what) = (node.position, "a lookup of objects");
    let (mut common, mut subject, mut resource) = (Common::new(around), None, None);
    for entry in map(node, what, &keys)? {
        let Some(entry) = common.take(entry)? else {
            continue;
        };
        if entry.key == "subject" {
            subject = Some(read_subject(text(entry.node, "`subject`")?)?);
        } else {
            let (name, position) = text(entry.node, "`resource`")?;
            resource = Some(Name::new(&name).map_err(|wrong| said(position, &wrong))?);
        }
    }
    let resource = needed(resource, position, what, "resource")?;
    let object = |placed: Placed| {
        let object = read_object(&placed)?;
        if object.resource() != resource.as_str() {
            let found = excerpt(object.resource());
            return Err(error(
                placed.1,
                format!(
                    "this lookup is for {resource:?} only, not {found:?}",
                    resource = resource.as_str()
                ),
            ));
        }
        Ok(object)
    };
    let objects = |nodes: Vec<Node>| distinct(nodes, |node| object(text(node, "an object")?));
    Ok(LookupObjects {
        position,
        subject: needed(subject, position, what, "subject")?,
        permission: needed(common.permission, position, what, "permission")?,
        context: common.context,
        time: common.time,
        allowed: objects(needed(common.allowed, position, what, "answer")?)?,
        conditional: common.conditional.map(objects).transpose()?,
        resource,
    })
}

pub(super) fn read_subjects(
    node: Node,
    around: &Around<'_>,
) -> Result<Vec<LookupSubjects>, PolicyError> {
    let items = list(node, "`subjects`")?.into_iter();
    items
        .map(|item| read_subject_lookup(item, around))
        .collect()
}

fn read_subject_lookup(node: Node, around: &Around<'_>) -> Result<LookupSubjects, PolicyError> {
    let keys = [
        "object",
        "permission",
        "type",
        "answer",
        "conditional",
        "context",
        "time",
    ];
    let (position, what) = (node.position, "a lookup of subjects");
    let (mut common, mut object, mut kind) = (Common::new(around), None, None);
    for entry in map(node, what, &keys)? {
        let Some(entry) = common.take(entry)? else {
            continue;
        };
        if entry.key == "object" {
            object = Some(read_object(&text(entry.node, "`object`")?)?);
        } else {
            kind = Some(text(entry.node, "`type`")?.0);
        }
    }
    let subjects = |nodes: Vec<Node>| distinct(nodes, read_expected);
    Ok(LookupSubjects {
        position,
        object: needed(object, position, what, "object")?,
        permission: needed(common.permission, position, what, "permission")?,
        kind,
        context: common.context,
        time: common.time,
        allowed: subjects(needed(common.allowed, position, what, "answer")?)?,
        conditional: common.conditional.map(subjects).transpose()?,
    })
}

/// A subject, or `{subject: "*", except: […]}`.
fn read_expected(node: Node) -> Result<ExpectedSubject, PolicyError> {
    let position = node.position;
    if let Value::Text(_) = node.value {
        return Ok(ExpectedSubject {
            subject: read_subject(text(node, "a subject")?)?,
            except: Vec::new(),
        });
    }
    let (mut subject, mut except) = (None, Vec::new());
    for entry in map(node, "a subject", &["subject", "except"])? {
        if entry.key == "subject" {
            subject = Some(read_subject(text(entry.node, "`subject`")?)?);
        } else {
            except = distinct(list(entry.node, "`except`")?, |node| {
                read_subject(text(node, "a subject")?)
            })?;
        }
    }
    Ok(ExpectedSubject {
        subject: needed(subject, position, "a subject", "subject")?,
        except,
    })
}

fn read_subject((text, position): Placed) -> Result<Subject, PolicyError> {
    text.parse().map_err(|wrong| said(position, &wrong))
}

fn read_object((text, position): &Placed) -> Result<ObjectRef, PolicyError> {
    text.parse().map_err(|wrong| said(*position, &wrong))
}

/// What is read, sorted; nothing twice.
fn distinct<T: Ord>(
    nodes: Vec<Node>,
    mut read: impl FnMut(Node) -> Result<T, PolicyError>,
) -> Result<Vec<T>, PolicyError> {
    let mut all = alloc::collections::BTreeSet::new();
    for node in nodes {
        let position = node.position;
        if !all.insert(read(node)?) {
            return Err(error(
                position,
                "this stands here for the second time; remove one",
            ));
        }
    }
    Ok(all.into_iter().collect())
}
