//! Attestations that arrive with, before and after what they settle.

use audit::leaf::Disclosure;
use audit::receipt::Receipt;
use hub_light::AnchorProof;
use node::anchoring::{list, Step};
use node::documents::attested::decode_kept;
use node::limits::AUTHOR_LATE_COMMITS_MAX;
use node::network::messages::CommitBlocks;
use node::store::{Column, StoreError, Write};
use serde_json::json;

use crate::anchors::anchoring;
use crate::support::{blocks_of, cid, eventually, push, Pair, Plant, Running};

fn receipts(running: &Running) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let store = running.sidecar.documents.store();
    store
        .scan(Column::Attestations, &[], &[], |_, value| {
            found.push(decode_kept(value)?.raw);
            Ok::<bool, StoreError>(true)
        })
        .unwrap();
    found
}

fn late(running: &Running) -> u64 {
    let mut found = 0;
    let store = running.sidecar.documents.store();
    store
        .scan(Column::Late, &[], &[], |_, _| {
            found += 1;
            Ok::<bool, StoreError>(true)
        })
        .unwrap();
    found
}

/// Bob's change of Alice's record, which A saw in time and attests, and B has yet to hear of; Bob
/// is no operator any more.
struct Revoked {
    pair: Pair,
    commits: Vec<CommitBlocks>,
    receipts: Vec<Vec<u8>>,
}

async fn revoked(plant: &Plant) -> Revoked {
    let pair = plant.pair().await;
    let a = &pair.a;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let by = json!({"increment": {"pieces": 10}});
    let (_, bobs) = plant.signed(a, &plant.bob, &document, by);
    let documents = &a.sidecar.documents;
    documents.receive("bob", vec![bobs.clone()]).await.unwrap();
    eventually("A attests Bob's commit", async || !receipts(a).is_empty()).await;
    plant.hub.revoke("cell:1", "operator", &plant.bob.did());
    pair.b.caught_up(plant.hub.height()).await;
    Revoked {
        commits: vec![blocks_of(a, &created.commit), bobs],
        receipts: receipts(a),
        pair,
    }
}

/// Takes all of Bob's room for late commits.
async fn fill(plant: &Plant, running: &Running) {
    let author = identity::hash("holdfast/author/1", &[plant.bob.did().as_str().as_bytes()]);
    let puts = (0..AUTHOR_LATE_COMMITS_MAX)
        .map(|number| {
            let mut key = [author, [0; 32], [0; 32]].concat();
            key[32..40].copy_from_slice(&number.to_be_bytes());
            (Column::Late, key, Some(Vec::new()))
        })
        .collect();
    let store = running.sidecar.documents.store();
    store
        .submit(Write {
            puts,
            ..Write::default()
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_that_settles_gives_its_room_back() {
    let plant = Plant::new();
    let Revoked {
        pair,
        commits,
        receipts,
    } = revoked(&plant).await;
    let document = cid(&commits_document(&commits[0]));
    let peer = plant.peer_of(&plant.operator_a, 88, &pair.b).await;
    let results = push(&peer, commits, Vec::new()).await;
    assert_eq!(results[1].verdict, "late", "{}", results[1].reason);
    assert_eq!(late(&pair.b), 1);
    pair.b.shows(&document, json!({"pieces": 1})).await;
    push(&peer, Vec::new(), receipts).await;
    pair.b.shows(&document, json!({"pieces": 11})).await;
    eventually("its room is free", async || late(&pair.b) == 0).await;
    pair.stop().await;
}

fn commits_document(first: &CommitBlocks) -> String {
    let block = crdt::HeaderBlock::decode(first.header.clone()).unwrap();
    block.header().document_id().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_with_its_attestation_needs_no_room_among_the_late() {
    let plant = Plant::new();
    let Revoked {
        pair,
        commits,
        receipts,
    } = revoked(&plant).await;
    fill(&plant, &pair.b).await;
    let document = cid(&commits_document(&commits[0]));
    let peer = plant.peer_of(&plant.operator_a, 88, &pair.b).await;
    let results = push(&peer, commits.clone(), Vec::new()).await;
    assert_eq!(results[1].verdict, "full", "{}", results[1].reason);
    let results = push(&peer, commits, receipts).await;
    assert_eq!(results[1].verdict, "settled", "{}", results[1].reason);
    pair.b.shows(&document, json!({"pieces": 11})).await;
    assert_eq!(late(&pair.b), AUTHOR_LATE_COMMITS_MAX);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_proves_nothing_keeps_no_better_one_out() {
    let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let plant = Plant::new();
    let a = plant.still(homes[0].path(), &plant.operator_a, 101).await;
    let b = plant.still(homes[1].path(), &plant.operator_b, 102).await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let by = json!({"increment": {"pieces": 10}});
    let (commit, bobs) = plant.signed(&a, &plant.bob, &document, by);
    let documents = &a.sidecar.documents;
    documents.receive("bob", vec![bobs.clone()]).await.unwrap();
    // Anchored more than `anchor_lag` blocks after the leaf; the next anchor carries a new one.
    for _ in 0..60 {
        plant.hub.block(&[]);
    }
    a.caught_up(plant.hub.height()).await;
    let steps = anchoring(&a, &a.hub, &plant);
    while steps.step().await.unwrap() != Step::Idle {}
    drop(steps);
    let store = documents.store();
    let anchor = list(store, 0, 1).unwrap().remove(0);
    let index = store
        .commit(document.digest(), commit.digest())
        .unwrap()
        .unwrap()
        .leaf;
    let too_late = Receipt {
        index,
        leaf: Disclosure::Opened(Box::new(store.leaf(index).unwrap().opening().unwrap())),
        path: merkle::inclusion_proof(&store.log(), index, anchor.size).unwrap(),
        anchor: AnchorProof::from_bytes(&anchor.proof).unwrap(),
    };
    let sound = receipts(&a);
    assert_eq!(sound.len(), 1);

    b.caught_up(plant.hub.height()).await;
    let peer = plant.peer_of(&plant.operator_a, 88, &b).await;
    let first = blocks_of(&a, &created.commit);
    push(&peer, vec![first, bobs], vec![too_late.to_bytes()]).await;
    assert!(receipts(&b) == [too_late.to_bytes()]);
    push(&peer, Vec::new(), sound.clone()).await;
    assert!(receipts(&b) == sound);
    // And it does not come back.
    push(&peer, Vec::new(), vec![too_late.to_bytes()]).await;
    assert!(receipts(&b) == sound);
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_under_a_header_yet_to_come_asks_the_hub_for_nothing() {
    use std::sync::atomic::Ordering;
    let plant = Plant::new();
    let Pair { a, b, homes } = plant.pair().await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let by = json!({"increment": {"pieces": 10}});
    let (_, bobs) = plant.signed(&a, &plant.bob, &document, by);
    let first = blocks_of(&a, &created.commit);
    let peer = plant.peer_of(&plant.operator_a, 88, &b).await;
    push(&peer, vec![first, bobs.clone()], Vec::new()).await;
    b.hub.down.store(true, Ordering::SeqCst);
    eventually("B has lost the hub", async || {
        b.sidecar.authority.status().borrow().trouble.is_some()
    })
    .await;
    plant.hub.block(&[]);
    let documents = &a.sidecar.documents;
    documents.receive("bob", vec![bobs]).await.unwrap();
    eventually("A attests Bob's commit", async || !receipts(&a).is_empty()).await;
    let asked = b.hub.headers.load(Ordering::SeqCst);
    push(&peer, Vec::new(), receipts(&a)).await;
    assert_eq!(b.hub.headers.load(Ordering::SeqCst), asked);
    b.hub.down.store(false, Ordering::SeqCst);
    eventually("it is kept in the end", async || {
        // Beside B's own.
        receipts(&a).iter().all(|raw| receipts(&b).contains(raw))
    })
    .await;
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
    drop(homes);
}
