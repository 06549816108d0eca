//! What is wrong with a text of theorems or relationships: all of it, not the first only.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{limits::THEOREM_ERRORS_MAX, schema::Position};

/// One thing that is wrong with a text: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TheoremError {
    /// Where in the text.
    pub position: Position,
    /// What is wrong and what to do next.
    pub message: String,
}

impl fmt::Display for TheoremError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "line {line}, column {column}: {}", self.message)
    }
}

impl core::error::Error for TheoremError {}

/// The errors found so far, at most [`THEOREM_ERRORS_MAX`]; of further ones it is only known that
/// there are some.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<TheoremError>);

impl Errors {
    pub fn add(&mut self, position: Position, message: impl Into<String>) {
        if self.0.len() < THEOREM_ERRORS_MAX {
            self.0.push(TheoremError {
                position,
                message: message.into(),
            });
        }
    }

    /// `value`, if nothing is wrong; else all that is, in the order of the text.
    pub fn unless_any<T>(mut self, value: T) -> Result<T, Vec<TheoremError>> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort();
        Err(self.0)
    }
}
