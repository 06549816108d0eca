//! Audit logs of operators and their anchors.

pub mod error;
pub mod events;
pub mod keys;
pub mod messages;
pub mod records;

pub use error::AuditError;
pub use messages::{Anchor, OpenLog};
pub use records::{AnchorLeaf, LogRecord, OpenLogRecord, PolicyLogs};
