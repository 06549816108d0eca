//! The only place that spells a key of the store.
//!
//! Commits, documents and collections are named by the 32 bytes of their CID's digest: every one
//! of them is a CIDv1 of DAG-CBOR under SHA-256 ([`crdt::Cid`]), which the digest restores.

/// The digest of a CID of this house.
pub type Digest = [u8; 32];

/// Format of the store; another one is refused by number.
pub const FORMAT: u64 = 1;

/// Keys of [`super::Column::Meta`].
pub mod meta {
    /// Format, chain id and sidecar: what the store belongs to.
    pub const BELONGS: &[u8] = b"belongs";
    /// The log's compact range.
    pub const LOG: &[u8] = b"log";
    /// Number of the next change in the feed.
    pub const FEED_NEXT: &[u8] = b"feed/next";
    /// Log size up to which the heads tree was brought.
    pub const HEADS: &[u8] = b"heads";
    /// Wall clock of the last verification and the highest ever read.
    pub const CLOCK: &[u8] = b"clock";
    /// Sequence of the next anchor.
    pub const ANCHOR_NEXT: &[u8] = b"anchor/next";

    /// The id of the log that is anchored.
    pub const LOG_ID: &[u8] = b"anchor/log";

    /// What [`block_time`] keys start with.
    pub const BLOCK_TIME: &[u8] = b"time/";

    /// The time of a block that a verdict hangs on.
    #[must_use]
    pub fn block_time(height: u64) -> Vec<u8> {
        [BLOCK_TIME, &height.to_be_bytes()].concat()
    }

    /// The proven record of a policy.
    #[must_use]
    pub fn policy(id: &[u8; 32]) -> Vec<u8> {
        [b"policy/".as_slice(), id].concat()
    }

    /// A policy that was followed at run time, by alias.
    #[must_use]
    pub fn followed(alias: &str) -> Vec<u8> {
        [b"followed/", alias.as_bytes()].concat()
    }
    /// What [`followed`] keys start with.
    pub const FOLLOWED: &[u8] = b"followed/";
}

/// Two digests in a row: document and commit, or collection and document.
#[must_use]
pub fn pair(first: &Digest, second: &Digest) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(first);
    key[32..].copy_from_slice(second);
    key
}

/// Document, commit and log of an attestation.
#[must_use]
pub fn triple(first: &Digest, second: &Digest, third: &[u8; 32]) -> [u8; 96] {
    let mut key = [0; 96];
    key[..32].copy_from_slice(first);
    key[32..64].copy_from_slice(second);
    key[64..].copy_from_slice(third);
    key
}

/// A number, in the order of its size.
#[must_use]
pub const fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// A tile of the log.
#[must_use]
pub fn tile(level: u8, index: u64) -> [u8; 9] {
    let mut key = [level; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

/// A leaf of a followed policy's log.
#[must_use]
pub fn policy_leaf(policy: &[u8; 32], revision: u64) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(policy);
    key[32..].copy_from_slice(&revision.to_be_bytes());
    key
}

/// The second half of a [`pair`].
#[must_use]
pub fn second(key: &[u8]) -> Option<Digest> {
    Digest::try_from(key.get(32..64)?).ok()
}
