//! An earlier block under a header.

use alloc::vec::Vec;

use hub_types::{
    blocks::{keys, BlockLeaf, BlockLog},
    Record,
};
use merkle::Hash;
use tendermint::block::Header;
use wire::{canonical, light};

use crate::{
    block_hash,
    proof::{self, PROOF_BYTES_MAX},
    record_proof::{hashes_from_wire, hashes_to_wire, required, PATH_HASHES_MAX},
    LightError, StateProof, TrustPoint, Trusted,
};

/// That a block came before: the block log's record under the header, and the block in that log.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockInclusion {
    record: StateProof,
    leaf: BlockLeaf,
    path: Vec<Hash>,
}

impl BlockInclusion {
    const WHAT: &'static str = "an earlier block";

    /// Puts a proof together.
    #[must_use]
    pub const fn new(record: StateProof, leaf: BlockLeaf, path: Vec<Hash>) -> Self {
        Self { record, leaf, path }
    }

    /// The proof of the record: which header it needs.
    #[must_use]
    pub const fn record(&self) -> &StateProof {
        &self.record
    }

    /// Verifies it, and gives height and hash of the earlier block.
    ///
    /// # Errors
    /// As [`StateProof::verify`]; [`LightError::Absent`] without a block log, [`LightError::Path`],
    /// [`LightError::Leaf`].
    pub fn verify(&self, trusted: &Trusted) -> Result<TrustPoint, LightError> {
        let log: BlockLog = self
            .record
            .verify_record(trusted, &keys::block_log())?
            .ok_or(LightError::Absent {
                what: "the block log",
            })?;
        let index = log.index_of(self.leaf.height).ok_or(LightError::Leaf {
            what: Self::WHAT,
            reason: "the block log does not reach its height",
        })?;
        merkle::verify_inclusion(
            &merkle::hash_leaf(&self.leaf.to_bytes()),
            index,
            log.blocks.size(),
            &self.path,
            &log.blocks.root(),
        )
        .map_err(|source| LightError::Path {
            what: Self::WHAT,
            source,
        })?;
        Ok(TrustPoint {
            height: self.leaf.height,
            hash: self.leaf.hash,
        })
    }

    /// Verifies it, and that `header` is the earlier block's; gives what that header says, which
    /// is then as good as the later one.
    ///
    /// # Errors
    /// As [`BlockInclusion::verify`]; [`LightError::Height`], [`LightError::TrustPointHash`].
    pub fn verify_header(&self, trusted: &Trusted, header: &Header) -> Result<Trusted, LightError> {
        let point = self.verify(trusted)?;
        let found = crate::height_of(header.height);
        if found != point.height {
            return Err(LightError::Height {
                expected: point.height,
                found,
            });
        }
        let hash = block_hash(header);
        if hash != point.hash {
            return Err(LightError::TrustPointHash {
                height: point.height,
                expected: point.hash,
                found: hash,
            });
        }
        Trusted::from_header(header)
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::BlockInclusion {
        light::BlockInclusion {
            record: Some(self.record.to_wire()),
            leaf: Some(self.leaf.to_wire()),
            path: hashes_to_wire(&self.path),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// As those of the parts.
    pub fn from_wire(wire: &light::BlockInclusion) -> Result<Self, LightError> {
        let leaf = required(wire.leaf.as_ref(), "block's leaf")?;
        Ok(Self {
            record: StateProof::from_wire(required(wire.record.as_ref(), "block log's record")?)?,
            leaf: BlockLeaf::from_wire(leaf.clone())?,
            path: hashes_from_wire("hashes of a path", &wire.path, PATH_HASHES_MAX)?,
        })
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.to_wire())
    }

    /// Reads [`BlockInclusion::to_bytes`].
    ///
    /// # Errors
    /// As [`BlockInclusion::from_wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        Self::from_wire(&proof::decode_message(
            bytes,
            2 * PROOF_BYTES_MAX,
            "block inclusion",
        )?)
    }
}
