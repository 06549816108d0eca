//! From the values of a walk to a decision.

use alloc::{string::String, vec::Vec};

use crate::{
    check::Walk,
    condition::EvaluationError,
    lacking::Lacking,
    missing,
    question::{Answer, CheckError, Decision},
    reader::ReadError,
    relationships::Relationships,
    truth::Truth,
};

/// What a walk met that leaves a value unknown and is no meaning of the policy.
#[derive(Default)]
pub(crate) struct Trouble {
    pub unavailable: Option<ReadError>,
    pub failed: Option<(String, EvaluationError)>,
    /// The bound that was exceeded.
    pub too_deep: Option<usize>,
}

impl Trouble {
    fn error(self) -> Result<(), CheckError> {
        if let Some(unavailable) = self.unavailable {
            return Err(CheckError::Read(unavailable));
        }
        if let Some((condition, reason)) = self.failed {
            return Err(CheckError::Condition { condition, reason });
        }
        match self.too_deep {
            Some(limit) => Err(CheckError::TooDeep { limit }),
            None => Ok(()),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.unavailable.is_none() && self.failed.is_none() && self.too_deep.is_none()
    }
}

impl<R: Relationships + ?Sized> Walk<'_, R> {
    /// Walks from the question down. Names nothing that is missing: steps, reads and times are those
    /// of the walks alone, which is what consensus counts.
    pub(crate) fn run(&mut self) -> Result<Answer, CheckError> {
        let decision = self.decide()?;
        Ok(Answer {
            decision,
            missing: Vec::new(),
            steps: self.steps(),
            stands_until: self.until(),
        })
    }

    /// [`Self::run`], and then the names of what is missing.
    pub(crate) fn run_and_name(&mut self) -> Result<Answer, CheckError> {
        let answer = self.run()?;
        let missing = match answer.decision {
            Decision::Conditional => missing::names(self),
            Decision::Allow | Decision::Deny => Vec::new(),
        };
        Ok(Answer { missing, ..answer })
    }

    fn decide(&mut self) -> Result<Decision, CheckError> {
        match self.walk(Lacking::Unknown)? {
            Truth::True => return Ok(Decision::Allow),
            Truth::False => return Ok(Decision::Deny),
            Truth::Unknown => {}
        }
        let trouble = self.take_trouble();
        if !self.lacks() {
            return trouble.error().map(|()| Decision::Deny);
        }
        match self.walk(Lacking::Holds)? {
            Truth::False => return Ok(Decision::Deny),
            Truth::Unknown => return self.take_trouble().error().map(|()| Decision::Deny),
            Truth::True if trouble.is_none() => return Ok(Decision::Conditional),
            Truth::True => {}
        }
        // What is troubled might allow as it stands, or never: unless it denies at worst.
        match self.walk(Lacking::Fails)? {
            Truth::False => Ok(Decision::Conditional),
            Truth::Unknown | Truth::True => trouble.error().map(|()| Decision::Conditional),
        }
    }
}
