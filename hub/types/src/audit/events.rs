//! What audit logs tell.

use super::{AnchorLeaf, LogRecord};
use crate::Event;

/// A log was opened.
#[must_use]
pub fn opened(record: &LogRecord) -> Event {
    Event::new("holdfast.audit.opened")
        .with("log", record.id)
        .with("operator", &record.operator)
        .with("policy", record.policy)
}

/// A log was anchored.
#[must_use]
pub fn anchored(leaf: &AnchorLeaf, index: u64) -> Event {
    Event::new("holdfast.audit.anchored")
        .with("log", leaf.log)
        .with("index", index)
        .with("size", leaf.size)
}
