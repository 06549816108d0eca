//! Which relationships are near something: what one asks for when all of them are too many.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::relationship::{ObjectRef, Relationship, Subject};

/// What to look around from, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// An object or an actor; of a userset, its object.
    pub center: Subject,
    /// How many relationships one may go along, in either direction.
    pub steps: usize,
}

/// What relationships connect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Object(ObjectRef),
    Subject(Subject),
}

impl Thing {
    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Object(object) | Subject::Userset { object, .. } => {
                Self::Object(object.clone())
            }
            other => Self::Subject(other.clone()),
        }
    }

    /// Whether steps go on from it: everyone is near everything, which tells nothing.
    fn leads_on(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Subject(Subject::Actor(_)))
    }
}

/// The places of the relationships within reach, ascending.
pub(crate) fn near(relationships: &[Relationship], around: &Around) -> Vec<usize> {
    let ends: Vec<(Thing, Thing)> = relationships
        .iter()
        .map(|relationship| {
            (
                Thing::Object(relationship.object.clone()),
                Thing::of(&relationship.subject),
            )
        })
        .collect();
    let mut reached: BTreeSet<Thing> = BTreeSet::from([Thing::of(&around.center)]);
    let mut edge = reached.clone();
    let mut found: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..around.steps {
        let mut next = BTreeSet::new();
        for (at, (object, subject)) in ends.iter().enumerate() {
            if edge.contains(object) || edge.contains(subject) {
                found.insert(at);
                let new = [object, subject]
                    .into_iter()
                    .filter(|thing| !reached.contains(*thing));
                next.extend(new.cloned());
            }
        }
        reached.extend(next.iter().cloned());
        next.retain(Thing::leads_on);
        if next.is_empty() {
            break;
        }
        edge = next;
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    #[test]
    fn steps_go_either_way_but_not_on_from_everyone() {
        let relationships: Vec<Relationship> = [
            "doc:1#reader@did:u:a",
            "doc:1#parent@folder:x",
            "doc:2#parent@folder:x",
            "doc:2#reader@group:g#member",
            "group:g#member@did:u:b",
            "doc:1#viewer@*",
            "doc:3#viewer@*",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
        let found = |center: &str, steps| -> Vec<String> {
            let around = Around {
                center: center.parse().unwrap(),
                steps,
            };
            near(&relationships, &around)
                .into_iter()
                .map(|at| relationships[at].to_string())
                .collect()
        };
        assert_eq!(found("doc:1", 0).len(), 0);
        assert_eq!(
            found("doc:1", 1),
            [
                "doc:1#reader@did:u:a",
                "doc:1#parent@folder:x",
                "doc:1#viewer@*"
            ]
        );
        assert_eq!(found("doc:1", 2).len(), 4);
        assert_eq!(found("doc:1", 9).len(), 6);
        assert_eq!(found("group:g#member", 1).len(), 2);
        assert_eq!(found("did:u:b", 1), ["group:g#member@did:u:b"]);
        assert_eq!(found("*", 1).len(), 2);
        assert_eq!(found("doc:9", 5).len(), 0);
    }
}
