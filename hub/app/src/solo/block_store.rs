//! The solo engine's blocks, their results and an index of transactions.
//!
//! A block is written before it is executed and its results before the application commits, so
//! that after a crash at any point the engine finds what it needs to go on: the application is at
//! the stored height or one below, never above.

use std::path::Path;

use prost::Message;
use rocksdb::{Options, WriteBatch, WriteOptions, DB};
use sha2::{Digest, Sha256};
use tendermint_proto::v0_38::abci::ResponseFinalizeBlock;
use tendermint_proto::v0_38::types::{Block, BlockId, Commit};

use crate::store::StoreError;

const LATEST: &[u8] = b"latest";

/// One stored block.
#[derive(Clone, PartialEq, Message)]
pub struct StoredBlock {
    /// The block.
    #[prost(message, optional, tag = "1")]
    pub block: Option<Block>,
    /// Its id.
    #[prost(message, optional, tag = "2")]
    pub id: Option<BlockId>,
    /// The commit for it (the next block's last commit).
    #[prost(message, optional, tag = "3")]
    pub commit: Option<Commit>,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The block.
    pub height: u64,
    /// The place within it.
    pub index: u32,
}

/// The store of blocks.
pub struct BlockStore {
    db: DB,
}

impl BlockStore {
    /// Opens the store in `path`, or makes an empty one.
    ///
    /// # Errors
    /// One sentence when it is in use or damaged.
    pub fn open(path: &Path) -> Result<BlockStore, StoreError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_keep_log_file_num(2);
        options.set_compression_type(rocksdb::DBCompressionType::Lz4);
        let db = DB::open(&options, path).map_err(|error| {
            let reason = error.into_string();
            let path = path.to_owned();
            if reason.contains("LOCK") || reason.contains("lock hold by") {
                StoreError::InUse { path }
            } else {
                StoreError::Damaged { path, reason }
            }
        })?;
        Ok(BlockStore { db })
    }

    /// The newest stored height; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn latest(&self) -> Result<u64, StoreError> {
        let bytes = self.get(LATEST)?;
        Ok(bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes))
    }

    /// Writes a block, synced, and makes it the newest.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn save_block(&self, height: u64, stored: &StoredBlock) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put(key(b'b', height), stored.encode_to_vec());
        batch.put(LATEST, height.to_be_bytes());
        let txs = stored
            .block
            .as_ref()
            .and_then(|block| block.data.as_ref())
            .map(|data| data.txs.as_slice())
            .unwrap_or_default();
        for (index, tx) in txs.iter().enumerate() {
            let mut place = height.to_be_bytes().to_vec();
            place.extend_from_slice(&(index as u32).to_be_bytes());
            batch.put(hash_key(&Sha256::digest(tx)), place);
        }
        self.write(batch)
    }

    /// Writes what FinalizeBlock answered, synced.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn save_results(
        &self,
        height: u64,
        results: &ResponseFinalizeBlock,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put(key(b'r', height), results.encode_to_vec());
        self.write(batch)
    }

    /// A block.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Undecodable`].
    pub fn block(&self, height: u64) -> Result<Option<StoredBlock>, StoreError> {
        self.decoded(&key(b'b', height), "a block")
    }

    /// A block's results.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Undecodable`].
    pub fn results(&self, height: u64) -> Result<Option<ResponseFinalizeBlock>, StoreError> {
        self.decoded(&key(b'r', height), "the results of a block")
    }

    /// Where the transaction with this SHA-256 hash is.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn place(&self, hash: &[u8]) -> Result<Option<Place>, StoreError> {
        let Some(bytes) = self.get(&hash_key(hash))? else {
            return Ok(None);
        };
        let place = bytes.split_first_chunk::<8>().and_then(|(height, index)| {
            Some(Place {
                height: u64::from_be_bytes(*height),
                index: u32::from_be_bytes(index.try_into().ok()?),
            })
        });
        place.map(Some).ok_or(StoreError::Undecodable {
            what: "the place of a transaction",
        })
    }

    fn decoded<M: Message + Default>(
        &self,
        key: &[u8],
        what: &'static str,
    ) -> Result<Option<M>, StoreError> {
        self.get(key)?
            .map(|bytes| M::decode(&bytes[..]).map_err(|_| StoreError::Undecodable { what }))
            .transpose()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get(key).map_err(|error| StoreError::Io {
            doing: "reading a block",
            reason: error.into_string(),
        })
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db
            .write_opt(batch, &options)
            .map_err(|error| StoreError::Io {
                doing: "writing a block",
                reason: error.into_string(),
            })
    }
}

fn key(kind: u8, height: u64) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&height.to_be_bytes());
    out
}

fn hash_key(hash: &[u8]) -> Vec<u8> {
    let mut out = vec![b't'];
    out.extend_from_slice(hash);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tendermint_proto::v0_38::types::Data;

    #[test]
    fn blocks_and_places_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let stored = StoredBlock {
            block: Some(Block {
                data: Some(Data {
                    txs: vec![b"one".to_vec(), b"two".to_vec()],
                }),
                ..Block::default()
            }),
            ..StoredBlock::default()
        };
        {
            let store = BlockStore::open(folder.path()).unwrap();
            assert_eq!(store.latest().unwrap(), 0);
            store.save_block(4, &stored).unwrap();
            assert!(matches!(
                BlockStore::open(folder.path()),
                Err(StoreError::InUse { .. })
            ));
        }
        let store = BlockStore::open(folder.path()).unwrap();
        assert_eq!(store.latest().unwrap(), 4);
        assert_eq!(store.block(4).unwrap(), Some(stored));
        assert_eq!(store.block(5).unwrap(), None);
        let place = store.place(&Sha256::digest(b"two")).unwrap();
        assert_eq!(
            place,
            Some(Place {
                height: 4,
                index: 1
            })
        );
        assert_eq!(store.place(&Sha256::digest(b"three")).unwrap(), None);
    }
}
