//! Relationships and their text, `resource:object#relation@subject`.

use alloc::{borrow::ToOwned, string::String};
use core::{fmt, str::FromStr};

use crate::name::{excerpt, is_object_id, Actor, Name, NameError};

/// An object: something of a resource, such as `cell:1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    resource: Name,
    id: String,
}

impl ObjectRef {
    /// Checks both parts.
    ///
    /// # Errors
    /// [`NameError::Name`] or [`NameError::ObjectId`].
    pub fn new(resource: &str, id: &str) -> Result<Self, NameError> {
        let resource = Name::new(resource)?;
        if !is_object_id(id) {
            return Err(NameError::ObjectId { text: excerpt(id) });
        }
        Ok(Self {
            resource,
            id: id.to_owned(),
        })
    }

    /// The resource that the object belongs to.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.resource.as_str()
    }

    /// The object's id within its resource.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.id)
    }
}

impl FromStr for ObjectRef {
    type Err = NameError;

    /// Reads `resource:id`; the id may contain further colons.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (resource, id) = text.split_once(':').ok_or_else(|| NameError::Form {
            text: excerpt(text),
            what: "object",
            form: "resource:id",
        })?;
        Self::new(resource, id)
    }
}

/// Who or what a relationship names.
///
/// The order (actors, everyone, objects, usersets; then by name, bytewise) is the canonical order
/// of records and of the walk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One actor.
    Actor(Actor),
    /// Every actor there is, `*`.
    Everyone,
    /// An object, for arrows to follow.
    Object(ObjectRef),
    /// All subjects that have `relation` on `object`.
    Userset {
        /// Whose relation.
        object: ObjectRef,
        /// The relation or permission.
        relation: Name,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(actor) => write!(f, "{actor}"),
            Self::Everyone => f.write_str("*"),
            Self::Object(object) => write!(f, "{object}"),
            Self::Userset { object, relation } => write!(f, "{object}#{relation}"),
        }
    }
}

impl FromStr for Subject {
    type Err = NameError;

    /// Reads a DID, `*`, `resource:id` or `resource:id#relation`.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if text.starts_with("did:") {
            return Actor::new(text).map(Self::Actor);
        }
        match text.split_once('#') {
            Some((object, relation)) => Ok(Self::Userset {
                object: object.parse()?,
                relation: Name::new(relation)?,
            }),
            None => text.parse().map(Self::Object),
        }
    }
}

impl From<Actor> for Subject {
    fn from(actor: Actor) -> Self {
        Self::Actor(actor)
    }
}

/// One fact: `subject` has `relation` on `object`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Relationship {
    /// On what.
    pub object: ObjectRef,
    /// Which relation.
    pub relation: Name,
    /// Who.
    pub subject: Subject,
}

impl Relationship {
    /// Puts checked parts together.
    #[must_use]
    pub fn new(object: ObjectRef, relation: Name, subject: Subject) -> Self {
        Self {
            object,
            relation,
            subject,
        }
    }
}

impl fmt::Display for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}@{}", self.object, self.relation, self.subject)
    }
}

impl FromStr for Relationship {
    type Err = NameError;

    /// Reads `resource:object#relation@subject`; white space is not trimmed.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let form = || NameError::Form {
            text: excerpt(text),
            what: "relationship",
            form: "resource:object#relation@subject",
        };
        let (object, rest) = text.split_once('#').ok_or_else(form)?;
        let (relation, subject) = rest.split_once('@').ok_or_else(form)?;
        Ok(Self {
            object: object.parse()?,
            relation: Name::new(relation)?,
            subject: subject.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_is_read_and_written_alike() {
        for text in [
            "cell:1#operator@did:key:z6Mk",
            "cell:1#operator@*",
            "batch:a:b#parent@cell:1",
            "batch:a/b#reader@group:eng#member",
        ] {
            let relationship: Relationship = text.parse().unwrap();
            assert_eq!(relationship.to_string(), text);
        }
    }

    #[test]
    fn malformed_relationships_are_refused() {
        for text in [
            "",
            "cell:1",
            "cell:1#operator",
            "cell#operator@did:a:b",
            ":1#operator@did:a:b",
            "cell:#operator@did:a:b",
            "cell:1#@did:a:b",
            "cell:1#operator@",
            "cell:1#operator@did:",
            "cell:1#operator@cell:*",
            "cell:1#operator@group:eng#",
            "cell:1#o-p@did:a:b",
            "cell:1#operator@ did:a:b",
            "cell:1#operator@group:eng#member#x",
        ] {
            assert!(text.parse::<Relationship>().is_err(), "{text}");
        }
    }
}
