//! What the last anchor says of each document: its heads, and its chain of leaves.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crdt::Cid;
use merkle::Hash;

use super::commits::Document;
use super::container::Section;
use super::error::{VerifyError, Wrong};
use super::log::Anchors;
use super::read::{explain, section, Subject};
use super::{form, hub};
use crate::heads::{DocumentHeads, HEADS_MAX};
use crate::leaf::{Disclosure, Previous};

/// The leaves of one document's chain that lie between the anchors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    /// Their indexes, the latest first.
    pub leaves: Vec<u64>,
    /// How many there are in the whole log.
    pub total: u64,
}

/// Proves the entry of each document and compares it with the commits and leaves at hand.
pub(crate) fn check(
    payload: &[u8],
    subject: &Subject,
    documents: &BTreeMap<Cid, Document>,
    leaves: &[Disclosure],
    anchors: &Anchors,
) -> Result<BTreeMap<Cid, Chain>, VerifyError> {
    let wire: form::HeadsSection = section(Section::Heads, payload)?;
    let named = subject.documents.len();
    if wire.entries.len() != named {
        let why = format!("{} entries stand for {named} documents", wire.entries.len());
        return Err(VerifyError::of(
            Section::Heads,
            Wrong::field("entries", why),
        ));
    }
    let opened = by_document(leaves, anchors.start);
    let mut chains = BTreeMap::new();
    for ((place, entry), cid) in (0u64..).zip(&wire.entries).zip(&subject.documents) {
        let at = |wrong| VerifyError::at(Section::Heads, place, wrong);
        let key = DocumentHeads::key(cid);
        if entry.key != key {
            return Err(at(Wrong::OtherRecord("the document in this place")));
        }
        let Some(value) = &entry.value else {
            return Err(at(Wrong::field(
                "value",
                "a document of the bundle has heads",
            )));
        };
        hub::presence(&anchors.last.heads_root, &key, value, &entry.ics23).map_err(at)?;
        let entry = DocumentHeads::decode(value)
            .map_err(|error| at(Wrong::field("value", explain(&error))))?;
        let Some(document) = documents.get(cid) else {
            return Err(at(Wrong::Heads));
        };
        if !are_heads(&document.tips, &entry.heads) {
            return Err(at(Wrong::Heads));
        }
        let chain = walk(&entry, cid, leaves, anchors.start)
            .and_then(|chain| none_outside(chain, opened.get(cid)))
            .map_err(|why| at(Wrong::Chain(why)))?;
        chains.insert(*cid, chain);
    }
    Ok(chains)
}

/// Whether an entry names these tips: all of them, or the first [`HEADS_MAX`] where there are more.
fn are_heads(tips: &BTreeSet<Cid>, heads: &[Cid]) -> bool {
    tips.iter().take(HEADS_MAX).eq(heads)
}

/// The opened leaves of each document, by index.
fn by_document(leaves: &[Disclosure], start: u64) -> BTreeMap<Cid, Vec<u64>> {
    let mut of: BTreeMap<Cid, Vec<u64>> = BTreeMap::new();
    for (index, leaf) in (start..).zip(leaves) {
        if let Some(document) = leaf
            .opening()
            .and_then(|opening| opening.content().document())
        {
            of.entry(*document).or_default().push(index);
        }
    }
    of
}

/// That no leaf which says that it is about the document stands outside of its chain.
fn none_outside(chain: Chain, opened: Option<&Vec<u64>>) -> Result<Chain, String> {
    let chained: BTreeSet<u64> = chain.leaves.iter().copied().collect();
    let stray = opened
        .into_iter()
        .flatten()
        .find(|index| !chained.contains(index));
    match stray {
        None => Ok(chain),
        Some(index) => Err(format!(
            "leaf {index} is about the document, but not chained to its others"
        )),
    }
}

/// Walks a document's leaves from the last backwards, to where the bundle begins.
fn walk(
    entry: &DocumentHeads,
    document: &Cid,
    leaves: &[Disclosure],
    start: u64,
) -> Result<Chain, String> {
    let mut chain = Chain {
        leaves: Vec::new(),
        total: entry.leaves,
    };
    let mut next = Some(entry.previous());
    // Each step goes to a lower index (checked when the leaf was read), so this ends.
    while let Some(Previous { index, leaf_hash }) = next {
        let Some(offset) = index.checked_sub(start) else {
            // Earlier leaves lie before the first anchor; one must be left to count for each.
            return match (chain.leaves.len() as u64) < entry.leaves {
                true => Ok(chain),
                false => Err(format!(
                    "more leaves than the {} that the anchor counts",
                    entry.leaves
                )),
            };
        };
        let leaf = usize::try_from(offset)
            .ok()
            .and_then(|offset| leaves.get(offset));
        let leaf = leaf.ok_or_else(|| format!("leaf {index} lies beyond the anchor"))?;
        let hash: Hash = leaf.leaf(index).hash();
        if hash != leaf_hash {
            return Err(format!("leaf {index} is another than the one pointed to"));
        }
        if let Some(opening) = leaf.opening() {
            if opening.content().document() != Some(document) {
                return Err(format!("leaf {index} is not about this document"));
            }
        }
        chain.leaves.push(index);
        next = leaf.previous().ok_or_else(|| {
            format!("leaf {index} is closed, so what came before it cannot be seen")
        })?;
    }
    match chain.leaves.len() as u64 == entry.leaves {
        true => Ok(chain),
        false => Err(format!(
            "{} leaves are chained, but the anchor counts {}",
            chain.leaves.len(),
            entry.leaves
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_the_first_tips_when_there_are_too_many() {
        let mut tips: BTreeSet<Cid> = (0..HEADS_MAX as u64)
            .map(|number| Cid::of(&number.to_be_bytes()))
            .collect();
        let all: Vec<Cid> = tips.iter().copied().collect();
        assert!(are_heads(&tips, &all));
        assert!(!are_heads(&tips, &all[1..]), "one is left out");
        tips.insert(Cid::of(b"one more"));
        let first: Vec<Cid> = tips.iter().copied().take(HEADS_MAX).collect();
        let last: Vec<Cid> = tips.iter().copied().skip(1).collect();
        assert!(are_heads(&tips, &first));
        assert!(!are_heads(&tips, &last), "there is one choice only");
        assert!(!are_heads(&tips, &first[1..]), "the entry is not full");
    }
}
