//! Who has a permission: what a lookup finds, as subjects.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    ask::{lookup_subjects, Decided, Wanted},
    limits::Limits,
    name::{excerpt, Actor, Name, NameError},
    question::{Circumstances, Decision},
    relationship::{ObjectRef, Subject},
    relationships::Reverse,
    schema::{Body, Policy},
    types::SubjectType,
};

/// A subject, or all of a kind but some.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub subject: Subject,
    pub except: Vec<Subject>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.subject)?;
        let mut joint = " except ";
        for subject in &self.except {
            write!(f, "{joint}{subject}")?;
            joint = " and ";
        }
        Ok(())
    }
}

/// The kinds of subjects that an entry of `types` means (`actor`, `group`, `group->member`); without
/// one, all that the policy's types name.
pub(super) fn kinds<'a>(
    policy: &'a Policy,
    entry: Option<&'a str>,
) -> Result<Vec<Wanted<'a>>, String> {
    let Some(entry) = entry else {
        return Ok(all_kinds(policy));
    };
    let wanted = match entry.split_once("->") {
        Some((resource, relation)) => Wanted::Usersets(resource, relation),
        None if entry == policy.actor_type() => Wanted::Actors,
        None if policy.resource_exists(entry) => Wanted::Objects(entry),
        None => {
            return Err(format!(
                "{:?} is no kind of subject; write it as `types` does, without `with`",
                excerpt(entry)
            ))
        }
    };
    Ok(alloc::vec![wanted])
}

fn all_kinds(policy: &Policy) -> Vec<Wanted<'_>> {
    let mut kinds: BTreeSet<SubjectType> = BTreeSet::new();
    for node in &policy.nodes {
        match &node.body {
            Body::Owner => {
                kinds.insert(SubjectType::Actor);
            }
            Body::Relation(types) => {
                kinds.extend(types.entries().iter().map(|entry| match entry.subject {
                    SubjectType::Everyone => SubjectType::Actor,
                    SubjectType::Every(resource) => SubjectType::Object(resource),
                    kind => kind,
                }));
            }
            Body::Computed(_) => {}
        }
    }
    let kinds = kinds.into_iter();
    kinds
        .map(|kind| match kind {
            SubjectType::Actor | SubjectType::Everyone => Wanted::Actors,
            SubjectType::Object(id) | SubjectType::Every(id) => {
                Wanted::Objects(policy.resource_name(id))
            }
            SubjectType::Userset(node) => {
                Wanted::Usersets(policy.node_resource_name(node), policy.node_name(node))
            }
        })
        .collect()
}

/// All subjects of a kind who have a permission or may have it.
///
/// # Errors
/// In words.
pub(super) fn subjects(
    world: &dyn Reverse,
    object: &ObjectRef,
    permission: &str,
    wanted: Wanted<'_>,
    circumstances: &Circumstances,
) -> Result<Vec<(Found, Decided)>, String> {
    let found = lookup_subjects(
        world,
        object,
        permission,
        wanted,
        circumstances,
        Limits::LOOKUP,
        None,
        usize::MAX,
    );
    let found = found.map_err(|wrong| wrong.to_string())?;
    let subject = |text: &String| subject(wanted, text).map_err(|wrong| wrong.to_string());
    let one = |subject| Found {
        subject,
        except: Vec::new(),
    };
    let mut all = Vec::new();
    for text in &found.allowed {
        all.push((one(subject(text)?), Decided::ALLOW));
    }
    for (text, missing) in &found.conditional {
        let decided = Decided {
            decision: Decision::Conditional,
            missing: missing.clone(),
        };
        all.push((one(subject(text)?), decided));
    }
    let everyone = match wanted {
        Wanted::Actors => Some(Subject::Everyone),
        Wanted::Objects(resource) => Name::new(resource).ok().map(Subject::Every),
        Wanted::Usersets(..) => None,
    };
    if let Some(everyone) = everyone.filter(|_| found.everyone.decision != Decision::Deny) {
        let except: Result<Vec<Subject>, String> = found.excluded.iter().map(subject).collect();
        let mut except = except?;
        except.sort();
        let everyone = Found {
            subject: everyone,
            except,
        };
        all.push((everyone, found.everyone));
    }
    Ok(all)
}

fn subject(wanted: Wanted<'_>, text: &str) -> Result<Subject, NameError> {
    Ok(match wanted {
        Wanted::Actors => Subject::Actor(Actor::new(text)?),
        Wanted::Objects(resource) => Subject::Object(ObjectRef::new(resource, text)?),
        Wanted::Usersets(resource, relation) => Subject::Userset {
            object: ObjectRef::new(resource, text)?,
            relation: Name::new(relation)?,
        },
    })
}
