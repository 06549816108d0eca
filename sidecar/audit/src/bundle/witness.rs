//! Receipts: leaves of logs under anchors of those logs, each saying that a commit was held.
//!
//! They come from two places: other operators' logs, where they are attestations, and this log
//! before the first anchor, where they show that it held what the commits build on.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec::Vec;

use crdt::Cid;
use hub_light::Trusted;
use hub_types::audit::AnchorLeaf;
use hub_types::{LogId, Record, Timestamp};
use policy::Actor;

use super::container::Section;
use super::error::{VerifyError, Wrong};
use super::log::Anchors;
use super::read::{anchor_leaf, required, section, Subject};
use super::{form, hub};
use crate::content::{CommitHeld, Content};
use crate::leaf::Disclosure;
use crate::shown::{path_from_wire, shown_from_wire};
use crate::verdict::Attestation;

/// A leaf that says that a commit was held, under the first anchor known to cover it.
#[derive(Debug, Clone)]
pub(crate) struct HeldLeaf {
    pub log: LogId,
    pub operator: Actor,
    pub index: u64,
    pub held: CommitHeld,
    pub anchor_height: u64,
    pub anchor_time: Timestamp,
}

impl HeldLeaf {
    pub fn attestation(&self) -> Attestation {
        Attestation {
            height: self.held.height,
            revision: self.held.revision,
            anchor_height: self.anchor_height,
            operator: self.operator.clone(),
        }
    }
}

/// The leaves of the bundle's own log, between its anchors, that say that a commit was held.
pub(crate) fn own(
    leaves: &[Disclosure],
    anchors: &Anchors,
    log: &LogId,
    operator: &Actor,
) -> Vec<HeldLeaf> {
    (anchors.start..)
        .zip(leaves)
        .filter_map(|(index, leaf)| {
            let Content::CommitHeld(held) = leaf.opening()?.content() else {
                return None;
            };
            let anchor = anchors.covering(index)?;
            Some(HeldLeaf {
                log: *log,
                operator: operator.clone(),
                index,
                held: held.clone(),
                anchor_height: anchor.height.0,
                anchor_time: anchor.time,
            })
        })
        .collect()
}

/// Verifies the receipts.
///
/// # Errors
/// The first that does not verify, or that is about no commit of the bundle: what proves nothing
/// could hide anything. Items are counted by log.
pub(crate) fn receipts(
    payload: &[u8],
    subject: &Subject,
    trusted: &Trusted,
    commits: &BTreeSet<Cid>,
) -> Result<Vec<HeldLeaf>, VerifyError> {
    let wire: form::WitnessesSection = section(Section::Witnesses, payload)?;
    let mut held = Vec::new();
    let mut before: Option<LogId> = None;
    for (place, log) in (0u64..).zip(&wire.logs) {
        let at = |wrong| VerifyError::at(Section::Witnesses, place, wrong);
        let proof = required(Section::Witnesses, "record", &log.record)?;
        let record = hub::log_record(proof, trusted).map_err(at)?;
        if record.policy != subject.policy {
            return Err(at(Wrong::field(
                "record",
                "the log is about another policy",
            )));
        }
        if before.is_some_and(|before| before >= record.id) {
            return Err(at(Wrong::Order));
        }
        before = Some(record.id);
        let operator = Actor::new(record.operator.as_str())
            .map_err(|error| at(Wrong::field("record", error)))?;
        if log.anchors.is_empty() {
            return Err(at(Wrong::Unused));
        }
        if !log
            .anchors
            .is_sorted_by(|left, right| left.index < right.index)
        {
            return Err(at(Wrong::Order));
        }
        // Across the anchors of one log, so that no leaf stands twice.
        let mut last_leaf: BTreeMap<u64, ()> = BTreeMap::new();
        for anchor in &log.anchors {
            let leaves = under_anchor(anchor, &record).map_err(at)?;
            for (index, content, anchor) in leaves {
                if last_leaf.insert(index, ()).is_some() {
                    return Err(at(Wrong::Order));
                }
                if !commits.contains(&content.commit) {
                    return Err(at(Wrong::Unused));
                }
                held.push(HeldLeaf {
                    log: record.id,
                    operator: operator.clone(),
                    index,
                    held: content,
                    anchor_height: anchor.height.0,
                    anchor_time: anchor.time,
                });
            }
        }
    }
    Ok(held)
}

/// The leaves under one anchor of a witness: index, content, the anchor.
fn under_anchor(
    wire: &form::WitnessAnchor,
    record: &hub_types::audit::LogRecord,
) -> Result<Vec<(u64, CommitHeld, AnchorLeaf)>, Wrong> {
    let leaf = wire
        .anchor
        .as_ref()
        .ok_or_else(|| Wrong::field("anchor", "it is missing"))?;
    let anchor = anchor_leaf(leaf)?;
    if anchor.log != record.id {
        return Err(Wrong::field("anchor", "it is an anchor of another log"));
    }
    let path = path_from_wire("path", &wire.path)?;
    let anchors = &record.anchors;
    let leaf_hash = merkle::hash_leaf(&anchor.to_bytes());
    merkle::verify_inclusion(
        &leaf_hash,
        wire.index,
        anchors.size(),
        &path,
        &anchors.root(),
    )
    .map_err(|error| Wrong::merkle("the anchor", error))?;
    if wire.leaves.is_empty() {
        return Err(Wrong::Unused);
    }
    if !wire
        .leaves
        .is_sorted_by(|left, right| left.index < right.index)
    {
        return Err(Wrong::Order);
    }
    wire.leaves
        .iter()
        .map(|leaf| {
            let held = under_root(leaf, &anchor)?;
            Ok((leaf.index, held, anchor.clone()))
        })
        .collect()
}

fn under_root(wire: &form::WitnessLeaf, anchor: &AnchorLeaf) -> Result<CommitHeld, Wrong> {
    let shown = wire
        .leaf
        .as_ref()
        .ok_or_else(|| Wrong::field("leaf", "it is missing"))?;
    let leaf = shown_from_wire(shown, wire.index)?;
    let path = path_from_wire("path", &wire.path)?;
    merkle::verify_inclusion(
        &leaf.leaf(wire.index).hash(),
        wire.index,
        anchor.size,
        &path,
        &anchor.root,
    )
    .map_err(|error| Wrong::merkle("the leaf", error.to_string()))?;
    match leaf.opening().map(|opening| opening.content()) {
        Some(Content::CommitHeld(held)) => Ok(held.clone()),
        _ => Err(Wrong::Unused),
    }
}
