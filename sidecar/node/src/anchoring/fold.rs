//! From leaves to the heads tree: what each document's entry is under a log of a given size.
//!
//! A fold over the log's own leaves, from the entry under the anchor before; so the tree says what
//! the log says, whatever was written in the meantime.

use std::collections::BTreeMap;

use audit::content::Content;
use audit::heads::{DocumentHeads, HEADS_MAX};
use crdt::Cid;

use crate::store::records::digests;
use crate::store::{Column, Store, StoreError};

/// One entry of the tree: key and value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// The changed entries of the heads tree between the log sizes `from` and `to`, given
/// the tree's version at `from`.
///
/// # Errors
/// [`StoreError`].
pub fn entries(
    store: &Store,
    before: Option<u64>,
    from: u64,
    to: u64,
) -> Result<Vec<Entry>, StoreError> {
    let mut changed: BTreeMap<Cid, DocumentHeads> = BTreeMap::new();
    let tree = store.heads_tree();
    for index in from..to {
        let opening = store.leaf(index)?.opening()?;
        let Some(document) = opening.content().document().copied() else {
            continue;
        };
        // A leaf about a document that was not kept when it was written is in no chain.
        let known = match changed.remove(&document) {
            Some(entry) => Some(entry),
            None => match before {
                None => None,
                Some(version) => {
                    let (value, _) = tree.prove_key(version, DocumentHeads::key(&document))?;
                    value
                        .map(|value| DocumentHeads::decode(&value))
                        .transpose()
                        .map_err(|_| StoreError::Record(Column::HeadsValues.name()))?
                }
            },
        };
        let chained = match &known {
            None => matches!(opening.content(), Content::CommitHeld(_)),
            Some(entry) => opening.previous == Some(entry.previous()),
        };
        if !chained {
            if let Some(entry) = known {
                changed.insert(document, entry);
            }
            continue;
        }
        let mut heads = known
            .as_ref()
            .map(|entry| entry.heads.clone())
            .unwrap_or_default();
        if let Content::CommitHeld(held) = opening.content() {
            let commit = store
                .commit(document.digest(), held.commit.digest())?
                .ok_or(StoreError::Log("a leaf names a commit that is not kept"))?;
            // A commit that is held again, for a newer attestation, is no new tip.
            if commit.leaf == index {
                let parents = digests(Column::Commits, &commit.parents)?;
                heads.retain(|head| !parents.contains(head.digest()));
                heads.push(held.commit);
                heads.sort_unstable();
                heads.dedup();
            }
            // A flood of tips is cut at the format's bound; whoever audits sees the missing ones
            // in the leaves.
            heads.truncate(HEADS_MAX);
        }
        let hash = opening.leaf(index).hash();
        let entry = DocumentHeads::followed_by(known.as_ref(), index, hash, heads);
        changed.insert(document, entry);
    }
    changed
        .into_iter()
        .map(|(document, entry)| {
            let value = entry
                .encode()
                .map_err(|_| StoreError::Record(Column::HeadsValues.name()))?;
            Ok((DocumentHeads::key(&document), value))
        })
        .collect()
}
