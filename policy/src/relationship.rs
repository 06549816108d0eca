//! Relationships and their text, `resource:object#relation@subject`, with their terms behind it.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    string::{String, ToString},
};
use core::{fmt, str::FromStr};

use crate::{
    condition::Context,
    name::{excerpt, is_object_id, Actor, Name, NameError},
    terms::{ConditionUse, Terms},
};

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
/// The order (actors, everyone, every object of a resource, objects, usersets; then by name,
/// bytewise) is the canonical order of records and of the walk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One actor.
    Actor(Actor),
    /// Every actor there is, `*`.
    Everyone,
    /// Every object there is of a resource, `R:*`.
    Every(Name),
    /// An object: for arrows to follow, or as one who may do things.
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
            Self::Every(resource) => write!(f, "{resource}:*"),
            Self::Object(object) => write!(f, "{object}"),
            Self::Userset { object, relation } => write!(f, "{object}#{relation}"),
        }
    }
}

impl FromStr for Subject {
    type Err = NameError;

    /// Reads a DID, `*`, `resource:*`, `resource:id` or `resource:id#relation`.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some(resource) = text.strip_suffix(":*") {
            return Name::new(resource).map(Self::Every);
        }
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

/// One fact: `subject` has `relation` on `object`, on these terms. There is at most one with the same
/// object, relation and subject: setting it again sets its terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Relationship {
    /// On what.
    pub object: ObjectRef,
    /// Which relation.
    pub relation: Name,
    /// Who.
    pub subject: Subject,
    /// On what terms.
    pub terms: Terms,
}

impl Relationship {
    /// Puts checked parts together; without terms.
    #[must_use]
    pub fn new(object: ObjectRef, relation: Name, subject: Subject) -> Self {
        Self {
            object,
            relation,
            subject,
            terms: Terms::NONE,
        }
    }

    /// The same on these terms.
    #[must_use]
    pub fn on(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }
}

impl fmt::Display for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            object,
            relation,
            subject,
            terms,
        } = self;
        write!(f, "{object}#{relation}@{subject}{terms}")
    }
}

impl FromStr for Relationship {
    type Err = NameError;

    /// Reads `resource:object#relation@subject`, and behind it ` with CONDITION {json}`,
    /// ` with expiration TIME` or both joined by ` and `; other white space is not trimmed.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let form = || {
            NameError::Form {
            text: excerpt(text),
            what: "relationship",
            form: "resource:object#relation@subject [with CONDITION {\"parameter\": value}] [and expiration 2027-01-01T00:00:00Z]",
        }
        };
        let (fact, terms) = match text.split_once(" with ") {
            None => (text, Terms::NONE),
            Some((fact, terms)) => (fact, read_terms(terms).ok_or_else(form)??),
        };
        let (object, rest) = fact.split_once('#').ok_or_else(form)?;
        let (relation, subject) = rest.split_once('@').ok_or_else(form)?;
        Ok(Self {
            object: object.parse()?,
            relation: Name::new(relation)?,
            subject: subject.parse()?,
            terms,
        })
    }
}

const EXPIRATION: &str = "expiration ";

/// Reads what stands behind ` with `; `None` where it has not that form.
fn read_terms(text: &str) -> Option<Result<Terms, NameError>> {
    let mut terms = Terms::NONE;
    // The expiry stands last: a condition's context may hold any text.
    let condition = if let Some(time) = text.strip_prefix(EXPIRATION) {
        terms.expires = Some(time.parse().ok()?);
        return Some(Ok(terms));
    } else if let Some((condition, time)) = text.rsplit_once(" and expiration ") {
        // Within a context these words are followed by no time.
        match time.parse() {
            Ok(time) => {
                terms.expires = Some(time);
                condition
            }
            Err(_) => text,
        }
    } else {
        text
    };
    let (name, context) = match condition.split_once(' ') {
        None => (condition, None),
        Some((name, context)) => (name, Some(context)),
    };
    if name == EXPIRATION.trim_end() {
        return None;
    }
    let name = match Name::new(name) {
        Ok(name) => name,
        Err(error) => return Some(Err(error)),
    };
    let context = match context.map(Context::from_json) {
        None => Context::default(),
        Some(Ok(context)) => context,
        Some(Err(reason)) => {
            return Some(Err(NameError::Context {
                reason: reason.to_string(),
            }))
        }
    };
    terms.condition = Some(Box::new(ConditionUse { name, context }));
    Some(Ok(terms))
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
            "cell:1#operator@user:*",
            "cell:a@b#operator@user:a@b",
            "cell:1#operator@group:eng#member with office_hours",
            "cell:1#operator@did:key:z with expiration 2027-01-01T00:00:00Z",
            "cell:1#operator@* with a/b {\"x\":\" and expiration 2027\"} and expiration 2027-01-01T00:00:00Z",
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
            "cell:1#operator@:*",
            "cell:1#operator@did:key:z with",
            "cell:1#operator@did:key:z with ",
            "cell:1#operator@did:key:z with expiration",
            "cell:1#operator@did:key:z with expiration soon",
            "cell:1#operator@did:key:z with a b",
            "cell:1#operator@did:key:z with a {",
            "cell:1#operator@group:eng#",
            "cell:1#-p@did:a:b",
            "cell:1#operator@ did:a:b",
            "cell:1#operator@group:eng#member#x",
        ] {
            assert!(text.parse::<Relationship>().is_err(), "{text}");
        }
    }
}
