//! One check.

use hub_types::policy::convert::time_to_wire;
use hub_types::PolicyId;
use policy::{check, History, Limits, Question};
use wire::policy as proto;

use super::{decided_by, Ask};
use crate::asked::{over, question, Asked};
use crate::failure::Unanswered;
use crate::source::Reading;

pub(crate) struct Check {
    asked: Asked,
    question: Question,
}

impl TryFrom<proto::CheckPermissionRequest> for Check {
    type Error = Unanswered;

    fn try_from(wire: proto::CheckPermissionRequest) -> Result<Self, Unanswered> {
        Ok(Self {
            asked: Asked::from_wire(wire.asked.as_ref())?,
            question: question(wire.question.as_ref())?,
        })
    }
}

impl Ask for Check {
    type Answer = proto::CheckPermissionResponse;

    fn policy(&self) -> &PolicyId {
        &self.asked.policy
    }

    fn ask(
        &self,
        history: &History,
        reading: &Reading,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let opened = self.asked.open(history, reading)?;
        let circumstances = &opened.circumstances;
        let answer = over!(self.asked, opened, |relationships| check(
            relationships,
            &self.question,
            circumstances,
            limits
        ))?;
        Ok(proto::CheckPermissionResponse {
            decided: Some(decided_by(&answer)),
            steps: answer.steps,
            stands_until: answer.stands_until.map(time_to_wire),
            from: Some(opened.from),
        })
    }
}
