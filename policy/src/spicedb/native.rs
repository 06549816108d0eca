//! Relationships between SpiceDB's notation and ours.
//!
//! Ours: `document:1#viewer@user:tom with office_hours {"zone":"ward"} and expiration …`. With an
//! actor type its objects are actors, named by their DIDs. SpiceDB's ids have no `:`, so a DID
//! stands there with every byte that they lack written as `=` and two hexadecimal digits
//! (`did=3Akey=3Az6Mk…`), and is read so again; no other id is changed in either direction.

use alloc::{borrow::ToOwned, format, string::String};

use super::{
    context,
    error::{refuse, ErrorClass, SpicedbError},
    relationship::{Object, Relationship, RelationshipCaveat, Subject},
};
use crate::{name::excerpt, schema::Position};

impl Subject {
    /// In our notation. `actor` is the definition whose objects are actors, if there is one.
    ///
    /// # Errors
    /// [`ErrorClass::Inexpressible`] for an actor whose id is no DID, and for a relation of one.
    pub fn to_native(
        &self,
        actor: Option<&str>,
        position: Position,
    ) -> Result<String, SpicedbError> {
        let inexpressible = |message| refuse(position, ErrorClass::Inexpressible, message);
        let is_actor = |definition: &str| actor == Some(definition);
        match self {
            Self::Object(object) if is_actor(&object.definition) => {
                let did = unescaped(&object.id).filter(|id| id.starts_with("did:"));
                did.ok_or_else(|| {
                    let id = excerpt(&object.id);
                    inexpressible(format!("{id:?} is an actor and must be a DID; import {:?} as a resource, or rename the actor", object.definition))
                })
            }
            Self::Wildcard { definition } if is_actor(definition) => Ok("*".to_owned()),
            Self::Userset { object, .. } if is_actor(&object.definition) => {
                Err(inexpressible(format!(
                    "actors have no relations, so {:?} is nobody; remove it",
                    excerpt(&format!("{self}"))
                )))
            }
            other => Ok(format!("{other}")),
        }
    }

    /// From our notation; see [`Subject::to_native`].
    ///
    /// # Errors
    /// [`SpicedbError`] for what is no subject, or has no name in SpiceDB.
    pub fn from_native(text: &str, actor: Option<&str>) -> Result<Self, SpicedbError> {
        let place = |column| Position { line: 1, column };
        let definition = actor.ok_or_else(|| {
            refuse(
                place(1),
                ErrorClass::Inexpressible,
                "SpiceDB has no actors but objects; say which definition they belong to",
            )
        });
        if text == "*" {
            return Ok(Self::Wildcard {
                definition: definition?.to_owned(),
            });
        }
        if text.starts_with("did:") {
            return Ok(Self::Object(Object {
                definition: definition?.to_owned(),
                id: escaped(text),
            }));
        }
        // `any` and `thing` only make it a relationship.
        let whole = format!("any:thing#any@{text}");
        let prefix = whole.len() - text.len();
        match Relationship::parse(&whole) {
            Ok(relationship)
                if relationship.caveat.is_none() && relationship.expiration.is_none() =>
            {
                Ok(relationship.subject)
            }
            Ok(_) => Err(refuse(
                place(1),
                ErrorClass::Syntax,
                "a subject belongs here",
            )),
            Err(error) => Err(SpicedbError {
                position: place(error.position.column.saturating_sub(prefix).max(1)),
                ..error
            }),
        }
    }
}

impl Relationship {
    /// In our notation. `actor` is the definition whose objects are actors, if there is one.
    ///
    /// # Errors
    /// [`ErrorClass::Inexpressible`] for an actor whose id is no DID.
    pub fn to_native(&self, actor: Option<&str>) -> Result<String, SpicedbError> {
        let subject = self.subject.to_native(actor, self.position)?;
        let mut text = format!("{}#{}@{subject}", self.resource, self.relation);
        let mut joint = " with ";
        if let Some(caveat) = &self.caveat {
            text.push_str(joint);
            text.push_str(&caveat.name);
            if let Some(context) = &caveat.context {
                text.push(' ');
                text.push_str(context);
            }
            joint = " and ";
        }
        if let Some(time) = &self.expiration {
            text.push_str(joint);
            text.push_str("expiration ");
            text.push_str(time);
        }
        Ok(text)
    }

    /// From our notation. `actor` is the definition that actors get, if there is one.
    ///
    /// # Errors
    /// [`SpicedbError`] for what is no relationship, and for names and ids that SpiceDB refuses.
    pub fn from_native(text: &str, actor: Option<&str>) -> Result<Self, SpicedbError> {
        let place = |rest: &str| {
            let before = text.len().saturating_sub(rest.len());
            Position {
                line: 1,
                column: text.get(..before).unwrap_or("").chars().count() + 1,
            }
        };
        let wrong = |rest: &str, message: &str| refuse(place(rest), ErrorClass::Syntax, message);
        let (facts, mut terms) = text.split_once(" with ").unwrap_or((text, ""));
        let form = || {
            wrong(
                text,
                "a relationship is written `resource:id#relation@subject`",
            )
        };
        let (object, rest) = facts.split_once('#').ok_or_else(form)?;
        let (relation, subject) = rest.split_once('@').ok_or_else(form)?;
        let (definition, id) = object.split_once(':').ok_or_else(form)?;
        let mut relationship = Self {
            position: Position { line: 1, column: 1 },
            resource: Object {
                definition: definition.to_owned(),
                id: id.to_owned(),
            },
            relation: relation.to_owned(),
            subject: Subject::from_native(subject, actor)?,
            caveat: None,
            expiration: None,
        };
        let has_terms = text.len() > facts.len();
        if has_terms && !terms.starts_with("expiration ") {
            let length = terms.find(' ').unwrap_or(terms.len());
            let (name, rest) = terms.split_at(length);
            let mut caveat = RelationshipCaveat {
                name: name.to_owned(),
                context: None,
            };
            terms = rest;
            if let Some(json) = terms.strip_prefix(' ').filter(|json| json.starts_with('{')) {
                let (written, length) =
                    context::object(json).map_err(|message| wrong(json, message))?;
                caveat.context = Some(written);
                terms = json.get(length..).unwrap_or("");
            }
            relationship.caveat = Some(caveat);
            if let Some(rest) = terms.strip_prefix(" and ") {
                terms = rest;
            } else if !terms.is_empty() {
                return Err(wrong(
                    terms,
                    "` and expiration TIME` or nothing belongs here",
                ));
            }
        }
        if let Some(time) = terms.strip_prefix("expiration ") {
            relationship.expiration = Some(time.to_owned());
        } else if !terms.is_empty() {
            return Err(wrong(terms, "`expiration TIME` belongs here"));
        }
        // What is written must read as the same in SpiceDB.
        let written = format!("{relationship}");
        let read = Self::parse(&written)?;
        if read != relationship {
            return Err(wrong(
                text,
                "this relationship has no form in SpiceDB; rename its parts",
            ));
        }
        relationship.check_ids()?;
        Ok(relationship)
    }

    /// SpiceDB's ids are letters, digits and `/ _ | - = +`; ours may have more.
    fn check_ids(&self) -> Result<(), SpicedbError> {
        let subject = match &self.subject {
            Subject::Object(object) | Subject::Userset { object, .. } => object.id.as_str(),
            Subject::Wildcard { .. } => "",
        };
        for id in [self.resource.id.as_str(), subject] {
            if let Some(found) = id.chars().find(|character| !is_spicedb(*character)) {
                return Err(refuse(
                    self.position,
                    ErrorClass::Inexpressible,
                    format!(
                        "SpiceDB's ids have no {found:?}, which stands in {:?}; rename the object",
                        excerpt(id)
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn is_spicedb(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '/' | '_' | '|' | '-' | '=' | '+')
}

fn escaped(did: &str) -> String {
    let mut id = String::new();
    for character in did.chars() {
        if is_spicedb(character) && character != '=' {
            id.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                id.push_str(&format!("={byte:02X}"));
            }
        }
    }
    id
}

fn unescaped(id: &str) -> Option<String> {
    let mut did = String::new();
    let mut parts = id.split('=');
    did.push_str(parts.next()?);
    for part in parts {
        let code = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        did.push(char::from(code));
        did.push_str(part.get(2..)?);
    }
    did.is_ascii().then_some(did)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_say_the_same() {
        for (spicedb, native) in [
            ("document:1#viewer@user:tom", "document:1#viewer@user:tom"),
            ("document:1#viewer@team:*", "document:1#viewer@team:*"),
            (
                "document:1#viewer@group:g#member",
                "document:1#viewer@group:g#member",
            ),
            (
                "document:1#viewer@team:t[cav]",
                "document:1#viewer@team:t with cav",
            ),
            (
                "document:1#viewer@team:t[cav:{\"a\":\" and \"}]",
                "document:1#viewer@team:t with cav {\"a\":\" and \"}",
            ),
            (
                "document:1#viewer@team:t[cav:{\"a\":1}][expiration:2023-12-01T00:00:00Z]",
                "document:1#viewer@team:t with cav {\"a\":1} and expiration 2023-12-01T00:00:00Z",
            ),
            (
                "document:1#viewer@team:t[cav][expiration:2023-12-01T00:00:00Z]",
                "document:1#viewer@team:t with cav and expiration 2023-12-01T00:00:00Z",
            ),
            (
                "document:1#viewer@team:t[expiration:2023-12-01T00:00:00Z]",
                "document:1#viewer@team:t with expiration 2023-12-01T00:00:00Z",
            ),
        ] {
            let relationship = Relationship::parse(spicedb).unwrap();
            assert_eq!(relationship.to_native(None).unwrap(), native);
            assert_eq!(
                Relationship::from_native(native, None).unwrap(),
                relationship
            );
        }
        for (spicedb, native) in [
            ("document:1#viewer@user:*", "document:1#viewer@*"),
            (
                "document:1#viewer@user:did=3Akey=3Az6Mk=2Ex[cav]",
                "document:1#viewer@did:key:z6Mk.x with cav",
            ),
        ] {
            let relationship = Relationship::parse(spicedb).unwrap();
            assert_eq!(relationship.to_native(Some("user")).unwrap(), native);
            assert_eq!(
                Relationship::from_native(native, Some("user")).unwrap(),
                relationship
            );
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused() {
        for text in [
            "document:1#viewer@user:tom",
            "document:1#viewer@user:tom#friend",
        ] {
            let relationship = Relationship::parse(text).unwrap();
            let failure = relationship.to_native(Some("user")).expect_err(text);
            assert_eq!(failure.class, ErrorClass::Inexpressible);
        }
        for (text, actor, expected) in [
            ("document:1#viewer@did:key:z", None, "which definition"),
            ("document:1#viewer@*", None, "which definition"),
            ("document:a.b#viewer@team:t", None, "have no '.'"),
            ("document:1#can-view@team:t", None, "`@` and the subject"),
            ("document:1#viewer@team:t with ", None, "name"),
            ("document:1#viewer@team:t with cav and", None, "or nothing"),
            (
                "document:1#viewer@team:t with cav {\"a\"",
                None,
                "not closed",
            ),
            (
                "document:1#viewer@team:t with expiration x",
                None,
                "a time such as",
            ),
            (
                "document:1#viewer@team:t[x]",
                None,
                "a subject belongs here",
            ),
            ("document:1#viewer", None, "is written"),
            ("document#viewer@team:t", None, "is written"),
        ] {
            let failure = Relationship::from_native(text, actor).expect_err(text);
            assert!(failure.message.contains(expected), "{text}: {failure}");
        }
    }
}
