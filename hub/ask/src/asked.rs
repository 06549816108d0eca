//! What every question is asked about: a policy as of a revision, under circumstances.

use hub_types::policy::convert::{
    context_from_json, object_from_wire, relationship_from_wire, subject_from_wire, time_from_wire,
    time_to_wire,
};
use hub_types::PolicyId;
use policy::limits::CONTEXTUAL_MAX;
use policy::{
    Circumstances, Context, History, OverlayError, Question, Relationship, Time, View,
    ENGINE_VERSION,
};
use wire::policy as proto;

use crate::failure::Unanswered;
use crate::source::Reading;

/// A request's part that all have, read.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub policy: PolicyId,
    revision: Option<u64>,
    time: Option<Time>,
    context: Context,
    pub contextual: Vec<Relationship>,
}

impl Asked {
    /// Reads it.
    pub fn from_wire(wire: Option<&proto::Asked>) -> Result<Self, Unanswered> {
        let wire = wire.ok_or_else(|| {
            Unanswered::Question("field asked: it is missing; name at least a policy".into())
        })?;
        if wire.contextual.len() > CONTEXTUAL_MAX {
            return Err(Unanswered::Question(
                OverlayError::TooMany {
                    count: wire.contextual.len(),
                }
                .to_string(),
            ));
        }
        let contextual = wire
            .contextual
            .iter()
            .map(|one| relationship_from_wire("asked.contextual", one));
        Ok(Self {
            policy: PolicyId::from_slice(&wire.policy)
                .map_err(|error| Unanswered::Question(format!("field asked.policy: {error}")))?,
            revision: wire.revision,
            time: wire
                .time
                .as_ref()
                .map(|time| time_from_wire("asked.time", time))
                .transpose()?,
            context: context_from_json("asked.context", &wire.context)?,
            contextual: contextual.collect::<Result<_, _>>()?,
        })
    }

    /// The state that it is asked of, and when it is asked there.
    pub fn open<'a>(
        &self,
        history: &'a History,
        reading: &Reading,
    ) -> Result<Opened<'a>, Unanswered> {
        let revision = self.revision.unwrap_or(reading.revision);
        if revision > reading.revision {
            return Err(policy::HistoryError::UnknownRevision {
                revision,
                latest: Some(reading.revision),
            }
            .into());
        }
        let view = history.at(revision)?;
        let of_state = match history.revision(revision) {
            Some(made) if revision < reading.revision => made.time(),
            _ => reading.time,
        };
        let circumstances = Circumstances {
            time: self.time.unwrap_or(of_state),
            context: self.context.clone(),
        };
        let from = proto::AnsweredFrom {
            revision,
            height: reading.height,
            time: Some(time_to_wire(circumstances.time)),
            engine: ENGINE_VERSION,
            offline: reading.offline,
            age_seconds: reading.age_seconds,
        };
        Ok(Opened {
            view,
            circumstances,
            from,
        })
    }
}

/// A state to ask.
pub(crate) struct Opened<'a> {
    pub view: View<'a>,
    pub circumstances: Circumstances,
    pub from: proto::AnsweredFrom,
}

/// Reads a question.
pub(crate) fn question(wire: Option<&proto::Question>) -> Result<Question, Unanswered> {
    let wire = wire.ok_or_else(|| Unanswered::Question("field question: it is missing".into()))?;
    Ok(Question {
        object: object_from_wire("question.object", wire.object.as_ref())?,
        permission: wire.permission.clone(),
        subject: subject_from_wire("question.subject", wire.subject.as_ref())?,
    })
}
