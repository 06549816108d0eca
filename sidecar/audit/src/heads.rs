//! The heads tree: from a document to where it stands in this log.
//!
//! A JMT beside the log, whose root is in each anchor. Its value for a document names the tips of
//! the document's DAG, how many leaves the log holds about it, and the last of them. Walking the
//! leaves' `previous` from there must meet exactly that many, so one short proof makes the trail
//! of one document provably whole.

use alloc::string::ToString;
use alloc::vec::Vec;

use crdt::Cid;
use merkle::Hash;
use serde::{Deserialize, Serialize};

use crate::bytes::Hash32;
use crate::leaf::Previous;

/// Tips that a document may have. Each concurrent writer adds at most one until somebody merges;
/// a thousand writers cut off from each other are more than any deployment that we know of.
pub const HEADS_MAX: usize = 1024;

/// Bytes of an encoded entry: [`HEADS_MAX`] links of 41 bytes and some change.
pub const ENTRY_BYTES_MAX: usize = 64 * 1024;

/// The entry of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentHeads {
    /// The tips among the commits that the log says it held, sorted, each once, at least one.
    #[serde(with = "crate::bytes::links")]
    pub heads: Vec<Cid>,
    /// How many leaves belong to the document's chain.
    pub leaves: u64,
    /// Index of the last of them.
    pub last_leaf: u64,
    /// Leaf hash of the last of them.
    pub last_hash: Hash32,
}

/// Why an entry cannot be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadsError {
    /// Not DAG-CBOR of an entry.
    #[error("the entry of the heads tree is not readable: {0}")]
    Unreadable(alloc::string::String),
    /// Spelled otherwise.
    #[error("the entry of the heads tree is not in its one canonical spelling")]
    NotCanonical,
    /// Too many or no heads, or not in order.
    #[error("an entry of the heads tree needs 1 to {HEADS_MAX} heads, sorted, each once; merge the document's heads")]
    Heads,
    /// No leaf, or more leaves than fit below the last one.
    #[error("an entry of the heads tree counts {leaves} leaves up to index {last_leaf}, which cannot be")]
    Count {
        /// As counted.
        leaves: u64,
        /// As named.
        last_leaf: u64,
    },
}

impl DocumentHeads {
    /// The key of a document in the heads tree: the bytes of its CID.
    pub fn key(document: &Cid) -> Vec<u8> {
        document.to_bytes().to_vec()
    }

    /// What the next leaf about this document points to.
    pub fn previous(&self) -> Previous {
        Previous {
            index: self.last_leaf,
            leaf_hash: self.last_hash.0,
        }
    }

    /// The entry after one more leaf of the document's chain, and `heads` as they are then.
    pub fn followed_by(
        before: Option<&DocumentHeads>,
        index: u64,
        hash: Hash,
        heads: Vec<Cid>,
    ) -> DocumentHeads {
        DocumentHeads {
            heads,
            leaves: before.map_or(0, |before| before.leaves).saturating_add(1),
            last_leaf: index,
            last_hash: Hash32(hash),
        }
    }

    /// The canonical DAG-CBOR.
    ///
    /// # Errors
    /// [`HeadsError`] when a bound is broken.
    pub fn encode(&self) -> Result<Vec<u8>, HeadsError> {
        let sorted = self.heads.is_sorted_by(|left, right| left < right);
        if !sorted || !(1..=HEADS_MAX).contains(&self.heads.len()) {
            return Err(HeadsError::Heads);
        }
        if self.leaves == 0 || self.leaves - 1 > self.last_leaf {
            return Err(HeadsError::Count {
                leaves: self.leaves,
                last_leaf: self.last_leaf,
            });
        }
        serde_ipld_dagcbor::to_vec(self).map_err(|error| HeadsError::Unreadable(error.to_string()))
    }

    /// Reads canonical DAG-CBOR, and nothing else.
    ///
    /// # Errors
    /// [`HeadsError`] for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<DocumentHeads, HeadsError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(HeadsError::Heads);
        }
        let heads: DocumentHeads = serde_ipld_dagcbor::from_slice(bytes)
            .map_err(|error| HeadsError::Unreadable(error.to_string()))?;
        if heads.encode()? != bytes {
            return Err(HeadsError::NotCanonical);
        }
        Ok(heads)
    }
}
