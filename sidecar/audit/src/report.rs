//! What a verified bundle shows: populations first, then who wrote what, under which permission,
//! at which revision, and whether it counts.
//!
//! A report is made by [`crate::bundle::verify`] only, after everything in it was proven or, where
//! it says "claimed", is the word of the operator or author.

mod make;
mod state;
mod text;

pub(crate) use make::{make, Findings};

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

/// The report of one bundle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The chain.
    pub chain: String,
    /// The trusted header.
    pub header: HeaderReport,
    /// The policy.
    pub policy: PolicyReport,
    /// The log, and which part of it this is about.
    pub log: LogReport,
    /// How much there is of everything, and how completeness is known.
    pub populations: Populations,
    /// The documents.
    pub documents: Vec<DocumentReport>,
    /// Decisions whose leaves are opened.
    pub decisions: Vec<DecisionReport>,
    /// Commits that were offered and refused, whose leaves are opened.
    pub refusals: Vec<RefusalReport>,
}

/// The trusted header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderReport {
    /// Height.
    pub height: u64,
    /// Hash, lower-case hexadecimal digits.
    pub hash: String,
    /// Block time, RFC 3339.
    pub time: String,
    /// How many validators there are.
    pub validators: u64,
    /// Voting power of those that signed.
    pub signed_power: u64,
    /// All voting power.
    pub total_power: u64,
}

/// The policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyReport {
    /// Id.
    pub id: String,
    /// Version of its engine.
    pub engine_version: u32,
    /// How many revisions it has under the header: all of them are in the bundle.
    pub revisions: u64,
    /// How many changes they made.
    pub changes: u64,
    /// Within how many blocks an attestation must be anchored.
    pub anchor_lag: u64,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Id.
    pub id: String,
    /// Whose it is.
    pub operator: String,
    /// The anchor that the bundle begins after; none when it begins at the first leaf.
    pub from: Option<AnchorReport>,
    /// The anchor that it ends with.
    pub to: AnchorReport,
    /// Who sealed the bundle; none when nobody did, and parts may have been left out since.
    pub issuer: Option<String>,
}

/// An anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorReport {
    /// Index in the log of anchors.
    pub index: u64,
    /// The block that recorded it.
    pub height: u64,
    /// That block's time.
    pub time: String,
    /// How many leaves the log had.
    pub size: u64,
}

/// How much there is of everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Populations {
    /// Policy revisions: proven complete by the record under the header.
    pub revisions: u64,
    /// Anchors from the first to the last named: proven complete.
    pub anchors: u64,
    /// Leaves between them: complete by index.
    pub leaves: u64,
    /// Of these, shown whole.
    pub leaves_opened: u64,
    /// Of these, shown with their place in a document's chain only.
    pub leaves_linked: u64,
    /// Of these, closed.
    pub leaves_closed: u64,
    /// Commits of the documents: complete relative to the heads that the last anchor names.
    pub commits: u64,
    /// Of these, with their body.
    pub bodies: u64,
    /// Attestations by others than the author that were verified.
    pub attestations: u64,
    /// Decisions asked again, with the same answer.
    pub decisions_replayed: u64,
    /// Decisions in which the operator could not tell.
    pub decisions_undecided: u64,
    /// Decisions about documents whose preimage is not here, so that they cannot be asked again.
    pub decisions_without_preimage: u64,
    /// Decisions that rest on an older state of the hub than the policy allows.
    pub decisions_too_old: u64,
    /// Denials that have no leaf of their own, by the operator's count.
    pub denials_overflowed: u64,
    /// Kinds of the opened leaves, counted.
    pub kinds: BTreeMap<&'static str, u64>,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DocumentReport {
    /// Id.
    pub id: String,
    /// Resource of its collection.
    pub resource: String,
    /// Its collection.
    pub collection: String,
    /// The object that it was created in.
    pub scope: String,
    /// Who created it.
    pub creator: String,
    /// How many leaves of the log are about it, in the whole log.
    pub leaves: u64,
    /// How many of them lie between the anchors.
    pub leaves_here: u64,
    /// Of those, shown whole.
    pub leaves_opened: u64,
    /// Of those, withheld: shown with their place in the chain only.
    pub leaves_linked: u64,
    /// Its heads under the last anchor.
    pub heads: Vec<String>,
    /// Its commits, parents first.
    pub commits: Vec<CommitReport>,
    /// Its fields, where every body is here; what cannot be read makes this null.
    pub state: Option<serde_json::Value>,
    /// Whether a commit that counts deleted it.
    pub deleted: bool,
    /// Why there is no state.
    pub state_missing: Option<String>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitReport {
    /// CID.
    pub commit: String,
    /// Who signed it.
    pub author: String,
    /// The time that the author claims, milliseconds since 1970.
    pub claimed_time_ms: u64,
    /// The permissions that it takes.
    pub permissions: Vec<String>,
    /// The revision that it cites.
    pub revision: u64,
    /// The hub height that it cites.
    pub height: u64,
    /// `settled`, `provisional` or `late`.
    pub verdict: &'static str,
    /// Whether it counts.
    pub counts: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// Index of this log's leaf that says that it held it.
    pub leaf: u64,
    /// What it does, where its body is here.
    pub operations: Option<Vec<String>>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionReport {
    /// Its leaf.
    pub leaf: u64,
    /// Who asked.
    pub actor: String,
    /// For what.
    pub permission: String,
    /// On what.
    pub object: String,
    /// What was being done.
    pub action: String,
    /// The answer.
    pub outcome: &'static str,
    /// At which revision.
    pub revision: u64,
    /// The seen height.
    pub height: u64,
    /// The block time that expiries and conditions were asked at (RFC 3339); none in leaves of before
    /// there were such.
    pub asked_at: Option<String>,
    /// What the asker gave to conditions, as JSON.
    pub context: Option<String>,
    /// How old the last verified block was, by the operator's clock.
    pub stale_seconds: u64,
    /// Why, in the operator's words.
    pub reason: String,
    /// `replayed`, `not contradicted` or `without preimage`.
    pub replay: &'static str,
    /// Why the state that it rests on was older than the policy allows; none as far as is known.
    pub too_old: Option<String>,
}

/// One refused commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusalReport {
    /// Its leaf.
    pub leaf: u64,
    /// The commit.
    pub commit: String,
    /// The document that it claimed.
    pub document: String,
    /// The author that it claimed.
    pub author: String,
    /// The reason's name.
    pub reason: String,
    /// The reason in a sentence.
    pub detail: String,
}

impl Report {
    /// The report as JSON, indented, ending with a newline.
    pub fn to_json(&self) -> String {
        // Strings, integers and lists only: nothing here can fail to serialize.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
