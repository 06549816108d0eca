//! What this crate can refuse.

/// Why a log cannot grow, a proof cannot be made, or a proof does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The log holds [`crate::SIZE_MAX`] leaves.
    #[error("the log is full: it holds 2^48 - 1 leaves; seal it and open a successor")]
    Full,
    /// A size above [`crate::SIZE_MAX`].
    #[error("a log never has {size} leaves; the most is 2^48 - 1")]
    SizeTooLarge {
        /// The size that was given.
        size: u64,
    },
    /// A leaf that a log of this size does not have.
    #[error("leaf {index} is not in a log of {size} leaves")]
    IndexOutside {
        /// The leaf that was asked for.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// Consistency from the empty log: everything extends it, so a proof would say nothing.
    #[error("consistency starts at a log with at least one leaf; the empty log is a prefix of every log")]
    OldSizeZero,
    /// A log that is said to shrink.
    #[error("the old log has {old} leaves and the new one only {new}; a log never shrinks")]
    SizeShrinks {
        /// The old size.
        old: u64,
        /// The new size.
        new: u64,
    },
    /// A proof that is too short or too long for its sizes.
    #[error("the proof has {found} hashes where these sizes need {expected}")]
    ProofLength {
        /// How many hashes the sizes need.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The proof of inclusion gives another root.
    #[error("the leaf is not under this root at this place")]
    RootDiffers,
    /// The proof of consistency gives another old root.
    #[error("the proof does not lead to the old root: the log was rewritten, or the proof belongs to another log")]
    OldRootDiffers,
    /// The proof of consistency gives another new root.
    #[error("the proof does not lead to the new root: the new log does not extend the old one, or the proof belongs to another log")]
    NewRootDiffers,
    /// A compact range with too few or too many hashes.
    #[error("a compact range of {size} leaves has {expected} hashes, not {found}")]
    RangeLength {
        /// The size that the range states.
        size: u64,
        /// How many hashes that size needs.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Bytes that are no compact range: cut, or with something behind.
    #[error("a compact range is 8 bytes of size and 32 bytes a hash; these are {found} bytes")]
    RangeBytes {
        /// How many bytes there are.
        found: usize,
    },
    /// A node that a [`crate::MemoryLog`] does not have.
    #[error("the log has no complete node {index} at level {level}")]
    NoNode {
        /// The level, leaves are 0.
        level: u8,
        /// The place within the level.
        index: u64,
    },
    /// A text that names no tile.
    #[error("this is no tile path; it looks like tile/0/x001/067 or tile/0/x001/067.p/8")]
    TilePath,
}

/// Why a proof could not be made: the question is wrong, or the storage failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The question is wrong.
    #[error("no such proof")]
    Question(#[from] MerkleError),
    /// A node could not be read.
    #[error("a node of the log could not be read")]
    Nodes(#[source] E),
}
