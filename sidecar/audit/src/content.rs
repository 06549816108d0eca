//! What a leaf of an audit log can say.
//!
//! A content is DAG-CBOR: a map of one entry, whose key is the kind and whose value is a map of
//! exactly the fields below (an IPLD keyed union). It is read strictly: unknown kinds and fields
//! are refused, and what does not encode back to the same bytes is refused. So a content has one
//! spelling, and no byte of it can change unseen.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crdt::Cid;
use hub_types::Timestamp;
use policy::Context;
use serde::{Deserialize, Serialize};

use crate::bytes::{Bytes, Hash32};

/// Bytes of a content. A decision with the longest actor, object and reason stays under half of
/// it; a bound this small keeps a leaf's opening within one disk page.
pub const CONTENT_BYTES_MAX: usize = 4096;
/// Bytes of one string in a content: longer than any DID or name that the hub accepts.
pub const STRING_BYTES_MAX: usize = 512;
/// Bytes of the context in a decision: beside it, the longest decision still fits a content.
pub const CONTEXT_TEXT_BYTES_MAX: usize = 1024;
/// Commits that a rollback may name as its target: as many as a document may have heads.
pub const ROLLBACK_TARGETS_MAX: usize = 64;

/// Kinds that this version does not write, kept so that nobody else takes the names.
pub const RESERVED_KINDS: [&str; 6] = [
    "adopted",
    "erased",
    "hold-placed",
    "hold-released",
    "key-released",
    "attestation-withdrawn",
];

/// What one leaf says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// This sidecar held a commit at a proven hub height. An anchored one is an attestation.
    CommitHeld(CommitHeld),
    /// A commit was offered and refused.
    CommitRefused(CommitRefused),
    /// Somebody asked for something and was answered.
    Decision(Decision),
    /// Denials beyond the quota, as a count and a root.
    DenialsOverflow(DenialsOverflow),
    /// A rollback was accepted.
    Rollback(Rollback),
}

/// Where a commit came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Written through this sidecar.
    Local,
    /// Received from another sidecar.
    Peer,
}

/// This sidecar held `commit`, durably, when it had proven the hub up to `height`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitHeld {
    /// The commit's CID.
    #[serde(with = "crate::bytes::link")]
    pub commit: Cid,
    /// The document's id.
    #[serde(with = "crate::bytes::link")]
    pub document: Cid,
    /// [`signature_digest`] of the commit's signature, which is no part of the CID.
    pub signature: Hash32,
    /// The highest hub height whose state this sidecar had proven, the *seen height*.
    pub height: u64,
    /// The policy's revision in force after that height.
    pub revision: u64,
    /// Where the commit came from.
    pub origin: Origin,
}

/// A commit was offered to this sidecar and refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitRefused {
    /// The commit's CID.
    #[serde(with = "crate::bytes::link")]
    pub commit: Cid,
    /// The document that it claimed to change.
    #[serde(with = "crate::bytes::link")]
    pub document: Cid,
    /// The DID that it claimed as its author.
    pub author: String,
    /// The reason's name, [`crate::verdict::RejectReason::name`].
    pub reason: String,
    /// The reason in a sentence.
    pub detail: String,
    /// The seen height at the refusal.
    pub height: u64,
    /// The policy's revision in force after that height.
    pub revision: u64,
}

/// The three answers that a sidecar can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Permitted.
    Allow,
    /// Not permitted.
    Deny,
    /// Neither could be told: the replica was too old, or a bound was reached (Invariant 3).
    CouldNotTell,
}

/// One permission check that was acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who asked, a DID.
    pub actor: String,
    /// The resource of the object.
    pub resource: String,
    /// The object's id within the resource; for a document, the document's id as text.
    pub object: String,
    /// The permission that was asked for.
    pub permission: String,
    /// The answer.
    pub outcome: Outcome,
    /// The policy's revision that the answer was computed at.
    pub revision: u64,
    /// The seen height at the answer.
    pub height: u64,
    /// Version of the policy engine that answered.
    pub engine: u64,
    /// Why, in a sentence; empty for a plain allow.
    pub reason: String,
    /// What was being done, such as `document.update`.
    pub action: String,
    /// The operator's clock, seconds since 1970. Claimed, not proven.
    pub time: u64,
    /// Seconds since the last verified block on the operator's clock: how stale the answer was.
    pub stale_seconds: u64,
    /// The document whose chain the leaf belongs to: set when the object is a document that this
    /// log holds commits of, null otherwise.
    #[serde(with = "crate::bytes::link_or_null")]
    pub document: Option<Cid>,
    /// When the object is a document, held or only asked for: the DAG-CBOR preimage of its id,
    /// from which owner and scope derive, so that the decision can be replayed without commits.
    pub preimage: Option<Bytes>,
    /// The time that expiries and conditions were asked at: of the block whose header proved the
    /// state after `height`. Leaves of before engine version 2 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<AskedAt>,
    /// What the asker gave to conditions: a JSON object in its canonical spelling; left out for
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

/// A block's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedAt {
    /// Whole seconds since 1970.
    pub seconds: i64,
    /// The rest, below 10^9.
    pub nanos: u32,
}

impl AskedAt {
    /// A block's time.
    pub fn of(time: Timestamp) -> AskedAt {
        AskedAt {
            seconds: time.seconds(),
            nanos: time.nanos(),
        }
    }

    /// The time, unless it is none.
    pub fn time(self) -> Option<Timestamp> {
        Timestamp::new(self.seconds, self.nanos).ok()
    }
}

/// Denials that no longer got a leaf each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialsOverflow {
    /// How many.
    pub count: u64,
    /// RFC 6962 root over their content commitments, in the order of their arrival.
    pub root: Hash32,
    /// The operator's clock at the first of them, seconds since 1970.
    pub first_time: u64,
    /// The operator's clock at the last of them.
    pub last_time: u64,
}

/// A rollback was accepted. The commit itself also has its [`CommitHeld`] leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The commit that rolls back.
    #[serde(with = "crate::bytes::link")]
    pub commit: Cid,
    /// The document.
    #[serde(with = "crate::bytes::link")]
    pub document: Cid,
    /// The commits whose closure stays, in the order of their bytes.
    #[serde(with = "crate::bytes::links")]
    pub targets: Vec<Cid>,
    /// The author of the rollback.
    pub author: String,
    /// The seen height when it was accepted.
    pub height: u64,
    /// The policy's revision in force after that height.
    pub revision: u64,
}

/// Why bytes are no content, or a content cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Not DAG-CBOR of a known kind.
    #[error("the leaf's content is no known kind of DAG-CBOR ({0}); a newer version of this program may read it")]
    Unreadable(String),
    /// DAG-CBOR, but spelled otherwise than this version would.
    #[error("the leaf's content is not in its one canonical spelling")]
    NotCanonical,
    /// Too many bytes.
    #[error("the leaf's content has {0} bytes, more than the {CONTENT_BYTES_MAX} that a leaf may hold; shorten the reason")]
    TooLong(usize),
    /// One string has too many bytes.
    #[error(
        "the field `{0}` of the leaf's content has more than {STRING_BYTES_MAX} bytes; shorten it"
    )]
    StringTooLong(&'static str),
    /// A rollback names too many targets, or not in order.
    #[error("a rollback leaf must name 1 to {ROLLBACK_TARGETS_MAX} targets, sorted, each once")]
    Targets,
    /// A time that is none, or a context that is no JSON object in its canonical spelling.
    #[error(
        "the decision's time is no time, or its context no JSON object in its canonical spelling"
    )]
    Circumstances,
    /// A preimage or a document that is not the object's.
    #[error("the decision's document or preimage is not that of the object that it names")]
    Preimage,
}

impl Content {
    /// The canonical DAG-CBOR.
    ///
    /// # Errors
    /// [`ContentError`] when a bound is broken.
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        self.check()?;
        let bytes = serde_ipld_dagcbor::to_vec(self)
            .map_err(|error| ContentError::Unreadable(error.to_string()))?;
        if bytes.len() > CONTENT_BYTES_MAX {
            return Err(ContentError::TooLong(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads canonical DAG-CBOR, and nothing else.
    ///
    /// # Errors
    /// [`ContentError`] for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Content, ContentError> {
        if bytes.len() > CONTENT_BYTES_MAX {
            return Err(ContentError::TooLong(bytes.len()));
        }
        let content: Content = serde_ipld_dagcbor::from_slice(bytes)
            .map_err(|error| ContentError::Unreadable(error.to_string()))?;
        if content.encode()? != bytes {
            return Err(ContentError::NotCanonical);
        }
        Ok(content)
    }

    /// The kind's name, as it stands in the encoding.
    pub fn kind(&self) -> &'static str {
        match self {
            Content::CommitHeld(_) => "commit-held",
            Content::CommitRefused(_) => "commit-refused",
            Content::Decision(_) => "decision",
            Content::DenialsOverflow(_) => "denials-overflow",
            Content::Rollback(_) => "rollback",
        }
    }

    /// The document that the leaf is about, which decides its chain.
    ///
    /// A refused commit belongs to no chain: whoever may not write a document must not lengthen
    /// the document's trail either.
    pub fn document(&self) -> Option<&Cid> {
        match self {
            Content::CommitHeld(held) => Some(&held.document),
            Content::Rollback(rollback) => Some(&rollback.document),
            Content::Decision(decision) => decision.document.as_ref(),
            Content::CommitRefused(_) | Content::DenialsOverflow(_) => None,
        }
    }

    fn check(&self) -> Result<(), ContentError> {
        match self {
            Content::CommitHeld(_) | Content::DenialsOverflow(_) => Ok(()),
            Content::CommitRefused(refused) => {
                bounded("author", &refused.author)?;
                bounded("reason", &refused.reason)?;
                bounded("detail", &refused.detail)
            }
            Content::Decision(decision) => {
                bounded("actor", &decision.actor)?;
                bounded("resource", &decision.resource)?;
                bounded("object", &decision.object)?;
                bounded("permission", &decision.permission)?;
                bounded("reason", &decision.reason)?;
                bounded("action", &decision.action)?;
                let is_time = |asked: AskedAt| asked.time().is_some();
                if !decision.asked_at.is_none_or(is_time)
                    || !decision.context.as_deref().is_none_or(is_context)
                {
                    return Err(ContentError::Circumstances);
                }
                let named = |cid: &Cid| cid.to_string() == decision.object;
                let document = decision.document.as_ref().is_none_or(named);
                let preimage = decision
                    .preimage
                    .as_ref()
                    .is_none_or(|bytes| named(&Cid::of(&bytes.0)));
                match document && preimage {
                    true => Ok(()),
                    false => Err(ContentError::Preimage),
                }
            }
            Content::Rollback(rollback) => {
                bounded("author", &rollback.author)?;
                let sorted = rollback.targets.is_sorted_by(|left, right| left < right);
                let count = rollback.targets.len();
                if sorted && (1..=ROLLBACK_TARGETS_MAX).contains(&count) {
                    Ok(())
                } else {
                    Err(ContentError::Targets)
                }
            }
        }
    }
}

/// What a leaf keeps of a commit's signature, which travels beside the header.
pub fn signature_digest(signature: &[u8]) -> Hash32 {
    Hash32(identity::hash("holdfast/commit-signature/1", &[signature]))
}

/// Whether a text is a context with values, as it would be written.
fn is_context(text: &str) -> bool {
    text.len() <= CONTEXT_TEXT_BYTES_MAX
        && Context::from_json(text)
            .is_ok_and(|context| !context.is_empty() && context.to_json() == text)
}

fn bounded(field: &'static str, text: &str) -> Result<(), ContentError> {
    if text.len() > STRING_BYTES_MAX {
        return Err(ContentError::StringTooLong(field));
    }
    Ok(())
}
