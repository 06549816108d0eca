//! What one walk knows already, by (object, node) and by what conditions that lack context count as.
//!
//! Small walks search a list; larger ones index it by hash. Nothing ever iterates over the index,
//! so the hash decides no order (Invariant 1); its keys are handles that count up from zero, so
//! nobody can choose them to collide.

use alloc::{vec, vec::Vec};
use core::hash::Hasher;

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
    /// Places of entries plus one, 0 where there is none, from where their hash says on. A power of
    /// two of them, at most half of them taken; none as long as the list is short.
    slots: Vec<u32>,
}

/// Up to here a search through the list is faster than a hash.
const LIST_MAX: usize = 16;

/// Slots to begin with, and how much more there are each time that they run out.
const SLOTS_MIN: usize = 8 * LIST_MAX;
const SLOTS_FACTOR: usize = 4;

/// One number for a node of an object, below 2^48.
#[inline]
pub(crate) fn key(object: ObjectId, node: NodeId) -> u64 {
    (u64::from(object.0) << 16) | u64::from(node.0)
}

impl Memo {
    /// The place of an entry, which is made if there is none.
    #[inline]
    pub(crate) fn place(&mut self, object: ObjectId, node: NodeId, lacking: Lacking) -> usize {
        let slot = match self.find(object, node, lacking) {
            Ok(at) => return at,
            Err(slot) => slot,
        };
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
        if at >= LIST_MAX && (at + 1) * 2 > self.slots.len() {
            self.index();
        } else if let Some(slot) = self.slots.get_mut(slot) {
            *slot = at as u32 + 1;
        }
        at
    }

    /// The place of an entry, or the slot that it would take.
    #[inline]
    fn find(&self, object: ObjectId, node: NodeId, lacking: Lacking) -> Result<usize, usize> {
        let is = |entry: &Entry| {
            entry.object == object && entry.node == node && entry.lacking == lacking
        };
        if self.slots.is_empty() {
            return self.entries.iter().position(is).ok_or(0);
        }
        let mut slot = self.home(object, node, lacking);
        loop {
            match self.slots.get(slot) {
                None | Some(0) => return Err(slot),
                Some(entry) => {
                    let at = *entry as usize - 1;
                    if self.entries.get(at).is_some_and(is) {
                        return Ok(at);
                    }
                }
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Where the probe for an entry begins: high bits of a multiplicative hash (Knuth, TAOCP 3, §6.4).
    #[inline]
    fn home(&self, object: ObjectId, node: NodeId, lacking: Lacking) -> usize {
        let key = ((lacking as u64) << 48) | key(object, node);
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        ((hash * self.slots.len() as u64) >> 32) as usize
    }

    /// Indexes all entries anew, with more slots.
    fn index(&mut self) {
        let slots = (self.slots.len() * SLOTS_FACTOR).max(SLOTS_MIN);
        self.slots = vec![0; slots];
        for (at, entry) in self.entries.iter().enumerate() {
            let mut slot = self.home(entry.object, entry.node, entry.lacking);
            while self.slots.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) & (slots - 1);
            }
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = at as u32 + 1;
            }
        }
    }

    /// The state of an entry, without making one.
    pub(crate) fn known(&self, object: ObjectId, node: NodeId, lacking: Lacking) -> State {
        self.find(object, node, lacking)
            .map_or(State::Blank, |at| self.state(at))
    }

    #[inline]
    pub(crate) fn state(&self, at: usize) -> State {
        self.entries
            .get(at)
            .map_or(State::Blank, |entry| entry.state)
    }

    #[inline]
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
