//! The state of a log: the roots of its complete subtrees, and nothing else.

use alloc::vec::Vec;

use crate::{hash_children, hash_leaf, Hash, MerkleError, EMPTY_ROOT, SIZE_MAX};

/// A log's size and the roots of its maximal complete subtrees, from left (largest) to right.
///
/// There is one subtree for each bit that is set in the size. This is all that appending and
/// the root need, so it is what records keep of a log. Equal logs have equal ranges and bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CompactRange {
    size: u64,
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The empty log.
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// Takes a size and its hashes, left to right.
    ///
    /// # Errors
    /// [`MerkleError::SizeTooLarge`], [`MerkleError::RangeLength`].
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, MerkleError> {
        if size > SIZE_MAX {
            return Err(MerkleError::SizeTooLarge { size });
        }
        let (expected, found) = (size.count_ones() as usize, hashes.len());
        if expected != found {
            return Err(MerkleError::RangeLength {
                size,
                expected,
                found,
            });
        }
        Ok(Self { size, hashes })
    }

    /// The canonical bytes: size in eight bytes, big-endian, then the hashes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.hashes.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        self.hashes
            .iter()
            .for_each(|hash| bytes.extend_from_slice(hash));
        bytes
    }

    /// Reads [`CompactRange::to_bytes`]; nothing may be missing or left over.
    ///
    /// # Errors
    /// [`MerkleError::RangeBytes`], and as [`CompactRange::from_parts`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MerkleError> {
        let malformed = MerkleError::RangeBytes { found: bytes.len() };
        let (size, rest) = bytes.split_first_chunk().ok_or(malformed)?;
        let (hashes, left_over) = rest.as_chunks::<32>();
        if !left_over.is_empty() {
            return Err(malformed);
        }
        Self::from_parts(u64::from_be_bytes(*size), hashes.to_vec())
    }

    /// How many leaves the log has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root (RFC 6962 §2.1, MTH). Cost: one hash a subtree.
    pub fn root(&self) -> Hash {
        self.hashes
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| hash_children(&left, &right))
            .unwrap_or(EMPTY_ROOT)
    }

    /// Appends a leaf by its hash and returns its index. `completed(level, index, hash)` is
    /// called for each node that this leaf completes, from the leaf (level 0) upwards; whoever
    /// makes proofs later must keep them all. Cost: one hash a leaf on average, log n at most.
    ///
    /// # Errors
    /// [`MerkleError::Full`]; the range is unchanged then.
    pub fn append_leaf_hash(
        &mut self,
        leaf_hash: Hash,
        completed: &mut dyn FnMut(u8, u64, Hash),
    ) -> Result<u64, MerkleError> {
        if self.size >= SIZE_MAX {
            return Err(MerkleError::Full);
        }
        let index = self.size;
        completed(0, index, leaf_hash);
        let mut node = leaf_hash;
        // One subtree is merged for each trailing one of the old size, as in a binary counter.
        for level in 1..=index.trailing_ones() as u8 {
            let left = self
                .hashes
                .pop()
                .expect("one hash for each bit of the size");
            node = hash_children(&left, &node);
            completed(level, index >> level, node);
        }
        self.hashes.push(node);
        self.size += 1;
        Ok(index)
    }

    /// Appends a leaf by its bytes, see [`CompactRange::append_leaf_hash`].
    ///
    /// # Errors
    /// [`MerkleError::Full`].
    pub fn append(
        &mut self,
        leaf: &[u8],
        completed: &mut dyn FnMut(u8, u64, Hash),
    ) -> Result<u64, MerkleError> {
        self.append_leaf_hash(hash_leaf(leaf), completed)
    }
}

/// The root of a log with these leaves.
pub fn root_of<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Hash {
    root_of_leaf_hashes(leaves.into_iter().map(|leaf| hash_leaf(leaf.as_ref())))
}

/// The root of a log whose leaves have these hashes.
pub fn root_of_leaf_hashes(hashes: impl IntoIterator<Item = Hash>) -> Hash {
    let mut range = CompactRange::new();
    for hash in hashes {
        range
            .append_leaf_hash(hash, &mut |_, _, _| {})
            .expect("nobody iterates over 2^48 leaves");
    }
    range.root()
}
