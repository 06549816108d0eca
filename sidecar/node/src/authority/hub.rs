//! What the sidecar wants of the hub. One implementor asks nodes and believes nothing that the
//! light client did not verify (Invariant 2); tests have another.

use futures::future::BoxFuture;
pub use hub_light::RevisionChanges as Revision;
use hub_light::{AnchorProof, EarlierBlocks, LightBlock, StateProof, Trusted};
use hub_types::audit::{Anchor, AnchorLeaf, LogRecord};
use hub_types::policy::PolicyRecord;
use hub_types::{LogId, PolicyId, Timestamp};

/// Why the hub gave nothing that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HubError {
    /// No node can be reached.
    #[error("no hub node can be reached: {0}")]
    Unreachable(String),
    /// A node's answer did not verify; nothing of it was used.
    #[error("a hub node's answer did not verify: {0}")]
    Unverified(String),
    /// The trusted header is older than the trusting period.
    #[error("the trusted block is too old to vouch for newer ones ({0}); set a fresh `hub.trust` in config.toml and restart")]
    TrustExpired(String),
    /// The hub refused a transaction.
    #[error("the hub refused the transaction: {message} (code {code})")]
    Refused {
        /// The code of the error table.
        code: u32,
        /// Its sentence.
        message: String,
    },
    /// There is no such thing on the hub.
    #[error("the hub has no {0}")]
    Absent(&'static str),
}

/// The newest verified header. State is proven up to the block before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Height of the header.
    pub height: u64,
    /// Its time.
    pub time: Timestamp,
}

impl Tip {
    /// Its time in milliseconds since 1970; 0 for one before.
    #[must_use]
    pub fn time_ms(&self) -> u64 {
        let seconds = u64::try_from(self.time.seconds()).unwrap_or(0);
        seconds.saturating_mul(1000) + u64::from(self.time.nanos()) / 1_000_000
    }
}

/// What is new of a policy, verified under one header.
#[derive(Clone, Debug)]
pub struct Update {
    /// The policy's record after `height`.
    pub record: PolicyRecord,
    /// The height after whose block the record stood.
    pub height: u64,
    /// The time of the block after it, whose header the record was verified under.
    pub header_time: Timestamp,
    /// The revisions from the one asked for; all up to the record's, or a first part of them.
    pub revisions: Vec<Revision>,
}

/// An anchor as the hub recorded it, proven.
#[derive(Clone, Debug)]
pub struct Anchored {
    /// Its number among the log's anchors.
    pub index: u64,
    /// What was recorded.
    pub leaf: AnchorLeaf,
    /// The proof.
    pub proof: AnchorProof,
    /// The height of the header that the proof is under.
    pub header_height: u64,
}

/// What a bundle shows of the hub: proofs of one state under one header.
#[derive(Clone, Debug)]
pub struct TrailState {
    /// The header, signed, as bundles carry it.
    pub header: LightBlock,
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Proof of the policy's record.
    pub policy_record: StateProof,
    /// That record.
    pub policy: PolicyRecord,
    /// Proof of the log's record.
    pub log_record: StateProof,
    /// That record.
    pub log: LogRecord,
    /// All anchors of the log up to that state.
    pub anchors: Vec<AnchorLeaf>,
    /// Other logs: proof of the record, and all their anchors up to that state.
    pub witnesses: Vec<(LogId, StateProof, Vec<AnchorLeaf>)>,
}

/// The hub, verified.
pub trait Hub: Send + Sync + 'static {
    /// Looks for new blocks, and returns the newest one that was verified.
    fn tip(&self) -> BoxFuture<'_, Result<Tip, HubError>>;
    /// What is new of `policy` from revision `from` on, under the newest verified header.
    fn policy(&self, policy: PolicyId, from: u64) -> BoxFuture<'_, Result<Update, HubError>>;
    /// The log that the operator has open for `policy`, and the height that this was proven at.
    fn open_log(&self, policy: PolicyId) -> BoxFuture<'_, Result<Option<LogRecord>, HubError>>;
    /// Opens a log for `policy`, and returns when the transaction is in a block.
    fn create_log(&self, policy: PolicyId) -> BoxFuture<'_, Result<(), HubError>>;
    /// The record of a log.
    fn log(&self, log: LogId) -> BoxFuture<'_, Result<LogRecord, HubError>>;
    /// Submits an anchor, and returns when the transaction is in a block.
    fn anchor(&self, anchor: Anchor) -> BoxFuture<'_, Result<(), HubError>>;
    /// An anchor by its number, proven under the newest verified header.
    fn anchored(&self, log: LogId, index: u64) -> BoxFuture<'_, Result<Anchored, HubError>>;
    /// The verified header at a height, if it is at hand: nobody is asked.
    fn at_hand(&self, height: u64) -> Option<Trusted>;
    /// The verified header at a height.
    fn header(&self, height: u64) -> BoxFuture<'_, Result<Trusted, HubError>>;
    /// Everything that a bundle shows of the hub, under the header of that height, or the newest.
    fn trail(
        &self,
        policy: PolicyId,
        log: LogId,
        witnesses: Vec<LogId>,
        height: Option<u64>,
    ) -> BoxFuture<'_, Result<TrailState, HubError>>;
    /// Headers of earlier blocks, proven under the header of block `under`: for the times in a bundle.
    fn earlier_blocks(
        &self,
        heights: Vec<u64>,
        under: u64,
    ) -> BoxFuture<'_, Result<EarlierBlocks, HubError>>;
    /// The account that pays for anchors; none without the operator's key.
    fn account(&self) -> Option<String>;
}
