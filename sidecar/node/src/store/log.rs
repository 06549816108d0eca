//! The audit log's tree on disk: tiles of 256 nodes, the shape of C2SP tlog-tiles.
//!
//! Every eighth level is kept; the seven between are computed. A full tile is written once and
//! never again; the ragged end of each level stays in memory and is rebuilt at the start from the
//! leaves and tiles that are on disk. So a leaf costs 32 bytes of tree and no extra key.

use std::sync::Arc;

use merkle::{hash_children, CompactRange, Hash, Nodes, TILE_HEIGHT, TILE_WIDTH};
use rocksdb::DB;

use super::keys;
use super::records::{decode, LeafRecord};
use super::{get, Column, StoreError};

/// The log's end: what the next append needs, and what proofs near the end need.
#[derive(Clone, Debug)]
pub struct Tail {
    /// Size and right edge.
    pub range: CompactRange,
    /// For each tile level the nodes behind its last full tile.
    levels: Vec<Vec<Hash>>,
}

/// A tile that became full.
#[derive(Debug)]
pub struct FullTile {
    /// Its key.
    pub key: [u8; 9],
    /// Its 256 hashes.
    pub hashes: Vec<u8>,
}

impl Tail {
    /// An empty log's.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            range: CompactRange::default(),
            levels: Vec::new(),
        }
    }

    /// Appends a leaf by its hash, and returns its index.
    ///
    /// # Errors
    /// [`StoreError::LogFull`] at 2^48 leaves.
    pub fn append(&mut self, hash: Hash, full: &mut Vec<FullTile>) -> Result<u64, StoreError> {
        let levels = &mut self.levels;
        self.range
            .append_leaf_hash(hash, &mut |level, index, hash| {
                if level % TILE_HEIGHT != 0 {
                    return;
                }
                let tile_level = level / TILE_HEIGHT;
                let row = usize::from(tile_level);
                if levels.len() <= row {
                    levels.resize(row + 1, Vec::new());
                }
                levels[row].push(hash);
                if levels[row].len() == usize::from(TILE_WIDTH) {
                    full.push(FullTile {
                        key: keys::tile(tile_level, index >> TILE_HEIGHT),
                        hashes: levels[row].concat(),
                    });
                    levels[row].clear();
                }
            })
            .map_err(|_| StoreError::LogFull)
    }

    /// Rebuilds the end of a log from disk.
    ///
    /// # Errors
    /// [`StoreError::Log`] when leaves or tiles are missing, or do not give the stored range.
    pub fn restore(db: &DB, range: CompactRange) -> Result<Self, StoreError> {
        let mut tail = Self {
            levels: Vec::new(),
            range: range.clone(),
        };
        let (mut count, mut level) = (range.size(), 0_u8);
        while count > 0 {
            let first = count - count % u64::from(TILE_WIDTH);
            let row = (first..count)
                .map(|index| {
                    if level == 0 {
                        leaf_hash(db, index)
                    } else {
                        tile_root(db, level - 1, index)
                    }
                })
                .collect::<Result<Vec<Hash>, StoreError>>()?;
            tail.levels.push(row);
            count /= u64::from(TILE_WIDTH);
            level += 1;
        }
        let seen = merkle::range_at(&LogReader { db, tail: &tail }, range.size())
            .map_err(|_| StoreError::Log("its tree has holes"))?;
        if seen != range {
            return Err(StoreError::Log("its leaves do not give its root"));
        }
        Ok(tail)
    }
}

/// The hash of the stored leaf `index`, computed from its opening.
pub(super) fn leaf_hash(db: &DB, index: u64) -> Result<Hash, StoreError> {
    let bytes = get(db, Column::Leaves, &keys::number(index))?
        .ok_or(StoreError::Log("a leaf is missing"))?;
    let record: LeafRecord = decode(Column::Leaves, &bytes)?;
    Ok(record.opening()?.leaf(index).hash())
}

fn tile_root(db: &DB, level: u8, index: u64) -> Result<Hash, StoreError> {
    let bytes = get(db, Column::Tiles, &keys::tile(level, index))?
        .ok_or(StoreError::Log("a tile is missing"))?;
    subtree(&bytes, 0, usize::from(TILE_WIDTH))
}

/// The root over `count` (a power of two) hashes of a tile, starting at hash `first`.
fn subtree(tile: &[u8], first: usize, count: usize) -> Result<Hash, StoreError> {
    let (hashes, _) = tile.as_chunks::<32>();
    let row = hashes
        .get(first..first + count)
        .ok_or(StoreError::Log("a tile is cut"))?;
    let mut row = row.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .map(|pair| hash_children(&pair[0], &pair[1]))
            .collect();
    }
    row.first()
        .copied()
        .ok_or(StoreError::Log("a tile is empty"))
}

/// Reads nodes of the log, for proofs of any size up to the tail's.
pub struct LogReader<'a> {
    pub(super) db: &'a DB,
    pub(super) tail: &'a Tail,
}

impl Nodes for LogReader<'_> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, StoreError> {
        let tile_level = level / TILE_HEIGHT;
        let within = level % TILE_HEIGHT;
        let first = index << within;
        let (tile, first) = (
            first >> TILE_HEIGHT,
            first as usize % usize::from(TILE_WIDTH),
        );
        let count = 1_usize << within;
        if let Some(bytes) = get(self.db, Column::Tiles, &keys::tile(tile_level, tile))? {
            return subtree(&bytes, first, count);
        }
        let row = self
            .tail
            .levels
            .get(usize::from(tile_level))
            .ok_or(StoreError::Log("a node beyond its end was asked for"))?;
        subtree(&row.concat(), first, count)
    }
}

/// A reader over an owned tail, for proofs made outside of the writer.
pub struct LogSnapshot {
    pub(super) db: Arc<DB>,
    /// The end of the log when the snapshot was taken.
    pub tail: Tail,
}

impl Nodes for LogSnapshot {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, StoreError> {
        LogReader {
            db: &self.db,
            tail: &self.tail,
        }
        .node(level, index)
    }
}

impl LeafRecord {
    /// What the leaf says, with what opens it.
    ///
    /// # Errors
    /// [`StoreError::Record`] when the content is not canonical.
    pub fn opening(&self) -> Result<audit::leaf::Opening, StoreError> {
        let wrong = || StoreError::Record(Column::Leaves.name());
        let salt = self.salt.as_slice().try_into().map_err(|_| wrong())?;
        let previous = match self.previous {
            None => None,
            Some(index) => Some(audit::leaf::Previous {
                index,
                leaf_hash: self
                    .previous_hash
                    .as_slice()
                    .try_into()
                    .map_err(|_| wrong())?,
            }),
        };
        audit::leaf::Opening::from_parts(salt, self.content.clone(), previous).map_err(|_| wrong())
    }
}
