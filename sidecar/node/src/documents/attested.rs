//! Attestations as they are kept: the receipt's own bytes, and the facts that it proved.

use audit::verdict::Attestation;
use policy::Actor;
use prost::Message;

use crate::store::records::decode;
use crate::store::{Column, StoreError};

/// An attestation whose receipt was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it proves.
    pub facts: Attestation,
    /// The receipt, as it is handed on.
    pub raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Record {
    #[prost(bytes = "vec", tag = "1")]
    raw: Vec<u8>,
    #[prost(uint64, tag = "2")]
    height: u64,
    #[prost(uint64, tag = "3")]
    revision: u64,
    #[prost(uint64, tag = "4")]
    anchor_height: u64,
    #[prost(string, tag = "5")]
    operator: String,
}

/// The bytes for the store.
#[must_use]
pub fn encode_kept(kept: &Kept) -> Vec<u8> {
    Record {
        raw: kept.raw.clone(),
        height: kept.facts.height,
        revision: kept.facts.revision,
        anchor_height: kept.facts.anchor_height,
        operator: kept.facts.operator.as_str().to_owned(),
    }
    .encode_to_vec()
}

/// Reads what [`encode_kept`] wrote.
///
/// # Errors
/// [`StoreError::Record`].
pub fn decode_kept(bytes: &[u8]) -> Result<Kept, StoreError> {
    let record: Record = decode(Column::Attestations, bytes)?;
    let operator = Actor::new(&record.operator)
        .map_err(|_| StoreError::Record(Column::Attestations.name()))?;
    Ok(Kept {
        facts: Attestation {
            height: record.height,
            revision: record.revision,
            anchor_height: record.anchor_height,
            operator,
        },
        raw: record.raw,
    })
}
