//! Receipts that cannot be verified yet: their commit is not here, or their header is not proven.
//!
//! In memory only, and bounded by number and bytes, of each peer and in all (Invariant 7): whoever
//! sends receipts about nothing takes his own room and nobody else's.

use std::collections::{BTreeMap, VecDeque};

use crate::limits::{
    PEER_WAITING_RECEIPTS_MAX, PEER_WAITING_RECEIPT_BYTES_MAX, WAITING_RECEIPTS_MAX,
    WAITING_RECEIPT_BYTES_MAX,
};

/// Times that a waiting receipt is tried before it is dropped. A peer hands it out again with the
/// commit it is about.
const TRIES_MAX: u32 = 600;

/// One receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    /// Who sent it.
    pub peer: String,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// How often it was tried.
    pub tries: u32,
    /// What it waits for.
    pub awaits: Awaits,
}

/// What a receipt waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Its commit, or a header that is yet to come.
    Commit,
    /// Its header.
    Header,
    /// Its header as well, though its commit could not be kept: it came along, with a signature that
    /// holds, and may come again. Then the header is at hand.
    HeaderAhead,
}

#[derive(Default)]
struct Usage {
    receipts: usize,
    bytes: usize,
    headers: usize,
}

/// The queues: what came since the last pass, and what was tried before.
#[derive(Default)]
pub(super) struct Waiting {
    fresh: VecDeque<Receipt>,
    queue: VecDeque<Receipt>,
    by_peer: BTreeMap<String, Usage>,
    bytes: usize,
}

impl Waiting {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.fresh.len() + self.queue.len()
    }

    /// How many came since the last pass, and how many were tried before.
    pub fn counts(&self) -> (usize, usize) {
        (self.fresh.len(), self.queue.len())
    }

    /// How many of a peer's wait for a header.
    pub fn for_headers(&self, peer: &str) -> usize {
        self.by_peer.get(peer).map_or(0, |usage| usage.headers)
    }

    /// Takes one more, at the end; says whether there was room for it.
    pub fn push(&mut self, receipt: Receipt) -> bool {
        let bytes = receipt.raw.len();
        let of_peer = self.by_peer.get(&receipt.peer);
        let (receipts, peer_bytes) = of_peer.map_or((0, 0), |of| (of.receipts, of.bytes));
        let room = receipt.tries < TRIES_MAX
            && self.len() < WAITING_RECEIPTS_MAX
            && self.bytes + bytes <= WAITING_RECEIPT_BYTES_MAX
            && receipts < PEER_WAITING_RECEIPTS_MAX
            && peer_bytes + bytes <= PEER_WAITING_RECEIPT_BYTES_MAX;
        if room {
            let usage = self.by_peer.entry(receipt.peer.clone()).or_default();
            usage.receipts += 1;
            usage.bytes += bytes;
            usage.headers += usize::from(receipt.awaits != Awaits::Commit);
            self.bytes += bytes;
            match receipt.tries {
                0 => self.fresh.push_back(receipt),
                _ => self.queue.push_back(receipt),
            }
        }
        room
    }

    /// The first of those that came since the last pass.
    pub fn pop_fresh(&mut self) -> Option<Receipt> {
        let receipt = self.fresh.pop_front();
        receipt.map(|receipt| self.forget(receipt))
    }

    /// The one that waits longest of those that were tried.
    pub fn pop_tried(&mut self) -> Option<Receipt> {
        let receipt = self.queue.pop_front();
        receipt.map(|receipt| self.forget(receipt))
    }

    /// Gives back the room of one that was taken out.
    fn forget(&mut self, receipt: Receipt) -> Receipt {
        self.bytes -= receipt.raw.len();
        if let Some(usage) = self.by_peer.get_mut(&receipt.peer) {
            usage.receipts -= 1;
            usage.bytes -= receipt.raw.len();
            usage.headers -= usize::from(receipt.awaits != Awaits::Commit);
            if usage.receipts == 0 {
                self.by_peer.remove(&receipt.peer);
            }
        }
        receipt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(peer: &str, bytes: usize) -> Receipt {
        Receipt {
            peer: peer.into(),
            raw: vec![0; bytes],
            tries: 0,
            awaits: Awaits::Header,
        }
    }

    #[test]
    fn one_peer_takes_its_own_room_only() {
        let mut waiting = Waiting::default();
        for _ in 0..PEER_WAITING_RECEIPTS_MAX {
            assert!(waiting.push(receipt("a", 10)));
        }
        assert!(!waiting.push(receipt("a", 10)));
        assert!(waiting.push(receipt("b", PEER_WAITING_RECEIPT_BYTES_MAX)));
        assert!(!waiting.push(receipt("b", 1)), "its bytes are bounded");
        assert_eq!(waiting.pop_fresh(), Some(receipt("a", 10)));
        assert!(waiting.push(receipt("a", 10)), "it has room again");
    }

    #[test]
    fn the_bytes_of_all_peers_are_bounded() {
        let mut waiting = Waiting::default();
        let peers = WAITING_RECEIPT_BYTES_MAX / PEER_WAITING_RECEIPT_BYTES_MAX;
        for peer in 0..peers {
            let whole = receipt(&peer.to_string(), PEER_WAITING_RECEIPT_BYTES_MAX);
            assert!(waiting.push(whole));
        }
        assert!(!waiting.push(receipt("another", 1)));
        while waiting.pop_fresh().is_some() {}
        assert_eq!((waiting.len(), waiting.bytes), (0, 0));
        assert!(waiting.by_peer.is_empty());
    }

    #[test]
    fn what_was_tried_often_enough_is_dropped() {
        let mut waiting = Waiting::default();
        let mut old = receipt("a", 1);
        old.tries = TRIES_MAX;
        assert!(!waiting.push(old));
    }

    #[test]
    fn what_was_tried_waits_apart_from_what_came_since() {
        let mut waiting = Waiting::default();
        let mut old = receipt("a", 1);
        (old.tries, old.awaits) = (1, Awaits::Commit);
        assert!(waiting.push(old.clone()));
        assert!(waiting.push(receipt("a", 2)));
        assert_eq!(waiting.counts(), (1, 1));
        assert_eq!(waiting.for_headers("a"), 1);
        assert_eq!(waiting.pop_fresh(), Some(receipt("a", 2)));
        assert_eq!(waiting.pop_fresh(), None);
        assert_eq!(waiting.for_headers("a"), 0);
        assert_eq!(waiting.pop_tried(), Some(old));
    }
}
