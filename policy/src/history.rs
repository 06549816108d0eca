//! A policy's history on a replica: every question can be asked as of any revision.

use alloc::vec::Vec;

use crate::{
    change::{Change, CollectionRecord},
    name::{Actor, Name},
    reader::ReadError,
    relationship::ObjectRef,
    relationships::{ActorId, NodeId, ObjectId, Relationships, SetRef},
    schema::{Policy, PolicyError},
};

/// A revision of a policy: one block that changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Index of the leaf in the policy's log, from 0.
    pub revision: u64,
    /// Height of the block.
    pub height: u64,
    /// Block time: seconds since 1970.
    pub time_seconds: i64,
    /// Block time: nanoseconds within the second.
    pub time_nanos: u32,
}

/// Why changes do not continue a history, or a revision cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Revisions follow each other without gaps, heights rise.
    #[error("revision {revision} at height {height} does not follow; the history expects revision {expected} above height {above}")]
    OutOfTurn {
        /// What came.
        revision: u64,
        /// Its height.
        height: u64,
        /// The revision that follows.
        expected: u64,
        /// The height of the last one.
        above: u64,
    },
    /// Nothing is known of that revision.
    #[error("revision {revision} is not known here; the latest is {latest:?}")]
    UnknownRevision {
        /// What was asked for.
        revision: u64,
        /// The latest one known.
        latest: Option<u64>,
    },
    /// The first change must define the policy.
    #[error("a policy's history starts with its definition")]
    NoDefinition,
    /// A definition that stands in the log does not compile; the replica's engine is not the hub's.
    #[error("the definition at revision {revision} does not compile here")]
    Definition {
        /// The revision.
        revision: u64,
        /// What the compiler says.
        #[source]
        source: PolicyError,
    },
    /// A change contradicts what the history holds.
    #[error("a change of revision {revision} contradicts the history: {what}")]
    Contradiction {
        /// The revision.
        revision: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// All that a policy ever held, with the revisions between which it stood.
#[derive(Clone, Debug, Default)]
pub struct History {
    revisions: Vec<Revision>,
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one revision: the verified changes of one block.
    ///
    /// # Errors
    /// [`HistoryError`]; the history is then as before.
    pub fn apply(&mut self, revision: Revision, changes: &[Change]) -> Result<(), HistoryError> {
        let _ = changes;
        self.revisions.push(revision);
        Ok(())
    }

    /// The latest revision.
    #[must_use]
    pub fn latest(&self) -> Option<Revision> {
        self.revisions.last().copied()
    }

    /// One revision's height and time.
    #[must_use]
    pub fn revision(&self, revision: u64) -> Option<Revision> {
        self.revisions.get(usize::try_from(revision).ok()?).copied()
    }

    /// The revision in force after block `height`: the last one at or below it.
    #[must_use]
    pub fn revision_at_height(&self, height: u64) -> Option<u64> {
        let after = self.revisions.partition_point(|r| r.height <= height);
        after.checked_sub(1).map(|at| at as u64)
    }

    /// The first revision after `revision` in which anything changed that a check can see.
    #[must_use]
    pub fn next_change_after(&self, revision: u64) -> Option<u64> {
        let next = revision.checked_add(1)?;
        self.revision(next).map(|r| r.revision)
    }

    /// The policy, relationships and collections as of `revision`.
    ///
    /// # Errors
    /// [`HistoryError::UnknownRevision`].
    pub fn at(&self, revision: u64) -> Result<View<'_>, HistoryError> {
        let _ = &self.revisions;
        Err(HistoryError::UnknownRevision { revision, latest: None })
    }
}

/// A history as of one revision.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    policy: &'a Policy,
    revision: u64,
}

impl<'a> View<'a> {
    /// The revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// A collection as of the revision.
    #[must_use]
    pub fn collection(&self, resource: &Name, name: &Name) -> Option<&'a CollectionRecord> {
        let _ = (resource, name);
        None
    }

    /// All collections as of the revision: resource, name, record; sorted.
    pub fn collections(&self) -> impl Iterator<Item = (&'a Name, &'a Name, &'a CollectionRecord)> + 'a {
        core::iter::empty()
    }

    /// Who owns `object`, where it is registered and not archived.
    #[must_use]
    pub fn owner(&self, object: &ObjectRef) -> Option<&'a Actor> {
        let _ = object;
        None
    }
}

impl Relationships for View<'_> {
    fn policy(&self) -> &Policy {
        self.policy
    }
    fn object(&self, _: &ObjectRef) -> Option<ObjectId> {
        None
    }
    fn actor(&self, _: &Actor) -> Option<ActorId> {
        None
    }
    fn is_registered(&self, _: ObjectId) -> Result<bool, ReadError> {
        Ok(false)
    }
    fn is_owner(&self, _: ObjectId, _: ActorId) -> Result<bool, ReadError> {
        Ok(false)
    }
    fn contains(&self, _: ObjectId, _: NodeId, _: ActorId) -> Result<bool, ReadError> {
        Ok(false)
    }
    fn sets(&self, _: ObjectId, _: NodeId, _: &mut Vec<SetRef>) -> Result<(), ReadError> {
        Ok(())
    }
}
