//! Everything that can fail to verify, each by its name.

use alloc::string::String;

use hub_types::{BlockHash, Height, LogId, MessageError, PolicyId, RecordError, Timestamp};
use identity::ChainId;
use merkle::MerkleError;
use policy::{HistoryError, PolicyError, ReplayError};
use wire::canonical::CanonicalError;

/// What did not verify.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LightError {
    /// Bytes that are no canonical protobuf of what was expected.
    #[error("the {what} is not in its canonical encoding")]
    Encoding {
        /// What was expected.
        what: &'static str,
        /// What is wrong with the bytes.
        #[source]
        source: CanonicalError,
    },
    /// A part that no honest node leaves out or writes so.
    #[error("the {what} is malformed: {reason}")]
    Malformed {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// More of something than any honest answer has (Invariant 7).
    #[error("{found} {what} are too many; at most {max} are read")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are read.
        max: usize,
    },
    /// Text that is no trust point.
    #[error("a trust point is written HEIGHT:HASH, with the 64 hexadecimal digits of a block hash that you have from somebody you trust")]
    TrustPointText,

    // Headers.
    /// The block is not that of the trust point.
    #[error("the block at height {height} has hash {found}, not the trusted {expected}: this node serves another chain, or the trust point is wrong")]
    TrustPointHash {
        /// The height.
        height: Height,
        /// The trusted hash.
        expected: BlockHash,
        /// The block's hash.
        found: BlockHash,
    },
    /// A block of another height than was asked for.
    #[error("asked for the block at height {expected}, got {found}")]
    Height {
        /// What was asked for.
        expected: Height,
        /// What came.
        found: Height,
    },
    /// A header of another chain.
    #[error("the header is of chain {found}, not of {expected}")]
    ChainId {
        /// The trusted chain.
        expected: ChainId,
        /// The header's.
        found: String,
    },
    /// The trusted block is too old to lead anywhere.
    #[error("the newest trusted block, of {trusted}, is older than the trusting period; give a fresh trust point HEIGHT:HASH")]
    Expired {
        /// Its time.
        trusted: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// A header from the future.
    #[error("the header's time {header} is ahead of this clock, {now}, by more than the drift that is allowed; check the clock")]
    Future {
        /// Its time.
        header: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// A header that is not later than the trusted one.
    #[error("the header at height {found} is not later than the trusted one at height {trusted}")]
    NotLater {
        /// The trusted height.
        trusted: Height,
        /// The header's.
        found: Height,
    },
    /// The validators are not those that the header names.
    #[error("the validators are not those of the header: its validators hash does not match")]
    Validators,
    /// The next validators are not those that the header names.
    #[error(
        "the next validators are not those of the header: its next validators hash does not match"
    )]
    NextValidators,
    /// The next block's validators are not those that the trusted block announced.
    #[error("the validators are not those that the trusted block before announced")]
    AnnouncedValidators,
    /// The next validators are needed and were not given.
    #[error("the trusted block came without its next validators, so it cannot lead on; fetch it again with them")]
    NoNextValidators,
    /// The commit is for another header.
    #[error("the commit is for another header")]
    Commit,
    /// A commit whose signatures do not fit the validators.
    #[error("the commit has {signatures} signatures for {validators} validators")]
    CommitLength {
        /// How many signatures.
        signatures: usize,
        /// How many validators.
        validators: usize,
    },
    /// A signature by somebody else than the validator at its place.
    #[error("signature {index} of the commit names another validator")]
    Signer {
        /// Its place.
        index: usize,
    },
    /// A signature that does not match.
    #[error("signature {index} of the commit does not match")]
    Signature {
        /// Its place.
        index: usize,
    },
    /// Not enough of the block's own validators signed.
    #[error(
        "validators with {signed} of {total} voting power signed; more than two thirds are needed"
    )]
    Power {
        /// The power that signed.
        signed: u64,
        /// All power.
        total: u64,
    },
    /// Not enough of the trusted validators signed: ask for a block in between.
    #[error("trusted validators with {signed} of {total} voting power signed; a third is needed to skip, so a block in between has to be verified first")]
    NotEnoughTrust {
        /// The power that signed.
        signed: u64,
        /// All power.
        total: u64,
    },
    /// What else the verifier refuses.
    #[error("the header does not verify: {reason}")]
    Header {
        /// In its words.
        reason: String,
    },
    /// An app hash that is no root of ours.
    #[error("the header's app hash has {found} bytes, not 32: no Holdfast chain")]
    AppHash {
        /// How many it has.
        found: usize,
    },

    // State under a header.
    /// The proof names other heights than it may.
    #[error("the proof is of the state after block {state} under header {header}; the state after a block stands under the next header")]
    ProofHeights {
        /// The state.
        state: Height,
        /// The header.
        header: Height,
    },
    /// The proof is for another header.
    #[error("the proof is for header {expected}, and the trusted header is {found}")]
    ProofHeader {
        /// What the proof names.
        expected: Height,
        /// The trusted header.
        found: Height,
    },
    /// The proof is of another key.
    #[error("the proof of {what} is of another key")]
    Key {
        /// Of what.
        what: &'static str,
    },
    /// The proof is of presence where absence was claimed, or the other way round.
    #[error("the proof of {what} does not say what the answer says: one is of presence, the other of absence")]
    Kind {
        /// Of what.
        what: &'static str,
    },
    /// The proof's value is not the answer's.
    #[error("the proof of {what} is of another value")]
    Value {
        /// Of what.
        what: &'static str,
    },
    /// A proof that is not built as our trees are.
    #[error("the proof of {what} is not built as this tree's proofs are: {reason}")]
    Shape {
        /// Of what.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The proof does not lead to the root.
    #[error("the proof of {what} does not lead to the root: the value or the proof is wrong")]
    Root {
        /// Of what.
        what: &'static str,
    },
    /// Something that must exist is proven absent.
    #[error("{what} does not exist in this state")]
    Absent {
        /// What.
        what: &'static str,
    },
    /// A record that a proof leads to is malformed, or of something else.
    #[error("a proven record cannot be read")]
    Record(#[from] RecordError),
    /// The record is of another policy.
    #[error("the proven record is of policy {found}, not of {expected}")]
    Policy {
        /// What was asked for.
        expected: PolicyId,
        /// What came.
        found: PolicyId,
    },
    /// The record is of another audit log.
    #[error("the proven record is of audit log {found}, not of {expected}")]
    Log {
        /// What was asked for.
        expected: LogId,
        /// What came.
        found: LogId,
    },
    /// A path or consistency proof of a log does not verify.
    #[error("the path of {what} does not verify")]
    Path {
        /// Of what.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: MerkleError,
    },
    /// A leaf that is not what its place in the log says.
    #[error("the leaf of {what} contradicts its place: {reason}")]
    Leaf {
        /// Of what.
        what: &'static str,
        /// How.
        reason: &'static str,
    },

    // Checks.
    /// The policy's definition is not in the evidence.
    #[error("the evidence does not hold the policy's definition")]
    NoDefinition,
    /// The definition does not compile.
    #[error(
        "the proven definition does not compile; it needs another version of the policy engine"
    )]
    Definition(#[source] PolicyError),
    /// An engine that this program does not have.
    #[error("the policy is decided by engine version {found}; this program has version {known}")]
    EngineVersion {
        /// The policy's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The same key twice.
    #[error("the evidence holds one key twice")]
    DuplicateKey,
    /// A document of the evidence is malformed.
    #[error("a document of the evidence is malformed")]
    Document(#[source] MessageError),
    /// A document whose collection is not in the evidence.
    #[error("the evidence holds a document but not the record of its collection")]
    NoCollection,
    /// The evidence does not decide.
    #[error("the evidence does not decide the question")]
    Replay(#[source] ReplayError),

    // Following.
    /// A revision that is not the next one.
    #[error("revision {found} came where {expected} was expected")]
    Revision {
        /// The next one.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The changes are not those of the leaf.
    #[error("the changes of revision {revision} are not those that its leaf commits to")]
    Changes {
        /// The revision.
        revision: u64,
    },
    /// The history does not take the changes.
    #[error("the changes cannot be applied")]
    History(#[source] HistoryError),
    /// The record has fewer revisions than are known.
    #[error(
        "the record has {found} revisions, and {known} are known already: an old answer, or a fork"
    )]
    Older {
        /// How many are known.
        known: u64,
        /// How many the record has.
        found: u64,
    },
}
