//! Objects, subjects and relationships between protobuf and the policy crate.

use ::policy::{Actor, Name, ObjectRef, Relationship, Subject};
use wire::policy as proto;

use crate::MessageError;

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
    Ok(Relationship::new(
        object_from_wire(field, wire.object.as_ref())?,
        Name::new(&wire.relation).map_err(MessageError::at(field))?,
        subject_from_wire(field, wire.subject.as_ref())?,
    ))
}
