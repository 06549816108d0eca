//! What an evaluation comes to: true, false, missing, failed.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use super::types::ParameterType;
use crate::{limits::CONDITION_COST_MAX, schema::Position, time::Time};

/// The result of evaluating a condition once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// What it came to.
    pub outcome: Outcome,
    /// What it took, in the units of docs/spec/condition.md; never above [`CONDITION_COST_MAX`].
    pub cost: u64,
    /// The first later time at which a comparison with the clock that was evaluated comes out
    /// otherwise: with the same contexts, the outcome is the same at every time before it. None if
    /// the outcome stands for ever.
    pub stands_until: Option<Time>,
}

/// What a condition came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It hangs on these parameters, which neither context gives: sorted, at least one.
    Missing(Vec<String>),
    /// It has no value, whatever the missing parameters are.
    Failed(EvaluationError),
}

/// Why a condition has no value, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {failure}", .position.line, .position.column)]
pub struct EvaluationError {
    /// The operation, as a place in the policy.
    pub position: Position,
    /// What failed.
    pub failure: EvaluationFailure,
}

/// Why a condition has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationFailure {
    /// A result does not fit its type.
    #[error("the result of `{operator}` is out of range")]
    Overflow {
        /// The operator or function.
        operator: &'static str,
    },
    /// Division by zero, or its remainder.
    #[error("`{operator}` divides by zero")]
    DivisionByZero {
        /// `/` or `%`.
        operator: &'static str,
    },
    /// A list has no such entry.
    #[error("the list has {size} entries, none at index {index}; test with size(…) before")]
    Index {
        /// The index, as text.
        index: String,
        /// How many entries the list has.
        size: usize,
    },
    /// A map has no such key.
    #[error("the map has no key {key:?}; test with has(…) or `in` before")]
    Key {
        /// The key, cut to a printable length.
        key: String,
    },
    /// A key stands twice in a map of the condition.
    #[error("the map has the key {key:?} twice")]
    DoubledKey {
        /// The key, cut to a printable length.
        key: String,
    },
    /// An operation has no meaning for what it found.
    #[error("`{operator}` has no meaning for {given}")]
    Type {
        /// The operator or function.
        operator: &'static str,
        /// What was found, in words.
        given: String,
    },
    /// A value cannot become another type.
    #[error("{given} cannot become {expected}")]
    Conversion {
        /// The type asked for, in words.
        expected: &'static str,
        /// What was given, cut to a printable length.
        given: String,
    },
    /// A parameter was given a value that is not of its type.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The evaluation costs more than [`CONDITION_COST_MAX`]. Ends it at once: `&&` and `||` do not
    /// absorb this one.
    #[error("the evaluation costs more than {CONDITION_COST_MAX} units; give it shorter lists and texts, or simplify the condition")]
    Cost,
}

/// Why a context does not fit a condition's parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The condition has no such parameter.
    #[error("the condition has no parameter {name:?}{suggestion}")]
    Unknown {
        /// What was given, cut to a printable length.
        name: String,
        /// A near name, in words.
        suggestion: String,
    },
    /// The parameter is the clock, which nobody gives.
    #[error("the parameter {name:?} is the clock; leave it out, the time of each check stands in for it")]
    Clock {
        /// The parameter.
        name: String,
    },
    /// The value is not of the parameter's type.
    #[error("the parameter {name:?} is of type {expected}; {given}{hint}")]
    Type {
        /// The parameter.
        name: String,
        /// Its type.
        expected: ParameterType,
        /// What was given, in words.
        given: String,
        /// What to write instead, in words.
        hint: &'static str,
    },
}

/// Why an operation gives no value.
#[derive(Debug)]
pub(super) enum Stop {
    /// It hangs on these parameters.
    Missing(super::operation::Parameters),
    /// It has none.
    Failed(Box<EvaluationError>),
    /// The whole evaluation ends.
    Exhausted,
}

/// Why an operation has no value, where a place is still to be put beside it.
pub(super) fn type_failure(operator: &'static str, given: impl Into<String>) -> EvaluationFailure {
    EvaluationFailure::Type {
        operator,
        given: given.into(),
    }
}

pub(super) fn conversion_failure(expected: &'static str, given: &str) -> EvaluationFailure {
    EvaluationFailure::Conversion {
        expected,
        given: crate::name::excerpt(given),
    }
}

pub(super) fn overflow(operator: &'static str) -> EvaluationFailure {
    EvaluationFailure::Overflow { operator }
}

/// The names of the parameters in `missing`, sorted.
pub(super) fn names(
    parameters: &[(String, ParameterType)],
    missing: super::operation::Parameters,
) -> Vec<String> {
    let mut names: Vec<String> = (0..)
        .zip(parameters)
        .filter(|(id, _)| missing.contains(*id))
        .map(|(_, (name, _))| name.to_owned())
        .collect();
    names.sort_unstable();
    names
}

impl Outcome {
    /// Whether it is [`Outcome::True`].
    #[must_use]
    pub const fn is_true(&self) -> bool {
        matches!(self, Self::True)
    }
}

impl core::fmt::Display for Outcome {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::True => f.write_str("true"),
            Self::False => f.write_str("false"),
            Self::Missing(names) => write!(f, "missing {}", names.join(", ")),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}
