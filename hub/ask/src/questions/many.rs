//! Many checks on one state.

use hub_types::PolicyId;
use policy::limits::LOOKUP_STEPS_MAX;
use policy::{check_many, Counted, History, Limits, Question};
use wire::policy as proto;

use super::{decided_by, Ask};
use crate::asked::{over, question, Asked};
use crate::failure::Unanswered;
use crate::limits::QUESTIONS_MAX;
use crate::source::Reading;

pub(crate) struct CheckMany {
    asked: Asked,
    questions: Vec<Question>,
}

impl TryFrom<proto::CheckPermissionsRequest> for CheckMany {
    type Error = Unanswered;

    fn try_from(wire: proto::CheckPermissionsRequest) -> Result<Self, Unanswered> {
        if wire.questions.len() > QUESTIONS_MAX {
            return Err(Unanswered::Question(format!(
                "field questions: {} are too many; ask at most {QUESTIONS_MAX} at a time",
                wire.questions.len()
            )));
        }
        let questions = wire.questions.iter().map(|one| question(Some(one)));
        Ok(Self {
            asked: Asked::from_wire(wire.asked.as_ref())?,
            questions: questions.collect::<Result<_, _>>()?,
        })
    }
}

impl Ask for CheckMany {
    type Answer = proto::CheckPermissionsResponse;

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
        let mut answers = Vec::with_capacity(self.questions.len());
        let mut left = LOOKUP_STEPS_MAX;
        // In groups, so that the bound on all of them is looked at between.
        for group in self.questions.chunks(64) {
            let limits = Limits {
                steps_max: limits.steps_max.min(left),
                ..limits
            };
            let counted = over!(self.asked, opened, |relationships| check_many(
                relationships,
                group,
                circumstances,
                limits
            ));
            for one in counted {
                left = left.saturating_sub(one.steps);
                answers.push(answer(one));
            }
        }
        Ok(proto::CheckPermissionsResponse {
            answers,
            from: Some(opened.from),
        })
    }
}

fn answer(counted: Counted) -> proto::CheckedPermission {
    let steps = counted.steps;
    match counted.answer {
        Ok(answer) => proto::CheckedPermission {
            decided: Some(decided_by(&answer)),
            error: String::new(),
            steps,
        },
        Err(error) => proto::CheckedPermission {
            decided: None,
            error: error.to_string(),
            steps,
        },
    }
}
