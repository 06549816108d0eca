//! The log between two anchors: the anchors themselves, and every leaf.
//!
//! No proof is needed for what lies between: the leaves are appended one by one to the compact
//! range at the first anchor, and at the size of each anchor the root must be the anchor's. So
//! every leaf is there, in its place, and each anchor extends the one before.

use alloc::vec::Vec;

use hub_types::audit::{AnchorLeaf, LogRecord};
use hub_types::{range_from_wire, Record};
use merkle::{verify_consistency, CompactRange};

use super::container::Section;
use super::error::{VerifyError, Wrong};
use super::form;
use super::read::{anchor_leaf, required, section, Subject};
use crate::leaf::Disclosure;
use crate::shown::{path_from_wire, shown_from_wire};

/// The anchors that the bundle names, proven to be all of them from the first to the last.
#[derive(Debug, Clone)]
pub(crate) struct Anchors {
    /// Index of the first in the log of anchors.
    pub first: u64,
    /// All from there on, at least one.
    pub anchors: Vec<AnchorLeaf>,
    /// The size of the log where the leaves of the bundle begin.
    pub start: u64,
    /// The last: where they end.
    pub last: AnchorLeaf,
}

impl Anchors {
    /// The first anchor that covers the leaf at `index`; none for leaves outside the bundle.
    pub fn covering(&self, index: u64) -> Option<&AnchorLeaf> {
        if index < self.start {
            return None;
        }
        // Sizes never fall, so the anchors that do not cover it come first.
        self.anchors.get(self.before(index))
    }

    /// How many of the anchors do not cover the leaf at `index`.
    fn before(&self, index: u64) -> usize {
        self.anchors.partition_point(|anchor| anchor.size <= index)
    }

    /// The last anchor, with its index, that stood on the hub before the leaf at `index` was
    /// written: the one before the last that does not cover the leaf, which may have been on its
    /// way when the leaf came. None if the bundle does not hold it.
    pub fn confirmed_before(&self, index: u64) -> Option<(u64, &AnchorLeaf)> {
        let place = self.before(index).checked_sub(2)?;
        let anchor = self.anchors.get(place)?;
        Some((self.first + place as u64, anchor))
    }
}

/// Checks the anchors against the log's proven record.
pub(crate) fn anchors(
    wire: &form::LogSection,
    subject: &Subject,
    record: &LogRecord,
) -> Result<Anchors, VerifyError> {
    let at = |wrong| VerifyError::of(Section::Log, wrong);
    let first = subject.from_anchor.unwrap_or(0);
    let mut range =
        range_from_wire(wire.before.clone()).map_err(|why| at(Wrong::field("before", why)))?;
    if range.size() != first {
        return Err(at(Wrong::field(
            "before",
            "it is not of the first anchor's index",
        )));
    }
    let mut anchors: Vec<AnchorLeaf> = Vec::with_capacity(wire.anchors.len());
    for (index, anchor) in (first..).zip(&wire.anchors) {
        let at = |wrong| VerifyError::at(Section::Log, index, wrong);
        let anchor = anchor_leaf(anchor).map_err(at)?;
        if anchor.log != subject.log {
            return Err(at(Wrong::field(
                "anchors",
                "it is an anchor of another log",
            )));
        }
        let grows = anchors
            .last()
            .is_none_or(|before| before.size <= anchor.size && before.height <= anchor.height);
        if !grows {
            return Err(at(Wrong::field(
                "anchors",
                "it lies before the one that it follows",
            )));
        }
        range
            .append(&anchor.to_bytes(), &mut |_, _, _| {})
            .map_err(|error| at(Wrong::merkle("the anchor", error)))?;
        anchors.push(anchor);
    }
    let Some(last) = anchors.last().cloned() else {
        return Err(at(Wrong::field("anchors", "there is none")));
    };
    if range.size() != subject.to_anchor.saturating_add(1) {
        return Err(at(Wrong::field(
            "anchors",
            "they do not end with the last that the bundle names",
        )));
    }
    extends(&range, &record.anchors, &wire.consistency).map_err(at)?;
    let start = match subject.from_anchor {
        Some(_) => anchors.first().map_or(0, |anchor| anchor.size),
        None => 0,
    };
    Ok(Anchors {
        first,
        anchors,
        start,
        last,
    })
}

/// That a log of anchors begins with the ones at hand.
fn extends(known: &CompactRange, record: &CompactRange, path: &[Vec<u8>]) -> Result<(), Wrong> {
    let path = path_from_wire("consistency", path)?;
    verify_consistency(
        known.size(),
        &known.root(),
        record.size(),
        &record.root(),
        &path,
    )
    .map_err(|error| Wrong::merkle("the log of anchors", error))
}

/// Reads every leaf between the first and the last anchor and checks each anchor's root.
pub(crate) fn leaves(payload: &[u8], anchors: &Anchors) -> Result<Vec<Disclosure>, VerifyError> {
    let at = |wrong| VerifyError::of(Section::Leaves, wrong);
    let wire: form::LeavesSection = section(Section::Leaves, payload)?;
    required(Section::Leaves, "before", &wire.before)?;
    let mut range =
        range_from_wire(wire.before.clone()).map_err(|why| at(Wrong::field("before", why)))?;
    if range.size() != anchors.start {
        return Err(at(Wrong::field(
            "before",
            "it is not of the first anchor's size",
        )));
    }
    let expected = anchors.last.size.saturating_sub(anchors.start);
    let found = wire.leaves.len() as u64;
    if found != expected {
        return Err(at(Wrong::LeafCount { found, expected }));
    }
    // Anchors yet to be met, the nearest first. Without a named first anchor the log begins at
    // its first leaf, and anchors of an empty log are met at once.
    let mut ahead = (anchors.first..).zip(&anchors.anchors).peekable();
    let mut meet = |range: &CompactRange| -> Result<(), VerifyError> {
        while let Some((index, anchor)) = ahead.next_if(|(_, anchor)| anchor.size == range.size()) {
            if anchor.root != range.root() {
                let wrong = Wrong::Root {
                    what: "the leaves",
                    under: "the anchor",
                };
                return Err(VerifyError::at(Section::Leaves, index, wrong));
            }
        }
        Ok(())
    };
    meet(&range)?;
    let mut leaves = Vec::with_capacity(wire.leaves.len());
    for (index, shown) in (anchors.start..).zip(&wire.leaves) {
        let at = |wrong| VerifyError::at(Section::Leaves, index, wrong);
        let leaf = shown_from_wire(shown, index).map_err(at)?;
        range
            .append_leaf_hash(leaf.leaf(index).hash(), &mut |_, _, _| {})
            .map_err(|error| at(Wrong::merkle("the leaf", error)))?;
        leaves.push(leaf);
        meet(&range)?;
    }
    Ok(leaves)
}
