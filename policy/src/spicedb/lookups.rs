//! `x_lookups`: what lookups must answer, as the published benchmarks state it.

use alloc::{format, string::String, vec::Vec};

use super::{
    error::{refuse, ErrorClass, SpicedbError},
    relationship::{Cursor, Object, Subject},
};
use crate::{
    fields::{count, list, map, needed, text, Placed},
    schema::Position,
    yaml::Node,
};

/// Both kinds of lookups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// On which objects somebody has a permission.
    pub resources: Vec<LookupResources>,
    /// Who has a permission on an object.
    pub subjects: Vec<LookupSubjects>,
}

/// On which objects of a definition the subject has the permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupResources {
    /// Where it stands.
    pub position: Position,
    /// Who.
    pub subject: Subject,
    /// The definition of the objects.
    pub definition: String,
    /// Which relation or permission.
    pub permission: String,
    /// What must come out.
    pub expected: ExpectedIds,
}

/// Which objects of a definition have the permission on the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupSubjects {
    /// Where it stands.
    pub position: Position,
    /// On what.
    pub resource: Object,
    /// Which relation or permission.
    pub permission: String,
    /// The definition of the subjects.
    pub definition: String,
    /// What must come out.
    pub expected: ExpectedIds,
}

/// What a lookup must find, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedIds {
    /// These ids.
    Ids(Vec<String>),
    /// So many ids.
    Count(usize),
}

pub(super) fn read_lookups(node: Node) -> Result<Lookups, SpicedbError> {
    let mut lookups = Lookups::default();
    for entry in map(node, "`x_lookups`", &["lookupResources", "lookupSubjects"])? {
        let resources = entry.key == "lookupResources";
        for item in list(entry.node, &format!("`{}`", entry.key))? {
            if resources {
                lookups.resources.push(lookup_resources(item)?);
            } else {
                lookups.subjects.push(lookup_subjects(item)?);
            }
        }
    }
    Ok(lookups)
}

/// Texts by key, and what is expected.
struct Fields {
    texts: Vec<(&'static str, Placed)>,
    expected: ExpectedIds,
    position: Position,
}

impl Fields {
    fn read(node: Node, keys: &[&'static str]) -> Result<Self, SpicedbError> {
        let position = node.position;
        let mut all: Vec<&str> = keys.to_vec();
        all.extend(["expect", "expectCount"]);
        let (mut texts, mut expected) = (Vec::new(), None);
        for entry in map(node, "a lookup", &all)? {
            let found = match entry.key.as_str() {
                "expect" => {
                    let items = list(entry.node, "`expect`")?.into_iter();
                    let ids: Result<Vec<String>, _> = items
                        .map(|item| text(item, "an id").map(|(id, _)| id))
                        .collect();
                    ExpectedIds::Ids(ids?)
                }
                "expectCount" => ExpectedIds::Count(count(entry.node, "`expectCount`")?),
                key => {
                    if let Some(key) = keys.iter().find(|known| **known == key) {
                        texts.push((*key, text(entry.node, "this")?));
                    }
                    continue;
                }
            };
            if expected.replace(found).is_some() {
                return Err(refuse(
                    entry.position,
                    ErrorClass::Doubled,
                    "`expect` and `expectCount` exclude each other; remove one",
                ));
            }
        }
        Ok(Self {
            texts,
            expected: needed(expected, position, "a lookup", "expect")?,
            position,
        })
    }

    fn take(&self, key: &str) -> Result<Placed, SpicedbError> {
        let found = self.texts.iter().find(|(other, _)| *other == key);
        let found = found.map(|(_, placed)| placed.clone());
        Ok(needed(found, self.position, "a lookup", key)?)
    }
}

fn lookup_resources(node: Node) -> Result<LookupResources, SpicedbError> {
    let fields = Fields::read(node, &["subject", "resourceType", "permission"])?;
    let (subject, start) = fields.take("subject")?;
    let mut cursor = Cursor {
        text: &subject,
        at: 0,
        start,
    };
    Ok(LookupResources {
        position: fields.position,
        subject: whole(&mut cursor, Cursor::subject)?,
        definition: fields.take("resourceType")?.0,
        permission: fields.take("permission")?.0,
        expected: fields.expected,
    })
}

fn lookup_subjects(node: Node) -> Result<LookupSubjects, SpicedbError> {
    let fields = Fields::read(node, &["resource", "subjectType"])?;
    let (resource, start) = fields.take("resource")?;
    let mut cursor = Cursor {
        text: &resource,
        at: 0,
        start,
    };
    let (resource, permission) = whole(&mut cursor, Cursor::object_and_relation)?;
    Ok(LookupSubjects {
        position: fields.position,
        resource,
        permission,
        definition: fields.take("subjectType")?.0,
        expected: fields.expected,
    })
}

fn whole<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T, SpicedbError>,
) -> Result<T, SpicedbError> {
    let read = read(cursor)?;
    if cursor.rest().is_empty() {
        return Ok(read);
    }
    Err(cursor.refuse("this has no meaning here; remove it"))
}
