//! Every field of a good proof, damaged in every way: all must be refused, each by its name.

use alloc::vec::Vec;

use super::naive;
use crate::{
    hash_leaf, verify_consistency, verify_inclusion, Hash, MemoryLog, MerkleError, SIZE_MAX,
};

const SIZES: [u64; 9] = [1, 2, 3, 4, 7, 8, 13, 32, 33];

/// The proof with one bit flipped in each hash, one hash less, one more, and two swapped.
fn damaged(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        for bit in [0, 7, 100, 255] {
            let mut flipped = proof.to_vec();
            flipped[at][bit / 8] ^= 1 << (bit % 8);
            all.push(flipped);
        }
        let mut cut = proof.to_vec();
        cut.remove(at);
        all.push(cut);
        for other in at + 1..proof.len() {
            if proof[at] != proof[other] {
                let mut swapped = proof.to_vec();
                swapped.swap(at, other);
                all.push(swapped);
            }
        }
    }
    for at in 0..=proof.len() {
        let mut padded = proof.to_vec();
        padded.insert(at, [0x5a; 32]);
        all.push(padded);
    }
    all
}

fn flip(hash: &Hash) -> impl Iterator<Item = Hash> + '_ {
    (0..256).map(|bit| {
        let mut flipped = *hash;
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

#[test]
fn a_damaged_proof_of_inclusion_is_refused() {
    let leaves = naive::leaves(40);
    let log: MemoryLog = leaves.iter().collect();
    for size in SIZES {
        let root = log.root_at(size).unwrap();
        for index in 0..size {
            let leaf = hash_leaf(&leaves[index as usize]);
            let proof = log.inclusion_proof(index, size).unwrap();
            for bad in damaged(&proof) {
                let expected = match bad.len() == proof.len() {
                    true => MerkleError::RootDiffers,
                    false => MerkleError::ProofLength {
                        expected: proof.len(),
                        found: bad.len(),
                    },
                };
                let refused = verify_inclusion(&leaf, index, size, &bad, &root);
                assert_eq!(refused, Err(expected), "{index} of {size}");
            }
            for bad in flip(&leaf) {
                let refused = verify_inclusion(&bad, index, size, &proof, &root);
                assert_eq!(refused, Err(MerkleError::RootDiffers));
            }
            for bad in flip(&root) {
                let refused = verify_inclusion(&leaf, index, size, &proof, &bad);
                assert_eq!(refused, Err(MerkleError::RootDiffers));
            }
            for bit in 0..64 {
                let other = index ^ (1 << bit);
                verify_inclusion(&leaf, other, size, &proof, &root).unwrap_err();
            }
            for other in (0..40).filter(|other| *other != index) {
                verify_inclusion(&leaf, other, size, &proof, &root).unwrap_err();
            }
        }
    }
}

#[test]
fn a_damaged_proof_of_consistency_is_refused() {
    let leaves = naive::leaves(40);
    let log: MemoryLog = leaves.iter().collect();
    for new in SIZES {
        let new_root = log.root_at(new).unwrap();
        for old in 1..=new {
            let old_root = log.root_at(old).unwrap();
            let proof = log.consistency_proof(old, new).unwrap();
            for bad in damaged(&proof) {
                let refused = verify_consistency(old, &old_root, new, &new_root, &bad).unwrap_err();
                match bad.len() == proof.len() {
                    true => assert!(matches!(
                        refused,
                        MerkleError::OldRootDiffers | MerkleError::NewRootDiffers
                    )),
                    false => assert!(matches!(refused, MerkleError::ProofLength { .. })),
                }
            }
            for bad in flip(&old_root) {
                verify_consistency(old, &bad, new, &new_root, &proof).unwrap_err();
            }
            for bad in flip(&new_root) {
                let refused = verify_consistency(old, &old_root, new, &bad, &proof);
                assert_eq!(refused, Err(MerkleError::NewRootDiffers));
            }
            for bit in 0..64 {
                let other = old ^ (1 << bit);
                verify_consistency(other, &old_root, new, &new_root, &proof).unwrap_err();
            }
        }
    }
}

/// A proof does not bind the size by itself: logs of different sizes can have proofs of one
/// shape. What must never hold is that two *contents* pass under one root.
#[test]
fn a_rewritten_log_never_extends_the_old_one() {
    let leaves = naive::leaves(33);
    let log: MemoryLog = leaves.iter().collect();
    for changed in 0..20 {
        let mut rewritten = leaves.clone();
        rewritten[changed].push(b'!');
        let forged: MemoryLog = rewritten.iter().collect();
        for old in changed as u64 + 1..=20 {
            let old_root = log.root_at(old).unwrap();
            let new_root = forged.root();
            for proof in [
                log.consistency_proof(old, 33).unwrap(),
                forged.consistency_proof(old, 33).unwrap(),
            ] {
                verify_consistency(old, &old_root, 33, &new_root, &proof).unwrap_err();
            }
        }
    }
}

#[test]
fn sizes_that_no_log_has_are_refused_before_any_hash() {
    let hash = hash_leaf(b"leaf");
    let large = SIZE_MAX + 1;
    let too_large = Err(MerkleError::SizeTooLarge { size: large });
    assert_eq!(verify_inclusion(&hash, 0, large, &[], &hash), too_large);
    assert_eq!(verify_consistency(1, &hash, large, &hash, &[]), too_large);
    let outside = MerkleError::IndexOutside {
        index: u64::MAX,
        size: 1,
    };
    assert_eq!(
        verify_inclusion(&hash, u64::MAX, 1, &[], &hash),
        Err(outside)
    );
    let outside = MerkleError::IndexOutside { index: 0, size: 0 };
    assert_eq!(verify_inclusion(&hash, 0, 0, &[], &hash), Err(outside));
    let zero = verify_consistency(0, &hash, 0, &hash, &[]);
    assert_eq!(zero, Err(MerkleError::OldSizeZero));
    let shrinks = verify_consistency(2, &hash, 1, &hash, &[]);
    assert_eq!(shrinks, Err(MerkleError::SizeShrinks { old: 2, new: 1 }));
}
