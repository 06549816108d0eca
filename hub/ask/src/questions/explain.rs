//! Why a question is answered as it is.

use hub_types::policy::convert::relationship_to_wire;
use policy::explain::Fact;
use policy::{explain, Limits, Question, Reverse, Why};
use wire::policy as proto;

use super::{decided_by, Ask, Asking};
use crate::asked::{question, Opened};
use crate::failure::Unanswered;

pub(crate) struct Explain {
    question: Question,
}

impl TryFrom<proto::ExplainPermissionRequest> for Asking<Explain> {
    type Error = Unanswered;

    fn try_from(wire: proto::ExplainPermissionRequest) -> Result<Self, Unanswered> {
        let question = Explain {
            question: question(wire.question.as_ref())?,
        };
        Self::read(wire.asked.as_ref(), question)
    }
}

impl Ask for Explain {
    type Answer = proto::ExplainPermissionResponse;

    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered> {
        let circumstances = &opened.circumstances;
        let explained = explain(relationships, &self.question, circumstances, limits)?;
        let lines = explained.to_string().lines().map(str::to_owned).collect();
        let (relationships, is_least) = match &explained.why {
            Why::Allowed {
                reason,
                is_shortest,
            } => {
                let stands = reason.iter().filter_map(|because| match &because.fact {
                    Fact::Stands(relationship) => Some(relationship_to_wire(relationship)),
                    _ => None,
                });
                (stands.collect(), *is_shortest)
            }
            Why::Denied {
                needed, is_minimal, ..
            } => {
                let needed = needed
                    .iter()
                    .map(|one| relationship_to_wire(&one.relationship));
                (needed.collect(), *is_minimal)
            }
            Why::Conditional { lacking } => {
                let lacking = lacking
                    .iter()
                    .map(|one| relationship_to_wire(&one.relationship));
                (lacking.collect(), false)
            }
        };
        Ok(proto::ExplainPermissionResponse {
            decided: Some(decided_by(&explained.answer)),
            lines,
            relationships,
            is_least,
            is_all: explained.is_all,
            from: Some(opened.from),
        })
    }
}
