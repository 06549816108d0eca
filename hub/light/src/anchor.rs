//! An anchor of an audit log under a header.

use alloc::vec::Vec;

use hub_types::{
    audit::{self as hub, AnchorLeaf, LogRecord},
    Height, LogId, Record,
};
use merkle::Hash;
use wire::{canonical, light};

use crate::{
    proof::{self, PROOF_BYTES_MAX},
    record_proof::{hashes_from_wire, hashes_to_wire, required, PATH_HASHES_MAX},
    LightError, StateProof, Trusted,
};

/// That an audit log was anchored: its record under the header, and the anchor in the record's log
/// of anchors.
#[derive(Clone, Debug, PartialEq)]
pub struct AnchorProof {
    record: StateProof,
    index: u64,
    leaf: AnchorLeaf,
    path: Vec<Hash>,
}

/// A proven anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The log's record in the state that was proven.
    pub record: LogRecord,
    /// The block after which that is the state.
    pub state_height: Height,
    /// The anchor's index.
    pub index: u64,
    /// The anchor.
    pub leaf: AnchorLeaf,
}

impl AnchorProof {
    const WHAT: &'static str = "an anchor";

    /// Puts a proof together.
    #[must_use]
    pub const fn new(record: StateProof, index: u64, leaf: AnchorLeaf, path: Vec<Hash>) -> Self {
        Self {
            record,
            index,
            leaf,
            path,
        }
    }

    /// The proof of the record: which header it needs.
    #[must_use]
    pub const fn record(&self) -> &StateProof {
        &self.record
    }

    /// Verifies it.
    ///
    /// # Errors
    /// As [`StateProof::verify`]; [`LightError::Absent`] without such a log, [`LightError::Log`],
    /// [`LightError::Path`], [`LightError::Leaf`].
    pub fn verify(&self, trusted: &Trusted, log: &LogId) -> Result<Anchored, LightError> {
        let record: LogRecord = self
            .record
            .verify_record(trusted, &hub::keys::log(log))?
            .ok_or(LightError::Absent {
                what: "the audit log",
            })?;
        if record.id != *log {
            return Err(LightError::Log {
                expected: *log,
                found: record.id,
            });
        }
        if self.leaf.log != *log {
            return Err(LightError::Leaf {
                what: Self::WHAT,
                reason: "it is another audit log's",
            });
        }
        merkle::verify_inclusion(
            &merkle::hash_leaf(&self.leaf.to_bytes()),
            self.index,
            record.anchors.size(),
            &self.path,
            &record.anchors.root(),
        )
        .map_err(|source| LightError::Path {
            what: Self::WHAT,
            source,
        })?;
        Ok(Anchored {
            record,
            state_height: self.record.state_height(),
            index: self.index,
            leaf: self.leaf.clone(),
        })
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> light::AnchorProof {
        light::AnchorProof {
            record: Some(self.record.to_wire()),
            index: self.index,
            leaf: Some(self.leaf.to_wire()),
            path: hashes_to_wire(&self.path),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// As those of the parts.
    pub fn from_wire(wire: &light::AnchorProof) -> Result<Self, LightError> {
        let leaf = required(wire.leaf.as_ref(), "anchor")?;
        Ok(Self {
            record: StateProof::from_wire(required(wire.record.as_ref(), "audit log's record")?)?,
            index: wire.index,
            leaf: AnchorLeaf::from_wire(leaf.clone())?,
            path: hashes_from_wire("hashes of a path", &wire.path, PATH_HASHES_MAX)?,
        })
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.to_wire())
    }

    /// Reads [`AnchorProof::to_bytes`].
    ///
    /// # Errors
    /// As [`AnchorProof::from_wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        Self::from_wire(&proof::decode_message(
            bytes,
            2 * PROOF_BYTES_MAX,
            "anchor proof",
        )?)
    }
}
