//! Presence and absence in real trees, and every lie about them.

use std::{collections::BTreeMap, vec, vec::Vec};

use hub_types::Height;
use ics23::{commitment_proof::Proof, CommitmentProof};
use wire::{canonical, light, Message};

use super::support::{header_over, some_entries, Tree};
use crate::{jmt_spec, proof, verify_absence, verify_presence, LightError, StateProof, TreeProof};

#[test]
fn our_specification_is_jmts_but_for_the_depth() {
    let theirs = jmt::ics23_spec();
    assert_eq!(
        theirs.max_depth, 64,
        "two keys whose hashes share 64 bits would be unprovable"
    );
    assert_eq!(
        jmt_spec(),
        ics23::ProofSpec {
            max_depth: 256,
            ..theirs
        }
    );
}

#[test]
fn every_key_is_proven_present_and_every_other_absent() {
    for count in [1, 2, 3, 17, 300] {
        let tree = Tree::new(some_entries(count));
        let trusted = header_over(tree.root(), 9);
        for (key, value) in tree.entries() {
            let proof = tree.state_proof(9, key);
            assert_eq!(proof.verify(&trusted, key), Ok(Some(&value[..])));
        }
        for index in 0..60u32 {
            let key = std::format!("other {index}").into_bytes();
            assert_eq!(
                tree.state_proof(9, &key).verify(&trusted, &key),
                Ok(None),
                "{count} {index}"
            );
        }
    }
}

#[test]
fn a_removed_key_is_absent() {
    let mut tree = Tree::new(some_entries(40));
    tree.write([
        (b"key 7".to_vec(), None),
        (b"key 8".to_vec(), Some(b"new".to_vec())),
    ]);
    let trusted = header_over(tree.root(), 9);
    assert_eq!(
        tree.state_proof(9, b"key 7").verify(&trusted, b"key 7"),
        Ok(None)
    );
    assert_eq!(
        tree.state_proof(9, b"key 8").verify(&trusted, b"key 8"),
        Ok(Some(&b"new"[..]))
    );
}

#[test]
fn a_proof_names_both_heights() {
    let tree = Tree::new(some_entries(5));
    let trusted = header_over(tree.root(), 9);
    let proof = tree.state_proof(8, b"key 1");
    let expected = LightError::ProofHeader {
        expected: Height(9),
        found: Height(10),
    };
    assert_eq!(proof.verify(&trusted, b"key 1"), Err(expected));
    let mut wire = tree.state_proof(9, b"key 1").to_wire();
    wire.header_height = 9;
    let expected = LightError::ProofHeights {
        state: Height(9),
        header: Height(9),
    };
    assert_eq!(StateProof::from_wire(&wire), Err(expected));
    wire.state_height = u64::MAX;
    wire.header_height = 0;
    assert!(matches!(
        StateProof::from_wire(&wire),
        Err(LightError::ProofHeights { .. })
    ));
}

#[test]
fn each_lie_about_a_value_is_named() {
    let tree = Tree::new(some_entries(50));
    let root = tree.root();
    let (value, good) = tree.prove(b"key 1");
    let value = value.unwrap();
    let (_, absent) = tree.prove(b"nothing");
    let spec = jmt_spec();
    let present = |proof: &CommitmentProof, key: &[u8], value: &[u8]| {
        verify_presence(&spec, &root, proof, key, value, "it").unwrap_err()
    };
    assert_eq!(
        present(&good, b"key 2", &value),
        LightError::Key { what: "it" }
    );
    assert_eq!(
        present(&good, b"key 1", b"value 2"),
        LightError::Value { what: "it" }
    );
    assert_eq!(
        present(&absent, b"nothing", b"x"),
        LightError::Kind { what: "it" }
    );
    let wrong_root = verify_presence(&spec, &[0; 32], &good, b"key 1", &value, "it");
    assert_eq!(wrong_root, Err(LightError::Root { what: "it" }));
    // A value that the proof repeats, but that the tree does not have.
    let mut forged = good.clone();
    let Some(Proof::Exist(exist)) = &mut forged.proof else {
        panic!()
    };
    exist.value = b"forged".to_vec();
    assert_eq!(
        present(&forged, b"key 1", b"forged"),
        LightError::Root { what: "it" }
    );

    let not_there = |proof: &CommitmentProof, key: &[u8]| {
        verify_absence(&spec, &root, proof, key, "it").unwrap_err()
    };
    assert_eq!(not_there(&good, b"key 1"), LightError::Kind { what: "it" });
    assert_eq!(not_there(&absent, b"key 1"), LightError::Key { what: "it" });
}

/// Every way to claim that a present key is absent.
#[test]
fn a_present_key_is_never_proven_absent() {
    let tree = Tree::new(some_entries(50));
    let (root, spec) = (tree.root(), jmt_spec());
    let exist = |key: &[u8]| match tree.prove(key).1.proof {
        Some(Proof::Exist(exist)) => exist,
        _ => panic!("a proof of presence"),
    };
    let keys: Vec<&Vec<u8>> = tree.entries().keys().collect();
    let key = b"key 1".to_vec();
    let mut refused = 0;
    for left in [None]
        .into_iter()
        .chain(keys.iter().map(|key| Some(exist(key))))
    {
        for right in [None]
            .into_iter()
            .chain(keys.iter().map(|key| Some(exist(key))))
        {
            let proof = ics23::NonExistenceProof {
                key: key.clone(),
                left: left.clone(),
                right,
            };
            let proof = CommitmentProof {
                proof: Some(Proof::Nonexist(proof)),
            };
            assert!(verify_absence(&spec, &root, &proof, &key, "it").is_err());
            refused += 1;
        }
    }
    assert_eq!(refused, 51 * 51);
}

#[test]
fn no_changed_byte_of_a_proof_verifies() {
    let tree = Tree::new(some_entries(30));
    let trusted = header_over(tree.root(), 9);
    for key in [&b"key 1"[..], b"nothing"] {
        let good = tree.state_proof(9, key).to_bytes();
        let holds = |bytes: &[u8]| {
            StateProof::from_bytes(bytes).and_then(|proof| proof.verify(&trusted, key).map(|_| ()))
        };
        assert_eq!(holds(&good), Ok(()));
        for at in 0..good.len() {
            for bit in [0x01, 0x10, 0x80] {
                let mut bytes = good.clone();
                bytes[at] ^= bit;
                assert!(holds(&bytes).is_err(), "byte {at} bit {bit}");
            }
            let mut doubled = good.clone();
            doubled.insert(at, good[at]);
            assert!(holds(&doubled).is_err(), "byte {at} doubled");
        }
        for end in 0..good.len() {
            assert!(holds(&good[..end]).is_err(), "cut at {end}");
        }
        assert!(holds(&[&good[..], &[0]].concat()).is_err());
    }
}

#[test]
fn shapes_of_other_trees_and_absurd_sizes_are_refused_before_hashing() {
    let tree = Tree::new(some_entries(30));
    let (root, spec) = (tree.root(), jmt_spec());
    let (value, good) = tree.prove(b"key 1");
    let value = value.unwrap();
    let check = |change: &dyn Fn(&mut ics23::ExistenceProof), expected: &str| {
        let mut proof = good.clone();
        let Some(Proof::Exist(exist)) = &mut proof.proof else {
            panic!()
        };
        change(exist);
        match verify_presence(&spec, &root, &proof, b"key 1", &value, "it") {
            Err(LightError::Shape { reason, .. }) => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{expected}: {other:?}"),
        }
    };
    check(&|exist| exist.leaf = None, "missing");
    check(
        &|exist| exist.leaf.as_mut().unwrap().prefix.push(0),
        "another tree",
    );
    check(
        &|exist| exist.leaf.as_mut().unwrap().hash = 4,
        "another hash",
    );
    check(&|exist| exist.path[0].hash = 9, "another hash");
    check(&|exist| exist.path[0].hash = 0, "another tree");
    check(&|exist| exist.path[0].prefix.push(0), "another tree");
    check(&|exist| exist.path[0].suffix.push(0), "another tree");
    check(
        &|exist| {
            let step = exist.path[0].clone();
            exist.path.resize(257, step);
        },
        "longer",
    );
    let empty = ics23::NonExistenceProof {
        key: b"x".to_vec(),
        left: None,
        right: None,
    };
    let empty = CommitmentProof {
        proof: Some(Proof::Nonexist(empty)),
    };
    assert!(matches!(
        verify_absence(&spec, &root, &empty, b"x", "it"),
        Err(LightError::Shape { .. })
    ));
    // The same neighbour on both sides: ics23 would run past the end of the paths.
    let (_, absent) = tree.prove(b"nothing");
    let Some(Proof::Nonexist(mut non)) = absent.proof else {
        panic!()
    };
    non.left = non.left.or(non.right.clone());
    non.right = non.left.clone();
    let same = CommitmentProof {
        proof: Some(Proof::Nonexist(non)),
    };
    assert!(verify_absence(&spec, &root, &same, b"nothing", "it").is_err());
    assert_eq!(
        verify_presence(
            &spec,
            &root,
            &CommitmentProof { proof: None },
            b"x",
            b"y",
            "it"
        ),
        Err(LightError::Kind { what: "it" })
    );
}

#[test]
fn a_batch_gives_all_its_keys() {
    let tree = Tree::new(some_entries(200));
    let keys: Vec<Vec<u8>> = (0..40u32)
        .map(|index| std::format!("key {}", index * 7).into_bytes())
        .collect();
    let single: usize = keys.iter().map(|key| tree.prove(key).1.encoded_len()).sum();
    let bytes = proof::compress(keys.iter().map(|key| tree.prove(key).1)).unwrap();
    assert!(bytes.len() * 10 < single * 8, "{} of {single}", bytes.len());
    let known = proof::verify_compressed(&jmt_spec(), &tree.root(), &bytes, "it").unwrap();
    let expected: BTreeMap<_, _> = keys
        .iter()
        .map(|key| (key.clone(), tree.entries().get(key).cloned()))
        .collect();
    assert_eq!(known, expected);
    assert!(known.values().any(Option::is_none) && known.values().any(Option::is_some));
}

#[test]
fn no_changed_byte_of_a_batch_verifies() {
    let tree = Tree::new(some_entries(30));
    let keys: [&[u8]; 4] = [b"key 1", b"key 2", b"nothing", b"nowhere"];
    let good = proof::compress(keys.iter().map(|key| tree.prove(key).1)).unwrap();
    let (spec, root) = (jmt_spec(), tree.root());
    let read = |bytes: &[u8]| proof::verify_compressed(&spec, &root, bytes, "it");
    let known = read(&good).unwrap();
    for at in 0..good.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= bit;
            // The key of an absent entry may become another absent key between the same
            // neighbours: that is a true statement too, but not the same one.
            assert_ne!(read(&bytes).as_ref(), Ok(&known), "byte {at} bit {bit}");
        }
    }
    for end in 0..good.len() {
        assert!(read(&good[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn lies_in_a_batch_are_named() {
    let tree = Tree::new(some_entries(30));
    let (spec, root) = (jmt_spec(), tree.root());
    let keys: [&[u8]; 2] = [b"key 1", b"nothing"];
    let good = proof::compress(keys.iter().map(|key| tree.prove(key).1)).unwrap();
    let check = |change: &dyn Fn(&mut ics23::CompressedBatchProof), expected: &LightError| {
        let mut proof = CommitmentProof::decode(&good[..]).unwrap();
        let Some(Proof::Compressed(batch)) = &mut proof.proof else {
            panic!()
        };
        change(batch);
        let result = proof::verify_compressed(&spec, &root, &proof.encode_to_vec(), "it");
        assert_eq!(&result.unwrap_err(), expected);
    };
    let shape = |reason| LightError::Shape { what: "it", reason };
    check(
        &|batch| batch.entries.push(batch.entries[0].clone()),
        &LightError::DuplicateKey,
    );
    check(
        &|batch| {
            batch
                .entries
                .push(ics23::CompressedBatchEntry { proof: None })
        },
        &shape("an entry of the batch is empty"),
    );
    check(
        &|batch| batch.lookup_inners.push(batch.lookup_inners[0].clone()),
        &shape("a step of the batch belongs to no entry"),
    );
    check(
        &|batch| drop(batch.lookup_inners.pop()),
        &shape("a path names a step that the batch does not hold"),
    );
    check(
        &|batch| batch.entries = vec![batch.entries[0].clone(); 4_097],
        &LightError::TooMany {
            what: "entries",
            found: 4_097,
            max: 4_096,
        },
    );
    let single = canonical::encode(&tree.prove(b"key 1").1);
    let expected = shape("a compressed batch is expected");
    assert_eq!(
        proof::verify_compressed(&spec, &root, &single, "it"),
        Err(expected)
    );
    let nested = CommitmentProof::decode(&good[..]).unwrap();
    assert!(proof::compress([nested]).is_err());
}

#[test]
fn a_tree_proof_needs_no_header() {
    let tree = Tree::new(some_entries(10));
    let proof = tree.tree_proof(b"key 3");
    let again = TreeProof::from_wire(&proof.to_wire()).unwrap();
    assert_eq!(
        again.verify(&tree.root(), b"key 3"),
        Ok(Some(&b"value 3"[..]))
    );
    assert_eq!(
        again.verify(&tree.root(), b"key 4"),
        Err(LightError::Key {
            what: "a key of the policy's tree"
        })
    );
    assert!(matches!(
        again.verify(&[1; 32], b"key 3"),
        Err(LightError::Root { .. })
    ));
    let mut other = proof.to_wire();
    other.value = None;
    assert!(matches!(
        TreeProof::from_wire(&other)
            .unwrap()
            .verify(&tree.root(), b"key 3"),
        Err(LightError::Kind { .. })
    ));
    let wire = light::TreeProof {
        ics23: vec![0xff],
        ..proof.to_wire()
    };
    assert!(matches!(
        TreeProof::from_wire(&wire),
        Err(LightError::Encoding { .. })
    ));
}

/// Two keys whose hashes share more bits than jmt's own specification allows steps. They cannot be
/// found in a test, so a path of that length is made by hand over real hashes.
#[test]
fn a_path_of_two_hundred_steps_verifies() {
    use sha2::{Digest, Sha256};
    let tree = Tree::new([(b"key".to_vec(), b"value".to_vec())]);
    let (_, mut proof) = tree.prove(b"key");
    let mut node = tree.root();
    let Some(Proof::Exist(exist)) = &mut proof.proof else {
        panic!()
    };
    for depth in 0..200u8 {
        let step = ics23::InnerOp {
            hash: ics23::HashOp::Sha256.into(),
            prefix: b"JMT::IntrnalNode".to_vec(),
            suffix: vec![depth; 32],
        };
        node = Sha256::digest([&step.prefix[..], &node, &step.suffix].concat()).into();
        exist.path.push(step);
    }
    assert_eq!(
        verify_presence(&jmt_spec(), &node, &proof, b"key", b"value", "it"),
        Ok(())
    );
}
