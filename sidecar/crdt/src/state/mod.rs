//! What a document says.
//!
//! State is made of the operations that count and of nothing else: each kind of field merges by a
//! rule that forgets the order in which operations came (Shapiro et al., "A comprehensive study of
//! Convergent and Commutative Replicated Data Types", INRIA RR-7506, 2011). So a state that grew
//! commit by commit and one made anew from the DAG are equal, to the byte.

mod apply;
mod codec;
mod field;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

use identity::Did;

use crate::{Cid, Commit, DocumentId};

pub use apply::Applied;
pub(crate) use apply::{effective, Seen};
pub use field::{Counter, Element, FieldState, Register, Set};

/// The state of a document at some heads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentState {
    document: DocumentId,
    heads: BTreeSet<Cid>,
    // By kind: if two schema versions disagree about a field's kind, both states are kept and
    // neither disturbs the other.
    registers: BTreeMap<String, Register>,
    counters: BTreeMap<String, Counter>,
    sets: BTreeMap<String, Set>,
    deleted: Option<Written>,
    created: Option<Arc<Stamp>>,
    updated: Option<Arc<Stamp>>,
    unread: BTreeSet<Cid>,
}

/// Who wrote something, when, and where that stands in the order by which registers are decided:
/// DAG height, then author, then CID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The commit's DAG height.
    pub height: u64,
    /// Who signed.
    pub author: Did,
    /// The commit.
    pub commit: Cid,
    /// When the author says it was, in milliseconds of Unix time.
    pub claimed_time_ms: u64,
}

/// The operation that wrote something. Later in order is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// Its commit.
    pub stamp: Arc<Stamp>,
    /// Its place in the commit's body.
    pub index: u32,
}

impl Stamp {
    fn of(commit: &Commit) -> Self {
        let header = commit.header();
        Self {
            height: header.height,
            author: header.author.clone(),
            commit: *commit.cid(),
            claimed_time_ms: header.claimed_time_ms,
        }
    }
}

impl DocumentState {
    /// The state of a document of which nothing is known.
    pub fn new(document: DocumentId) -> Self {
        Self {
            document,
            heads: BTreeSet::new(),
            registers: BTreeMap::new(),
            counters: BTreeMap::new(),
            sets: BTreeMap::new(),
            deleted: None,
            created: None,
            updated: None,
            unread: BTreeSet::new(),
        }
    }

    /// The state at `heads`, before any operation is taken.
    pub(crate) fn at(document: DocumentId, heads: Vec<Cid>) -> Self {
        Self {
            heads: heads.into_iter().collect(),
            ..Self::new(document)
        }
    }

    /// The document.
    pub fn document(&self) -> DocumentId {
        self.document
    }

    /// The heads whose closure this is the state of, sorted.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = &Cid> {
        self.heads.iter()
    }

    /// All fields, by name.
    pub fn fields(&self) -> BTreeMap<&str, FieldState<'_>> {
        let registers = self
            .registers
            .iter()
            .map(|(name, it)| (name, FieldState::Register(it)));
        let counters = self
            .counters
            .iter()
            .map(|(name, it)| (name, FieldState::Counter(it)));
        let sets = self
            .sets
            .iter()
            .map(|(name, it)| (name, FieldState::Set(it)));
        registers
            .chain(counters)
            .chain(sets)
            .map(|(name, it)| (name.as_str(), it))
            .collect()
    }

    /// A register, if it was ever set.
    pub fn register(&self, field: &str) -> Option<&Register> {
        self.registers.get(field)
    }

    /// A counter, if it was ever incremented.
    pub fn counter(&self, field: &str) -> Option<&Counter> {
        self.counters.get(field)
    }

    /// A set, if anything was ever added to it or removed from it.
    pub fn set(&self, field: &str) -> Option<&Set> {
        self.sets.get(field)
    }

    /// The last deletion, if the document is deleted. Its fields can still be read: history is
    /// kept, and a rollback brings them back.
    pub fn deleted(&self) -> Option<&Written> {
        self.deleted.as_ref()
    }

    /// The first commit that counts.
    pub fn created(&self) -> Option<&Stamp> {
        self.created.as_deref()
    }

    /// The last commit that counts.
    pub fn updated(&self) -> Option<&Stamp> {
        self.updated.as_deref()
    }

    /// Commits that count and whose operations are not in this state because their bodies are
    /// absent or sealed. Empty means that the state is whole.
    pub fn unread(&self) -> impl ExactSizeIterator<Item = &Cid> {
        self.unread.iter()
    }
}
