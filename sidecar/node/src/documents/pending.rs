//! Commits that wait: for a parent, or for the replica to reach the height that they cite.
//!
//! They are on disk so that a restart loses none, and bounded by peer and in all (Invariant 7);
//! what is dropped for want of room is fetched again with the next exchange of heads.

use std::collections::{BTreeMap, BTreeSet};

use crdt::Cid;
use prost::Message as _;

use crate::limits::{PEER_PENDING_BYTES_MAX, PEER_PENDING_COMMITS_MAX, PENDING_BYTES_MAX};
use crate::store::keys::{self, Digest};
use crate::store::records::{decode, Blocks, PendingRecord};
use crate::store::{Column, Put, Store, StoreError};

/// What a commit waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// These parents.
    For(Vec<Cid>),
    /// The replica, until it has proven this height; 0 when any news may help.
    Replica(u64),
}

struct Waiting {
    document: Digest,
    peer: String,
    bytes: usize,
    waits: Waits,
}

#[derive(Default)]
struct Usage {
    commits: usize,
    bytes: usize,
}

/// The index of waiting commits; their blocks are in the store.
#[derive(Default)]
pub struct Pending {
    waiting: BTreeMap<Digest, Waiting>,
    by_parent: BTreeMap<Digest, BTreeSet<Digest>>,
    by_peer: BTreeMap<String, Usage>,
    bytes: usize,
}

fn size(blocks: &Blocks) -> usize {
    blocks.header.len() + blocks.signature.len() + blocks.body.as_ref().map_or(0, Vec::len)
}

impl Pending {
    /// Loads the index. What each commit waits for is found when it is considered again, which
    /// happens for all of them at the start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn restore(store: &Store) -> Result<Self, StoreError> {
        let mut pending = Self::default();
        store.scan(Column::Pending, &[], &[], |key, value| {
            let wrong = || StoreError::Record(Column::Pending.name());
            let document =
                Digest::try_from(key.get(..32).ok_or_else(wrong)?).map_err(|_| wrong())?;
            let commit = keys::second(key).ok_or_else(wrong)?;
            let record: PendingRecord = decode(Column::Pending, value)?;
            let bytes = record.blocks.as_ref().map_or(0, size);
            pending.index(
                commit,
                Waiting {
                    document,
                    peer: record.peer,
                    bytes,
                    waits: Waits::Replica(0),
                },
            );
            Ok::<bool, StoreError>(true)
        })?;
        Ok(pending)
    }

    fn index(&mut self, commit: Digest, waiting: Waiting) {
        let usage = self.by_peer.entry(waiting.peer.clone()).or_default();
        usage.commits += 1;
        usage.bytes += waiting.bytes;
        self.bytes += waiting.bytes;
        if let Waits::For(parents) = &waiting.waits {
            for parent in parents {
                self.by_parent
                    .entry(*parent.digest())
                    .or_default()
                    .insert(commit);
            }
        }
        self.waiting.insert(commit, waiting);
    }

    /// Whether the commit waits.
    #[must_use]
    pub fn contains(&self, commit: &Digest) -> bool {
        self.waiting.contains_key(commit)
    }

    /// Takes a commit that must wait and does not wait yet; none when there is no room for it.
    pub fn insert(
        &mut self,
        document: Digest,
        commit: Digest,
        blocks: Blocks,
        peer: &str,
        waits: Waits,
    ) -> Option<Put> {
        let bytes = size(&blocks);
        let usage = self.by_peer.get(peer);
        let (commits, peer_bytes) = usage.map_or((0, 0), |usage| (usage.commits, usage.bytes));
        if commits >= PEER_PENDING_COMMITS_MAX
            || peer_bytes + bytes > PEER_PENDING_BYTES_MAX
            || self.bytes + bytes > PENDING_BYTES_MAX
        {
            return None;
        }
        self.index(
            commit,
            Waiting {
                document,
                peer: peer.to_owned(),
                bytes,
                waits,
            },
        );
        let record = PendingRecord {
            blocks: Some(blocks),
            peer: peer.to_owned(),
        };
        let key = keys::pair(&document, &commit).to_vec();
        Some((Column::Pending, key, Some(record.encode_to_vec())))
    }

    /// Forgets a commit; what must be deleted, if it waited.
    pub fn remove(&mut self, commit: &Digest) -> Option<Put> {
        let waiting = self.waiting.remove(commit)?;
        self.bytes -= waiting.bytes;
        if let Some(usage) = self.by_peer.get_mut(&waiting.peer) {
            usage.commits -= 1;
            usage.bytes -= waiting.bytes;
            if usage.commits == 0 {
                self.by_peer.remove(&waiting.peer);
            }
        }
        if let Waits::For(parents) = &waiting.waits {
            for parent in parents {
                if let Some(children) = self.by_parent.get_mut(parent.digest()) {
                    children.remove(commit);
                    if children.is_empty() {
                        self.by_parent.remove(parent.digest());
                    }
                }
            }
        }
        Some((
            Column::Pending,
            keys::pair(&waiting.document, commit).to_vec(),
            None,
        ))
    }

    /// The commits that wait for `parent`, with their documents.
    #[must_use]
    pub fn children(&self, parent: &Digest) -> Vec<(Digest, Digest)> {
        let children = self.by_parent.get(parent).into_iter().flatten();
        children
            .filter_map(|commit| Some((self.waiting.get(commit)?.document, *commit)))
            .collect()
    }

    /// The commits that wait for a replica that has proven `height` now, with their documents.
    #[must_use]
    pub fn for_replica(&self, height: u64) -> Vec<(Digest, Digest)> {
        let waiting = self.waiting.iter();
        waiting
            .filter(
                |(_, waiting)| matches!(waiting.waits, Waits::Replica(until) if until <= height),
            )
            .map(|(commit, waiting)| (waiting.document, *commit))
            .collect()
    }

    /// The parents that are missing for a document's waiting commits and do not wait themselves.
    #[must_use]
    pub fn missing(&self, document: &Digest) -> Vec<Cid> {
        let mut missing = BTreeSet::new();
        for waiting in self
            .waiting
            .values()
            .filter(|waiting| waiting.document == *document)
        {
            if let Waits::For(parents) = &waiting.waits {
                let absent = parents
                    .iter()
                    .filter(|parent| !self.contains(parent.digest()));
                missing.extend(absent.copied());
            }
        }
        missing.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: usize) -> Blocks {
        Blocks {
            header: vec![0; bytes],
            signature: vec![],
            body: None,
        }
    }

    #[test]
    fn one_peer_cannot_take_all_the_room() {
        let mut pending = Pending::default();
        let half = PEER_PENDING_BYTES_MAX / 2;
        let waits = || Waits::For(vec![Cid::of(b"parent")]);
        assert!(pending
            .insert([0; 32], [1; 32], blocks(half), "a", waits())
            .is_some());
        assert!(pending
            .insert([0; 32], [2; 32], blocks(half), "a", waits())
            .is_some());
        assert!(pending
            .insert([0; 32], [3; 32], blocks(1), "a", waits())
            .is_none());
        assert!(pending
            .insert([0; 32], [3; 32], blocks(1), "b", waits())
            .is_some());
        assert_eq!(pending.children(Cid::of(b"parent").digest()).len(), 3);
        assert!(pending.remove(&[1; 32]).is_some());
        assert!(pending
            .insert([0; 32], [4; 32], blocks(half), "a", waits())
            .is_some());
        assert_eq!(pending.missing(&[0; 32]), vec![Cid::of(b"parent")]);
        assert!(pending.remove(&[1; 32]).is_none());
    }
}
