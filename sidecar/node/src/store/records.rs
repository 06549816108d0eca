//! The values of the store, as protobuf. Nothing here is hashed or signed; blocks, leaves and
//! attestations are kept as the very bytes that are.

use prost::Message;

use super::{Column, StoreError};

/// What the store belongs to.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Belongs {
    /// [`super::keys::FORMAT`].
    #[prost(uint64, tag = "1")]
    pub format: u64,
    /// The chain.
    #[prost(string, tag = "2")]
    pub chain_id: String,
    /// The sidecar's DID.
    #[prost(string, tag = "3")]
    pub sidecar: String,
}

/// One commit's blocks.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Blocks {
    /// Header.
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    /// Signature.
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
    /// Body, unless withheld.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub body: Option<Vec<u8>>,
}

/// A document.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DocumentRecord {
    /// Digest of its collection.
    #[prost(bytes = "vec", tag = "1")]
    pub collection: Vec<u8>,
    /// Its policy.
    #[prost(bytes = "vec", tag = "2")]
    pub policy: Vec<u8>,
    /// Digest of its first commit, whose header holds the preimage of the document's id.
    #[prost(bytes = "vec", tag = "3")]
    pub genesis: Vec<u8>,
    /// Its scope, `resource:id`.
    #[prost(string, tag = "4")]
    pub scope: String,
    /// Its creator's DID.
    #[prost(string, tag = "5")]
    pub creator: String,
    /// Digests of its tips: kept commits that no kept commit names as a parent; sorted.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub tips: Vec<Vec<u8>>,
    /// How many commits are kept.
    #[prost(uint64, tag = "7")]
    pub commits: u64,
    /// How many leaves speak of it.
    #[prost(uint64, tag = "8")]
    pub leaves: u64,
    /// Index of the last of them.
    #[prost(uint64, tag = "9")]
    pub last_leaf: u64,
    /// Hash of the last of them; empty while there is none.
    #[prost(bytes = "vec", tag = "10")]
    pub last_leaf_hash: Vec<u8>,
    /// Its number in the feed.
    #[prost(uint64, tag = "11")]
    pub feed: u64,
    /// Canonical preimage of the document's id.
    #[prost(bytes = "vec", tag = "12")]
    pub preimage: Vec<u8>,
}

/// What is known of a kept commit beside its blocks.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CommitRecord {
    /// Its DAG height.
    #[prost(uint64, tag = "1")]
    pub dag_height: u64,
    /// The revision that it cites.
    #[prost(uint64, tag = "2")]
    pub revision: u64,
    /// The hub height that it cites.
    #[prost(uint64, tag = "3")]
    pub height: u64,
    /// Log index of the leaf that says it was held.
    #[prost(uint64, tag = "4")]
    pub leaf: u64,
    /// Whether it came from a peer.
    #[prost(bool, tag = "5")]
    pub from_peer: bool,
    /// Digests of its parents.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub parents: Vec<Vec<u8>>,
    /// When it was kept, milliseconds since 1970 on this sidecar's clock.
    #[prost(uint64, tag = "7")]
    pub kept_ms: u64,
}

/// A leaf with everything that opens it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LeafRecord {
    /// Salt.
    #[prost(bytes = "vec", tag = "1")]
    pub salt: Vec<u8>,
    /// Content.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
    /// Index of the document's previous leaf.
    #[prost(uint64, optional, tag = "3")]
    pub previous: Option<u64>,
    /// Hash of the document's previous leaf.
    #[prost(bytes = "vec", tag = "4")]
    pub previous_hash: Vec<u8>,
    /// For a denial: the policy under which it was denied. A refused commit's leaf does not say,
    /// and its document may be kept nowhere.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub policy: Option<Vec<u8>>,
}

/// A deferred commit.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PendingRecord {
    /// Its blocks.
    #[prost(message, optional, tag = "1")]
    pub blocks: Option<Blocks>,
    /// Who sent it.
    #[prost(string, tag = "2")]
    pub peer: String,
}

/// One entry of the feed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FeedRecord {
    /// The document.
    #[prost(bytes = "vec", tag = "1")]
    pub document: Vec<u8>,
    /// For an attestation: its commit.
    #[prost(bytes = "vec", tag = "2")]
    pub commit: Vec<u8>,
    /// For an attestation: its log.
    #[prost(bytes = "vec", tag = "3")]
    pub log: Vec<u8>,
}

/// Where the heads tree stands.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct HeadsRecord {
    /// Version of the tree: the log size up to which it tells.
    #[prost(uint64, tag = "1")]
    pub version: u64,
}

/// The clocks at the last verification.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ClockRecord {
    /// Wall clock when the last block was verified.
    #[prost(uint64, tag = "1")]
    pub verified_ms: u64,
    /// Highest wall clock reading.
    #[prost(uint64, tag = "2")]
    pub highest_ms: u64,
}

/// Reads a record, naming where it stood when it cannot be read.
///
/// # Errors
/// [`StoreError::Record`].
pub fn decode<R: Message + Default>(column: Column, bytes: &[u8]) -> Result<R, StoreError> {
    R::decode(bytes).map_err(|_| StoreError::Record(column.name()))
}

/// Digests from their bytes.
///
/// # Errors
/// [`StoreError::Record`] when one has not 32 bytes.
pub fn digests(column: Column, list: &[Vec<u8>]) -> Result<Vec<[u8; 32]>, StoreError> {
    list.iter().map(|bytes| digest(column, bytes)).collect()
}

/// A digest from its bytes.
///
/// # Errors
/// [`StoreError::Record`] when it has not 32 bytes.
pub fn digest(column: Column, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Record(column.name()))
}
