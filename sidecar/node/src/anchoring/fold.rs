//! From leaves to the heads tree: what each document's entry is under a log of a given size.
//!
//! A fold over the log's own leaves, from the entry under the anchor before; so the tree says what
//! the log says, whatever was written in the meantime.

use std::collections::{BTreeMap, BTreeSet};

use audit::content::Content;
use audit::heads::{DocumentHeads, HEADS_MAX};
use crdt::Cid;

use crate::store::keys;
use crate::store::records::{decode, digests, CommitRecord};
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
    let mut flooded: BTreeSet<Cid> = BTreeSet::new();
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
                    let value = tree.value(version, &DocumentHeads::key(&document))?;
                    value
                        .map(|value| DocumentHeads::decode(&value))
                        .transpose()
                        .map_err(|_| StoreError::Record(Column::HeadsValues.name()))?
                }
            },
        };
        if known
            .as_ref()
            .is_some_and(|entry| entry.heads.len() >= HEADS_MAX)
        {
            flooded.insert(document);
        }
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
            // Beyond the bound an entry names the first ones only, and says nothing of the others.
            if heads.len() >= HEADS_MAX {
                flooded.insert(document);
                heads.truncate(HEADS_MAX);
            }
        }
        let hash = opening.leaf(index).hash();
        let entry = DocumentHeads::followed_by(known.as_ref(), index, hash, heads);
        changed.insert(document, entry);
    }
    changed
        .into_iter()
        .map(|(document, mut entry)| {
            if flooded.contains(&document) {
                entry.heads = tips(store, &document, to)?;
            }
            let value = entry
                .encode()
                .map_err(|_| StoreError::Record(Column::HeadsValues.name()))?;
            Ok((DocumentHeads::key(&document), value))
        })
        .collect()
}

/// The first [`HEADS_MAX`] tips, in the order of their bytes, among all commits that leaves below
/// `to` say were held. Reads every commit of the document, which only one with a flood of tips is
/// worth.
fn tips(store: &Store, document: &Cid, to: u64) -> Result<Vec<Cid>, StoreError> {
    let wrong = || StoreError::Record(Column::Commits.name());
    let mut commits: BTreeSet<keys::Digest> = BTreeSet::new();
    let mut followed: BTreeSet<keys::Digest> = BTreeSet::new();
    store.scan(Column::Commits, document.digest(), &[], |key, value| {
        let commit = keys::second(key).ok_or_else(wrong)?;
        let record: CommitRecord = decode(Column::Commits, value)?;
        if record.leaf < to {
            commits.insert(commit);
            followed.extend(digests(Column::Commits, &record.parents)?);
        }
        Ok::<bool, StoreError>(true)
    })?;
    let tips = commits.difference(&followed).take(HEADS_MAX);
    Ok(tips.map(|tip| Cid::from_digest(*tip)).collect())
}
