//! Checked names: what has one of these types needs no second look.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use crate::limits::{ACTOR_BYTES_MAX, NAME_BYTES_MAX, OBJECT_ID_BYTES_MAX};

/// Why a piece of text is no name, id, actor or relationship.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a name of a resource, relation or permission.
    #[error(
        "{text:?} is no name: use 1 to 128 letters, digits and underscores, the first one no digit; within it also '.', '/' and '-'"
    )]
    Name {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// Not an object id.
    #[error(
        "{text:?} is no object id: use 1 to 1024 visible ASCII characters other than '#' and quotes"
    )]
    ObjectId {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// Not an actor.
    #[error("{text:?} is no actor: use a DID such as did:key:z6Mk…, at most 256 visible ASCII characters without '#' and '@'")]
    Actor {
        /// What was given, cut to a printable length.
        text: String,
    },
    /// What a relationship gives to its condition cannot be read.
    #[error("the condition's context cannot be read: {reason}")]
    Context {
        /// What is wrong.
        reason: String,
    },
    /// The text is no relationship, object or subject at all.
    #[error("{text:?} is no {what}; write {form}")]
    Form {
        /// What was given, cut to a printable length.
        text: String,
        /// What was expected.
        what: &'static str,
        /// How it is written.
        form: &'static str,
    },
}

/// Cuts `text` for an error message: what a stranger sent must not fill a log (Invariant 7).
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The name of a resource, a relation, a permission or a condition:
/// `[A-Za-z_]([A-Za-z0-9_./-]*[A-Za-z0-9_])?`, at most [`NAME_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`NameError::Name`] for anything that is not a name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Name {
                text: excerpt(text),
            })
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` has the form of a [`Name`].
#[must_use]
pub(crate) fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let head = bytes
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let tail = bytes.last().is_some_and(|b| is_plain_byte(*b));
    head && tail
        && bytes.len() <= NAME_BYTES_MAX
        && bytes
            .iter()
            .all(|b| is_plain_byte(*b) || matches!(b, b'.' | b'/' | b'-'))
}

/// The bytes of a name that stands in an expression without backticks.
pub(crate) fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Who acts: a DID, opaque to this crate. It must start with `did:`, so that no actor can be
/// mistaken for an object (no resource may be named `did`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(String);

impl Actor {
    /// Checks the form of `text`; what the DID means is not asked.
    ///
    /// # Errors
    /// [`NameError::Actor`] for anything that is not a DID in form.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if is_actor(text.as_bytes()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Actor {
                text: excerpt(text),
            })
        }
    }

    /// The actor as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` has the form of an [`Actor`].
#[must_use]
pub(crate) fn is_actor(text: &[u8]) -> bool {
    text.starts_with(b"did:")
        && text.len() > "did:".len()
        && text.len() <= ACTOR_BYTES_MAX
        && text.iter().all(|byte| is_id_byte(*byte) && *byte != b'@')
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Actor {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Whether `id` can name an object within its resource.
#[must_use]
pub(crate) fn is_object_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= OBJECT_ID_BYTES_MAX && id.bytes().all(is_id_byte) && id != "*"
}

/// Visible ASCII without the characters that part a relationship's text. An `@` parts it only behind
/// the relation, which holds none.
fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ids_and_actors_keep_to_their_forms() {
        for good in ["a", "_x", "reader_2", "Z9", "a-b", "a.b", "org/team"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for bad in ["", "9a", "-b", "a-", "a b", "ä", "a:b", long.as_str()] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        for good in ["1", "a/b.c", "bafy2bza", "x:y", "-", "a@b"] {
            assert!(is_object_id(good), "{good}");
        }
        for bad in ["", "*", "a#b", "a b", "\u{7f}", "é", "a\"b"] {
            assert!(!is_object_id(bad), "{bad}");
        }
        assert!(Actor::new("did:user:x").is_ok());
        for bad in ["", "did:", "user:x", "did:a#b", "did:a@b", "did:a b"] {
            assert!(Actor::new(bad).is_err(), "{bad}");
        }
    }
}
