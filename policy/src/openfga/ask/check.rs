//! Whether a user has a relation to an object.

use super::{
    refusal::Refusal,
    world::{Asking, ModelWorld},
};
use crate::{
    check::check,
    question::{Circumstances, Decision, Question},
    relationships::Reverse,
};

impl ModelWorld {
    /// Whether `user` has `relation` to `object`.
    ///
    /// # Errors
    /// [`Refusal`]: the question names what the model does not define, a contextual tuple is not
    /// admitted, a condition lacks context or fails and the answer hangs on it, or a bound is
    /// exceeded.
    pub fn check(
        &self,
        user: &str,
        relation: &str,
        object: &str,
        asking: &Asking<'_>,
    ) -> Result<bool, Refusal> {
        let question = self.question(user, relation, object)?;
        self.asking(asking, |relationships, circumstances| {
            decide(relationships, &question, circumstances, asking)
        })
    }

    pub(super) fn question(
        &self,
        user: &str,
        relation: &str,
        object: &str,
    ) -> Result<Question, Refusal> {
        let object = self.object(object)?;
        self.node(object.resource(), relation)?;
        Ok(Question {
            object,
            permission: relation.into(),
            subject: self.user(user)?,
        })
    }
}

/// Yes, no, or no answer.
pub(super) fn decide(
    relationships: &dyn Reverse,
    question: &Question,
    circumstances: &Circumstances,
    asking: &Asking<'_>,
) -> Result<bool, Refusal> {
    let answer = check(relationships, question, circumstances, asking.limits)?;
    match answer.decision {
        Decision::Allow => Ok(true),
        Decision::Deny => Ok(false),
        Decision::Conditional => Err(Refusal::missing(&answer.missing)),
    }
}
