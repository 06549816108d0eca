//! Whether a user has a relation to an object.

use alloc::format;

use super::{
    refusal::{Refusal, RefusalKind},
    world::{history, Asking, ModelWorld},
};
use crate::{
    check::check,
    question::{Decision, Question},
    relationship::ObjectRef,
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
        let object: ObjectRef = object
            .parse()
            .map_err(|wrong| Refusal::new(RefusalKind::UnknownType, format!("{wrong}")))?;
        self.node(object.resource(), relation)?;
        let question = Question {
            object,
            permission: relation.into(),
            subject: self.user(user)?,
        };
        let contextual = self.contextual(asking)?;
        let circumstances = asking.circumstances()?;
        let mut all = self.tuples.clone();
        all.extend(contextual);
        let whole = history(&self.policy, &all)
            .map_err(|_| Refusal::new(RefusalKind::TooComplex, "too many tuples"))?;
        let view = whole
            .at(0)
            .map_err(|wrong| Refusal::new(RefusalKind::TooComplex, format!("{wrong}")))?;
        let answer = check(&view, &question, &circumstances, asking.limits)?;
        match answer.decision {
            Decision::Allow => Ok(true),
            Decision::Deny => Ok(false),
            Decision::Conditional => {
                let missing = answer.missing.join(", ");
                let message = format!(
                    "the answer hangs on context that is not given: {missing}; give it as `context`"
                );
                Err(Refusal::new(RefusalKind::Condition, message))
            }
        }
    }
}
