//! Receipts: small, whole, and attestations only of what others wrote.

use audit::bundle::Wrong;
use audit::receipt::Receipt;
use hub_light::Verifier;
use hub_types::{LogId, PolicyId};

use crate::fixture::story::{story, Story};

/// A's receipt of leaf 3, in which it says that it held Bob's commit.
fn receipt(story: &Story, index: u64) -> Receipt {
    Receipt {
        index,
        leaf: story.a.opened(index),
        path: story
            .a
            .log
            .inclusion_proof(index, story.a.anchors[1].size)
            .expect("a path"),
        anchor: story.anchor_proof(1),
    }
}

#[test]
fn receipt_is_small_and_proves_an_attestation() {
    let story = story(5_000);
    let block = Verifier::start(story.trust(), story.hub.block.clone()).expect("a trusted block");
    let receipt = receipt(&story, 3);
    let bytes = receipt.to_bytes();
    assert!(bytes.len() <= 2_560, "{} bytes", bytes.len());
    let read = Receipt::from_bytes(&bytes).expect("what was written reads");
    assert_eq!(read, receipt);
    let (held, attestation) = read
        .attestation(block.trusted(), &story.a.id, &story.policy)
        .expect("an attestation");
    assert_eq!(held.commit, *story.commits[1].0.cid());
    assert_eq!(
        (
            attestation.height,
            attestation.revision,
            attestation.anchor_height
        ),
        (12, 2, 18)
    );
    assert_eq!(attestation.operator.as_str(), story.a.operator.as_str());
}

#[test]
fn receipt_of_something_else_is_no_attestation() {
    let story = story(10);
    let block = Verifier::start(story.trust(), story.hub.block.clone()).expect("a trusted block");
    let trusted = block.trusted();
    let wrong = |index, log: &LogId, policy: &PolicyId| {
        receipt(&story, index)
            .attestation(trusted, log, policy)
            .expect_err("no attestation")
    };
    // Written through A; a decision; another log; another policy.
    let (log, policy) = (&story.a.id, &story.policy);
    assert!(matches!(
        wrong(4, log, policy),
        Wrong::Field { field: "leaf", .. }
    ));
    assert!(matches!(
        wrong(2, log, policy),
        Wrong::Field { field: "leaf", .. }
    ));
    assert!(matches!(wrong(3, &story.b.id, policy), Wrong::Proof { .. }));
    assert!(matches!(
        wrong(3, log, &PolicyId::new([1; 32])),
        Wrong::Field {
            field: "anchor",
            ..
        }
    ));
}

#[test]
fn every_spoiled_receipt_is_refused() {
    let story = story(10);
    let block = Verifier::start(story.trust(), story.hub.block.clone()).expect("a trusted block");
    let bytes = receipt(&story, 3).to_bytes();
    let holds = |bytes: &[u8]| {
        Receipt::from_bytes(bytes)
            .and_then(|receipt| receipt.attestation(block.trusted(), &story.a.id, &story.policy))
            .is_ok()
    };
    assert!(holds(&bytes));
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80] {
            let mut spoiled = bytes.clone();
            spoiled[at] ^= mask;
            assert!(!holds(&spoiled), "byte {at} flipped by {mask:#x}");
        }
        assert!(!holds(&bytes[..at]), "cut at byte {at}");
    }
    assert!(!holds(&[&bytes[..], &[0]].concat()));
}
