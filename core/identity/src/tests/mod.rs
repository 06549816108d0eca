//! The crate against published vectors, and against everything that must be refused.

mod address;
mod batch;
mod did;
mod domains;
mod ecdsa;
mod ed25519;
mod suite;

use alloc::{vec, vec::Vec};

use crate::{ChainId, KeyKind, SecretKey};

/// A key of each kind, always the same.
fn keys() -> Vec<SecretKey> {
    let make = |(n, kind)| SecretKey::from_seed(kind, [n; 32]).unwrap();
    (1..).zip(KeyKind::ALL).map(make).collect()
}

fn chain() -> ChainId {
    ChainId::parse("holdfast-test.1").unwrap()
}

/// Each single bit of `bytes` flipped, then cut by one, padded by one, and emptied.
fn damaged(bytes: &[u8]) -> Vec<Vec<u8>> {
    let flip = |bit: usize| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    };
    let mut all: Vec<_> = (0..8 * bytes.len()).map(flip).collect();
    all.extend([vec![], [bytes, &[0]].concat(), [&[0], bytes].concat()]);
    if !bytes.is_empty() {
        all.extend([bytes[1..].to_vec(), bytes[..bytes.len() - 1].to_vec()]);
    }
    all
}
