//! Transactions that wait for a block, in order of arrival. The application decides what gets in
//! and what stays; there is no second policy here.

use std::collections::{BTreeMap, BTreeSet};

use prost::bytes::Bytes;
use sha2::{Digest, Sha256};

/// How many transactions may wait; CometBFT's default is the same.
pub const POOL_MAX: usize = 5_000;

/// How many hashes of past transactions are remembered, so that one sent twice is not checked
/// twice. CometBFT's default cache has the same size.
const REMEMBERED_MAX: usize = 10_000;

/// What waits.
#[derive(Default)]
pub struct Pool {
    waiting: BTreeMap<u64, Bytes>,
    known: BTreeSet<[u8; 32]>,
    order: BTreeMap<u64, [u8; 32]>,
    next: u64,
}

impl Pool {
    /// Whether this transaction was seen before and is not to be checked again.
    pub fn is_known(&self, tx: &[u8]) -> bool {
        self.known.contains(&hash(tx))
    }

    /// Whether no more fit.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= POOL_MAX
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a transaction that the application took.
    pub fn add(&mut self, tx: Bytes) {
        let hash = hash(&tx);
        self.known.insert(hash);
        self.order.insert(self.next, hash);
        self.waiting.insert(self.next, tx);
        self.next += 1;
        while self.order.len() > REMEMBERED_MAX {
            if let Some((_, oldest)) = self.order.pop_first() {
                self.known.remove(&oldest);
            }
        }
    }

    /// What waits, in order.
    pub fn waiting(&self) -> Vec<Bytes> {
        self.waiting.values().cloned().collect()
    }

    /// Drops what a block holds; its hashes stay known.
    pub fn remove_committed(&mut self, txs: &[Bytes]) {
        let committed: BTreeSet<&Bytes> = txs.iter().collect();
        self.waiting.retain(|_, tx| !committed.contains(tx));
    }

    /// Keeps only what the application still takes; the rest may be sent again.
    pub fn recheck(&mut self, mut still_good: impl FnMut(&Bytes) -> bool) {
        let known = &mut self.known;
        self.waiting.retain(|_, tx| {
            let good = still_good(tx);
            if !good {
                known.remove(&hash(tx));
            }
            good
        });
    }
}

fn hash(tx: &[u8]) -> [u8; 32] {
    Sha256::digest(tx).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_the_refused_may_come_again() {
        let mut pool = Pool::default();
        for tx in [&b"c"[..], b"a", b"b"] {
            pool.add(Bytes::from_static(tx));
        }
        assert!(pool.is_known(b"a"));
        pool.remove_committed(&[Bytes::from_static(b"c")]);
        assert!(
            pool.is_known(b"c"),
            "a committed transaction is not taken again"
        );
        pool.recheck(|tx| tx.as_ref() != b"a");
        assert_eq!(pool.waiting(), [Bytes::from_static(b"b")]);
        assert!(!pool.is_known(b"a"));
        assert_eq!(pool.len(), 1);
    }
}
