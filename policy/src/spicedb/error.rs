//! What is refused: where, of which class, and what to do.

use alloc::string::String;

use crate::schema::{PolicyError, Position};

/// Why a text of SpiceDB was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", .position.line, .position.column)]
pub struct SpicedbError {
    /// Where in the text.
    pub position: Position,
    /// Of which kind it is, for programs.
    pub class: ErrorClass,
    /// What is wrong and what to do next.
    pub message: String,
}

/// The kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// The text does not have the form of the language.
    Syntax,
    /// A bound of the reader or of policies is exceeded.
    TooLarge,
    /// `use` names no known feature, or stands too late.
    Flag,
    /// No such definition or caveat parameter type.
    UnknownType,
    /// No such relation or permission.
    UnknownRelation,
    /// No such caveat.
    UnknownCaveat,
    /// No such partial, or one that contains itself.
    Partial,
    /// A name, type or relationship stands twice.
    Doubled,
    /// Left of an arrow stands a permission.
    ArrowOverPermission,
    /// Left of an arrow stands a relation that allows a wildcard.
    ArrowOverWildcard,
    /// A subject relation leads to a wildcard.
    WildcardInUserset,
    /// SpiceDB has it, policies have no counterpart.
    Inexpressible,
}

pub(crate) fn refuse(
    position: Position,
    class: ErrorClass,
    message: impl Into<String>,
) -> SpicedbError {
    SpicedbError {
        position,
        class,
        message: message.into(),
    }
}

impl From<PolicyError> for SpicedbError {
    /// What the YAML reader refuses is a matter of form.
    fn from(error: PolicyError) -> Self {
        refuse(error.position, ErrorClass::Syntax, error.message)
    }
}
