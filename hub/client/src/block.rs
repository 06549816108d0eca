//! A verified block, with the fields of its header that proofs hang on.

use hub_light::Trusted;
use merkle::Hash;
use tendermint::block::Header;

/// A block whose header was verified. Only [`crate::chain`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What the light client carries forward.
    pub trusted: Trusted,
    /// The root over the block's transactions; `None` where it holds none.
    pub data_hash: Option<Hash>,
    /// The root over the results of the block *before* this one; `None` where there were none.
    pub last_results_hash: Option<Hash>,
}

impl Block {
    /// Puts a verified header's remaining fields beside what was verified of it.
    pub(crate) fn new(trusted: Trusted, header: &Header) -> Self {
        Self {
            trusted,
            data_hash: header.data_hash.and_then(hash_of),
            last_results_hash: header.last_results_hash.and_then(hash_of),
        }
    }

    /// The block's height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.trusted.height.0
    }
}

fn hash_of(hash: tendermint::Hash) -> Option<Hash> {
    match hash {
        tendermint::Hash::Sha256(hash) => Some(hash),
        tendermint::Hash::None => None,
    }
}
