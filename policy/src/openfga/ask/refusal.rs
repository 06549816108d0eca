//! Why a question in OpenFGA's words has no answer.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use crate::question::CheckError;

/// The kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// The model defines no such type.
    UnknownType,
    /// The type has no such relation.
    UnknownRelation,
    /// The user is none, or the model defines no such user.
    User,
    /// The model does not admit a contextual tuple.
    ContextualTuple,
    /// A condition lacks context, or fails with what it has.
    Condition,
    /// A bound is exceeded.
    TooComplex,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of which kind it is, for programs.
    pub kind: RefusalKind,
    /// What is wrong and what to do next.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// A condition lacks these parameters.
    pub(super) fn missing(names: &[String]) -> Self {
        let names = names.join(", ");
        Self::new(
            RefusalKind::Condition,
            format!("the answer hangs on context that is not given: {names}; give it as `context`"),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Refusal {}

impl From<CheckError> for Refusal {
    fn from(error: CheckError) -> Self {
        let kind = match error {
            CheckError::UnknownResource { .. } => RefusalKind::UnknownType,
            CheckError::UnknownPermission { .. } => RefusalKind::UnknownRelation,
            CheckError::Condition { .. } => RefusalKind::Condition,
            CheckError::TooManySteps { .. } | CheckError::TooDeep { .. } | CheckError::Read(_) => {
                RefusalKind::TooComplex
            }
        };
        Self::new(kind, error.to_string())
    }
}
