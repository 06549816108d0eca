//! The second tree: document → heads, number of leaves, last leaf (DESIGN §7), as a JMT.
//!
//! Its root stands in every anchor. It is brought up to date only when an anchor is about to be
//! made, from the documents that the leaves since the last anchor speak of: a document that
//! changed a thousand times costs one key. One version of the tree is one anchor intent; versions
//! are never pruned here, so a receipt can be made under any anchor.

use std::sync::Arc;

use jmt::storage::{HasPreimage, LeafNode, Node, NodeKey, TreeReader};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Version};
use merkle::Hash;
use rocksdb::{Direction, IteratorMode, DB};
use sha2::Sha256;

use super::{get, Column, Put, StoreError};

/// The tree as it stands on disk.
pub struct HeadsTree {
    db: Arc<DB>,
}

/// The next version of the tree, not yet written.
pub struct HeadsUpdate {
    /// Its root.
    pub root: Hash,
    /// What must be written for it.
    pub puts: Vec<Put>,
}

fn tree_error(error: &anyhow::Error) -> StoreError {
    StoreError::Read(format!("the heads tree: {error:#}"))
}

fn value_key(key_hash: KeyHash, version: Version) -> Vec<u8> {
    let mut key = b"v".to_vec();
    key.extend_from_slice(&key_hash.0);
    // Newest first, so that one seek finds the newest at or below a version.
    key.extend_from_slice(&(!version).to_be_bytes());
    key
}

fn preimage_key(key_hash: KeyHash) -> Vec<u8> {
    [b"p".as_slice(), &key_hash.0].concat()
}

impl HeadsTree {
    pub(super) fn new(db: Arc<DB>) -> Self {
        Self { db }
    }

    /// Computes `version` from its predecessor and `entries` (key → value).
    ///
    /// # Errors
    /// [`StoreError::Read`] when the predecessor cannot be read.
    pub fn update(
        &self,
        version: Version,
        entries: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<HeadsUpdate, StoreError> {
        let tree = JellyfishMerkleTree::<_, Sha256>::new(self);
        let set = entries
            .iter()
            .map(|(key, value)| (KeyHash::with::<Sha256>(key), Some(value.clone())));
        let (root, batch) = tree
            .put_value_set(set, version)
            .map_err(|error| tree_error(&error))?;
        let mut puts = Vec::new();
        for (key, node) in batch.node_batch.nodes() {
            let unwritable = |error: std::io::Error| tree_error(&error.into());
            let key = borsh::to_vec(key).map_err(unwritable)?;
            let node = borsh::to_vec(node).map_err(unwritable)?;
            puts.push((Column::HeadsNodes, key, Some(node)));
        }
        for ((version, key_hash), value) in batch.node_batch.values() {
            puts.push((
                Column::HeadsValues,
                value_key(*key_hash, *version),
                value.clone(),
            ));
        }
        for (key, _) in entries {
            let key_hash = KeyHash::with::<Sha256>(key);
            puts.push((
                Column::HeadsValues,
                preimage_key(key_hash),
                Some(key.clone()),
            ));
        }
        Ok(HeadsUpdate { root: root.0, puts })
    }

    /// The value of `key` at `version`, unproven, for what the sidecar itself builds on. Unlike a
    /// proof of absence this can be had of an empty tree, too: that of a log whose first anchor
    /// covers denials alone.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn value(&self, version: Version, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.get_value_option(version, KeyHash::with::<Sha256>(key))
            .map_err(|error| tree_error(&error))
    }

    /// The value of `key` at `version` with its ICS-23 proof, of presence or of absence.
    ///
    /// # Errors
    /// [`StoreError::Read`] when there is no such version, or the tree is empty.
    pub fn prove(
        &self,
        version: Version,
        key: Vec<u8>,
    ) -> Result<(Option<Vec<u8>>, ics23::CommitmentProof), StoreError> {
        JellyfishMerkleTree::<_, Sha256>::new(self)
            .get_with_ics23_proof(key, version)
            .map_err(|error| tree_error(&error))
    }
}

impl TreeReader for HeadsTree {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        match get(&self.db, Column::HeadsNodes, &borsh::to_vec(key)?)? {
            Some(bytes) => Ok(Some(borsh::from_slice(&bytes)?)),
            None => Ok(None),
        }
    }

    fn get_value_option(
        &self,
        max_version: Version,
        key_hash: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        let family = self
            .db
            .cf_handle(Column::HeadsValues.name())
            .ok_or(StoreError::Record(Column::HeadsValues.name()))?;
        let start = value_key(key_hash, max_version);
        let mode = IteratorMode::From(&start, Direction::Forward);
        match self.db.iterator_cf(&family, mode).next().transpose()? {
            Some((key, value)) if key.starts_with(&start[..33]) => Ok(Some(value.into_vec())),
            _ => Ok(None),
        }
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("the rightmost leaf is needed for restoring only")
    }
}

impl HasPreimage for HeadsTree {
    fn preimage(&self, key_hash: KeyHash) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(get(&self.db, Column::HeadsValues, &preimage_key(key_hash))?)
    }
}
