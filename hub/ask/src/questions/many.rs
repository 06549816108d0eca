//! Many checks on one state.

use policy::{check_many, CheckError, Decided, Limits, Question, Reverse};
use wire::policy as proto;

use super::{decided, Ask, Asking};
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
        let many = check_many(
            relationships,
            &self.questions,
            &opened.circumstances,
            limits,
        );
        Ok(proto::CheckPermissionsResponse {
            answers: many.decided.into_iter().map(answer).collect(),
            steps: many.steps,
            from: Some(opened.from),
        })
    }
}

fn answer(found: Result<Decided, CheckError>) -> proto::CheckedPermission {
    match found {
        Ok(found) => proto::CheckedPermission {
            decided: Some(decided(found.decision, found.missing)),
            error: String::new(),
        },
        Err(error) => proto::CheckedPermission {
            decided: None,
            error: error.to_string(),
        },
    }
}
