//! Agreement with the naive reading of RFC 6962.

use alloc::vec::Vec;
use proptest::prelude::*;
use std::cell::RefCell;

use super::naive;
use crate::{
    consistency_proof, hash_leaf, inclusion_proof, range_at, root_of, verify_consistency,
    verify_inclusion, CompactRange, Hash, MemoryLog, MerkleError, Nodes, ProveError, EMPTY_ROOT,
    PROOF_HASHES_MAX, SIZE_MAX,
};

#[test]
fn every_proof_of_every_small_log_is_the_one_of_the_rfc() {
    const MOST: usize = 40;
    let leaves = naive::leaves(MOST);
    let log: MemoryLog = leaves.iter().collect();
    for size in 0..=MOST {
        let now = &leaves[..size];
        let root = naive::root(now);
        assert_eq!(root_of(now), root);
        assert_eq!(log.root_at(size as u64), Ok(root));
        for (index, leaf) in now.iter().enumerate() {
            let proof = log.inclusion_proof(index as u64, size as u64).unwrap();
            assert_eq!(proof, naive::path(index, now));
            verify_inclusion(&hash_leaf(leaf), index as u64, size as u64, &proof, &root).unwrap();
        }
        for old in 1..=size {
            let proof = log.consistency_proof(old as u64, size as u64).unwrap();
            assert_eq!(proof, naive::proof(old, now));
            let old_root = naive::root(&leaves[..old]);
            verify_consistency(old as u64, &old_root, size as u64, &root, &proof).unwrap();
        }
    }
}

#[test]
fn each_completed_node_is_reported_once_from_the_leaf_upwards() {
    let leaves = naive::leaves(37);
    let mut range = CompactRange::new();
    let mut seen = Vec::new();
    for (index, leaf) in leaves.iter().enumerate() {
        let mut levels = Vec::new();
        let place = range.append(leaf, &mut |level, index, hash| {
            levels.push(level);
            seen.push((level, index, hash));
        });
        assert_eq!(place, Ok(index as u64));
        assert_eq!(levels, (0..levels.len() as u8).collect::<Vec<_>>());
    }
    let mut expected = Vec::new();
    for level in 0..6u8 {
        for (index, covered) in leaves.chunks_exact(1 << level).enumerate() {
            expected.push((level, index as u64, naive::root(covered)));
        }
    }
    seen.sort();
    assert_eq!(seen, expected);
}

/// A log that is too large to be built: any node that a log of this size has is a hash of its
/// name, and every other node is refused.
struct Endless {
    size: u64,
    reads: RefCell<usize>,
}

impl Nodes for Endless {
    type Error = (u8, u64);

    fn node(&self, level: u8, index: u64) -> Result<Hash, (u8, u64)> {
        *self.reads.borrow_mut() += 1;
        match (index + 1) << level <= self.size {
            true => Ok(hash_leaf(&[&[level][..], &index.to_be_bytes()].concat())),
            false => Err((level, index)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_logs_agree_with_the_rfc(
        leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..200),
        pick in any::<[prop::sample::Index; 3]>(),
    ) {
        let log: MemoryLog = leaves.iter().collect();
        let size = 1 + pick[0].index(leaves.len());
        let (index, old) = (pick[1].index(size), 1 + pick[2].index(size));
        let now = &leaves[..size];
        prop_assert_eq!(log.root_at(size as u64), Ok(naive::root(now)));
        prop_assert_eq!(log.inclusion_proof(index as u64, size as u64), Ok(naive::path(index, now)));
        prop_assert_eq!(log.consistency_proof(old as u64, size as u64), Ok(naive::proof(old, now)));
    }

    /// Only complete nodes are read, few of them, and the proofs are as long as is promised.
    #[test]
    fn huge_logs_read_few_nodes_and_none_that_is_missing(
        size in prop_oneof![1..=SIZE_MAX, (0..48u32).prop_map(|bit| 1 << bit), Just(SIZE_MAX)],
        pick in any::<[prop::sample::Index; 2]>(),
    ) {
        let log = Endless { size, reads: RefCell::new(0) };
        let range = range_at(&log, size).unwrap();
        let root = range.root();
        let (index, old) = (pick[0].index(size as usize) as u64, 1 + pick[1].index(size as usize) as u64);

        *log.reads.borrow_mut() = 0;
        let proof = inclusion_proof(&log, index, size).unwrap();
        prop_assert!(proof.len() <= 48 && *log.reads.borrow() <= 96);
        // The nodes are no tree (no node is made of its children), so only the edge verifies:
        // the proof must have the right length, which a wrong root shows.
        let refused = verify_inclusion(&EMPTY_ROOT, index, size, &proof, &root);
        prop_assert_eq!(refused, Err(MerkleError::RootDiffers));

        *log.reads.borrow_mut() = 0;
        let proof = consistency_proof(&log, old, size).unwrap();
        prop_assert!(proof.len() <= PROOF_HASHES_MAX && *log.reads.borrow() <= 96);
        if old != size {
            // An old log that is one complete tree starts from its own root.
            let expected = match old.is_power_of_two() {
                true => MerkleError::NewRootDiffers,
                false => MerkleError::OldRootDiffers,
            };
            let refused = verify_consistency(old, &EMPTY_ROOT, size, &root, &proof);
            prop_assert_eq!(refused, Err(expected));
        }
    }

    #[test]
    fn a_range_survives_its_bytes_and_goes_on(count in 0usize..300, more in 0usize..40) {
        let leaves = naive::leaves(count + more);
        let log: MemoryLog = leaves[..count].iter().collect();
        let mut range = CompactRange::from_bytes(&log.range().to_bytes()).unwrap();
        prop_assert_eq!(&range, log.range());
        prop_assert_eq!(&range_at(&log, count as u64).unwrap(), log.range());
        for leaf in &leaves[count..] {
            range.append(leaf, &mut |_, _, _| {}).unwrap();
        }
        prop_assert_eq!(range.root(), naive::root(&leaves));
    }

    #[test]
    fn no_bytes_are_two_ranges(bytes in prop::collection::vec(any::<u8>(), 0..200), small in 0u64..64) {
        for bytes in [bytes.clone(), [&small.to_be_bytes()[..], &bytes].concat()] {
            if let Ok(range) = CompactRange::from_bytes(&bytes) {
                prop_assert_eq!(range.to_bytes(), bytes);
            }
        }
    }
}

#[test]
fn a_range_that_is_cut_or_padded_is_refused() {
    let log: MemoryLog = naive::leaves(13).iter().collect();
    let good = log.range().to_bytes();
    for cut in 0..good.len() {
        let refused = CompactRange::from_bytes(&good[..cut]);
        assert!(
            matches!(
                refused,
                Err(MerkleError::RangeBytes { .. } | MerkleError::RangeLength { .. })
            ),
            "{cut}"
        );
    }
    for pad in 1..70 {
        let padded = [&good[..], &alloc::vec![0; pad]].concat();
        assert!(CompactRange::from_bytes(&padded).is_err(), "{pad}");
    }
}

#[test]
fn a_full_log_refuses_and_stays_as_it_is() {
    let hashes = alloc::vec![EMPTY_ROOT; 48];
    let mut range = CompactRange::from_parts(SIZE_MAX, hashes.clone()).unwrap();
    let before = range.clone();
    let refused = range.append(b"one too many", &mut |_, _, _| {
        panic!("nothing is completed")
    });
    assert_eq!(refused, Err(MerkleError::Full));
    assert_eq!(range, before);
    assert_eq!(
        CompactRange::from_parts(SIZE_MAX + 1, hashes),
        Err(MerkleError::SizeTooLarge { size: SIZE_MAX + 1 })
    );
}

#[test]
fn questions_that_make_no_sense_are_named() {
    let log: MemoryLog = naive::leaves(5).iter().collect();
    let index = MerkleError::IndexOutside { index: 5, size: 5 };
    assert_eq!(log.inclusion_proof(5, 5), Err(index));
    assert_eq!(log.consistency_proof(0, 5), Err(MerkleError::OldSizeZero));
    let shrinks = MerkleError::SizeShrinks { old: 5, new: 4 };
    assert_eq!(log.consistency_proof(5, 4), Err(shrinks));
    let large = MerkleError::SizeTooLarge { size: SIZE_MAX + 1 };
    assert_eq!(
        inclusion_proof(&log, 0, SIZE_MAX + 1),
        Err(ProveError::Question(large))
    );
    let missing = MerkleError::NoNode { level: 2, index: 1 };
    assert_eq!(
        log.root_at(8),
        Err(MerkleError::NoNode { level: 3, index: 0 })
    );
    assert_eq!(log.inclusion_proof(0, 8), Err(missing));
}
