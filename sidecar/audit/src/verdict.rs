//! Does a commit count? The one judge, for the sidecar that receives it and the auditor who comes
//! years later.
//!
//! A verdict is a function of two sets, the blocks known and hub state, and of nothing else: not
//! of the order in which anything arrived, not of bodies, not of how much work was allowed
//! (Invariant 4). The functions here take those sets as arguments and keep nothing.
//!
//! Let P(h) be: under the policy as after block h, at the time of block h and without any context of a
//! request, the author has every permission that the commit lists. Then, after DESIGN §7:
//!
//! 1. [`Verdict::Reject`]: the commit is malformed, or not P(cited height). Final.
//!    [`Verdict::Defer`]: something that the judgement needs is not known yet.
//! 2. [`Verdict::Settled`]: P at every height from the cited one to the height seen in an
//!    attestation. Final.
//! 3. [`Verdict::Provisional`]: no such attestation, P at every height from the cited one to the
//!    replica's. Counts.
//! 4. [`Verdict::Late`]: otherwise. Does not count, until an attestation arrives that settles it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crdt::Cid;
use policy::{Actor, ObjectRef, Time};

use crate::times::{FirstBlock, MadeAt, Wanted};
use standing::{at_height, held, Held};

mod outcome;
mod standing;

pub use outcome::{DeferReason, RejectReason, Verdict};
pub use standing::{Open, Standing};

/// The permission that the first commit of a document takes on its scope.
pub const CREATE: &str = "create";
/// The permission that makes an operator's leaves attestations.
pub const ATTEST: &str = "attest";

/// The facts of a document that its id proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentClaim {
    /// The document's id.
    pub id: Cid,
    /// The collection's id.
    pub collection: Cid,
    /// The object that it was created in.
    pub scope: ObjectRef,
    /// Who created it: the DID in the preimage of the id.
    pub creator: Actor,
}

/// What a commit's header says, as far as a verdict depends on it.
///
/// Made from a parsed header by [`Claim::of`]; nothing of the body is in it, since bodies may be
/// withheld or erased without a verdict changing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The commit.
    pub commit: Cid,
    /// The chain id that the header names.
    pub chain_id: String,
    /// The document.
    pub document: DocumentClaim,
    /// Whether this is the document's first commit.
    pub creates: bool,
    /// The author's DID.
    pub author: Actor,
    /// The schema version that the header names.
    pub schema_version: u64,
    /// 1 + the highest of the parents', as the header claims.
    pub dag_height: u64,
    /// Revision that the header cites.
    pub revision: u64,
    /// Hub height that the header cites.
    pub height: u64,
    /// The permissions that the commit's operations take.
    pub permissions: Vec<String>,
    /// Whether the author's signature over the header verifies.
    pub signature_valid: bool,
}

/// What the judge needs of a parent that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentClaim {
    /// Its DAG height.
    pub dag_height: u64,
    /// The revision that it cites.
    pub revision: u64,
    /// The hub height that it cites.
    pub height: u64,
    /// Whether it belongs to the same document.
    pub same_document: bool,
}

/// An attestation whose receipt has been verified under a trusted header.
///
/// It attests to the commit that its leaf names and to every ancestor of it; whether it *counts*
/// for a commit is decided here, by [`counts`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attestation {
    /// The seen height s.
    pub height: u64,
    /// The revision that the leaf names for it.
    pub revision: u64,
    /// The height a of the anchor.
    pub anchor_height: u64,
    /// The DID of the log's operator.
    pub operator: Actor,
}

/// Hub state as the judge reads it: one policy, as of every revision, up to a proven height.
///
/// The one implementation for real use is [`crate::authority::PolicyAuthority`], over
/// `policy::History`; the other is the naive model that the tests hold against it.
pub trait Authority {
    /// The highest height whose state is proven here.
    fn proven_height(&self) -> u64;
    /// The revision in force after `height`; none before the policy existed.
    fn revision_after(&self, height: u64) -> Option<u64>;
    /// The height of the block that made `revision`.
    fn height_of(&self, revision: u64) -> Option<u64>;
    /// Whether `collection` exists at `revision` and has `schema_version` in force.
    fn schema(&self, revision: u64, collection: &Cid, schema_version: u64) -> SchemaStanding;
    /// When block `height`, at or below the proven one, was made.
    fn made_at(&self, height: u64) -> MadeAt;
    /// The first block whose time has reached `time`.
    fn first_block(&self, time: Time) -> FirstBlock;
    /// Hears what would have to be proven to tell more.
    fn want(&self, wanted: Wanted);
    /// Whether `actor` has `permission` on the document at `revision` and `time`, without context.
    ///
    /// With `creating`, the document's owner is left out: ownership never permits creation. What
    /// cannot be told within the engine's fixed bounds, or hangs on context, is not permitted; those
    /// bounds are part of the engine's version, so every reader agrees.
    fn permits(&self, revision: u64, time: Time, question: &Permission<'_>) -> Permitted;
    /// `anchor_lag` of the policy record in force at `revision`, in blocks.
    fn anchor_lag(&self, revision: u64) -> u64;
}

/// An answer of [`Authority::permits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permitted {
    /// Whether it is permitted.
    pub allowed: bool,
    /// The same is said at all times before this one; none where that is all later times. The time
    /// that was asked, where nothing is said of any other.
    pub stands_until: Option<Time>,
}

/// One question to [`Authority::permits`].
#[derive(Debug, Clone, Copy)]
pub struct Permission<'a> {
    /// The document.
    pub document: &'a DocumentClaim,
    /// Who asks.
    pub actor: &'a Actor,
    /// The permission's name.
    pub permission: &'a str,
    /// Whether the document is being created.
    pub creating: bool,
}

/// How a collection and schema version stand at a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaStanding {
    /// The version is the one in force.
    InForce,
    /// The policy has no such collection then.
    UnknownCollection,
    /// The collection has another version in force then.
    OtherVersion {
        /// The version in force.
        in_force: u64,
    },
}

/// Rule 1: everything that can reject or defer a commit.
///
/// `parents` gives, for each parent in the header, what is known of it. On success the commit had
/// every permission at its cited height, and only attestations and later revisions matter.
///
/// # Errors
/// The final or waiting verdict, [`Verdict::Reject`] or [`Verdict::Defer`]. What can be rejected
/// without the missing facts is rejected; every reason holds whatever else becomes known.
pub fn admit(
    claim: &Claim,
    parents: &[(Cid, Option<ParentClaim>)],
    chain_id: &str,
    authority: &impl Authority,
) -> Result<Standing, Verdict> {
    alone(claim, parents.is_empty(), chain_id).map_err(Verdict::Reject)?;
    for (_, parent) in parents {
        if let Some(parent) = parent {
            beside(claim, parent).map_err(Verdict::Reject)?;
        }
    }
    let proven = authority.proven_height();
    let ahead = claim.height > proven;
    let cited = match ahead {
        true => None,
        false => Some(at_citation(claim, authority).map_err(Verdict::Reject)?),
    };
    let missing: Vec<Cid> = parents
        .iter()
        .filter(|(_, parent)| parent.is_none())
        .map(|(cid, _)| *cid)
        .collect();
    if !missing.is_empty() {
        return Err(Verdict::Defer(DeferReason::ParentsMissing(missing)));
    }
    // Only now: a missing parent could be the highest.
    let highest = parents
        .iter()
        .filter_map(|(_, parent)| parent.as_ref())
        .map(|parent| parent.dag_height)
        .max()
        .unwrap_or(0);
    let expected = highest.saturating_add(1);
    if claim.dag_height != expected {
        return Err(Verdict::Reject(RejectReason::DagHeight {
            found: claim.dag_height,
            expected,
        }));
    }
    match cited {
        None => Err(Verdict::Defer(DeferReason::Ahead {
            cited: claim.height,
            proven,
        })),
        Some(Cited::Unknown(wanted)) => Err(Verdict::Defer(DeferReason::BlockTime(wanted))),
        Some(Cited::Holds(until)) => Ok(Standing::new(claim.revision, until)),
    }
}

/// Whether P holds, as far as hub state is known here, from the height that a commit cites to the
/// proven one: what a writer makes sure of before he signs.
pub fn stands(claim: &Claim, authority: &impl Authority) -> bool {
    if claim.height > authority.proven_height() {
        return false;
    }
    match held(claim, claim.revision, claim.height, authority) {
        Held::Yes(until) => {
            let mut standing = Standing::new(claim.revision, until);
            standing.advance(claim, authority);
            !standing.is_lost() && standing.open().is_none()
        }
        Held::No(_) | Held::Unknown(_) => false,
    }
}

/// Rules 2 to 4, for a commit that was admitted and whose standing was advanced.
///
/// `attestations` are those of the commit and of all its known descendants that [`may_attest`], in
/// any order; those that do not count are passed over.
pub fn decide<'a>(
    claim: &Claim,
    standing: &Standing,
    attestations: impl IntoIterator<Item = &'a Attestation>,
    authority: &impl Authority,
) -> Verdict {
    let open = standing.open();
    let lost = standing
        .lost_at()
        .or_else(|| open.and_then(|open| open.lost_by));
    // Up to here P is known to hold, from there on it may not.
    let through = open.map(|open| open.through);
    let mut settling: Option<&Attestation> = None;
    let mut hangs = false;
    for attestation in attestations {
        let seen = attestation.height;
        if lost.is_some_and(|lost| seen >= lost) || !counts(claim, attestation, authority) {
            continue;
        }
        if through.is_some_and(|through| seen > through) {
            hangs = true;
        } else if settling.is_none_or(|least| attestation < least) {
            settling = Some(attestation);
        }
    }
    if let Some(by) = settling {
        return Verdict::Settled { by: by.clone() };
    }
    match (open, lost) {
        (None, None) => Verdict::Provisional {
            through: authority.proven_height(),
        },
        (Some(open), lost) if hangs || lost.is_none() => {
            Verdict::Defer(DeferReason::BlockTime(open.wanted))
        }
        (_, lost) => Verdict::Late {
            lost_at: lost.unwrap_or_default(),
        },
    }
}

/// The whole judgement at once: [`admit`], [`Standing::advance`], [`decide`].
pub fn judge(
    claim: &Claim,
    parents: &[(Cid, Option<ParentClaim>)],
    attestations: &[Attestation],
    chain_id: &str,
    authority: &impl Authority,
) -> Verdict {
    match admit(claim, parents, chain_id, authority) {
        Ok(mut standing) => {
            standing.advance(claim, authority);
            decide(claim, &standing, attestations, authority)
        }
        Err(verdict) => verdict,
    }
}

/// Whether a leaf that says that a commit was held can be an attestation at all: what was seen is
/// not older than what the commit itself cites, and nobody attests what he wrote himself.
/// `cited_height` and `author` are those of the very commit that the leaf names, not of an ancestor
/// (rule 7 of `docs/spec/log.md` §5).
///
/// Whoever collects attestations for [`decide`] leaves the others out before they are handed to
/// ancestors. A liar could otherwise write two leaves about one commit, one that counts for it and
/// one that counts for its ancestors only, and no rule could say which of the two is the better one
/// to keep: so verdicts would hang on which came first (Invariant 4).
pub fn may_attest(cited_height: u64, author: &str, attestation: &Attestation) -> bool {
    attestation.height >= cited_height && attestation.operator.as_str() != author
}

/// Whether an attestation counts for a commit: the rules of `docs/spec/log.md` §5, but the first,
/// which its receipt has shown, and the last, by which it was collected ([`may_attest`]).
pub fn counts(claim: &Claim, attestation: &Attestation, authority: &impl Authority) -> bool {
    // An empty interval from the cited height to an earlier one would hold of anything.
    may_attest(claim.height, claim.author.as_str(), attestation)
        && sound(&claim.document, attestation, authority)
}

/// Whether an attestation can count for any commit of a document: the rules that do not look at
/// the commit. Once sound, it stays so as the replica grows.
pub fn sound(
    document: &DocumentClaim,
    attestation: &Attestation,
    authority: &impl Authority,
) -> bool {
    soundness(document, attestation, authority) == Soundness::Sound
}

/// What [`sound`] can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soundness {
    /// It can count.
    Sound,
    /// It never will.
    Unsound,
    /// It cannot be told yet: what it saw is beyond the replica, or hangs on the time of a block that
    /// is not proven. The attestation waits.
    Unknown,
}

/// As [`sound`], with what cannot be told yet apart.
pub fn soundness(
    document: &DocumentClaim,
    attestation: &Attestation,
    authority: &impl Authority,
) -> Soundness {
    let seen = attestation.height;
    if seen >= attestation.anchor_height {
        return Soundness::Unsound;
    }
    if seen > authority.proven_height() {
        return Soundness::Unknown;
    }
    let Some(revision) = authority.revision_after(seen) else {
        return Soundness::Unsound;
    };
    let in_time = attestation.anchor_height <= seen.saturating_add(authority.anchor_lag(revision));
    if !in_time || attestation.revision != revision {
        return Soundness::Unsound;
    }
    let question = Permission {
        document,
        actor: &attestation.operator,
        permission: ATTEST,
        creating: false,
    };
    match at_height(seen, authority, |time| {
        authority.permits(revision, time, &question)
    }) {
        Ok((asked, _)) if asked.allowed => Soundness::Sound,
        Ok(_) => Soundness::Unsound,
        Err(_) => Soundness::Unknown,
    }
}

/// Hands the attestations of a commit down to a parent, since whoever held a commit held what it
/// follows. `height` is the height that the commit cites; says whether anything was added.
///
/// Going from children to parents, this collects for each commit what [`decide`] needs. Of one
/// operator's [`sound`] attestations at or above `height` only the least is handed down: where
/// another counts for the parent, that one does, too. So the sets stay about as small as the
/// number of operators, and the verdicts are the same as with all of them.
pub fn inherit(
    parent: &mut BTreeSet<Attestation>,
    attestations: &BTreeSet<Attestation>,
    height: u64,
    sound: &dyn Fn(&Attestation) -> bool,
) -> bool {
    let before = parent.len();
    let mut least: BTreeSet<&Actor> = BTreeSet::new();
    // In the order of the seen height, so the first of an operator is its least.
    for attestation in attestations {
        let prunable = attestation.height >= height && sound(attestation);
        if !prunable || least.insert(&attestation.operator) {
            parent.insert(attestation.clone());
        }
    }
    parent.len() > before
}

/// What the header alone shows.
fn alone(claim: &Claim, no_parents: bool, chain_id: &str) -> Result<(), RejectReason> {
    if !claim.signature_valid {
        return Err(RejectReason::Signature);
    }
    if claim.chain_id != chain_id {
        return Err(RejectReason::Chain {
            found: claim.chain_id.clone(),
            expected: String::from(chain_id),
        });
    }
    if claim.creates != no_parents || (claim.creates && claim.dag_height != 1) {
        return Err(RejectReason::Shape);
    }
    if claim.permissions.is_empty() {
        return Err(RejectReason::NoPermission);
    }
    if claim.creates {
        if claim.author != claim.document.creator {
            return Err(RejectReason::NotCreator {
                creator: claim.document.creator.clone(),
                author: claim.author.clone(),
            });
        }
        if !claim.permissions.iter().any(|name| name == CREATE) {
            return Err(RejectReason::CreateNotListed);
        }
    }
    Ok(())
}

/// What the header and one known parent show.
fn beside(claim: &Claim, parent: &ParentClaim) -> Result<(), RejectReason> {
    if !parent.same_document {
        return Err(RejectReason::ParentDocument);
    }
    if claim.height < parent.height || claim.revision < parent.revision {
        return Err(RejectReason::BelowParent {
            revision: claim.revision,
            height: claim.height,
            parent_revision: parent.revision,
            parent_height: parent.height,
        });
    }
    // A known parent already bounds the height from below, whatever the missing ones say.
    if claim.dag_height <= parent.dag_height {
        return Err(RejectReason::DagHeight {
            found: claim.dag_height,
            expected: parent.dag_height.saturating_add(1),
        });
    }
    Ok(())
}

/// What is known of P at the cited height.
enum Cited {
    /// It holds, and goes on to hold in the cited revision before this time.
    Holds(Option<Time>),
    /// It cannot be told before this is proven.
    Unknown(Wanted),
}

/// What the header and hub state at the cited height show.
fn at_citation(claim: &Claim, authority: &impl Authority) -> Result<Cited, RejectReason> {
    let in_force = authority.revision_after(claim.height);
    if in_force != Some(claim.revision) {
        return Err(RejectReason::Citation {
            revision: claim.revision,
            height: claim.height,
            in_force,
        });
    }
    match authority.schema(
        claim.revision,
        &claim.document.collection,
        claim.schema_version,
    ) {
        SchemaStanding::InForce => {}
        SchemaStanding::UnknownCollection => {
            return Err(RejectReason::Collection {
                revision: claim.revision,
            })
        }
        SchemaStanding::OtherVersion { in_force } => {
            return Err(RejectReason::Schema {
                found: claim.schema_version,
                in_force,
            })
        }
    }
    match held(claim, claim.revision, claim.height, authority) {
        Held::Yes(until) => Ok(Cited::Holds(until)),
        Held::Unknown(wanted) => Ok(Cited::Unknown(wanted)),
        Held::No(permission) => Err(RejectReason::NotPermitted {
            author: claim.author.clone(),
            permission: String::from(permission),
            revision: claim.revision,
            height: claim.height,
        }),
    }
}

#[cfg(test)]
mod tests;
