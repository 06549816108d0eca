//! Who may set and delete relationships.

use crate::{
    check::check,
    limits::Limits,
    name::{Actor, Name},
    question::{Answer, CheckError, Circumstances, Question},
    relationship::ObjectRef,
    relationships::Relationships,
};

/// Whether `actor` may set and delete relationships of `relation` on `object`: the object's owner
/// always (the discretionary rule), and whoever has a relation on it that `manages` this one.
/// Nobody but the owner manages `owner` (a transfer).
///
/// # Errors
/// As [`check`].
pub fn may_manage<R: Relationships + ?Sized>(
    relationships: &R,
    object: &ObjectRef,
    relation: &Name,
    actor: &Actor,
    circumstances: &Circumstances,
    limits: Limits,
) -> Result<Answer, CheckError> {
    check(
        relationships,
        &Question::manage(object.clone(), relation, actor.clone()),
        circumstances,
        limits,
    )
}
