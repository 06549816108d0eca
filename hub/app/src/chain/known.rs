//! A transaction is parsed and verified once a node.
//!
//! CheckTx parses, verifies and remembers; recheck, the proposal and FinalizeBlock find most of
//! their transactions here. What is remembered is named by the hash of the transaction's bytes,
//! which hold key, signature and all that is signed but the chain (one a node) and the account's
//! number (kept beside): an entry can vouch for nothing but the very bytes that were verified
//! (`docs/decisions/0006-known-transactions.md`).
//!
//! What a block comes to never depends on what is remembered (Invariant 1): parsing depends on the
//! bytes and the parameters alone, so entries made under other parameters are forgotten, and a
//! signature is right or wrong by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use hub_types::{auth::Params, Transaction, TransactionHash};

/// How many bytes of transactions one generation remembers: a full block, or 13,000 sends. Parsed,
/// they take three times that, or thirteen times where they are batches of the shortest
/// relationships: some 100 MB for both generations at the worst. When one is full, the older is
/// dropped; a transaction that was dropped is parsed and verified again, nothing else.
const GENERATION_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A transaction that was parsed, and whose signature is right for an account number.
#[derive(Clone)]
pub struct Known {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// The number for which it is signed.
    pub account_number: u64,
}

#[derive(Default)]
struct Generations {
    params: Option<Params>,
    current: HashMap<TransactionHash, Known>,
    current_bytes: usize,
    previous: HashMap<TransactionHash, Known>,
}

/// The transactions that this node knows to be right.
#[derive(Default)]
pub struct KnownTransactions {
    generations: Mutex<Generations>,
}

impl KnownTransactions {
    /// The transaction with this hash, if it was remembered under these parameters.
    pub fn get(&self, params: &Params, hash: &TransactionHash) -> Option<Known> {
        let generations = self.lock();
        if generations.params.as_ref() != Some(params) {
            return None;
        }
        let known = generations.current.get(hash);
        known.or_else(|| generations.previous.get(hash)).cloned()
    }

    /// Remembers transactions whose signatures were found right.
    pub fn remember(&self, params: &Params, known: impl IntoIterator<Item = Known>) {
        let mut generations = self.lock();
        if generations.params.as_ref() != Some(params) {
            *generations = Generations {
                params: Some(params.clone()),
                ..Generations::default()
            };
        }
        for known in known {
            if generations.current_bytes >= GENERATION_BYTES_MAX {
                generations.previous = std::mem::take(&mut generations.current);
                generations.current_bytes = 0;
            }
            generations.current_bytes += known.transaction.bytes_len();
            let hash = known.transaction.hash();
            generations.current.insert(hash, known);
        }
    }

    /// Forgets everything: the chain is another one.
    pub fn forget(&self) {
        *self.lock() = Generations::default();
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::{bank::Send, Amount, Message, TransactionBuilder};
    use identity::{AccountAddress, ChainId, KeyKind, SecretKey};

    fn known(seed: u8) -> Known {
        let key = SecretKey::from_seed(KeyKind::Ed25519, [seed; 32]).unwrap();
        let from = AccountAddress::of(key.public_key()).unwrap();
        let send = Send {
            from,
            to: from,
            amount: Amount(1),
        };
        let bytes = TransactionBuilder::new(ChainId::parse("plant-1").unwrap(), 0, 0)
            .message(Message::Send(send))
            .sign(&key)
            .unwrap();
        Known {
            transaction: Arc::new(Transaction::parse(&bytes, &Params::default()).unwrap()),
            account_number: 0,
        }
    }

    #[test]
    fn what_was_remembered_is_found_by_its_hash_alone() {
        let cache = KnownTransactions::default();
        let params = Params::default();
        let (one, other) = (known(1), known(2));
        cache.remember(&params, [one.clone()]);
        let found = cache.get(&params, &one.transaction.hash()).unwrap();
        assert_eq!(found.transaction, one.transaction);
        assert!(cache.get(&params, &other.transaction.hash()).is_none());
    }

    #[test]
    fn other_parameters_know_nothing_of_it() {
        let cache = KnownTransactions::default();
        let one = known(1);
        cache.remember(&Params::default(), [one.clone()]);
        let stricter = Params {
            tx_bytes_max: 100,
            ..Params::default()
        };
        assert!(cache.get(&stricter, &one.transaction.hash()).is_none());
        cache.remember(&stricter, []);
        let hash = one.transaction.hash();
        assert!(cache.get(&Params::default(), &hash).is_none());
    }

    #[test]
    fn the_oldest_go_when_two_generations_are_full() {
        let cache = KnownTransactions::default();
        let params = Params::default();
        let (first, filler) = (known(1), known(2));
        let generation = GENERATION_BYTES_MAX / filler.transaction.bytes_len() + 2;
        let fill = || cache.remember(&params, std::iter::repeat_n(filler.clone(), generation));
        cache.remember(&params, [first.clone()]);
        fill();
        assert!(cache.get(&params, &first.transaction.hash()).is_some());
        fill();
        assert!(cache.get(&params, &first.transaction.hash()).is_none());
    }
}
