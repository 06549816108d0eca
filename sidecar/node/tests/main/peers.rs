//! What peers are offered again: what could not be told, what belonged to no followed policy, what
//! came without its body; and what a full document answers.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use audit::content::Content;
use crdt::Cid;
use node::failure::Kind;
use node::limits::DOCUMENT_COMMITS_MAX;
use node::network::messages::CommitBlocks;
use node::store::{Column, Identity, Store, Write};
use prost::Message as _;
use serde_json::json;

use crate::support::{blocks_of, cid, eventually, key, leaves, Pair, Plant, Running};

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_told_is_offered_again_when_it_can() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let peer = plant.peer_of(&plant.operator_b, 88, &a).await;
    let before = peer.changes(None).await.unwrap();
    assert_eq!(before.documents.len(), 1);

    a.hub.down.store(true, Ordering::SeqCst);
    a.create(&plant.alice, json!({"pieces": 2})).await.unwrap();
    plant.clock.advance(Duration::from_secs(700));
    let stale = peer.changes(before.cursor).await.unwrap();
    assert!(stale.documents.is_empty(), "nothing can be told");

    for _ in 0..700 {
        plant.hub.block(&[]);
    }
    a.hub.down.store(false, Ordering::SeqCst);
    a.caught_up(plant.hub.height()).await;
    let after = peer.changes(stale.cursor).await.unwrap();
    assert_eq!(after.documents.len(), 2, "all of it is offered anew");
    a.sidecar.stop().await.unwrap();
}

async fn holds(running: &Running, document: &str) -> bool {
    let document = cid(document);
    let store = running.sidecar.documents.store();
    store.document(document.digest()).unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_of_a_policy_that_is_followed_later_comes_later() {
    let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let plant = Plant::new();
    let second = plant.hub.second();
    for (relation, actor) in [
        ("operator", &plant.alice),
        ("witness", &plant.operator_a),
        ("witness", &plant.operator_b),
    ] {
        plant
            .hub
            .grant_in(&second, "cell:1", relation, &actor.did());
    }
    let a = plant.both(homes[0].path(), &second).await;
    let b = plant.sidecar(homes[1].path(), &plant.operator_b, 102).await;
    a.meet(&b).await;
    let created = a
        .create_in(second, &plant.alice, json!({"pieces": 1}))
        .await
        .unwrap();
    eventually("B refuses it", async || {
        leaves(&b)
            .iter()
            .any(|leaf| matches!(leaf, Content::CommitRefused(_)))
    })
    .await;
    assert!(!holds(&b, &created.document).await);

    let body = json!({"alias": "second", "policy": second.to_string()}).to_string();
    let token = b.token(&plant.operator_b, "POST", "/v1/policies", &body, "follow");
    let (status, answer) = b.http("POST", "/v1/policies", Some(&token), &body).await;
    assert_eq!(status, 200, "{answer}");
    eventually("B keeps it", async || holds(&b, &created.document).await).await;
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_a_peer_could_not_give_is_asked_for_again() {
    let plant = Plant::new();
    let Pair { a, b, homes } = plant.pair().await;
    let created = a.create(&plant.alice, json!({"pieces": 4})).await.unwrap();
    let document = cid(&created.document);
    let whole = blocks_of(&a, &created.commit);
    let bare = CommitBlocks {
        body: None,
        ..whole.clone()
    };
    a.sidecar.stop().await.unwrap();
    b.sidecar
        .documents
        .receive("relay", vec![bare])
        .await
        .unwrap();
    let home = homes[0].path().join("c");
    let c = plant.still(&home, &plant.operator_a, 103).await;
    c.meet(&b).await;
    eventually("C has the header", async || {
        holds(&c, &created.document).await
    })
    .await;
    // C asked for the body by now, and B had none.
    tokio::time::sleep(Duration::from_millis(500)).await;
    b.sidecar
        .documents
        .receive("relay", vec![whole])
        .await
        .unwrap();
    c.shows(&document, json!({"pieces": 4})).await;
    b.sidecar.stop().await.unwrap();
    c.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_document_refuses_in_words_whoever_asks() {
    let plant = Plant::new();
    let Pair { a, b, homes } = plant.pair().await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let first = blocks_of(&a, &created.commit);
    b.sidecar
        .documents
        .receive("peer", vec![first])
        .await
        .unwrap();
    let by = json!({"increment": {"pieces": 1}});
    let (commit, blocks) = plant.signed(&b, &plant.alice, &document, by);
    let store = b.sidecar.documents.store();
    let mut record = store.document(document.digest()).unwrap().unwrap();
    record.commits = DOCUMENT_COMMITS_MAX;
    let put = (
        Column::Documents,
        document.digest().to_vec(),
        Some(record.encode_to_vec()),
    );
    store
        .submit(Write {
            puts: vec![put],
            ..Write::default()
        })
        .await
        .unwrap();

    let documents = &b.sidecar.documents;
    let received = documents
        .receive("peer", vec![blocks.clone()])
        .await
        .unwrap();
    assert_eq!(received[0].verdict(), "full", "{}", received[0].reason);
    let submitted = documents
        .submit(
            blocks.header,
            &blocks.signature,
            &blocks.body.unwrap(),
            &plant.alice.did(),
            None,
        )
        .await;
    assert_eq!(submitted.unwrap_err().kind, Kind::TooLarge);
    assert!(store
        .commit(document.digest(), commit.digest())
        .unwrap()
        .is_none());
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
    drop(homes);
}

/// Starts B again, with one place left in `document`.
async fn with_one_place_left(plant: &Plant, b: Running, home: &Path, document: &Cid) -> Running {
    b.sidecar.stop().await.unwrap();
    let identity = Identity {
        chain_id: plant.hub.chain.to_string(),
        sidecar: key(102).did().to_string(),
    };
    let path = home.join(node::start::files::STORE);
    let store = Store::open(&path, &identity, Arc::default()).unwrap();
    let mut record = store.document(document.digest()).unwrap().unwrap();
    record.commits = DOCUMENT_COMMITS_MAX - 1;
    let put = (
        Column::Documents,
        document.digest().to_vec(),
        Some(record.encode_to_vec()),
    );
    store
        .submit(Write {
            puts: vec![put],
            ..Write::default()
        })
        .await
        .unwrap();
    drop(store);
    plant.still(home, &plant.operator_b, 102).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_commits_get_the_last_place_of_a_document() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let b = plant.still(home.path(), &plant.operator_b, 102).await;
    let created = b.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    // Siblings, each of which was offered while there was room.
    let blocks: Vec<CommitBlocks> = (0..8)
        .map(|pieces| {
            let by = json!({"increment": {"pieces": pieces}});
            plant.signed(&b, &plant.alice, &document, by).1
        })
        .collect();
    let commits_of = |b: &Running| {
        let store = b.sidecar.documents.store();
        store.document(document.digest()).unwrap().unwrap().commits
    };

    let b = with_one_place_left(&plant, b, home.path(), &document).await;
    let received = b.sidecar.documents.receive("peer", blocks[..4].to_vec());
    let verdicts: Vec<_> = received.await.unwrap();
    let verdicts: Vec<_> = verdicts.iter().map(|received| received.verdict()).collect();
    assert_eq!(verdicts, ["provisional", "full", "full", "full"]);
    assert_eq!(commits_of(&b), DOCUMENT_COMMITS_MAX);

    let b = with_one_place_left(&plant, b, home.path(), &document).await;
    let alice = plant.alice.did();
    let submit = |blocks: &CommitBlocks| {
        let blocks = blocks.clone();
        let documents = &b.sidecar.documents;
        let alice = &alice;
        async move {
            let body = blocks.body.unwrap();
            let submitted = documents.submit(blocks.header, &blocks.signature, &body, alice, None);
            submitted.await
        }
    };
    let (first, second) = tokio::join!(submit(&blocks[4]), submit(&blocks[5]));
    first.unwrap();
    assert_eq!(second.unwrap_err().kind, Kind::TooLarge);
    assert_eq!(commits_of(&b), DOCUMENT_COMMITS_MAX);
    b.sidecar.stop().await.unwrap();
}
