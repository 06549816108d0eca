//! An earlier block under a header.

use alloc::{string::ToString, vec::Vec};

use hub_types::{
    blocks::{keys, BlockLeaf, BlockLog},
    Record,
};
use merkle::Hash;
use tendermint::block::Header;
use tendermint_proto::v0_38::types::Header as RawHeader;
use wire::{canonical, light};

use crate::{
    block_hash,
    proof::{self, PROOF_BYTES_MAX},
    record_proof::{hashes_from_wire, hashes_to_wire, required, PATH_HASHES_MAX},
    LightError, StateProof, TrustPoint, Trusted,
};

/// The most earlier blocks that one proof holds: each takes a path's worth of hashing, and what needs
/// more asks too much of one header.
pub const EARLIER_BLOCKS_MAX: usize = 4_096;

/// The largest encoded header: fourteen short fields.
const HEADER_BYTES_MAX: usize = 4_096;

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

/// Headers of earlier blocks, all under the block log's record in one state.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlierBlocks {
    record: StateProof,
    blocks: Vec<(Header, Vec<Hash>)>,
}

impl EarlierBlocks {
    const WHAT: &'static str = "an earlier block's header";

    /// Puts headers together, each with the proof that its block came before, all of one state.
    /// `None` where there is no header, or where a proof is of another state.
    #[must_use]
    pub fn new(blocks: impl IntoIterator<Item = (Header, BlockInclusion)>) -> Option<Self> {
        let mut blocks: Vec<(Header, BlockInclusion)> = blocks.into_iter().collect();
        blocks.sort_by_key(|(header, _)| header.height);
        blocks.dedup_by_key(|(header, _)| header.height);
        let record = blocks.first()?.1.record.clone();
        let of_one_state = blocks.iter().all(|(_, proof)| proof.record == record);
        of_one_state.then(|| Self {
            record,
            blocks: blocks
                .into_iter()
                .map(|(header, proof)| (header, proof.path))
                .collect(),
        })
    }

    /// Verifies each, and gives what their headers say, by height.
    ///
    /// # Errors
    /// As [`BlockInclusion::verify_header`].
    pub fn verify(&self, trusted: &Trusted) -> Result<Vec<Trusted>, LightError> {
        self.blocks
            .iter()
            .map(|(header, path)| {
                let leaf = BlockLeaf {
                    height: crate::height_of(header.height),
                    hash: block_hash(header),
                };
                let proof = BlockInclusion::new(self.record.clone(), leaf, path.clone());
                proof.verify_header(trusted, header)
            })
            .collect()
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::EarlierBlocks {
        let block = |(header, path): &(Header, Vec<Hash>)| light::EarlierBlock {
            header: canonical::encode(&RawHeader::from(header.clone())),
            path: hashes_to_wire(path),
        };
        light::EarlierBlocks {
            record: Some(self.record.to_wire()),
            blocks: self.blocks.iter().map(block).collect(),
        }
    }

    /// Reads the protobuf form: at least one block, by height, each once.
    ///
    /// # Errors
    /// As those of the parts; [`LightError::TooMany`], [`LightError::Malformed`].
    pub fn from_wire(wire: &light::EarlierBlocks) -> Result<Self, LightError> {
        let found = wire.blocks.len();
        if found > EARLIER_BLOCKS_MAX {
            return Err(LightError::TooMany {
                what: "earlier blocks",
                found,
                max: EARLIER_BLOCKS_MAX,
            });
        }
        let malformed = |reason: &str| LightError::Malformed {
            what: Self::WHAT,
            reason: reason.into(),
        };
        let mut blocks = Vec::with_capacity(found);
        for block in &wire.blocks {
            let raw: RawHeader =
                proof::decode_message(&block.header, HEADER_BYTES_MAX, Self::WHAT)?;
            let header: Header = raw
                .clone()
                .try_into()
                .map_err(|error: tendermint::Error| malformed(&error.to_string()))?;
            if RawHeader::from(header.clone()) != raw {
                return Err(malformed("it is spelled otherwise than CometBFT does"));
            }
            let path = hashes_from_wire("hashes of a path", &block.path, PATH_HASHES_MAX)?;
            blocks.push((header, path));
        }
        if blocks.is_empty() || !blocks.is_sorted_by(|(a, _), (b, _)| a.height < b.height) {
            return Err(malformed(
                "there is none, or they are not by height, each once",
            ));
        }
        Ok(Self {
            record: StateProof::from_wire(required(wire.record.as_ref(), "block log's record")?)?,
            blocks,
        })
    }
}
