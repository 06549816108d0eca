//! A batch says of each signature what it would be told alone.

use alloc::vec::Vec;
use proptest::prelude::*;

use super::chain;
use crate::{Batch, KeyKind, PublicKey, SecretKey, Signature, Statement};

struct Entry {
    key: PublicKey,
    payload: [u8; 2],
    signature: Signature,
}

fn entry(kind: KeyKind, seed: u8, payload: [u8; 2]) -> Entry {
    let key = SecretKey::from_seed(kind, [seed; 32]).unwrap();
    let signature = key.sign_commit(&chain(), &payload);
    Entry {
        key: *key.public_key(),
        payload,
        signature,
    }
}

fn agree(entries: &[Entry]) -> Vec<bool> {
    let mut batch = Batch::new();
    for entry in entries {
        batch.push(
            &entry.key,
            Statement::commit(&chain(), &entry.payload),
            &entry.signature,
        );
    }
    assert_eq!(batch.len(), entries.len());
    let alone = |entry: &Entry| {
        entry
            .key
            .verify_commit(&chain(), &entry.payload, &entry.signature)
    };
    let alone: Vec<_> = entries.iter().map(alone).collect();
    let together = batch.verify();
    assert_eq!(together, alone);
    together.iter().map(Result::is_ok).collect()
}

#[test]
fn the_empty_batch_and_batches_of_all_kinds_are_good() {
    assert!(Batch::new().is_empty() && agree(&[]).is_empty());
    let kinds = KeyKind::ALL.into_iter().cycle().zip(1..=24);
    let entries: Vec<_> = kinds
        .map(|(kind, seed)| entry(kind, seed, [seed, 0]))
        .collect();
    assert!(agree(&entries).iter().all(|good| *good));
}

#[test]
fn one_bad_signature_is_found_at_every_place() {
    for bad in 0..12 {
        let mut entries: Vec<_> = (1..=12)
            .map(|seed| entry(KeyKind::Ed25519, seed, [0, 0]))
            .collect();
        entries[bad].payload = [0, 1];
        let expected: Vec<_> = (0..12).map(|at| at != bad).collect();
        assert_eq!(agree(&entries), expected);
    }
}

/// Two bad signatures whose errors cancel in a sum without weights.
#[test]
fn errors_that_cancel_are_found() {
    let mut entries: Vec<_> = (1..=4)
        .map(|seed| entry(KeyKind::Ed25519, seed, [0, 0]))
        .collect();
    // s of the first is one more and s of the second one less.
    let bump = |signature: Signature, up: bool| {
        let mut bytes = signature.to_bytes();
        for byte in &mut bytes[32..] {
            let (changed, carry) = if up {
                byte.overflowing_add(1)
            } else {
                byte.overflowing_sub(1)
            };
            *byte = changed;
            if !carry {
                break;
            }
        }
        Signature::from(bytes)
    };
    entries[0].signature = bump(entries[0].signature, true);
    entries[1].signature = bump(entries[1].signature, false);
    assert_eq!(agree(&entries), [false, false, true, true]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_batches_agree_with_single_verification(
        parts in prop::collection::vec((prop::sample::select(&KeyKind::ALL[..]), 1u8..4, any::<[u8; 2]>(), prop::option::weighted(0.1, 0usize..512)), 0..16),
    ) {
        let entries: Vec<_> = parts.into_iter().map(|(kind, seed, payload, flip)| {
            let mut entry = entry(kind, seed, payload);
            if let Some(bit) = flip {
                let mut bytes = entry.signature.to_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                entry.signature = bytes.into();
            }
            entry
        }).collect();
        agree(&entries);
    }
}
