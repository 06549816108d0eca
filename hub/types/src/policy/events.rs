//! What policies tell.

use super::{Change, ChangeKind};
use crate::{Event, PolicyId};

/// One change; `revision` is the leaf that will hold it.
#[must_use]
pub fn changed(policy: &PolicyId, revision: u64, change: &Change) -> Event {
    let event = |kind| {
        Event::new(kind)
            .with("policy", policy)
            .with("revision", revision)
            .with("actor", &change.actor)
    };
    match &change.kind {
        ChangeKind::Created { .. } => event("holdfast.policy.created"),
        ChangeKind::CollectionDefined {
            resource,
            name,
            record,
        } => event("holdfast.policy.collection_defined")
            .with("resource", resource)
            .with("name", name)
            .with("schema_version", record.version),
        ChangeKind::RelationshipSet(relationship) => {
            event("holdfast.policy.relationship_set").with("relationship", relationship)
        }
        ChangeKind::RelationshipDeleted(relationship) => {
            event("holdfast.policy.relationship_deleted").with("relationship", relationship)
        }
        ChangeKind::ObjectRegistered { object, .. } => {
            event("holdfast.policy.object_registered").with("object", object)
        }
    }
}
