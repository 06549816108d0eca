//! Attestations that arrive with, before and after what they settle.

use std::sync::atomic::Ordering;
use std::time::Duration;

use audit::content::Content;
use audit::leaf::Disclosure;
use audit::receipt::Receipt;
use crdt::Cid;
use hub_light::AnchorProof;
use node::anchoring::{list, Step};
use node::documents::attested::decode_kept;
use node::limits::{
    AUTHOR_LATE_COMMITS_MAX, FETCH_COMMITS_MAX, HEADERS_IN_VAIN_MAX, HEADERS_PER_PASS_MAX,
    HEADS_EXCHANGE_INTERVAL,
};
use node::network::messages::CommitBlocks;
use node::store::{Column, Expected, StoreError, Write};
use serde_json::json;

use crate::anchors::anchoring;
use crate::support::{blocks_of, cid, eventually, push, Pair, Plant, Running};

pub fn receipts(running: &Running) -> Vec<Vec<u8>> {
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

pub fn late(running: &Running) -> u64 {
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
async fn fill(plant: &Plant, running: &Running, number: u64) {
    let author = identity::hash("holdfast/author/1", &[plant.bob.did().as_str().as_bytes()]);
    let puts = (0..number)
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

/// Gives all room for late commits back.
async fn empty(running: &Running) {
    let store = running.sidecar.documents.store();
    let mut puts = Vec::new();
    store
        .scan(Column::Late, &[], &[], |key, _| {
            puts.push((Column::Late, key.to_vec(), None));
            Ok::<bool, StoreError>(true)
        })
        .unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn commits_wait_for_no_header() {
    let plant = Plant::new();
    let Revoked {
        pair,
        commits,
        receipts,
    } = revoked(&plant).await;
    let document = cid(&commits_document(&commits[0]));
    let held = pair.b.hub.headers_held.clone();
    let held = held.write().await;
    let peer = plant.peer_of(&plant.operator_a, 88, &pair.b).await;
    let both = push(&peer, commits, receipts.clone());
    let results = tokio::time::timeout(Duration::from_secs(5), both).await;
    let results = results.expect("it is answered although no header comes");
    assert_eq!(results[1].verdict, "late", "{}", results[1].reason);
    pair.b.shows(&document, json!({"pieces": 1})).await;
    drop(held);
    pair.b.shows(&document, json!({"pieces": 11})).await;
    eventually("its room is free", async || late(&pair.b) == 0).await;
    pair.stop().await;
}

/// A, and so many changes of one record by Bob that A attests, each under a header of its own.
struct Many {
    pair: Pair,
    commits: Vec<CommitBlocks>,
    receipts: Vec<Vec<u8>>,
}

async fn many(plant: &Plant, number: usize) -> Many {
    let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let a = plant.sidecar(homes[0].path(), &plant.operator_a, 101).await;
    // B makes no blocks by anchors of its own.
    let b = plant.still(homes[1].path(), &plant.operator_b, 102).await;
    let pair = Pair { a, b, homes };
    let a = &pair.a;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let mut commits = vec![blocks_of(a, &created.commit)];
    for count in 1..=number {
        let by = json!({"increment": {"pieces": count}});
        let (_, blocks) = plant.signed(a, &plant.bob, &document, by);
        commits.push(blocks.clone());
        let documents = &a.sidecar.documents;
        documents.receive("bob", vec![blocks]).await.unwrap();
        eventually("A attests it", async || receipts(a).len() == count).await;
    }
    pair.b.caught_up(plant.hub.height()).await;
    Many {
        commits,
        receipts: receipts(a),
        pair,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_header_out_of_reach_is_the_last_that_is_asked_for() {
    let plant = Plant::new();
    let Many {
        pair,
        commits,
        receipts: sent,
    } = many(&plant, 4).await;
    let b = &pair.b;
    b.hub.headers_cut.store(true, Ordering::SeqCst);
    let asked = b.hub.headers.load(Ordering::SeqCst);
    let peer = plant.peer_of(&plant.operator_a, 88, b).await;
    push(&peer, commits, sent.clone()).await;
    eventually("it was asked for", async || {
        b.hub.headers.load(Ordering::SeqCst) > asked
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(b.hub.headers.load(Ordering::SeqCst), asked + 1);
    b.hub.headers_cut.store(false, Ordering::SeqCst);
    plant.hub.block(&[]);
    eventually("all are kept", async || {
        let kept = receipts(b);
        sent.iter().all(|receipt| kept.contains(receipt))
    })
    .await;
    pair.stop().await;
}

/// The receipt with another height in the place of its header's.
fn under_another_header(receipt: &[u8], height: u64) -> Vec<u8> {
    let mut receipt = Receipt::from_bytes(receipt).unwrap();
    let mut anchor = receipt.anchor.to_wire();
    let record = anchor.record.as_mut().unwrap();
    (record.state_height, record.header_height) = (height - 1, height);
    receipt.anchor = AnchorProof::from_wire(&anchor).unwrap();
    assert_eq!(receipt.anchor.record().header_height().0, height);
    receipt.to_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_prove_nothing_cost_few_headers() {
    let plant = Plant::new();
    let Many {
        pair,
        commits,
        receipts: sent,
    } = many(&plant, 1).await;
    let b = &pair.b;
    for _ in 0..2 * HEADERS_PER_PASS_MAX {
        plant.hub.block(&[]);
    }
    b.caught_up(plant.hub.height()).await;
    let garbage: Vec<Vec<u8>> = (3..plant.hub.height())
        .map(|height| under_another_header(&sent[0], height))
        .filter(|raw| !sent.contains(raw))
        .collect();
    assert!(garbage.len() > 2 * HEADERS_PER_PASS_MAX);
    let asked = b.hub.headers.load(Ordering::SeqCst);
    let peer = plant.peer_of(&plant.mallory, 89, b).await;
    // What is not signed right is no reason to ask at all.
    let mut forged = commits.clone();
    forged[1].signature[3] ^= 1;
    push(&peer, forged, garbage.clone()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(b.hub.headers.load(Ordering::SeqCst), asked);
    // Nor is more than a few asked for where it is.
    push(&peer, commits, garbage.clone()).await;
    plant.hub.block(&[]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    plant.hub.block(&[]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let most = u32::try_from(HEADERS_PER_PASS_MAX).unwrap() + HEADERS_IN_VAIN_MAX;
    let cost = b.hub.headers.load(Ordering::SeqCst) - asked;
    assert!(cost > 0 && cost < most, "{cost} headers");
    // And nobody else's wait for that.
    let peer = plant.peer_of(&plant.operator_a, 88, b).await;
    push(&peer, Vec::new(), sent.clone()).await;
    eventually("it is kept", async || receipts(b).contains(&sent[0])).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rejected_commit_settles_takes_room_among_the_late() {
    let plant = Plant::new();
    let pair = plant.pair().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let mut commits = vec![blocks_of(a, &created.commit)];
    for count in 1..=2 {
        let by = json!({"increment": {"pieces": 10 * count}});
        let (_, blocks) = plant.signed(a, &plant.bob, &document, by);
        commits.push(blocks.clone());
        let documents = &a.sidecar.documents;
        documents.receive("bob", vec![blocks]).await.unwrap();
        eventually("A attests it", async || receipts(a).len() == count).await;
    }
    plant.hub.revoke("cell:1", "operator", &plant.bob.did());
    b.caught_up(plant.hub.height()).await;
    b.hub.knows_headers.store(true, Ordering::SeqCst);
    let last = *Cid::of(&commits[2].header).digest();
    let about_last = |raw: &Vec<u8>| {
        let receipt = Receipt::from_bytes(raw).unwrap();
        let opening = receipt.leaf.opening().unwrap().content().clone();
        matches!(opening, Content::CommitHeld(held) if *held.commit.digest() == last)
    };
    let of_last: Vec<Vec<u8>> = receipts(a).into_iter().filter(about_last).collect();
    assert_eq!(of_last.len(), 1);
    let mut wrong = commits.clone();
    wrong[2].body = Some(vec![0xa0]);
    let peer = plant.peer_of(&plant.operator_a, 88, b).await;

    // There is a margin for one batch, since an honest one is settled at its end.
    fill(
        &plant,
        b,
        AUTHOR_LATE_COMMITS_MAX + FETCH_COMMITS_MAX as u64,
    )
    .await;
    let results = push(&peer, wrong.clone(), of_last.clone()).await;
    assert_eq!(results[1].verdict, "full", "{}", results[1].reason);
    empty(b).await;
    let results = push(&peer, wrong, of_last.clone()).await;
    assert_eq!(results[2].verdict, "reject", "{}", results[2].reason);
    b.shows(&document, json!({"pieces": 1})).await;
    assert_eq!(late(b), 1, "it is late in the end, and counted");
    // Until what settles it comes whole.
    push(&peer, commits, of_last).await;
    b.shows(&document, json!({"pieces": 31})).await;
    assert_eq!(late(b), 0);
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
    fill(&plant, &pair.b, AUTHOR_LATE_COMMITS_MAX).await;
    let document = cid(&commits_document(&commits[0]));
    let peer = plant.peer_of(&plant.operator_a, 88, &pair.b).await;
    let results = push(&peer, commits.clone(), Vec::new()).await;
    assert_eq!(results[1].verdict, "full", "{}", results[1].reason);
    // Its header is not at hand, and is there when it comes again.
    let results = push(&peer, commits.clone(), receipts.clone()).await;
    assert_eq!(results[1].verdict, "full", "{}", results[1].reason);
    eventually("its header is at hand", async || {
        let results = push(&peer, commits.clone(), receipts.clone()).await;
        results[1].verdict == "settled"
    })
    .await;
    pair.b.shows(&document, json!({"pieces": 11})).await;
    assert_eq!(late(&pair.b), AUTHOR_LATE_COMMITS_MAX);
    pair.stop().await;
}

/// The feed tells of a document once, so what had no room then would be missing for good.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_no_room_is_fetched_again() {
    let plant = Plant::new();
    let Revoked { pair, commits, .. } = revoked(&plant).await;
    fill(&plant, &pair.b, AUTHOR_LATE_COMMITS_MAX).await;
    let document = cid(&commits_document(&commits[0]));
    let held = pair.b.hub.headers_held.clone();
    let held = held.write().await;
    pair.a.meet(&pair.b).await;
    pair.b.shows(&document, json!({"pieces": 1})).await;
    // The round that brought it ends: the feed is past the document now.
    tokio::time::sleep(HEADS_EXCHANGE_INTERVAL / 5).await;
    drop(held);
    empty(&pair.b).await;
    pair.b.shows(&document, json!({"pieces": 11})).await;
    pair.stop().await;
}

/// The receipt of a leaf under the anchor of that number.
fn receipt(running: &Running, index: u64, anchor: usize) -> Vec<u8> {
    let store = running.sidecar.documents.store();
    let anchor = list(store, 0, 100).unwrap().remove(anchor);
    Receipt {
        index,
        leaf: Disclosure::Opened(Box::new(store.leaf(index).unwrap().opening().unwrap())),
        path: merkle::inclusion_proof(&store.log(), index, anchor.size).unwrap(),
        anchor: AnchorProof::from_bytes(&anchor.proof).unwrap(),
    }
    .to_bytes()
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
    let index = store
        .commit(document.digest(), commit.digest())
        .unwrap()
        .unwrap()
        .leaf;
    let too_late = receipt(&a, index, 0);
    let sound = receipts(&a);
    assert_eq!(sound.len(), 1);

    b.caught_up(plant.hub.height()).await;
    b.hub.knows_headers.store(true, Ordering::SeqCst);
    let peer = plant.peer_of(&plant.operator_a, 88, &b).await;
    let first = blocks_of(&a, &created.commit);
    push(&peer, vec![first, bobs], vec![too_late.clone()]).await;
    assert!(receipts(&b) == [too_late.clone()]);
    push(&peer, Vec::new(), sound.clone()).await;
    assert!(receipts(&b) == sound);
    // And it does not come back.
    push(&peer, Vec::new(), vec![too_late.clone()]).await;
    assert!(receipts(&b) == sound);
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_under_a_header_yet_to_come_asks_the_hub_for_nothing() {
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

/// A commit of Bob's and another upon it, which cites a later height; A, whose operator lies, has
/// two leaves about the second. One says a height that the first cites and the second does not.
struct Lied {
    document: Cid,
    commits: Vec<CommitBlocks>,
    early: Vec<u8>,
    honest: Vec<u8>,
}

async fn lied(plant: &Plant, a: &Running) -> Lied {
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let mut commits = vec![blocks_of(a, &created.commit)];
    let mut heights = Vec::new();
    let mut last = None;
    for pieces in [10, 100] {
        let by = json!({"increment": {"pieces": pieces}});
        let (commit, blocks) = plant.signed(a, &plant.bob, &document, by);
        let header = crdt::HeaderBlock::decode(blocks.header.clone()).unwrap();
        heights.push(header.header().authority.height);
        let documents = &a.sidecar.documents;
        documents
            .receive("bob", vec![blocks.clone()])
            .await
            .unwrap();
        commits.push(blocks);
        last = Some(commit);
        // The next one cites the revision that this makes.
        plant.hub.grant("cell:1", "auditor", &plant.mallory.did());
        plant.hub.revoke("cell:1", "auditor", &plant.mallory.did());
        a.caught_up(plant.hub.height()).await;
    }
    assert!(heights[0] < heights[1]);
    let store = a.sidecar.documents.store();
    let honest = store
        .commit(document.digest(), last.unwrap().digest())
        .unwrap()
        .unwrap()
        .leaf;
    let opening = store.leaf(honest).unwrap().opening().unwrap();
    let Content::CommitHeld(mut held) = opening.content().clone() else {
        panic!("it says something else");
    };
    held.height = heights[1] - 1;
    let in_force = |authority: &audit::authority::PolicyAuthority<'_>| {
        use audit::verdict::Authority as _;
        authority.revision_after(held.height).unwrap()
    };
    let authority = &a.sidecar.authority;
    held.revision = authority
        .judge(&plant.policy(), |authority, _| in_force(authority))
        .unwrap();
    let leaves = vec![node::leaves::draft(Content::CommitHeld(held)).unwrap()];
    let written = store
        .submit(Write {
            leaves,
            ..Write::default()
        })
        .await
        .unwrap();
    let steps = anchoring(a, &a.hub, plant);
    while steps.step().await.unwrap() != Step::Idle {}
    Lied {
        document,
        commits,
        early: receipt(a, written.first_leaf, 0),
        honest: receipt(a, honest, 0),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_leaves_of_a_liar_decide_the_same_in_either_order() {
    let plant = Plant::new();
    let homes = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let a = plant.still(homes[0].path(), &plant.operator_a, 101).await;
    let Lied {
        document,
        commits,
        early,
        honest,
    } = lied(&plant, &a).await;
    plant.hub.revoke("cell:1", "operator", &plant.bob.did());
    for (home, order) in [
        (&homes[1], [&early, &honest]),
        (&homes[2], [&honest, &early]),
    ] {
        let b = plant.still(home.path(), &plant.operator_b, 102).await;
        let peer = plant.peer_of(&plant.operator_a, 88, &b).await;
        push(&peer, commits.clone(), Vec::new()).await;
        b.shows(&document, json!({"pieces": 1})).await;
        b.hub.knows_headers.store(true, Ordering::SeqCst);
        push(&peer, Vec::new(), vec![order[0].clone()]).await;
        push(&peer, Vec::new(), vec![order[1].clone()]).await;
        b.shows(&document, json!({"pieces": 111})).await;
        assert!(receipts(&b) == [honest.clone()]);
        b.sidecar.stop().await.unwrap();
    }
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_something_else_overtook_does_not_happen() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.still(home.path(), &plant.operator_a, 101).await;
    let store = a.sidecar.documents.store();
    let key = vec![7; 96];
    let write = |value: u8, expected: Option<u8>| Write {
        puts: vec![(Column::Attestations, key.clone(), Some(vec![value]))],
        expects: Some(Expected {
            column: Column::Attestations,
            key: key.clone(),
            value: expected.map(|value| vec![value]),
        }),
        ..Write::default()
    };
    // Both read that there is nothing, and both are on their way at once.
    let first = store.enqueue(write(1, None)).await.unwrap();
    let second = store.enqueue(write(2, None)).await.unwrap();
    assert!(!first.durable().await.unwrap().known);
    assert!(second.durable().await.unwrap().known);
    assert_eq!(
        store.get(Column::Attestations, &key).unwrap(),
        Some(vec![1])
    );
    let third = store.submit(write(3, Some(1))).await.unwrap();
    assert!(!third.known);
    assert_eq!(
        store.get(Column::Attestations, &key).unwrap(),
        Some(vec![3])
    );
    a.sidecar.stop().await.unwrap();
}
