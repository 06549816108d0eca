//! Anchors and earlier blocks under one header.

use std::{vec, vec::Vec};

use hub_types::{
    audit::{self, AnchorLeaf, LogRecord},
    blocks::{self, BlockLeaf, BlockLog},
    Height, LogId, Record,
};
use merkle::{inclusion_proof, MemoryLog};

use super::{
    hub::{did, POLICY},
    support::{at, header_over, some_entries, validators, Block, Tree},
};
use crate::{AnchorProof, BlockInclusion, LightError, Trusted};

fn anchors() -> (Trusted, Vec<AnchorProof>) {
    let log = LogId::new([3; 32]);
    let mut leaves = MemoryLog::new();
    let mut record = LogRecord::open(log, did(1), POLICY, did(1));
    let anchors: Vec<AnchorLeaf> = (0..5u8)
        .map(|index| AnchorLeaf {
            log,
            height: Height(20 + u64::from(index)),
            time: at(i64::from(index)),
            size: u64::from(index) * 10,
            root: [index; 32],
            heads_root: [index; 32],
        })
        .collect();
    for anchor in &anchors {
        leaves.append(&anchor.to_bytes()).unwrap();
        record
            .anchors
            .append(&anchor.to_bytes(), &mut |_, _, _| {})
            .unwrap();
    }
    let key = audit::keys::log(&log);
    let tree = Tree::new(
        some_entries(20)
            .into_iter()
            .chain([(key.clone(), record.to_bytes())]),
    );
    let proofs = anchors
        .into_iter()
        .enumerate()
        .map(|(index, leaf)| {
            let path = inclusion_proof(&leaves, index as u64, 5).unwrap();
            AnchorProof::new(tree.state_proof(30, &key), index as u64, leaf, path)
        })
        .collect();
    (header_over(tree.root(), 30), proofs)
}

#[test]
fn every_anchor_is_under_one_header() {
    let (trusted, proofs) = anchors();
    let log = LogId::new([3; 32]);
    for (index, proof) in proofs.iter().enumerate() {
        let again = AnchorProof::from_bytes(&proof.to_bytes()).unwrap();
        let anchored = again.verify(&trusted, &log).unwrap();
        assert_eq!(
            (anchored.index, anchored.leaf.size),
            (index as u64, index as u64 * 10)
        );
    }
    let good = proofs[2].to_bytes();
    let read = |bytes: &[u8]| {
        AnchorProof::from_bytes(bytes).and_then(|proof| proof.verify(&trusted, &log))
    };
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(read(&bytes).is_err(), "byte {at}");
        assert!(read(&good[..at]).is_err(), "cut at {at}");
    }
    let other = LogId::new([4; 32]);
    assert!(matches!(
        proofs[0].verify(&trusted, &other),
        Err(LightError::Key { .. })
    ));
    assert!(good.len() < 2_500, "{} bytes", good.len());
}

#[test]
fn every_earlier_block_is_under_one_header() {
    let set = validators(1..=4);
    let old: Vec<_> = (1..=20)
        .map(|height| Block::new(height, &set).light())
        .collect();
    let mut log = BlockLog::new(Height(1));
    let mut leaves = MemoryLog::new();
    for block in &old {
        let leaf = BlockLeaf {
            height: block.height(),
            hash: block.hash(),
        };
        leaves.append(&leaf.to_bytes()).unwrap();
        log.blocks
            .append(&leaf.to_bytes(), &mut |_, _, _| {})
            .unwrap();
    }
    let key = blocks::keys::block_log();
    let tree = Tree::new(
        some_entries(20)
            .into_iter()
            .chain([(key.clone(), log.to_bytes())]),
    );
    let trusted = header_over(tree.root(), 20);
    let proof = |index: usize| {
        let leaf = BlockLeaf {
            height: old[index].height(),
            hash: old[index].hash(),
        };
        let path = inclusion_proof(&leaves, index as u64, 20).unwrap();
        BlockInclusion::new(tree.state_proof(20, &key), leaf, path)
    };
    for (index, block) in old.iter().enumerate() {
        let proof = BlockInclusion::from_bytes(&proof(index).to_bytes()).unwrap();
        let header = &block.signed_header().header;
        let earlier = proof.verify_header(&trusted, header).unwrap();
        assert_eq!(earlier.app_hash, [index as u8 + 1; 32]);
    }
    let wrong = &old[4].signed_header().header;
    assert!(matches!(
        proof(3).verify_header(&trusted, wrong),
        Err(LightError::Height { .. })
    ));
    let mut forged = old[3].signed_header().header.clone();
    forged.app_hash = vec![9; 32].try_into().unwrap();
    assert!(matches!(
        proof(3).verify_header(&trusted, &forged),
        Err(LightError::TrustPointHash { .. })
    ));
    let mut wire = proof(3).to_wire();
    wire.leaf.as_mut().unwrap().height = 21;
    let lie = BlockInclusion::from_wire(&wire).unwrap();
    assert!(matches!(lie.verify(&trusted), Err(LightError::Leaf { .. })));
    wire.leaf.as_mut().unwrap().height = 5;
    let lie = BlockInclusion::from_wire(&wire).unwrap();
    assert!(matches!(lie.verify(&trusted), Err(LightError::Path { .. })));
}
