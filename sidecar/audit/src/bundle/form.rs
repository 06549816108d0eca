//! The protobuf of receipts and bundles, field by field as in `docs/spec/bundle.md`.
//!
//! Written with prost's derive instead of a `.proto`, since nothing but this crate reads or writes
//! them. Whatever is decoded is encoded again and compared (`wire::canonical`), so that unknown
//! fields, spelled-out defaults and another order of fields are refused.

use alloc::string::String;
use alloc::vec::Vec;

use prost::{Message, Oneof};
use wire::audit::AnchorLeaf;
use wire::light::{AnchorProof, CompactRange, EarlierBlocks, StateProof, TreeProof};
use wire::policy::Revision;

/// A pointer to a document's previous leaf.
#[derive(Clone, PartialEq, Message)]
pub struct Previous {
    #[prost(uint64, tag = "1")]
    pub index: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub leaf_hash: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Linked {
    #[prost(bytes = "vec", tag = "1")]
    pub content_commitment: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    pub previous: Option<Previous>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Opened {
    #[prost(bytes = "vec", tag = "1")]
    pub salt: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub previous: Option<Previous>,
}

/// How much of a leaf is shown.
#[derive(Clone, PartialEq, Message)]
pub struct Shown {
    #[prost(oneof = "ShownAs", tags = "1, 2, 3")]
    pub shown: Option<ShownAs>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum ShownAs {
    #[prost(bytes = "vec", tag = "1")]
    Closed(Vec<u8>),
    #[prost(message, tag = "2")]
    Linked(Linked),
    #[prost(message, tag = "3")]
    Opened(Opened),
}

#[derive(Clone, PartialEq, Message)]
pub struct Receipt {
    #[prost(uint64, tag = "1")]
    pub index: u64,
    #[prost(message, optional, tag = "2")]
    pub leaf: Option<Shown>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub path: Vec<Vec<u8>>,
    #[prost(message, optional, tag = "4")]
    pub anchor: Option<AnchorProof>,
}

/// Section 1.
#[derive(Clone, PartialEq, Message)]
pub struct Subject {
    #[prost(string, tag = "1")]
    pub chain_id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub policy: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub log: Vec<u8>,
    #[prost(uint64, tag = "4")]
    pub height: u64,
    #[prost(uint64, optional, tag = "5")]
    pub from_anchor: Option<u64>,
    #[prost(uint64, tag = "6")]
    pub to_anchor: u64,
    #[prost(bytes = "vec", repeated, tag = "7")]
    pub documents: Vec<Vec<u8>>,
    #[prost(string, tag = "8")]
    pub issuer: String,
}

// Section 2 is a `holdfast.light.v1.LightBlock`, read by hub-light.

/// Section 3.
#[derive(Clone, PartialEq, Message)]
pub struct PolicySection {
    #[prost(message, optional, tag = "1")]
    pub record: Option<StateProof>,
    #[prost(message, repeated, tag = "2")]
    pub revisions: Vec<Revision>,
    #[prost(message, optional, tag = "3")]
    pub times: Option<EarlierBlocks>,
}

/// Section 4.
#[derive(Clone, PartialEq, Message)]
pub struct LogSection {
    #[prost(message, optional, tag = "1")]
    pub record: Option<StateProof>,
    #[prost(message, optional, tag = "2")]
    pub before: Option<CompactRange>,
    #[prost(message, repeated, tag = "3")]
    pub anchors: Vec<AnchorLeaf>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub consistency: Vec<Vec<u8>>,
}

/// Section 5.
#[derive(Clone, PartialEq, Message)]
pub struct LeavesSection {
    #[prost(message, optional, tag = "1")]
    pub before: Option<CompactRange>,
    #[prost(message, repeated, tag = "2")]
    pub leaves: Vec<Shown>,
}

#[derive(Clone, PartialEq, Message)]
pub struct CommitBlocks {
    #[prost(bytes = "vec", tag = "1")]
    pub header: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub signature: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub body: Option<Vec<u8>>,
}

/// Section 6.
#[derive(Clone, PartialEq, Message)]
pub struct CommitsSection {
    #[prost(message, repeated, tag = "1")]
    pub commits: Vec<CommitBlocks>,
}

/// Section 7.
#[derive(Clone, PartialEq, Message)]
pub struct HeadsSection {
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<TreeProof>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WitnessLeaf {
    #[prost(uint64, tag = "1")]
    pub index: u64,
    #[prost(message, optional, tag = "2")]
    pub leaf: Option<Shown>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub path: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WitnessAnchor {
    #[prost(uint64, tag = "1")]
    pub index: u64,
    #[prost(message, optional, tag = "2")]
    pub anchor: Option<AnchorLeaf>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub path: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "4")]
    pub leaves: Vec<WitnessLeaf>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WitnessLog {
    #[prost(message, optional, tag = "1")]
    pub record: Option<StateProof>,
    #[prost(message, repeated, tag = "2")]
    pub anchors: Vec<WitnessAnchor>,
}

/// Section 8.
#[derive(Clone, PartialEq, Message)]
pub struct WitnessesSection {
    #[prost(message, repeated, tag = "1")]
    pub logs: Vec<WitnessLog>,
}
