//! A log in memory, for tests and for trees that are built, asked and dropped.

use alloc::vec::Vec;

use crate::{
    consistency_proof, hash_leaf, inclusion_proof, root_at, CompactRange, Hash, MerkleError, Nodes,
    ProveError,
};

/// A log that keeps all complete nodes: two hashes a leaf.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    range: CompactRange,
    levels: Vec<Vec<Hash>>,
}

impl MemoryLog {
    /// An empty log.
    pub const fn new() -> Self {
        Self {
            range: CompactRange::new(),
            levels: Vec::new(),
        }
    }

    /// Appends a leaf and returns its index.
    ///
    /// # Errors
    /// [`MerkleError::Full`].
    pub fn append(&mut self, leaf: &[u8]) -> Result<u64, MerkleError> {
        self.append_leaf_hash(hash_leaf(leaf))
    }

    /// Appends a leaf by its hash and returns its index.
    ///
    /// # Errors
    /// [`MerkleError::Full`].
    pub fn append_leaf_hash(&mut self, leaf_hash: Hash) -> Result<u64, MerkleError> {
        let levels = &mut self.levels;
        self.range
            .append_leaf_hash(leaf_hash, &mut |level, _, hash| {
                let level = usize::from(level);
                if levels.len() <= level {
                    levels.push(Vec::new());
                }
                levels[level].push(hash);
            })
    }

    /// How many leaves the log has.
    pub const fn size(&self) -> u64 {
        self.range.size()
    }

    /// The compact range.
    pub const fn range(&self) -> &CompactRange {
        &self.range
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.range.root()
    }

    /// The root when the log had `size` leaves.
    ///
    /// # Errors
    /// [`MerkleError::NoNode`] for a size that the log did not reach yet.
    pub fn root_at(&self, size: u64) -> Result<Hash, MerkleError> {
        root_at(self, size).map_err(flatten)
    }

    /// The hash of a leaf.
    pub fn leaf_hash(&self, index: u64) -> Option<Hash> {
        self.node(0, index).ok()
    }

    /// The proof that leaf `index` stands in this log when it had `size` leaves.
    ///
    /// # Errors
    /// [`MerkleError::IndexOutside`], [`MerkleError::NoNode`].
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, MerkleError> {
        inclusion_proof(self, index, size).map_err(flatten)
    }

    /// The proof that this log, when it had `new` leaves, extended itself at `old` leaves.
    ///
    /// # Errors
    /// [`MerkleError::OldSizeZero`], [`MerkleError::SizeShrinks`], [`MerkleError::NoNode`].
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, MerkleError> {
        consistency_proof(self, old, new).map_err(flatten)
    }
}

impl<L: AsRef<[u8]>> FromIterator<L> for MemoryLog {
    fn from_iter<I: IntoIterator<Item = L>>(leaves: I) -> Self {
        let mut log = Self::new();
        for leaf in leaves {
            log.append(leaf.as_ref())
                .expect("memory ends before 2^48 leaves");
        }
        log
    }
}

impl Nodes for MemoryLog {
    type Error = MerkleError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, MerkleError> {
        self.levels
            .get(usize::from(level))
            .and_then(|nodes| nodes.get(usize::try_from(index).ok()?))
            .copied()
            .ok_or(MerkleError::NoNode { level, index })
    }
}

fn flatten(error: ProveError<MerkleError>) -> MerkleError {
    match error {
        ProveError::Question(error) | ProveError::Nodes(error) => error,
    }
}
