//! Policies under a header: entries, checks and revisions.

use std::{collections::BTreeMap, string::String, vec};

use ::policy::{keys as tree_keys, Circumstances, Context, Decision, Limits, Name, Question};
use hub_types::{document::Document, policy::PolicyRecord, Height, PolicyId};

use super::hub::{actor, chain, did, question, Hub, DEFINITION, POLICY};
use crate::{CheckEvidence, Follower, LightError, PolicyProof, PolicyRootProof};

#[test]
fn an_entry_is_proven_in_two_steps() {
    let hub = Hub::new();
    let (trusted, root) = hub.root_proof(None);
    let tree = hub.trees.last().unwrap();
    let key = tree_keys::definition_key();
    let proof = PolicyProof::new(root, tree.tree_proof(&key));
    let (proven, value) = proof.verify(&trusted, &POLICY, &key).unwrap();
    assert_eq!(value, Some(DEFINITION.as_bytes()));
    assert_eq!((proven.revision, proven.state_height), (4, Height(35)));
    let again = PolicyProof::from_bytes(&proof.to_bytes()).unwrap();
    assert_eq!(again, proof);
    let absent = tree_keys::object_key("cell", "2");
    let proof = PolicyProof::new(proof.root().clone(), tree.tree_proof(&absent));
    assert_eq!(proof.verify(&trusted, &POLICY, &absent).unwrap().1, None);

    // The tree of an earlier revision is not that of the newest.
    let stale = PolicyProof::new(proof.root().clone(), hub.trees[1].tree_proof(&key));
    assert!(matches!(
        stale.verify(&trusted, &POLICY, &key),
        Err(LightError::Root { .. })
    ));
    let other = PolicyId::new([8; 32]);
    assert!(matches!(
        proof.verify(&trusted, &other, &absent),
        Err(LightError::Key { .. })
    ));
}

#[test]
fn an_earlier_revision_is_under_the_same_header() {
    let hub = Hub::new();
    for revision in 0..5u64 {
        let (trusted, proof) = hub.root_proof(Some(revision));
        let root = proof.verify(&trusted, &POLICY).unwrap();
        assert_eq!(root.revision, revision);
        assert_eq!(root.tree_root, hub.trees[revision as usize].root());
        assert_eq!(root.height, hub.revisions[revision as usize].leaf.height);
    }
    let (trusted, proof) = hub.root_proof(Some(2));
    let mut wire = proof.to_wire();
    let leaf = wire.earlier.as_mut().unwrap().leaf.as_mut().unwrap();
    leaf.tree_root = vec![1; 32];
    let lie = PolicyRootProof::from_wire(&wire).unwrap();
    assert!(matches!(
        lie.verify(&trusted, &POLICY),
        Err(LightError::Path { .. })
    ));
    let leaf = wire.earlier.as_mut().unwrap().leaf.as_mut().unwrap();
    leaf.policy = vec![1; 32];
    let lie = PolicyRootProof::from_wire(&wire).unwrap();
    assert!(matches!(
        lie.verify(&trusted, &POLICY),
        Err(LightError::Leaf { .. })
    ));
}

#[test]
fn allow_and_deny_are_replayed_from_evidence() {
    let hub = Hub::new();
    for (seed, revision, expected) in [
        (1, None, Decision::Allow),
        (2, None, Decision::Deny),
        (3, None, Decision::Deny),
        (9, None, Decision::Allow),
        (2, Some(3), Decision::Allow),
        (2, Some(2), Decision::Deny),
        (1, Some(1), Decision::Deny),
    ] {
        let question = question("cell:1", "edit", seed);
        let (trusted, evidence) = hub.evidence(revision, &question, &[]);
        let bytes = evidence.to_bytes();
        let evidence = CheckEvidence::from_bytes(&bytes).unwrap();
        let checked = evidence
            .verify(&trusted, &POLICY, &question, &Context::default())
            .unwrap();
        assert_eq!(checked.answer.decision, expected, "{seed} {revision:?}");
        assert_eq!(checked.root.revision, revision.unwrap_or(4));
    }
}

fn document(author: u8) -> Document {
    Document {
        resource: Name::new("batch").unwrap(),
        collection: Name::new("batches").unwrap(),
        scope: "cell:1".parse().unwrap(),
        author: did(author),
        nonce: [3; 16],
    }
}

#[test]
fn documents_get_owner_and_scope_from_their_preimage() {
    let hub = Hub::new();
    let check = |author: u8, permission: &str, seed: u8, expected: Decision| {
        let document = document(author);
        let object = document.object(&chain(), &POLICY).unwrap();
        let question = Question::new(object, permission, actor(seed));
        let (trusted, evidence) = hub.evidence(None, &question, &[document]);
        let checked = evidence
            .verify(&trusted, &POLICY, &question, &Context::default())
            .unwrap();
        assert_eq!(
            checked.answer.decision, expected,
            "{author} {permission} {seed}"
        );
    };
    check(5, "edit", 5, Decision::Allow);
    check(5, "edit", 1, Decision::Allow);
    check(5, "edit", 6, Decision::Deny);
    check(5, "create", 5, Decision::Deny);
    check(1, "create", 1, Decision::Allow);
}

/// A node that leaves the preimage out hides an owner and a scope, and so could prove a deny, or an
/// allow by what is subtracted.
#[test]
fn a_document_without_its_preimage_is_unknown_not_denied() {
    let hub = Hub::new();
    for seed in [1, 5, 6] {
        let document = document(5);
        let object = document.object(&chain(), &POLICY).unwrap();
        let key = tree_keys::object_key(object.resource(), object.id());
        for permission in ["edit", "create"] {
            let question = Question::new(object.clone(), permission, actor(seed));
            let (trusted, evidence) = hub.evidence(None, &question, &[]);
            assert_eq!(
                evidence.verify(&trusted, &POLICY, &question, &Context::default()),
                Err(LightError::Replay(::policy::ReplayError::Insufficient {
                    key: key.clone()
                })),
                "{permission} {seed}"
            );
        }
    }
}

#[test]
fn a_document_needs_the_record_of_its_collection() {
    let hub = Hub::new();
    let document = document(5);
    let object = document.object(&chain(), &POLICY).unwrap();
    let question = Question::new(object, "edit", actor(5));
    let (trusted, evidence) = hub.evidence(None, &question, core::slice::from_ref(&document));
    let mut wire = evidence.to_wire();
    wire.documents[0].collection = "others".into();
    let lie = CheckEvidence::from_wire(&wire).unwrap();
    assert_eq!(
        lie.verify(&trusted, &POLICY, &question, &Context::default()),
        Err(LightError::NoCollection)
    );
    // Another author's preimage is another document, and the question is about this one.
    let mut wire = evidence.to_wire();
    wire.documents[0].author = String::from(did(6).as_str());
    let lie = CheckEvidence::from_wire(&wire).unwrap();
    assert_ne!(
        lie.verify(&trusted, &POLICY, &question, &Context::default())
            .map(|checked| checked.answer.decision),
        Ok(Decision::Allow)
    );
    wire.documents = vec![document.to_wire(); 257];
    assert!(matches!(
        CheckEvidence::from_wire(&wire),
        Err(LightError::TooMany { .. })
    ));
}

#[test]
fn evidence_for_one_question_is_not_for_another() {
    let hub = Hub::new();
    let (trusted, evidence) = hub.evidence(None, &question("cell:1", "edit", 1), &[]);
    let other = question("cell:2", "edit", 1);
    assert!(matches!(
        evidence.verify(&trusted, &POLICY, &other, &Context::default()),
        Err(LightError::Replay(_))
    ));
}

#[test]
fn an_unknown_engine_is_refused_by_name() {
    let hub = Hub::new();
    let asked = question("cell:1", "edit", 1);
    let (_, evidence) = hub.evidence(None, &asked, &[]);
    let record = PolicyRecord {
        engine_version: 99,
        ..hub.record(5)
    };
    let (trusted, root) = hub.root_proof_of(&record, None);
    let mut wire = evidence.to_wire();
    wire.root = Some(root.to_wire());
    let evidence = CheckEvidence::from_wire(&wire).unwrap();
    assert_eq!(
        evidence.verify(&trusted, &POLICY, &asked, &Context::default()),
        Err(LightError::EngineVersion {
            found: 99,
            known: ::policy::ENGINE_VERSION
        })
    );
}

#[test]
fn no_changed_byte_of_evidence_gives_an_answer_unnoticed() {
    let hub = Hub::new();
    for (seed, revision) in [(1, None), (2, None), (2, Some(3))] {
        let question = question("cell:1", "edit", seed);
        let (trusted, evidence) = hub.evidence(revision, &question, &[]);
        let good = evidence.to_bytes();
        let read = |bytes: &[u8]| {
            CheckEvidence::from_bytes(bytes).and_then(|evidence| {
                evidence.verify(&trusted, &POLICY, &question, &Context::default())
            })
        };
        let expected = read(&good).unwrap();
        let mut refused = 0;
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            match read(&bytes) {
                Err(_) => refused += 1,
                // A neighbour of an absent key may be named differently and prove the same.
                Ok(checked) => assert_eq!(checked.answer.decision, expected.answer.decision),
            }
            assert!(read(&good[..at]).is_err(), "cut at {at}");
        }
        assert!(
            refused * 100 > good.len() * 95,
            "{refused} of {}",
            good.len()
        );
    }
}

#[test]
fn what_a_history_answers_the_tree_proves() {
    let hub = Hub::new();
    let mut follower = Follower::new(POLICY);
    let (trusted, page) = hub.page(0, 5);
    follower.apply(&trusted, &page).unwrap();
    let mut seen = BTreeMap::new();
    for revision in 1..5u64 {
        let view = follower.history().at(revision).unwrap();
        for seed in [1, 2, 3, 9] {
            let asked = question("cell:1", "edit", seed);
            let answer =
                ::policy::check(&view, &asked, &Circumstances::default(), Limits::CONSENSUS)
                    .unwrap()
                    .decision;
            let (trusted, evidence) = hub.evidence(Some(revision), &asked, &[]);
            let checked = evidence
                .verify(&trusted, &POLICY, &asked, &Context::default())
                .unwrap();
            assert_eq!(checked.answer.decision, answer, "{revision} {seed}");
            *seen.entry(answer as u8).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 2, "both answers occurred");
}
