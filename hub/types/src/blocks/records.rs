//! The record of the block log and its leaves.

use merkle::CompactRange;
use wire::light;

use crate::{
    hash_from, range_from_wire, range_to_wire,
    record::{Record, RecordError, RANGE_BYTES_MAX},
    BlockHash, Height,
};

/// The log of all blocks so far. The state after block H has the leaf of H, because FinalizeBlock
/// is told the hash of the block that it executes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockLog {
    /// The height of leaf 0, at least 1.
    pub initial_height: Height,
    /// The log of [`BlockLeaf`].
    pub blocks: CompactRange,
}

impl BlockLog {
    /// The log before the first block.
    #[must_use]
    pub const fn new(initial_height: Height) -> Self {
        Self {
            initial_height,
            blocks: CompactRange::new(),
        }
    }

    /// The index of the leaf of block `height`; `None` for a block that the log does not have.
    #[must_use]
    pub fn index_of(&self, height: Height) -> Option<u64> {
        let index = height.0.checked_sub(self.initial_height.0)?;
        (index < self.blocks.size()).then_some(index)
    }

    /// The height of the newest block in the log.
    #[must_use]
    pub fn last_height(&self) -> Height {
        Height((self.initial_height.0 + self.blocks.size()).saturating_sub(1))
    }
}

impl Record for BlockLog {
    type Wire = light::BlockLog;
    const WHAT: &'static str = "the block log's record";
    const BYTES_MAX: usize = RANGE_BYTES_MAX + 32;

    fn to_wire(&self) -> Self::Wire {
        light::BlockLog {
            initial_height: self.initial_height.0,
            blocks: Some(range_to_wire(&self.blocks)),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        if wire.initial_height == 0 || i64::try_from(wire.initial_height).is_err() {
            return Err(RecordError::invalid::<Self>(
                "initial_height",
                wire.initial_height,
            ));
        }
        Ok(Self {
            initial_height: Height(wire.initial_height),
            blocks: range_from_wire(wire.blocks)
                .map_err(|reason| RecordError::invalid::<Self>("blocks", reason))?,
        })
    }
}

/// One block of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLeaf {
    /// Its height.
    pub height: Height,
    /// Its hash.
    pub hash: BlockHash,
}

impl Record for BlockLeaf {
    type Wire = light::BlockLeaf;
    const WHAT: &'static str = "a block's leaf";
    const BYTES_MAX: usize = 64;

    fn to_wire(&self) -> Self::Wire {
        light::BlockLeaf {
            height: self.height.0,
            hash: self.hash.to_vec(),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        let hash =
            hash_from(&wire.hash).map_err(|found| RecordError::invalid::<Self>("hash", found))?;
        Ok(Self {
            height: Height(wire.height),
            hash: BlockHash::new(hash),
        })
    }
}
