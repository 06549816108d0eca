//! What one walk knows already, by (object, node) and by what conditions that lack context count as.
//!
//! Small walks search a list; larger ones index it by hash. Nothing ever iterates over the index,
//! so the hash decides no order (Invariant 1); its keys are handles that count up from zero, so
//! nobody can choose them to collide.

use alloc::vec::Vec;
use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap; // pure: looked up by key, never iterated

use crate::{
    lacking::Lacking,
    relationships::{NodeId, ObjectId},
    truth::Truth,
};

/// What is known of one node of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing: it was never begun, or what was found hung on something that changed since.
    Blank,
    /// Being evaluated, by the frame at this depth.
    Open(u32),
    /// Unknown, as long as frames below it are open: its place among the provisional ones.
    Provisional(u32),
    /// Final; the number tells which came first.
    Final(Truth, u32),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub object: ObjectId,
    pub node: NodeId,
    pub lacking: Lacking,
    pub state: State,
}

#[derive(Default)]
pub(crate) struct Memo {
    entries: Vec<Entry>,
    index: HashMap<u64, u32, BuildHasherDefault<Mix>>, // pure: as above
}

/// Up to here a search through the list is faster than a hash.
const LIST_MAX: usize = 16;

/// One number for a node of an object, below 2^48.
pub(crate) fn key(object: ObjectId, node: NodeId) -> u64 {
    (u64::from(object.0) << 16) | u64::from(node.0)
}

fn key_of(object: ObjectId, node: NodeId, lacking: Lacking) -> u64 {
    ((lacking as u64) << 48) | key(object, node)
}

impl Memo {
    /// The place of an entry, which is made if there is none.
    pub(crate) fn place(&mut self, object: ObjectId, node: NodeId, lacking: Lacking) -> usize {
        if let Some(at) = self.find(object, node, lacking) {
            return at;
        }
        let at = self.entries.len();
        if at == 0 {
            self.entries.reserve(LIST_MAX);
        }
        self.entries.push(Entry {
            object,
            node,
            lacking,
            state: State::Blank,
        });
        if at == LIST_MAX {
            for (at, entry) in self.entries.iter().enumerate() {
                let key = key_of(entry.object, entry.node, entry.lacking);
                self.index.insert(key, at as u32);
            }
        } else if at > LIST_MAX {
            self.index.insert(key_of(object, node, lacking), at as u32);
        }
        at
    }

    fn find(&self, object: ObjectId, node: NodeId, lacking: Lacking) -> Option<usize> {
        if self.entries.len() <= LIST_MAX {
            return self.entries.iter().position(|entry| {
                entry.object == object && entry.node == node && entry.lacking == lacking
            });
        }
        self.index
            .get(&key_of(object, node, lacking))
            .map(|at| *at as usize)
    }

    /// The state of an entry, without making one.
    pub(crate) fn known(&self, object: ObjectId, node: NodeId, lacking: Lacking) -> State {
        self.find(object, node, lacking)
            .map_or(State::Blank, |at| self.state(at))
    }

    pub(crate) fn state(&self, at: usize) -> State {
        self.entries
            .get(at)
            .map_or(State::Blank, |entry| entry.state)
    }

    pub(crate) fn set(&mut self, at: usize, state: State) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.state = state;
        }
    }
}

/// A multiplicative hash of one word (Knuth, TAOCP 3, §6.4), folded so that high bits count low.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        let mixed = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}
