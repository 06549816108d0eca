//! Keys of the main tree that belong to audit logs.

use alloc::vec::Vec;

use identity::Did;

use crate::{
    key::{spell, Module},
    LogId, PolicyId,
};

/// The [`super::LogRecord`] of a log.
#[must_use]
pub fn log(log: &LogId) -> Vec<u8> {
    spell(Module::Audit, 1, &[log.as_bytes()])
}

/// The [`super::OpenLogRecord`]: the log that an operator has open for a policy. Absent where it
/// has none, provably.
#[must_use]
pub fn open_log(policy: &PolicyId, operator: &Did) -> Vec<u8> {
    spell(
        Module::Audit,
        2,
        &[policy.as_bytes(), operator.as_str().as_bytes()],
    )
}

/// The [`super::PolicyLogs`] of a policy; absent until the first log is opened.
#[must_use]
pub fn policy_logs(policy: &PolicyId) -> Vec<u8> {
    spell(Module::Audit, 3, &[policy.as_bytes()])
}
