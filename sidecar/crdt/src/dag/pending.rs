//! Commits that wait for a parent.
//!
//! Bounded in number and bytes. Beyond the bounds the highest in the DAG goes first, since it is
//! the last that could be released; heights can be forged, but who forges a low one is found out
//! when the parents arrive, and who forges a high one only displaces himself.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{
    limits::{PENDING_BYTES_MAX, PENDING_COMMITS_MAX},
    Cid, Commit, Disclosure,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    commits: BTreeMap<Cid, Waiting>,
    /// Missing parent → those that wait for it.
    children: BTreeMap<Cid, BTreeSet<Cid>>,
    /// By height, to find the highest.
    heights: BTreeSet<(u64, Cid)>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Waiting {
    commit: Commit,
    body: Disclosure,
    missing: BTreeSet<Cid>,
}

impl Pending {
    /// Takes a commit and returns those that had to go, it perhaps among them.
    pub fn insert(&mut self, commit: Commit, body: Disclosure, missing: BTreeSet<Cid>) -> Vec<Cid> {
        let cid = *commit.cid();
        if let Some(waiting) = self.commits.get_mut(&cid) {
            if waiting.body == Disclosure::Absent {
                waiting.body = body;
            }
            return Vec::new();
        }
        for parent in &missing {
            self.children.entry(*parent).or_default().insert(cid);
        }
        self.heights.insert((commit.header().height, cid));
        self.bytes += commit.header_bytes().len();
        self.commits.insert(
            cid,
            Waiting {
                commit,
                body,
                missing,
            },
        );

        let mut dropped = Vec::new();
        while self.commits.len() > PENDING_COMMITS_MAX || self.bytes > PENDING_BYTES_MAX {
            let Some((_, highest)) = self.heights.last().copied() else {
                break;
            };
            self.remove(&highest);
            dropped.push(highest);
        }
        dropped
    }

    pub fn contains(&self, commit: &Cid) -> bool {
        self.commits.contains_key(commit)
    }

    pub fn body_mut(&mut self, commit: &Cid) -> Option<&mut Disclosure> {
        self.commits
            .get_mut(commit)
            .map(|waiting| &mut waiting.body)
    }

    pub fn commits(&self) -> impl Iterator<Item = &Commit> {
        self.commits.values().map(|waiting| &waiting.commit)
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn missing(&self) -> Vec<Cid> {
        self.children
            .keys()
            .filter(|parent| !self.commits.contains_key(*parent))
            .copied()
            .collect()
    }

    /// Takes out the commits that waited for `parent` and now wait for nothing more, lowest name
    /// first.
    pub fn arrived(&mut self, parent: &Cid) -> Vec<(Commit, Disclosure)> {
        let mut ready = Vec::new();
        for child in self.children.remove(parent).unwrap_or_default() {
            let Some(waiting) = self.commits.get_mut(&child) else {
                continue;
            };
            waiting.missing.remove(parent);
            if waiting.missing.is_empty() {
                ready.extend(
                    self.remove(&child)
                        .map(|waiting| (waiting.commit, waiting.body)),
                );
            }
        }
        ready
    }

    /// Removes all that waits for `commit`, directly or through others.
    pub fn remove_descendants(&mut self, commit: &Cid) -> Vec<Cid> {
        let mut removed = Vec::new();
        let mut gone = alloc::vec![*commit];
        while let Some(parent) = gone.pop() {
            for child in self.children.remove(&parent).unwrap_or_default() {
                if self.remove(&child).is_some() {
                    removed.push(child);
                    gone.push(child);
                }
            }
        }
        removed
    }

    fn remove_from_children(&mut self, waiting: &Waiting) {
        for parent in &waiting.missing {
            if let Some(children) = self.children.get_mut(parent) {
                children.remove(waiting.commit.cid());
                if children.is_empty() {
                    self.children.remove(parent);
                }
            }
        }
    }

    fn remove(&mut self, commit: &Cid) -> Option<Waiting> {
        let waiting = self.commits.remove(commit)?;
        self.remove_from_children(&waiting);
        self.heights
            .remove(&(waiting.commit.header().height, *commit));
        self.bytes -= waiting.commit.header_bytes().len();
        Some(waiting)
    }
}
