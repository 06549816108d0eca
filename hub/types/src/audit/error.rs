//! What audit logs can run into.

use identity::Did;
use merkle::MerkleError;

use crate::{Code, LogId, PolicyId};

/// Why a log was not opened or not anchored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// No such log.
    #[error("there is no audit log {log}; open one first")]
    UnknownLog {
        /// The log.
        log: LogId,
    },
    /// No such policy to keep a log for.
    #[error("there is no policy {policy} to keep an audit log for")]
    UnknownPolicy {
        /// The policy.
        policy: PolicyId,
    },
    /// The operator has a log for this policy already.
    #[error("the operator has log {log} open for this policy; anchor that one, or seal it first")]
    AlreadyOpen {
        /// The open log.
        log: LogId,
    },
    /// Somebody else signed.
    #[error("only {expected} anchors this log")]
    NotAnchoringKey {
        /// Who anchors it.
        expected: Did,
    },
    /// The log has ended.
    #[error("log {log} is sealed; anchor its successor")]
    Sealed {
        /// The log.
        log: LogId,
    },
    /// The anchor starts from another size than the last one. C2SP tlog-witness: a conflict, the
    /// client asks for the log and tries again.
    #[error("the last anchor of this log has size {expected}, not {found}; ask for the log and prove consistency from there")]
    OldSize {
        /// The size of the last anchor.
        expected: u64,
        /// What the message said.
        found: u64,
    },
    /// The log is not larger than at its last anchor, or its root changed at the same size.
    #[error("the log has not grown since its last anchor, of size {size}")]
    NotGrown {
        /// The size.
        size: u64,
    },
    /// The log was rewritten: the proof does not lead from the last anchor to this one.
    #[error("the log does not extend its last anchor: a fork or a rewrite is not recorded")]
    Inconsistent(#[source] MerkleError),
}

impl AuditError {
    /// The number that consensus sees.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownLog { .. } => Code::UnknownLog,
            Self::UnknownPolicy { .. } => Code::UnknownPolicy,
            Self::AlreadyOpen { .. } => Code::LogAlreadyOpen,
            Self::NotAnchoringKey { .. } => Code::NotAnchoringKey,
            Self::Sealed { .. } => Code::LogSealed,
            Self::OldSize { .. } => Code::AnchorOldSize,
            Self::NotGrown { .. } => Code::AnchorNotGrown,
            Self::Inconsistent(_) => Code::AnchorInconsistent,
        }
    }
}
