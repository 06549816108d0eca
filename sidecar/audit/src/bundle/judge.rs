//! Every commit judged again, from nothing but what the bundle has proven.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use crdt::{Cid, Header};

use super::commits::Document;
use super::container::Section;
use super::error::{VerifyError, Wrong};
use super::read::explain;
use super::witness::HeldLeaf;
use crate::authority::PolicyAuthority;
use crate::content::signature_digest;
use crate::verdict::{
    admit, decide, inherit, may_attest, sound, Attestation, Authority, Claim, DeferReason,
    ParentClaim, Verdict,
};

/// Where this log says that it held a commit, and what became of the commit.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// Index of the first leaf of this log that says that it held the commit.
    pub leaf: u64,
    pub verdict: Verdict,
}

/// Checks that this log held each commit, with this signature, and that its leaves are true.
///
/// Gives, for each commit, the first leaf.
pub(crate) fn held(
    documents: &BTreeMap<Cid, Document>,
    own: &[HeldLeaf],
) -> Result<BTreeMap<Cid, u64>, VerifyError> {
    let mut first: BTreeMap<Cid, (u64, crate::bytes::Hash32, Cid)> = BTreeMap::new();
    for leaf in own {
        let entry = first.entry(leaf.held.commit).or_insert((
            leaf.index,
            leaf.held.signature,
            leaf.held.document,
        ));
        if leaf.index < entry.0 {
            *entry = (leaf.index, leaf.held.signature, leaf.held.document);
        }
    }
    let mut leaves = BTreeMap::new();
    let commits = documents.values().flat_map(|document| &document.commits);
    for (place, held) in (0u64..).zip(commits) {
        let at = |wrong| VerifyError::at(Section::Commits, place, wrong);
        let cid = held.commit.cid();
        let Some((index, signature, document)) = first.get(cid) else {
            return Err(at(Wrong::CommitNotHeld(cid.to_string())));
        };
        if *signature != signature_digest(held.commit.signature().as_bytes()) {
            return Err(at(Wrong::OtherSignature));
        }
        if document != held.commit.header().document_id().cid() {
            return Err(at(Wrong::Untrue {
                said: format!("that the commit belongs to document {document}"),
                is: held.commit.header().document_id().to_string(),
            }));
        }
        leaves.insert(*cid, *index);
    }
    // A leaf of a document that the bundle is about must have its commit here.
    for leaf in own {
        let ours = documents.contains_key(&leaf.held.document);
        if ours && !leaves.contains_key(&leaf.held.commit) {
            let wrong = Wrong::CommitMissing(leaf.held.commit.to_string());
            return Err(VerifyError::at(Section::Leaves, leaf.index, wrong));
        }
    }
    Ok(leaves)
}

/// That this log's leaves name the hub's heights and revisions as they were.
pub(crate) fn true_heights(
    own: &[HeldLeaf],
    authority: &PolicyAuthority<'_>,
    section: Section,
) -> Result<(), VerifyError> {
    for leaf in own {
        true_height(
            leaf.held.height,
            leaf.held.revision,
            leaf.anchor_height,
            authority,
        )
        .map_err(|wrong| VerifyError::at(section, leaf.index, wrong))?;
    }
    Ok(())
}

/// That a leaf under an anchor at `anchor_height` names a height that its operator can have seen
/// and the revision that was in force then.
pub(crate) fn true_height(
    height: u64,
    revision: u64,
    anchor_height: u64,
    authority: &PolicyAuthority<'_>,
) -> Result<(), Wrong> {
    if height >= anchor_height {
        return Err(Wrong::Untrue {
            said: format!("that height {height} was seen"),
            is: format!("anchored in block {anchor_height}, before that"),
        });
    }
    let in_force = authority.revision_after(height);
    if in_force != Some(revision) {
        return Err(Wrong::Untrue {
            said: format!("that revision {revision} was in force after height {height}"),
            is: match in_force {
                Some(revision) => format!("revision {revision}"),
                None => "no revision".to_string(),
            },
        });
    }
    Ok(())
}

/// Judges every commit.
///
/// # Errors
/// The first commit that the log should have rejected; all times of blocks that verdicts hang on and
/// that the bundle does not prove.
pub(crate) fn verdicts(
    documents: &BTreeMap<Cid, Document>,
    leaves: &BTreeMap<Cid, u64>,
    attested: &[HeldLeaf],
    chain_id: &str,
    authority: &PolicyAuthority<'_>,
) -> Result<BTreeMap<Cid, Judged>, VerifyError> {
    let mut by_commit = attestations(documents, attested);
    let mut judged = BTreeMap::new();
    let mut place = 0u64;
    for document in documents.values() {
        descend(document, &mut by_commit, authority);
        let mut known: BTreeMap<Cid, ParentClaim> = BTreeMap::new();
        for held in &document.commits {
            let at = |wrong| VerifyError::at(Section::Commits, place, wrong);
            let cid = *held.commit.cid();
            let claim = Claim::of(&held.commit, &document.claim)
                .map_err(|error| at(Wrong::Commit(explain(&error))))?;
            let parents: Vec<(Cid, Option<ParentClaim>)> = held
                .commit
                .header()
                .parents
                .iter()
                .map(|parent| (*parent, known.get(parent).copied()))
                .collect();
            let verdict = match admit(&claim, &parents, chain_id, authority) {
                Ok(mut standing) => {
                    standing.advance(&claim, authority);
                    let none = BTreeSet::new();
                    let attestations = by_commit.get(&cid).unwrap_or(&none);
                    decide(&claim, &standing, attestations, authority)
                }
                Err(Verdict::Reject(reason)) => {
                    return Err(at(Wrong::Rejected(explain(&reason))));
                }
                // Told below, with all that is wanted.
                Err(wanting @ Verdict::Defer(DeferReason::BlockTime(_))) => wanting,
                Err(Verdict::Defer(reason)) => {
                    return Err(at(Wrong::Rejected(explain(&reason))));
                }
                Err(other) => other,
            };
            let leaf = leaves.get(&cid).copied().unwrap_or_default();
            known.insert(cid, ParentClaim::of(held.commit.header(), &document.claim));
            judged.insert(cid, Judged { leaf, verdict });
            place += 1;
        }
    }
    let wanted = authority.wanted();
    match wanted.is_empty() {
        true => Ok(judged),
        false => Err(VerifyError::of(
            Section::Policy,
            Wrong::BlockTimes(wanted.into_iter().collect()),
        )),
    }
}

/// What the leaves attest to the commits that they name.
fn attestations(
    documents: &BTreeMap<Cid, Document>,
    attested: &[HeldLeaf],
) -> BTreeMap<Cid, BTreeSet<Attestation>> {
    let headers: BTreeMap<&Cid, &Header> = documents
        .values()
        .flat_map(|document| &document.commits)
        .map(|held| (held.commit.cid(), held.commit.header()))
        .collect();
    let mut by_commit: BTreeMap<Cid, BTreeSet<Attestation>> = BTreeMap::new();
    for leaf in attested {
        let attestation = leaf.attestation();
        let attests = headers.get(&leaf.held.commit).is_some_and(|header| {
            let (height, author) = (header.authority.height, header.author.as_str());
            may_attest(height, author, &attestation)
        });
        if attests {
            let of_commit = by_commit.entry(leaf.held.commit).or_default();
            of_commit.insert(attestation);
        }
    }
    by_commit
}

/// Hands attestations from children to parents, last commit first.
fn descend(
    document: &Document,
    by_commit: &mut BTreeMap<Cid, BTreeSet<Attestation>>,
    authority: &PolicyAuthority<'_>,
) {
    // One evaluation for each attestation, not one for each commit that it reaches.
    let mut soundness: BTreeMap<Attestation, bool> = BTreeMap::new();
    for held in &document.commits {
        for attestation in by_commit.get(held.commit.cid()).into_iter().flatten() {
            let is_sound = sound(&document.claim, attestation, authority);
            soundness.insert(attestation.clone(), is_sound);
        }
    }
    let is_sound = |attestation: &Attestation| soundness.get(attestation) == Some(&true);
    for held in document.commits.iter().rev() {
        let Some(attestations) = by_commit.get(held.commit.cid()).cloned() else {
            continue;
        };
        let header = held.commit.header();
        for parent in &header.parents {
            let into = by_commit.entry(*parent).or_default();
            inherit(into, &attestations, header.authority.height, &is_sound);
        }
    }
}
