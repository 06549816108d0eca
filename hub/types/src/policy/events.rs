//! What policies tell.

use identity::Did;

use super::{Change, ChangeKind};
use crate::{Event, PolicyId};

/// One change; `revision` is the leaf that will hold it.
///
/// Relationships have none of their own: a message may change a thousand, CometBFT indexes every
/// attribute, and the policy's log tells them all. [`relationships_changed`] counts them.
#[must_use]
pub fn changed(policy: &PolicyId, revision: u64, change: &Change) -> Option<Event> {
    let event = |kind| of(kind, policy, revision, &change.actor);
    let event = match &change.kind {
        ChangeKind::Created { .. } => event("holdfast.policy.created"),
        ChangeKind::CollectionDefined {
            resource,
            name,
            record,
        } => event("holdfast.policy.collection_defined")
            .with("resource", resource)
            .with("name", name)
            .with("schema_version", record.version),
        ChangeKind::RelationshipSet(_) | ChangeKind::RelationshipDeleted(_) => return None,
        ChangeKind::ObjectRegistered { object, .. } => {
            event("holdfast.policy.object_registered").with("object", object)
        }
    };
    Some(event)
}

/// What one message changed of a policy's relationships.
#[must_use]
pub fn relationships_changed(
    policy: &PolicyId,
    revision: u64,
    actor: &Did,
    set: usize,
    deleted: usize,
) -> Event {
    of(
        "holdfast.policy.relationships_changed",
        policy,
        revision,
        actor,
    )
    .with("set", set)
    .with("deleted", deleted)
}

fn of(kind: &'static str, policy: &PolicyId, revision: u64, actor: &Did) -> Event {
    Event::new(kind)
        .with("policy", policy)
        .with("revision", revision)
        .with("actor", actor)
}
