//! A signature is verified once a node.
//!
//! CheckTx verifies and remembers; FinalizeBlock finds most of a block here and verifies the rest
//! on all cores. What is remembered is a hash over sign bytes, public key and signature, so an
//! entry can vouch for nothing but the very bytes that were verified (DESIGN §4).

use std::collections::HashSet;
use std::sync::Mutex;

use hub_types::Transaction;
use identity::{Batch, ChainId, PublicKey, Signature, Statement};
use rayon::prelude::*;

/// How many verified signatures one generation remembers. Two generations of 65,536 entries of 32
/// bytes are about 8 MB: several full blocks and a full mempool. When one generation is full, the
/// older is dropped; a dropped signature is verified again, nothing else.
const GENERATION_MAX: usize = 65_536;

/// Ed25519 verifies faster in batches; beyond 64 little more is gained, and small batches spread
/// over the cores.
const BATCH_LENGTH: usize = 64;

/// A signature with what it is over.
pub struct Claim {
    key: PublicKey,
    sign_bytes: Vec<u8>,
    signature: Signature,
    fingerprint: [u8; 32],
}

impl Claim {
    /// What `transaction` claims, for this chain and account number.
    pub fn of(transaction: &Transaction, chain: &ChainId, account_number: u64) -> Claim {
        let sign_bytes = transaction.sign_bytes(chain, account_number);
        Claim {
            key: transaction.signer().key,
            fingerprint: transaction.cache_key(&sign_bytes),
            signature: *transaction.signature(),
            sign_bytes,
        }
    }

    /// What was signed.
    pub fn sign_bytes(&self) -> &[u8] {
        &self.sign_bytes
    }

    fn verify(&self) -> bool {
        self.key
            .verify_transaction(&self.sign_bytes, &self.signature)
            .is_ok()
    }
}

#[derive(Default)]
struct Generations {
    current: HashSet<[u8; 32]>,
    previous: HashSet<[u8; 32]>,
}

/// The signatures that this node has verified.
#[derive(Default)]
pub struct VerifiedSignatures {
    generations: Mutex<Generations>,
}

/// How many signatures had been verified before, and how many were looked at now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found in the cache.
    pub known: u64,
    /// Verified now, right or wrong.
    pub verified: u64,
}

/// How a signature turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It had been verified before.
    Known,
    /// It was verified now.
    Verified,
    /// It is wrong.
    Wrong,
}

impl VerifiedSignatures {
    /// Verifies one signature unless it is known.
    pub fn check(&self, claim: &Claim) -> Outcome {
        let fingerprint = claim.fingerprint;
        if self.contains(&fingerprint) {
            Outcome::Known
        } else if claim.verify() {
            self.remember([fingerprint]);
            Outcome::Verified
        } else {
            Outcome::Wrong
        }
    }

    /// Verifies those that are not known, on all cores, and remembers the right ones. Says of each
    /// claim whether it is right, and counts.
    ///
    /// What a block's transactions come to never depends on what is remembered (Invariant 1): a
    /// signature is right or wrong by itself.
    pub fn check_all(&self, claims: Vec<Claim>) -> (Vec<bool>, Counts) {
        let mut right: Vec<bool> = {
            let generations = self.lock();
            claims
                .iter()
                .map(|claim| generations.contains(&claim.fingerprint))
                .collect()
        };
        let unknown: Vec<(usize, Claim)> = claims
            .into_iter()
            .enumerate()
            .filter(|(index, _)| !right[*index])
            .collect();
        let counts = Counts {
            known: (right.len() - unknown.len()) as u64,
            verified: unknown.len() as u64,
        };
        let verified: Vec<(usize, [u8; 32])> = unknown
            .par_chunks(BATCH_LENGTH)
            .flat_map_iter(verify_chunk)
            .collect();
        for (index, _) in &verified {
            right[*index] = true;
        }
        self.remember(verified.into_iter().map(|(_, fingerprint)| fingerprint));
        (right, counts)
    }

    fn contains(&self, fingerprint: &[u8; 32]) -> bool {
        self.lock().contains(fingerprint)
    }

    fn remember(&self, fingerprints: impl IntoIterator<Item = [u8; 32]>) {
        let mut generations = self.lock();
        for fingerprint in fingerprints {
            if generations.current.len() >= GENERATION_MAX {
                generations.previous = std::mem::take(&mut generations.current);
            }
            generations.current.insert(fingerprint);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.generations
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Generations {
    fn contains(&self, fingerprint: &[u8; 32]) -> bool {
        self.current.contains(fingerprint) || self.previous.contains(fingerprint)
    }
}

fn verify_chunk(chunk: &[(usize, Claim)]) -> Vec<(usize, [u8; 32])> {
    let mut batch = Batch::new();
    let mut queued = Vec::with_capacity(chunk.len());
    for (index, claim) in chunk {
        if let Ok(statement) = Statement::transaction(&claim.sign_bytes) {
            batch.push(&claim.key, statement, &claim.signature);
            queued.push((*index, claim.fingerprint));
        }
    }
    batch
        .verify()
        .into_iter()
        .zip(queued)
        .filter_map(|(result, right)| result.is_ok().then_some(right))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::{auth::Params, bank::Send, Amount, Message, TransactionBuilder};
    use identity::{AccountAddress, KeyKind, SecretKey};

    fn transaction(kind: KeyKind, seed: u8) -> (Transaction, ChainId) {
        let chain = ChainId::parse("plant-1").unwrap();
        let key = SecretKey::from_seed(kind, [seed; 32]).unwrap();
        let from = AccountAddress::of(key.public_key()).unwrap();
        let send = Send {
            from,
            to: from,
            amount: Amount(1),
        };
        let bytes = TransactionBuilder::new(chain.clone(), 0, 0)
            .message(Message::Send(send))
            .sign(&key)
            .unwrap();
        let parsed = Transaction::parse(&bytes, &Params::default()).unwrap();
        (parsed, chain)
    }

    fn claim(kind: KeyKind, seed: u8, number: u64) -> Claim {
        let (transaction, chain) = transaction(kind, seed);
        Claim::of(&transaction, &chain, number)
    }

    #[test]
    fn a_signature_is_known_after_it_was_verified_once() {
        let cache = VerifiedSignatures::default();
        assert_eq!(
            cache.check(&claim(KeyKind::Ed25519, 1, 0)),
            Outcome::Verified
        );
        assert_eq!(cache.check(&claim(KeyKind::Ed25519, 1, 0)), Outcome::Known);
        let other = claim(KeyKind::Ed25519, 1, 7);
        assert_eq!(
            cache.check(&other),
            Outcome::Wrong,
            "another account number"
        );
        assert_eq!(
            cache.check(&other),
            Outcome::Wrong,
            "a wrong one is never remembered"
        );
    }

    #[test]
    fn a_block_is_verified_side_by_side_and_wrong_ones_stay_unknown() {
        let cache = VerifiedSignatures::default();
        let kind = |seed: u8| match seed % 3 {
            0 => KeyKind::Secp256k1,
            _ => KeyKind::Ed25519,
        };
        let claims = (1..=100)
            .map(|seed| claim(kind(seed), seed, u64::from(seed == 40)))
            .collect();
        let (right, counts) = cache.check_all(claims);
        assert_eq!((counts.known, counts.verified), (0, 100));
        assert!(right
            .iter()
            .enumerate()
            .all(|(index, right)| *right == (index != 39)));
        assert_eq!(cache.check(&claim(kind(3), 3, 0)), Outcome::Known);
        assert_eq!(cache.check(&claim(kind(40), 40, 1)), Outcome::Wrong);
    }
}
