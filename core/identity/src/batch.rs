//! Many signatures at once.
//!
//! Under ZIP-215 a batch of ed25519 signatures is valid exactly if each of them is (but for a
//! chance of 2^-128 that a bad batch passes), so a batch may decide where nodes must agree.

use alloc::vec::Vec;
use core::convert::Infallible;

use ed25519_zebra::{batch, VerificationKeyBytes};
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

use crate::{key::Point, IdentityError, PublicKey, Signature, Statement};

/// Fewer ed25519 signatures than this are verified one by one: the batch equation has a fixed
/// cost, and a batch of one takes a third longer than its signature alone.
const WORTH_A_BATCH: usize = 4;

/// Signatures to be verified together. Takes every kind of key; only ed25519 gains.
#[derive(Default)]
pub struct Batch<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    key: PublicKey,
    statement: Statement<'a>,
    signature: Signature,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a signature. Its place in the result is the number of entries before it.
    pub fn push(&mut self, key: &PublicKey, statement: Statement<'a>, signature: &Signature) {
        self.entries.push(Entry {
            key: *key,
            statement,
            signature: *signature,
        });
    }

    /// How many signatures the batch holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the batch holds no signature.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Verifies all and says for each what [`PublicKey::verify`] would say. All ed25519
    /// signatures good is the fast case (about 0.65 of the time at 64); if one is bad, each is
    /// verified by itself, after the batch equation was tried in vain.
    pub fn verify(self) -> Vec<Result<(), IdentityError>> {
        let all_good = self.ed25519_all_good();
        self.entries
            .iter()
            .map(|entry| match entry.key.point() {
                Point::Ed25519(_) if all_good => Ok(()),
                _ => entry.key.verify(&entry.statement, &entry.signature),
            })
            .collect()
    }

    fn ed25519_all_good(&self) -> bool {
        let is_ed25519 = |entry: &&Entry<'_>| matches!(entry.key.point(), Point::Ed25519(_));
        if self.entries.iter().filter(is_ed25519).count() < WORTH_A_BATCH {
            return false;
        }
        let mut verifier = batch::Verifier::new();
        let mut transcript = Sha256::new();
        for entry in &self.entries {
            if let Point::Ed25519(key) = entry.key.point() {
                let signature = ed25519_zebra::Signature::from_bytes(entry.signature.as_bytes());
                let message = entry.statement.as_bytes();
                transcript.update(entry.key.as_bytes());
                transcript.update(entry.signature.as_bytes());
                transcript.update((message.len() as u64).to_be_bytes());
                transcript.update(message);
                verifier.queue((VerificationKeyBytes::from(*key), signature, message));
            }
        }
        verifier
            .verify(Weights::new(transcript.finalize().into()))
            .is_ok()
    }
}

/// The random weights of the batch equation, drawn from a hash of everything in the batch
/// (Fiat and Shamir, 1986): whoever makes the signatures cannot know the weights before the
/// signatures are fixed, and no entropy enters a pure crate.
struct Weights {
    seed: [u8; 32],
    counter: u64,
}

impl Weights {
    fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }
}

impl TryRng for Weights {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for chunk in to.chunks_mut(32) {
            let block = crate::hash(
                "holdfast/batch-weights/1",
                &[&self.seed, &self.counter.to_be_bytes()],
            );
            self.counter += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Weights {}
