//! An anchor as it is kept: the intent first, then its receipt.

use prost::Message;
use serde::Serialize;

use crate::store::keys::{self, meta};
use crate::store::records::decode;
use crate::store::{Column, Put, Store, StoreError};

/// Where an anchor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, prost::Enumeration)]
#[serde(rename_all = "snake_case")]
#[repr(i32)]
pub enum AnchorState {
    /// Intended, perhaps submitted, not proven.
    Pending = 0,
    /// Proven on the hub.
    Final = 1,
    /// Never to become final: the hub's record contradicts it.
    Failed = 2,
}

/// The record.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct AnchorRecord {
    /// Number of this anchor in this sidecar, from 0.
    #[prost(uint64, tag = "1")]
    pub sequence: u64,
    /// The log on the hub.
    #[prost(bytes = "vec", tag = "2")]
    pub log: Vec<u8>,
    /// Size under the anchor before.
    #[prost(uint64, tag = "3")]
    pub old_size: u64,
    /// Size.
    #[prost(uint64, tag = "4")]
    pub size: u64,
    /// Root.
    #[prost(bytes = "vec", tag = "5")]
    pub root: Vec<u8>,
    /// Root of the heads tree.
    #[prost(bytes = "vec", tag = "6")]
    pub heads_root: Vec<u8>,
    /// Version of the heads tree.
    #[prost(uint64, tag = "7")]
    pub heads_version: u64,
    /// Where it stands.
    #[prost(enumeration = "AnchorState", tag = "8")]
    pub state: i32,
    /// Once final: its number among the log's anchors on the hub.
    #[prost(uint64, tag = "9")]
    pub index: u64,
    /// Once final: the height of the block that recorded it.
    #[prost(uint64, tag = "10")]
    pub height: u64,
    /// Once final: the encoded `holdfast.light.v1.AnchorProof`.
    #[prost(bytes = "vec", tag = "11")]
    pub proof: Vec<u8>,
    /// Once final: the height of the header that the proof is under.
    #[prost(uint64, tag = "12")]
    pub header_height: u64,
    /// Whether the attestations under it were made.
    #[prost(bool, tag = "13")]
    pub attested: bool,
    /// What went wrong last.
    #[prost(string, tag = "14")]
    pub trouble: String,
    /// How often it was submitted.
    #[prost(uint64, tag = "15")]
    pub submissions: u64,
}

/// An anchor as the API shows it.
#[derive(Clone, Debug, Serialize)]
pub struct AnchorView {
    /// Number of this anchor in this sidecar.
    pub sequence: u64,
    /// The log on the hub.
    pub log: String,
    /// Where it stands.
    pub state: AnchorState,
    /// Size.
    pub size: u64,
    /// Root.
    pub root: String,
    /// Root of the heads tree.
    pub heads_root: String,
    /// Once final: its number among the log's anchors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Once final: the block that recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// What went wrong last, if anything.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trouble: String,
}

impl AnchorRecord {
    /// What must be written to keep it.
    #[must_use]
    pub fn put(&self) -> Put {
        let key = keys::number(self.sequence).to_vec();
        (Column::Anchors, key, Some(self.encode_to_vec()))
    }

    /// As the API shows it.
    #[must_use]
    pub fn view(&self) -> AnchorView {
        let is_final = self.state() == AnchorState::Final;
        AnchorView {
            sequence: self.sequence,
            log: hex::encode(&self.log),
            state: self.state(),
            size: self.size,
            root: hex::encode(&self.root),
            heads_root: hex::encode(&self.heads_root),
            index: is_final.then_some(self.index),
            height: is_final.then_some(self.height),
            trouble: self.trouble.clone(),
        }
    }
}

/// The anchor with this sequence.
///
/// # Errors
/// [`StoreError`].
pub fn read(store: &Store, sequence: u64) -> Result<Option<AnchorRecord>, StoreError> {
    store
        .get(Column::Anchors, &keys::number(sequence))?
        .map(|bytes| decode(Column::Anchors, &bytes))
        .transpose()
}

/// The number of the next anchor.
///
/// # Errors
/// [`StoreError`].
pub fn next_sequence(store: &Store) -> Result<u64, StoreError> {
    match store.get(Column::Meta, meta::ANCHOR_NEXT)? {
        None => Ok(0),
        Some(bytes) => Ok(u64::from_be_bytes(
            bytes
                .try_into()
                .map_err(|_| StoreError::Record(Column::Meta.name()))?,
        )),
    }
}

/// The last anchor.
///
/// # Errors
/// [`StoreError`].
pub fn latest(store: &Store) -> Result<Option<AnchorRecord>, StoreError> {
    match next_sequence(store)?.checked_sub(1) {
        None => Ok(None),
        Some(last) => read(store, last),
    }
}

/// Anchors from `from` on, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn list(store: &Store, from: u64, limit: usize) -> Result<Vec<AnchorRecord>, StoreError> {
    let mut anchors = Vec::new();
    store.scan(Column::Anchors, &[], &keys::number(from), |_, value| {
        if anchors.len() == limit {
            return Ok(false);
        }
        anchors.push(decode(Column::Anchors, value)?);
        Ok::<bool, StoreError>(true)
    })?;
    Ok(anchors)
}

/// The newest anchor that is proven.
///
/// # Errors
/// [`StoreError`].
pub fn newest_final(store: &Store) -> Result<Option<AnchorRecord>, StoreError> {
    let Some(last) = latest(store)? else {
        return Ok(None);
    };
    if last.state() == AnchorState::Final {
        return Ok(Some(last));
    }
    // One anchor at a time is under way, so the one before it is final.
    match last.sequence.checked_sub(1) {
        None => Ok(None),
        Some(before) => {
            Ok(read(store, before)?.filter(|anchor| anchor.state() == AnchorState::Final))
        }
    }
}

/// The final anchor with this number on the hub.
///
/// # Errors
/// [`StoreError`].
pub fn with_index(store: &Store, index: u64) -> Result<Option<AnchorRecord>, StoreError> {
    let is_it =
        |anchor: &AnchorRecord| anchor.index == index && anchor.state() == AnchorState::Final;
    // Numbers here and there agree unless this store took over an older log.
    if let Some(anchor) = read(store, index)?.filter(is_it) {
        return Ok(Some(anchor));
    }
    Ok(list(store, 0, usize::MAX)?.into_iter().find(is_it))
}

/// The version of the heads tree under an anchor.
///
/// # Errors
/// [`StoreError`].
pub fn heads_version(store: &Store, sequence: u64) -> Result<Option<u64>, StoreError> {
    Ok(read(store, sequence)?.map(|anchor| anchor.heads_version))
}
