//! When a permission ends: the first revision, or the first time, from which on it is not allowed.

use crate::{
    check::Walk,
    document::{DocumentFacts, WithDocuments},
    evidence::{justify, Read},
    limits::Limits,
    question::{CheckError, Circumstances, Question},
    relationships::{NodeId, ObjectId, SubjectRef},
    time::Time,
};

use super::{edges::list_of, names::OWNER, History, HistoryError, Stamp, View};

/// What ends a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A change of policy or relationships, with this revision.
    Revision(u64),
    /// Time: under this revision, it is not allowed from this time on.
    Time {
        /// The revision in force then.
        revision: u64,
        /// From when on.
        time: Time,
    },
}

/// Why it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndError {
    /// The revision cannot be asked about.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A question on the way has no answer.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl History {
    /// The first moment at or after `from`, asked at `time` and at the times of later revisions, at
    /// which `question` is not allowed; `None` if it is allowed up to the latest revision and no time
    /// alone ends it.
    ///
    /// Goes from one change to the next of what the derivation hangs on, so it costs as many checks as
    /// there are such changes.
    ///
    /// # Errors
    /// [`EndError`].
    pub fn first_end(
        &self,
        question: &Question,
        documents: &[DocumentFacts],
        from: u64,
        time: Time,
        limits: Limits,
    ) -> Result<Option<End>, EndError> {
        let (mut revision, mut by_time) = (from, false);
        let mut circumstances = Circumstances::at(time);
        loop {
            let view = self.at(revision)?;
            let relationships = WithDocuments::new(&view, documents);
            let mut walk = Walk::new(&relationships, question, &circumstances, limits)?;
            let answer = walk.run()?;
            if !answer.is_allow() {
                let time = circumstances.time;
                return Ok(Some(match by_time {
                    true => End::Time { revision, time },
                    false => End::Revision(revision),
                }));
            }
            let stamp = revision as Stamp;
            let reads = justify::reads(&walk, &relationships)?;
            let next = reads
                .iter()
                .filter_map(|read| view.next_change(*read, stamp))
                .chain(
                    self.eras
                        .iter()
                        .map(|era| era.from)
                        .filter(|at| *at > stamp),
                )
                .min();
            let next = next.and_then(|at| self.revision(u64::from(at)));
            let until = answer.stands_until;
            match (next, until) {
                (Some(next), until) if until.is_none_or(|until| next.time() <= until) => {
                    revision = next.revision;
                    circumstances.time = circumstances.time.max(next.time());
                    by_time = false;
                }
                (_, Some(until)) => {
                    // What was in force then, whatever of it this derivation does not hang on.
                    revision = self.revision_at_time(until).unwrap_or(0).max(revision);
                    circumstances.time = until;
                    by_time = true;
                }
                (_, None) => return Ok(None),
            }
        }
    }
}

impl View<'_> {
    /// The first revision after `at` that may change what was read.
    fn next_change(&self, read: Read, at: Stamp) -> Option<Stamp> {
        let list = |node: NodeId, sets| Some(list_of(*self.era.labels.get(node.0 as usize)?, sets));
        let (object, list, subject) = match read {
            Read::Owner(object) => (object, list_of(OWNER, false), None),
            Read::Direct(object, node, subject) => {
                let sets = !matches!(subject, SubjectRef::Actor(_));
                (object, list(node, sets)?, Some(self.subject_of(subject)?))
            }
            Read::Usersets(object, node) | Read::Targets(object, node) => {
                (object, list(node, true)?, None)
            }
        };
        let archived = self.history.archived.get(&object.0);
        let archived = archived.into_iter().flatten().map(|(stamp, _)| *stamp);
        let registered = self.owner_changes(object, at);
        let changed = self.list_changes(object, list, subject, at);
        archived
            .filter(|stamp| *stamp > at)
            .chain(registered)
            .chain(changed)
            .min()
    }

    /// Registration and transfer: a document's facts count differently from then on.
    fn owner_changes(&self, object: ObjectId, at: Stamp) -> Option<Stamp> {
        self.list_changes(object, list_of(OWNER, false), None, at)
    }

    fn list_changes(
        &self,
        object: ObjectId,
        list: u32,
        subject: Option<u32>,
        at: Stamp,
    ) -> Option<Stamp> {
        let live = self.history.edges.list(object.0, list);
        let live = live.filter(|(_, edge)| subject.is_none_or(|subject| subject == edge.subject));
        let begun = live.map(|(_, edge)| edge.from).filter(|from| *from > at);
        let past = self.history.past.next_change(object.0, list, subject, at);
        begun.chain(past).min()
    }
}
