//! The commits of one document and what follows what.
//!
//! The invariant: a commit is *in* the DAG once all its parents are, and its stated height is one
//! more than the highest of theirs. What arrives before its parents waits in `pending`, within
//! bounds. So whatever the order of arrival, with whatever repetitions, the same commits make the
//! same DAG (Invariant 4).

mod observed;
mod pending;
mod walk;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{Cid, Commit, Disclosure, DocumentId, DocumentPreimage, Error};

pub(crate) use observed::{Cuts, Observed};
use pending::Pending;
pub(crate) use walk::Marks;

/// A place in [`Dag::nodes`].
pub(crate) type Index = u32;

/// The DAG of one document.
#[derive(Clone, Debug)]
pub struct Dag {
    document: DocumentId,
    /// In the order of insertion: parents before children.
    nodes: Vec<Node>,
    index: BTreeMap<Cid, Index>,
    heads: BTreeSet<Cid>,
    pending: Pending,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub commit: Commit,
    pub parents: Vec<Index>,
    pub body: Disclosure,
}

impl Node {
    pub fn height(&self) -> u64 {
        self.commit.header().height
    }
}

/// What became of a commit that was inserted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// The commits that are in the DAG now and were not before, parents first: the one inserted,
    /// and those that waited for it.
    pub added: Vec<Cid>,
    /// Commits that waited and turned out wrong, or follow one that did; they are forgotten.
    pub refused: Vec<(Cid, Error)>,
    /// Whether the commit waits for parents.
    pub waits: bool,
    /// Commits that were dropped to keep within the bounds of what may wait, the one inserted
    /// perhaps among them. They may be offered again.
    pub dropped: Vec<Cid>,
}

impl Dag {
    /// The DAG of a document of which nothing is known yet.
    pub fn new(document: DocumentId) -> Self {
        Self {
            document,
            nodes: Vec::new(),
            index: BTreeMap::new(),
            heads: BTreeSet::new(),
            pending: Pending::default(),
        }
    }

    /// The document.
    pub fn document(&self) -> DocumentId {
        self.document
    }

    /// Inserts a commit, with what is known of its body. A commit that is there already is not
    /// inserted again, but its body is taken if it was absent.
    ///
    /// Cost: O(log n) a commit.
    ///
    /// # Errors
    /// [`Error::WrongDocument`], [`Error::WrongHeight`], [`Error::DagFull`]. What is wrong with
    /// commits that waited stands in [`Inserted::refused`].
    pub fn insert(&mut self, commit: Commit, body: Disclosure) -> Result<Inserted, Error> {
        let found = commit.header().document_id();
        if found != self.document {
            return Err(Error::WrongDocument {
                expected: self.document,
                found,
            });
        }
        let mut inserted = Inserted::default();
        let cid = *commit.cid();
        if self.index.contains_key(&cid) {
            self.disclose(&cid, body)?;
            return Ok(inserted);
        }
        let missing = self.missing_of(&commit);
        if !missing.is_empty() {
            inserted.dropped = self.pending.insert(commit, body, missing);
            inserted.waits = self.pending.contains(&cid);
            return Ok(inserted);
        }
        if let Err(error) = self.link(commit, body) {
            self.pending.remove_descendants(&cid);
            return Err(error);
        }
        inserted.added.push(cid);
        self.release(&mut inserted);
        Ok(inserted)
    }

    /// Tells what is known of a commit's body. A body that is known stays.
    ///
    /// # Errors
    /// [`Error::UnknownCommit`] for a commit that is neither in the DAG nor waits.
    pub fn disclose(&mut self, commit: &Cid, body: Disclosure) -> Result<(), Error> {
        let known = match self.index.get(commit) {
            Some(index) => &mut self.nodes[*index as usize].body,
            None => self
                .pending
                .body_mut(commit)
                .ok_or(Error::UnknownCommit { commit: *commit })?,
        };
        if *known == Disclosure::Absent {
            *known = body;
        }
        Ok(())
    }

    /// Makes a body absent again, as when it is erased. Returns whether it was known.
    pub fn conceal(&mut self, commit: &Cid) -> bool {
        match self.index.get(commit) {
            Some(index) => {
                let body = &mut self.nodes[*index as usize].body;
                core::mem::replace(body, Disclosure::Absent) != Disclosure::Absent
            }
            None => false,
        }
    }

    /// Forgets all that waits for `commit`, which was refused elsewhere and will never come.
    /// Returns what was forgotten.
    pub fn forget_waiting_for(&mut self, commit: &Cid) -> Vec<Cid> {
        self.pending.remove_descendants(commit)
    }

    /// How many commits are in the DAG.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no commit is in the DAG.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether the commit is in the DAG.
    pub fn contains(&self, commit: &Cid) -> bool {
        self.index.contains_key(commit)
    }

    /// A commit of the DAG.
    pub fn get(&self, commit: &Cid) -> Option<&Commit> {
        self.index
            .get(commit)
            .map(|index| &self.node(*index).commit)
    }

    /// What is known of a commit's body.
    pub fn body(&self, commit: &Cid) -> Option<&Disclosure> {
        self.index.get(commit).map(|index| &self.node(*index).body)
    }

    /// What the document's id is made of, once a first commit is known.
    pub fn preimage(&self) -> Option<&DocumentPreimage> {
        self.nodes
            .first()
            .and_then(|node| node.commit.header().preimage())
    }

    /// The commits that nothing follows, sorted.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = &Cid> {
        self.heads.iter()
    }

    /// The commits that wait for a parent, sorted.
    pub fn waiting(&self) -> impl Iterator<Item = &Commit> {
        self.pending.commits()
    }

    /// The parents for which commits wait and that are not waiting themselves, sorted: what to
    /// fetch next.
    pub fn missing(&self) -> Vec<Cid> {
        self.pending.missing()
    }

    /// How many bytes of headers wait for a parent.
    pub fn waiting_bytes(&self) -> usize {
        self.pending.bytes()
    }

    pub(crate) fn node(&self, index: Index) -> &Node {
        &self.nodes[index as usize]
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn find(&self, commit: &Cid) -> Result<Index, Error> {
        self.index
            .get(commit)
            .copied()
            .ok_or(Error::UnknownCommit { commit: *commit })
    }

    fn missing_of(&self, commit: &Commit) -> BTreeSet<Cid> {
        let parents = commit.header().parents.iter();
        parents
            .filter(|parent| !self.index.contains_key(*parent))
            .copied()
            .collect()
    }

    /// Adds a commit whose parents are all in the DAG.
    fn link(&mut self, commit: Commit, body: Disclosure) -> Result<(), Error> {
        let header = commit.header();
        let parents: Vec<Index> = header
            .parents
            .iter()
            .map(|parent| self.find(parent))
            .collect::<Result<_, _>>()?;
        let highest = parents
            .iter()
            .map(|parent| self.node(*parent).height())
            .max()
            .unwrap_or(0);
        let expected = highest.saturating_add(1);
        if header.height != expected {
            return Err(Error::WrongHeight {
                commit: *commit.cid(),
                expected,
                found: header.height,
            });
        }
        let index = Index::try_from(self.nodes.len()).map_err(|_| Error::DagFull)?;
        for parent in &header.parents {
            self.heads.remove(parent);
        }
        self.heads.insert(*commit.cid());
        self.index.insert(*commit.cid(), index);
        self.nodes.push(Node {
            commit,
            parents,
            body,
        });
        Ok(())
    }

    /// Adds what waited for the commits just added, and what waited for that.
    fn release(&mut self, inserted: &mut Inserted) {
        let mut next = inserted.added.len() - 1;
        while let Some(added) = inserted.added.get(next).copied() {
            next += 1;
            for (commit, body) in self.pending.arrived(&added) {
                let cid = *commit.cid();
                match self.link(commit, body) {
                    Ok(()) => inserted.added.push(cid),
                    Err(error) => {
                        let descendants = self.pending.remove_descendants(&cid);
                        inserted.refused.push((cid, error));
                        // Nothing that follows a wrong commit can ever be right.
                        inserted.refused.extend(
                            descendants.into_iter().map(|descendant| {
                                (descendant, Error::UnknownCommit { commit: cid })
                            }),
                        );
                    }
                }
            }
        }
    }
}
