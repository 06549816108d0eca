//! Many checks on one state.

use policy::limits::LOOKUP_STEPS_MAX;
use policy::{check_many, Counted, Limits, Question, Reverse};
use wire::policy as proto;

use super::{decided_by, Ask, Asking};
use crate::asked::{question, Opened};
use crate::failure::Unanswered;
use crate::limits::QUESTIONS_MAX;

pub(crate) struct CheckMany {
    questions: Vec<Question>,
}

impl TryFrom<proto::CheckPermissionsRequest> for Asking<CheckMany> {
    type Error = Unanswered;

    fn try_from(wire: proto::CheckPermissionsRequest) -> Result<Self, Unanswered> {
        if wire.questions.len() > QUESTIONS_MAX {
            return Err(Unanswered::Question(format!(
                "field questions: {} are too many; ask at most {QUESTIONS_MAX} at a time",
                wire.questions.len()
            )));
        }
        let questions = wire.questions.iter().map(|one| question(Some(one)));
        let questions = CheckMany {
            questions: questions.collect::<Result<_, _>>()?,
        };
        Self::read(wire.asked.as_ref(), questions)
    }
}

impl Ask for CheckMany {
    type Answer = proto::CheckPermissionsResponse;

    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let circumstances = &opened.circumstances;
        let mut answers = Vec::with_capacity(self.questions.len());
        let mut left = LOOKUP_STEPS_MAX;
        // In groups, so that the bound on all of them is looked at between.
        for group in self.questions.chunks(64) {
            let limits = Limits {
                steps_max: limits.steps_max.min(left),
                ..limits
            };
            let counted = check_many(relationships, group, circumstances, limits);
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
