//! The questions, one a file: what is read of a request, and how it is asked.

pub(crate) mod check;
pub(crate) mod expand;
pub(crate) mod explain;
pub(crate) mod many;
pub(crate) mod objects;
pub(crate) mod subjects;

use hub_types::PolicyId;
use policy::{Answer, Decision, History, Limits, Overlay, Reverse};
use wire::policy as proto;

use crate::asked::{Asked, Opened};
use crate::failure::Unanswered;
use crate::limits::ENTRIES_PER_PART;
use crate::source::Reading;

/// A question: what is read of a request beside what all have.
pub(crate) trait Ask: Send + Sync + 'static {
    /// What comes back.
    type Answer: Send + 'static;

    /// Asks it of relationships: those of the opened state, or with contextual ones laid over them.
    fn ask<R: Reverse>(
        &self,
        relationships: &R,
        opened: &Opened<'_>,
        limits: Limits,
    ) -> Result<Self::Answer, Unanswered>;
}

/// A question, and what it is asked about.
pub(crate) struct Asking<Q> {
    asked: Asked,
    question: Q,
}

impl<Q: Ask> Asking<Q> {
    /// Reads it.
    pub(crate) fn read(asked: Option<&proto::Asked>, question: Q) -> Result<Self, Unanswered> {
        Ok(Self {
            asked: Asked::from_wire(asked)?,
            question,
        })
    }

    /// The policy that it is about.
    pub(crate) fn policy(&self) -> &PolicyId {
        &self.asked.policy
    }

    /// Asks it.
    pub(crate) fn ask(
        &self,
        history: &History,
        reading: &Reading,
        limits: Limits,
    ) -> Result<Q::Answer, Unanswered> {
        let opened = self.asked.open(history, reading)?;
        if self.asked.contextual.is_empty() {
            return self.question.ask(&opened.view, &opened, limits);
        }
        let contextual = Overlay::new(&opened.view, &self.asked.contextual)?;
        self.question.ask(&contextual, &opened, limits)
    }
}

pub(crate) fn decided(decision: Decision, missing: Vec<String>) -> proto::Decided {
    let decision = match decision {
        Decision::Allow => proto::Decision::Allow,
        Decision::Deny => proto::Decision::Deny,
        Decision::Conditional => proto::Decision::Conditional,
    };
    proto::Decided {
        decision: decision as i32,
        missing,
    }
}

pub(crate) fn decided_by(answer: &Answer) -> proto::Decided {
    decided(answer.decision, answer.missing.clone())
}

fn items<T: Into<String>>(
    conditional: Vec<(T, Vec<String>)>,
) -> impl Iterator<Item = proto::ConditionalItem> {
    let item = |(id, missing): (T, _)| proto::ConditionalItem {
        id: id.into(),
        missing,
    };
    conditional.into_iter().map(item)
}

/// The most entries that a request asks for.
fn most(limit: u32) -> usize {
    match limit {
        0 => usize::MAX,
        limit => limit as usize,
    }
}

/// After which entry a request asks.
fn after(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Cuts lists that are sorted by the same text into parts of at most [`ENTRIES_PER_PART`] entries
/// together: each part's entries come before those of the next.
fn parts<T>(mut entries: Vec<(String, T)>) -> Vec<Vec<(String, T)>> {
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut parts = Vec::new();
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        parts.push(entries.by_ref().take(ENTRIES_PER_PART).collect());
    }
    // An empty list is one part too: it says what it rests on.
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    parts
}
