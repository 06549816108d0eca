//! Objects, subjects, relationships and their terms between protobuf and the policy crate.

use alloc::{boxed::Box, string::String};

use ::policy::{
    limits::CONTEXT_JSON_BYTES_MAX, Actor, ConditionUse, Context, Name, ObjectRef, Relationship,
    Subject, Terms, Time,
};
use wire::policy as proto;

use crate::{MessageError, Timestamp};

/// Writes an object.
#[must_use]
pub fn object_to_wire(object: &ObjectRef) -> proto::Object {
    proto::Object {
        resource: object.resource().into(),
        id: object.id().into(),
    }
}

/// Reads an object.
///
/// # Errors
/// [`MessageError::Field`] with the name of the field.
pub fn object_from_wire(
    field: &'static str,
    wire: Option<&proto::Object>,
) -> Result<ObjectRef, MessageError> {
    let wire = wire.ok_or_else(|| MessageError::field(field, "the object is missing"))?;
    ObjectRef::new(&wire.resource, &wire.id).map_err(MessageError::at(field))
}

/// Writes a subject.
#[must_use]
pub fn subject_to_wire(subject: &Subject) -> proto::Subject {
    use proto::subject::Kind;
    let kind = match subject {
        Subject::Actor(actor) => Kind::Actor(actor.as_str().into()),
        Subject::Everyone => Kind::Everyone(proto::Everyone {}),
        Subject::Every(resource) => Kind::Every(resource.as_str().into()),
        Subject::Object(object) => Kind::Object(object_to_wire(object)),
        Subject::Userset { object, relation } => Kind::Userset(proto::Userset {
            object: Some(object_to_wire(object)),
            relation: relation.as_str().into(),
        }),
    };
    proto::Subject { kind: Some(kind) }
}

/// Reads a subject.
///
/// # Errors
/// [`MessageError::Field`] with the name of the field.
pub fn subject_from_wire(
    field: &'static str,
    wire: Option<&proto::Subject>,
) -> Result<Subject, MessageError> {
    use proto::subject::Kind;
    let kind = wire
        .and_then(|subject| subject.kind.as_ref())
        .ok_or_else(|| MessageError::field(field, "the subject is missing"))?;
    Ok(match kind {
        Kind::Actor(actor) => Subject::Actor(Actor::new(actor).map_err(MessageError::at(field))?),
        Kind::Everyone(_) => Subject::Everyone,
        Kind::Every(resource) => {
            Subject::Every(Name::new(resource).map_err(MessageError::at(field))?)
        }
        Kind::Object(object) => Subject::Object(object_from_wire(field, Some(object))?),
        Kind::Userset(userset) => Subject::Userset {
            object: object_from_wire(field, userset.object.as_ref())?,
            relation: Name::new(&userset.relation).map_err(MessageError::at(field))?,
        },
    })
}

/// Writes a relationship.
#[must_use]
pub fn relationship_to_wire(relationship: &Relationship) -> proto::Relationship {
    proto::Relationship {
        object: Some(object_to_wire(&relationship.object)),
        relation: relationship.relation.as_str().into(),
        subject: Some(subject_to_wire(&relationship.subject)),
        terms: terms_to_wire(&relationship.terms),
    }
}

/// Reads a relationship.
///
/// # Errors
/// [`MessageError::Field`] with the name of the field.
pub fn relationship_from_wire(
    field: &'static str,
    wire: &proto::Relationship,
) -> Result<Relationship, MessageError> {
    let relationship = Relationship::new(
        object_from_wire(field, wire.object.as_ref())?,
        Name::new(&wire.relation).map_err(MessageError::at(field))?,
        subject_from_wire(field, wire.subject.as_ref())?,
    );
    Ok(relationship.on(terms_from_wire(field, wire.terms.as_ref())?))
}

/// Writes the terms of a relationship; nothing where there are none.
#[must_use]
pub fn terms_to_wire(terms: &Terms) -> Option<proto::Terms> {
    let condition = terms.condition.as_ref().map(|used| proto::Condition {
        name: used.name.as_str().into(),
        context: context_to_json(&used.context),
    });
    (!terms.is_none()).then(|| proto::Terms {
        condition,
        expires: terms.expires.map(time_to_wire),
    })
}

/// Reads the terms of a relationship.
///
/// # Errors
/// [`MessageError::Field`] with the name of the field; also for terms that are there and say
/// nothing, which leaving them out says already.
pub fn terms_from_wire(
    field: &'static str,
    wire: Option<&proto::Terms>,
) -> Result<Terms, MessageError> {
    let Some(wire) = wire else {
        return Ok(Terms::NONE);
    };
    let mut terms = Terms::NONE;
    if let Some(condition) = &wire.condition {
        terms.condition = Some(Box::new(ConditionUse {
            name: Name::new(&condition.name).map_err(MessageError::at(field))?,
            context: context_from_json(field, &condition.context)?,
        }));
    }
    if let Some(expires) = &wire.expires {
        terms.expires = Some(time_from_wire(field, expires)?);
    }
    match terms.is_none() {
        true => Err(MessageError::field(
            field,
            "terms without a condition and without an expiry; leave them out",
        )),
        false => Ok(terms),
    }
}

/// A context as it stands in messages: JSON, nothing for no values.
#[must_use]
pub fn context_to_json(context: &Context) -> String {
    match context.is_empty() {
        true => String::new(),
        false => context.to_json(),
    }
}

/// Reads a context: a JSON object of at most [`CONTEXT_JSON_BYTES_MAX`] bytes, or nothing.
///
/// # Errors
/// [`MessageError::Field`] with the name of the field.
pub fn context_from_json(field: &'static str, text: &str) -> Result<Context, MessageError> {
    if text.len() > CONTEXT_JSON_BYTES_MAX {
        return Err(MessageError::field(
            field,
            "a context has at most 16,384 bytes of JSON",
        ));
    }
    match text {
        "" => Ok(Context::default()),
        text => Context::from_json(text).map_err(MessageError::at(field)),
    }
}

/// A moment, as messages carry it.
#[must_use]
pub fn time_to_wire(time: Time) -> wire::Timestamp {
    wire::Timestamp {
        seconds: time.seconds(),
        // Below 10^9.
        nanos: time.nanos() as i32,
    }
}

/// Reads a moment.
///
/// # Errors
/// [`MessageError::Field`] with the name of the field.
pub fn time_from_wire(field: &'static str, wire: &wire::Timestamp) -> Result<Time, MessageError> {
    let nanos = u32::try_from(wire.nanos)
        .map_err(|_| MessageError::field(field, "a time has no negative nanoseconds"))?;
    let time = Timestamp::new(wire.seconds, nanos).map_err(MessageError::at(field))?;
    Ok(time.to_policy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use wire::Message as _;

    fn expiring() -> proto::Relationship {
        let relationship: Relationship = "cell:1#operator@user:*".parse().unwrap();
        let terms = Terms {
            condition: Some(Box::new(ConditionUse {
                name: Name::new("office_hours").unwrap(),
                context: Context::default(),
            })),
            expires: Some(Timestamp::new(1_800_000_000, 5).unwrap().to_policy()),
        };
        relationship_to_wire(&relationship.on(terms))
    }

    #[test]
    fn relationships_come_back_with_their_terms() {
        let wire = expiring();
        let read = relationship_from_wire("set", &wire).unwrap();
        assert_eq!(relationship_to_wire(&read), wire);
        assert_eq!(read.subject.to_string(), "user:*");
        assert!(read.terms.condition.is_some() && read.terms.expires.is_some());
        let bare = proto::Relationship {
            terms: None,
            ..wire
        };
        let read = relationship_from_wire("set", &bare).unwrap();
        assert!(read.terms.is_none());
        assert_eq!(relationship_to_wire(&read), bare);
    }

    /// What was written before there were terms has the same bytes today.
    #[test]
    fn a_bare_relationship_has_the_bytes_that_it_always_had() {
        let relationship: Relationship = "a:1#r@did:k:z".parse().unwrap();
        let bytes = relationship_to_wire(&relationship).encode_to_vec();
        let mut expected = vec![
            0x0a, 6, 0x0a, 1, b'a', 0x12, 1, b'1', 0x12, 1, b'r', 0x1a, 9,
        ];
        expected.extend_from_slice(b"\x0a\x07did:k:z");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn wrong_terms_are_refused_by_the_field() {
        type Change = fn(&mut proto::Terms);
        let changes: [(&str, Change); 7] = [
            ("empty", |terms| *terms = proto::Terms::default()),
            ("no name", |terms| {
                terms.condition = Some(proto::Condition::default())
            }),
            ("no object", |terms| {
                terms.condition.as_mut().unwrap().context = "[1]".to_string();
            }),
            ("too long", |terms| {
                let condition = terms.condition.as_mut().unwrap();
                condition.context = " ".repeat(CONTEXT_JSON_BYTES_MAX + 1);
            }),
            ("negative nanoseconds", |terms| {
                terms.expires.as_mut().unwrap().nanos = -1;
            }),
            ("a second of nanoseconds", |terms| {
                terms.expires.as_mut().unwrap().nanos = 1_000_000_000;
            }),
            ("after the year 9999", |terms| {
                terms.expires.as_mut().unwrap().seconds = 253_402_300_800;
            }),
        ];
        for (what, change) in changes {
            let mut wire = expiring();
            change(wire.terms.as_mut().unwrap());
            let error = relationship_from_wire("set", &wire).unwrap_err();
            assert!(
                matches!(error, MessageError::Field { field: "set", .. }),
                "{what}: {error}"
            );
        }
        let mut wire = expiring();
        wire.subject.as_mut().unwrap().kind = Some(proto::subject::Kind::Every("a b".into()));
        assert!(relationship_from_wire("set", &wire).is_err());
    }
}
