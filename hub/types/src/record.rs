//! What the trees hold: canonical protobuf on the outside, types that cannot be wrong inside.

use alloc::{string::String, vec::Vec};

use merkle::{CompactRange, Hash, MerkleError};
use wire::{
    canonical::{self, CanonicalError},
    light, Message,
};

/// A value that stands in a tree or is a leaf of a log: one encoding, strictly read.
pub trait Record: Sized {
    /// Its protobuf form.
    type Wire: Message + Default;

    /// What it is, for errors: `"an account's record"`.
    const WHAT: &'static str;

    /// The longest encoding that is read (Invariant 7).
    const BYTES_MAX: usize;

    /// The protobuf form.
    fn to_wire(&self) -> Self::Wire;

    /// Checks a protobuf form.
    ///
    /// # Errors
    /// [`RecordError::Invalid`].
    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError>;

    /// The bytes. Never empty, because ICS-23 cannot prove an empty value.
    fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.to_wire())
    }

    /// Reads [`Record::to_bytes`].
    ///
    /// # Errors
    /// [`RecordError::Encoding`] for another spelling, [`RecordError::Invalid`] for content that
    /// no hub writes.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let wire =
            canonical::decode(bytes, Self::BYTES_MAX).map_err(|source| RecordError::Encoding {
                what: Self::WHAT,
                source,
            })?;
        Self::from_wire(wire)
    }
}

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// Not the canonical encoding.
    #[error("{what} is not in its canonical encoding")]
    Encoding {
        /// Which record.
        what: &'static str,
        /// What is wrong with the bytes.
        #[source]
        source: CanonicalError,
    },
    /// A field that no hub writes so.
    #[error("{what}: field {field} is wrong: {reason}")]
    Invalid {
        /// Which record.
        what: &'static str,
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl RecordError {
    /// Names a wrong field of record `R`.
    pub fn invalid<R: Record>(field: &'static str, reason: impl core::fmt::Display) -> Self {
        use alloc::string::ToString;
        Self::Invalid {
            what: R::WHAT,
            field,
            reason: reason.to_string(),
        }
    }
}

/// A compact range has at most 48 hashes of 32 bytes, each behind 2 bytes, and its size.
pub(crate) const RANGE_BYTES_MAX: usize = 48 * 34 + 16;

/// Reads a compact range.
///
/// # Errors
/// What is wrong with it, in words: a hash that has not 32 bytes, or as many hashes as the size
/// does not need.
pub fn range_from_wire(wire: Option<light::CompactRange>) -> Result<CompactRange, String> {
    use alloc::{format, string::ToString};
    let wire = wire.ok_or("it is missing")?;
    let hashes = wire
        .hashes
        .iter()
        .map(|hash| hash_from(hash).map_err(|found| format!("a hash has 32 bytes, not {found}")))
        .collect::<Result<Vec<Hash>, String>>()?;
    CompactRange::from_parts(wire.size, hashes).map_err(|error: MerkleError| error.to_string())
}

/// Writes a compact range.
#[must_use]
pub fn range_to_wire(range: &CompactRange) -> light::CompactRange {
    light::CompactRange {
        size: range.size(),
        hashes: range.hashes().iter().map(|hash| hash.to_vec()).collect(),
    }
}

/// Takes a hash of 32 bytes.
///
/// # Errors
/// The length that was given instead.
pub fn hash_from(bytes: &[u8]) -> Result<Hash, usize> {
    bytes.try_into().map_err(|_| bytes.len())
}
