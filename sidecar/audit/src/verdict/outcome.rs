//! What a judgement can be, and why.

use alloc::string::String;
use alloc::vec::Vec;

use crdt::Cid;
use policy::Actor;

use super::Attestation;
use crate::times::Wanted;

/// Why a commit is rejected, for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// The signature is not the author's.
    #[error("the signature is not the author's signature of this header")]
    Signature,
    /// Signed for another chain.
    #[error("the commit is made for the chain {found}, not for {expected}")]
    Chain {
        /// In the header.
        found: String,
        /// Here.
        expected: String,
    },
    /// It lists no permission, so nothing could permit it.
    #[error("the header lists no permission; a commit must list what its operations take")]
    NoPermission,
    /// A first commit that does not list `create`.
    #[error("the first commit of a document must list the permission `create`")]
    CreateNotListed,
    /// A first commit by somebody else than the one whom the document's id names.
    #[error(
        "the document's id names {creator} as its author, but {author} signed its first commit"
    )]
    NotCreator {
        /// In the preimage.
        creator: Actor,
        /// Of the commit.
        author: Actor,
    },
    /// A first commit with parents or a later one without.
    #[error("a first commit has no parents and DAG height 1, every other commit has parents")]
    Shape,
    /// A parent belongs to another document.
    #[error("a parent belongs to another document")]
    ParentDocument,
    /// The DAG height is not 1 + the maximum of the parents'.
    #[error("the DAG height is {found}, but by its parents it must be {expected}")]
    DagHeight {
        /// In the header.
        found: u64,
        /// By the parents.
        expected: u64,
    },
    /// The cited revision is not the one in force after the cited height.
    #[error("the header cites revision {revision} at height {height}, where the policy stood at {}", in_force_text(*.in_force))]
    Citation {
        /// In the header.
        revision: u64,
        /// In the header.
        height: u64,
        /// In hub state.
        in_force: Option<u64>,
    },
    /// It cites an earlier state than one of its parents.
    #[error("the header cites revision {revision} at height {height}, earlier than its parent, which cites {parent_revision} at {parent_height}")]
    BelowParent {
        /// In the header.
        revision: u64,
        /// In the header.
        height: u64,
        /// In the parent's header.
        parent_revision: u64,
        /// In the parent's header.
        parent_height: u64,
    },
    /// No such collection in the policy at the cited revision.
    #[error("the document's collection is not defined in this policy at revision {revision}")]
    Collection {
        /// The cited revision.
        revision: u64,
    },
    /// Another schema version was in force.
    #[error(
        "the header names schema version {found}; at its revision version {in_force} was in force"
    )]
    Schema {
        /// In the header.
        found: u64,
        /// In hub state.
        in_force: u64,
    },
    /// Not P(cited height).
    #[error(
        "{author} did not have the permission `{permission}` at revision {revision}, height {height}"
    )]
    NotPermitted {
        /// The author.
        author: Actor,
        /// The first permission in the header's order that was missing.
        permission: String,
        /// The cited revision.
        revision: u64,
        /// The cited height, at whose time it was asked.
        height: u64,
    },
}

impl RejectReason {
    /// A short name for logs and metrics; stands in `commit-refused` leaves.
    pub fn name(&self) -> &'static str {
        match self {
            RejectReason::Signature => "signature",
            RejectReason::Chain { .. } => "chain",
            RejectReason::NoPermission => "no-permission-listed",
            RejectReason::CreateNotListed => "create-not-listed",
            RejectReason::NotCreator { .. } => "not-creator",
            RejectReason::Shape => "shape",
            RejectReason::ParentDocument => "parent-document",
            RejectReason::DagHeight { .. } => "dag-height",
            RejectReason::Citation { .. } => "citation",
            RejectReason::BelowParent { .. } => "below-parent",
            RejectReason::Collection { .. } => "collection",
            RejectReason::Schema { .. } => "schema",
            RejectReason::NotPermitted { .. } => "not-permitted",
        }
    }
}

/// What a judgement waits for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeferReason {
    /// Parents that are not known here.
    #[error("{} parents are not known yet", .0.len())]
    ParentsMissing(Vec<Cid>),
    /// The cited height is ahead of what is proven here.
    #[error("the commit cites height {cited}, but this replica has proven only {proven}")]
    Ahead {
        /// In the header.
        cited: u64,
        /// Here.
        proven: u64,
    },
    /// A permission begins or ends by time, and the block that this hangs on is not proven here.
    #[error("a permission begins or ends by time, and it is not proven here {0}")]
    BlockTime(Wanted),
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Final; the block need not be kept.
    Reject(RejectReason),
    /// Not yet judged.
    Defer(DeferReason),
    /// Final; counts.
    Settled {
        /// The attestation that settles it: of several, the lowest seen height, then operator.
        by: Attestation,
    },
    /// Counts for now.
    Provisional {
        /// P was found at every height up to this one.
        through: u64,
    },
    /// Does not count, unless an attestation arrives.
    Late {
        /// The first height after whose block the author lacked a permission, as far as that is
        /// known: it is lower where the times of the blocks below are not proven here yet.
        lost_at: u64,
    },
}

impl Verdict {
    /// Whether the commit's operations count.
    pub fn counts(&self) -> bool {
        matches!(self, Verdict::Settled { .. } | Verdict::Provisional { .. })
    }

    /// Whether no further block or hub state can change it.
    pub fn is_final(&self) -> bool {
        matches!(self, Verdict::Settled { .. } | Verdict::Reject(_))
    }

    /// `reject`, `defer`, `settled`, `provisional` or `late`.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Reject(_) => "reject",
            Verdict::Defer(_) => "defer",
            Verdict::Settled { .. } => "settled",
            Verdict::Provisional { .. } => "provisional",
            Verdict::Late { .. } => "late",
        }
    }
}

fn in_force_text(in_force: Option<u64>) -> String {
    match in_force {
        Some(revision) => alloc::format!("revision {revision}"),
        None => String::from("no revision"),
    }
}
