//! Relationships: `document:1#viewer@user:tom[caveat:{"a":1}][expiration:2030-01-01T00:00:00Z]`.
//!
//! Follows the notation of SpiceDB's `pkg/tuple`. Ids are read a little more freely than SpiceDB
//! writes them: any visible ASCII but quotes, brackets, commas and `#`.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;

use super::{
    context,
    error::{refuse, ErrorClass, SpicedbError},
    timestamp::is_timestamp,
};
use crate::{
    limits::{SPICEDB_ID_BYTES_MAX, SPICEDB_NAME_BYTES_MAX},
    name::excerpt,
    schema::Position,
};

/// An object: `document:1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// The definition, with its prefixes.
    pub definition: String,
    /// The id.
    pub id: String,
}

/// Who a relationship or a question names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// `user:tom`, also written `user:tom#...`.
    Object(Object),
    /// `user:*`: every object of a definition.
    Wildcard {
        /// Which definition.
        definition: String,
    },
    /// `group:eng#member`.
    Userset {
        /// Whose relation.
        object: Object,
        /// The relation or permission.
        relation: String,
    },
}

/// The caveat of a relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationshipCaveat {
    /// Which caveat.
    pub name: String,
    /// A JSON object, without space between its parts.
    pub context: Option<String>,
}

/// A relationship as SpiceDB writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// Where it stands.
    pub position: Position,
    /// On what.
    pub resource: Object,
    /// Which relation; in an assertion also which permission.
    pub relation: String,
    /// Who.
    pub subject: Subject,
    /// Under which caveat.
    pub caveat: Option<RelationshipCaveat>,
    /// Until when, in UTC (RFC 3339).
    pub expiration: Option<String>,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.definition, self.id)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(object) => write!(f, "{object}"),
            Self::Wildcard { definition } => write!(f, "{definition}:*"),
            Self::Userset { object, relation } => write!(f, "{object}#{relation}"),
        }
    }
}

impl fmt::Display for Relationship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}@{}", self.resource, self.relation, self.subject)?;
        if let Some(caveat) = &self.caveat {
            match &caveat.context {
                Some(context) => write!(f, "[{}:{context}]", caveat.name)?,
                None => write!(f, "[{}]", caveat.name)?,
            }
        }
        match &self.expiration {
            Some(time) => write!(f, "[expiration:{time}]"),
            None => Ok(()),
        }
    }
}

impl Relationship {
    /// Reads one relationship; white space around it is dropped.
    ///
    /// # Errors
    /// [`SpicedbError`] with a place in `text`.
    pub fn parse(text: &str) -> Result<Self, SpicedbError> {
        Self::parse_at(text, Position { line: 1, column: 1 })
    }

    /// Reads one relationship that stands at `start` of a file, on one line.
    ///
    /// # Errors
    /// [`SpicedbError`] with a place in the file.
    pub fn parse_at(text: &str, start: Position) -> Result<Self, SpicedbError> {
        let mut cursor = Cursor {
            text: text.trim_end(),
            at: text.len() - text.trim_start().len(),
            start,
        };
        let position = cursor.place();
        let (resource, relation) = cursor.object_and_relation()?;
        cursor.expect("@", "`@` and the subject")?;
        let subject = cursor.subject()?;
        let (caveat, expiration) = cursor.suffixes()?;
        if !cursor.rest().is_empty() {
            return Err(cursor.refuse("this has no meaning behind a relationship; remove it"));
        }
        Ok(Self {
            position,
            resource,
            relation,
            subject,
            caveat,
            expiration,
        })
    }
}

/// A place in one line of text.
pub(super) struct Cursor<'a> {
    pub text: &'a str,
    pub at: usize,
    pub start: Position,
}

impl<'a> Cursor<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn place(&self) -> Position {
        let before = self.text.get(..self.at).unwrap_or("");
        Position {
            line: self.start.line,
            column: self.start.column + before.chars().count(),
        }
    }

    pub(super) fn refuse(&self, message: &str) -> SpicedbError {
        let rest = excerpt(self.rest());
        refuse(
            self.place(),
            ErrorClass::Syntax,
            format!("{message} (found {rest:?})"),
        )
    }

    pub(super) fn accept(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &str, what: &str) -> Result<(), SpicedbError> {
        if self.accept(sign) {
            return Ok(());
        }
        Err(self.refuse(&format!("{what} belong here")))
    }

    fn take(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !matches(character));
        let taken = rest.get(..length.unwrap_or(rest.len())).unwrap_or("");
        self.at += taken.len();
        taken
    }

    fn name(&mut self, path: bool) -> Result<String, SpicedbError> {
        let before = self.at;
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let name = self.take(|character| word(character) || (path && character == '/'));
        let fits = |part: &str| {
            let first = part.bytes().next();
            first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        };
        if name.len() <= SPICEDB_NAME_BYTES_MAX && name.split('/').all(fits) {
            return Ok(name.to_owned());
        }
        self.at = before;
        Err(self.refuse("a name of at most 128 letters, digits and underscores belongs here"))
    }

    fn id(&mut self) -> Result<String, SpicedbError> {
        let before = self.at;
        let id = self.take(is_id_character);
        if (1..=SPICEDB_ID_BYTES_MAX).contains(&id.len()) && id != "*" {
            return Ok(id.to_owned());
        }
        self.at = before;
        Err(self.refuse("an object's id of at most 1024 visible characters belongs here"))
    }

    fn object(&mut self) -> Result<Object, SpicedbError> {
        let definition = self.name(true)?;
        self.expect(":", "`:` and an id")?;
        let id = self.id()?;
        Ok(Object { definition, id })
    }

    /// `document:1#viewer`.
    pub(super) fn object_and_relation(&mut self) -> Result<(Object, String), SpicedbError> {
        let object = self.object()?;
        self.expect("#", "`#` and a relation")?;
        Ok((object, self.name(false)?))
    }

    pub(super) fn subject(&mut self) -> Result<Subject, SpicedbError> {
        let before = self.at;
        let definition = self.name(true)?;
        let everyone = self.accept(":*") && !self.rest().starts_with(is_id_character);
        if everyone {
            self.accept("#...");
            if self.rest().starts_with('#') {
                return Err(self.refuse("everyone has no relation; remove it"));
            }
            return Ok(Subject::Wildcard { definition });
        }
        self.at = before;
        let object = self.object()?;
        if !self.accept("#") || self.accept("...") {
            return Ok(Subject::Object(object));
        }
        let relation = self.name(false)?;
        Ok(Subject::Userset { object, relation })
    }

    /// `[caveat:{…}]` and `[expiration:…]`, each at most once, in this order.
    #[allow(clippy::type_complexity, reason = "two optional parts")]
    fn suffixes(&mut self) -> Result<(Option<RelationshipCaveat>, Option<String>), SpicedbError> {
        let mut caveat = None;
        let expires = |cursor: &Self| {
            let behind = cursor.rest().strip_prefix("[expiration:");
            behind.is_some_and(|behind| !behind.starts_with('{'))
        };
        if self.rest().starts_with('[') && !expires(self) {
            self.at += 1;
            let name = self.name(true)?;
            let mut written = None;
            if self.accept(":") {
                let (context, length) =
                    context::object(self.rest()).map_err(|wrong| self.refuse(wrong))?;
                self.at += length;
                written = Some(context);
            }
            self.expect("]", "`]`, or `:` and a JSON object,")?;
            caveat = Some(RelationshipCaveat {
                name,
                context: written,
            });
        }
        if !expires(self) {
            return Ok((caveat, None));
        }
        self.at += "[expiration:".len();
        let before = self.at;
        let time = self.take(|character| character != ']');
        if !is_timestamp(time) {
            self.at = before;
            return Err(self.refuse("a time such as 2030-01-01T00:00:00Z belongs here"));
        }
        self.expect("]", "`]`")?;
        Ok((caveat, Some(time.to_owned())))
    }
}

pub(super) fn is_id_character(character: char) -> bool {
    character.is_ascii_graphic() && !"#\"'[]{}<>,".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn relationships_are_read_and_written_alike() {
        for (text, expected) in [
            ("document:1#viewer@user:tom", None),
            (
                "document:1#viewer@user:tom#...",
                Some("document:1#viewer@user:tom"),
            ),
            (
                "  document:1#viewer@user:tom\t",
                Some("document:1#viewer@user:tom"),
            ),
            ("document:1#viewer@user:*", None),
            ("document:1#viewer@user:*[cav]", None),
            ("a/b/doc:--=base64+|/_==#viewer@a/user:1#member", None),
            ("document:1#viewer@user:tom[cav]", None),
            ("document:1#viewer@user:tom[a/cav]", None),
            ("document:1#viewer@user:tom[cav:{}]", None),
            (
                "document:1#viewer@user:tom[cav:{\"a\": \"]}\", \"b\": [1, {\"c\": 2}]}]",
                Some("document:1#viewer@user:tom[cav:{\"a\":\"]}\",\"b\":[1,{\"c\":2}]}]"),
            ),
            (
                "document:1#viewer@user:tom[expiration:2023-12-01T00:00:00Z]",
                None,
            ),
            ("document:1#viewer@user:tom[expiration:{}]", None),
            (
                "document:1#viewer@user:tom[cav:{\"a\":1}][expiration:2023-12-01T00:00:00.5Z]",
                None,
            ),
        ] {
            let relationship = Relationship::parse(text).unwrap();
            assert_eq!(relationship.to_string(), expected.unwrap_or(text));
        }
    }

    #[test]
    fn malformed_relationships_name_their_place() {
        for (text, column) in [
            ("", 1),
            ("document", 9),
            ("document:#viewer@user:tom", 10),
            ("document:*#viewer@user:tom", 10),
            ("document:1@user:tom", 20),
            ("document:1#@user:tom", 12),
            ("document:1#viewer", 18),
            ("document:1#viewer@", 19),
            ("document:1#viewer@user", 23),
            ("document:1#viewer@user:*#member", 25),
            ("document:1#viewer@user:tom#", 28),
            ("document:1#viewer@user:tom#member#x", 34),
            ("document:1#viewer@user:tom[", 28),
            ("document:1#viewer@user:tom[cav", 31),
            ("document:1#viewer@user:tom[cav:]", 32),
            ("document:1#viewer@user:tom[cav:{a}]", 32),
            ("document:1#viewer@user:tom[cav][cav]", 32),
            (
                "document:1#viewer@user:tom[expiration:2023-13-01T00:00:00Z]",
                39,
            ),
            (
                "document:1#viewer@user:tom[expiration:2023-12-01T00:00:00Z][cav]",
                60,
            ),
            ("/a:1#viewer@user:tom", 1),
            ("document:é#viewer@user:tom", 10),
        ] {
            let failure = Relationship::parse(text).expect_err(text);
            assert_eq!(failure.position.column, column, "{text}: {failure}");
        }
    }
}
