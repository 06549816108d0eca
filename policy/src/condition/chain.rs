//! `&&` and `||` over any number of operands, and so `all` and `exists`: what decides wins over what is
//! missing, that over what failed (cel-spec langdef, "Logical Operators").

use alloc::boxed::Box;

use super::{
    evaluate::Result,
    failure::{EvaluationError, Stop},
    operation::Parameters,
};

/// What `&&`, `||`, `all` and `exists` have seen so far.
#[derive(Default)]
pub(super) struct Chain {
    decided: bool,
    missing: Parameters,
    failed: Option<Box<EvaluationError>>,
}

impl Chain {
    /// Adds an operand; true if it decides the chain.
    pub(super) fn add(&mut self, operand: Result<bool>, decides: bool) -> Result<bool> {
        match operand {
            Ok(value) => self.decided = value == decides,
            Err(Stop::Missing(missing)) => self.missing = self.missing.with(missing),
            Err(Stop::Failed(error)) => {
                self.failed.get_or_insert(error);
            }
            Err(Stop::Exhausted) => return Err(Stop::Exhausted),
        }
        Ok(self.decided)
    }

    pub(super) fn finish(self, decides: bool) -> Result<bool> {
        match self.failed {
            _ if self.decided => Ok(decides),
            _ if self.missing != Parameters::default() => Err(Stop::Missing(self.missing)),
            Some(error) => Err(Stop::Failed(error)),
            None => Ok(!decides),
        }
    }
}
