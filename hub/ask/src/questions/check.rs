//! One check.

use hub_types::policy::convert::time_to_wire;
use policy::{check, Limits, Question, Reverse};
use wire::policy as proto;

use super::{decided_by, Ask, Asking};
use crate::asked::{question, Opened};
use crate::failure::Unanswered;

pub(crate) struct Check {
    question: Question,
}

impl TryFrom<proto::CheckPermissionRequest> for Asking<Check> {
    type Error = Unanswered;

    fn try_from(wire: proto::CheckPermissionRequest) -> Result<Self, Unanswered> {
        let question = Check {
            question: question(wire.question.as_ref())?,
        };
        Self::read(wire.asked.as_ref(), question)
    }
}

impl Ask for Check {
    type Answer = proto::CheckPermissionResponse;

    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let circumstances = &opened.circumstances;
        let answer = check(relationships, &self.question, circumstances, limits)?;
        Ok(proto::CheckPermissionResponse {
            decided: Some(decided_by(&answer)),
            steps: answer.steps,
            stands_until: answer.stands_until.map(time_to_wire),
            from: Some(opened.from),
        })
    }
}
