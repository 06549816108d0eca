//! What was acknowledged is there after the sidecar was killed, and a store that is not right is
//! refused in one sentence.

use std::sync::Arc;

use node::metrics::Metrics;
use node::start::files;
use node::store::{Column, Identity, Store, StoreError, Write};
use serde_json::json;

use crate::support::{blocks_of, cid, eventually, Plant};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_it_is_killed_under_load() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let mut acknowledged = Vec::new();
    let mut roots = Vec::new();
    for round in 0..3 {
        let a = Arc::new(plant.sidecar(home.path(), &plant.operator_a, 101).await);
        for document in &acknowledged {
            assert!(
                a.get(&plant.alice.did(), document).await.is_ok(),
                "round {round} lost {document}"
            );
        }
        for (size, root) in &roots {
            let found = merkle::root_at(&a.sidecar.documents.store().log(), *size).unwrap();
            assert_eq!(found, *root, "the log only grows");
        }
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let a = a.clone();
                let alice = crate::support::key(10);
                tokio::spawn(async move {
                    let mut written = Vec::new();
                    for number in 0..25 {
                        let created = a.create(&alice, json!({"pieces": number})).await.unwrap();
                        written.push(cid(&created.document));
                    }
                    written
                })
            })
            .collect();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let range = a.sidecar.documents.store().log().tail.range;
        roots.push((range.size(), range.root()));
        Arc::into_inner(a).unwrap().sidecar.kill();
        let path = home.path().join(files::STORE);
        let identity = || Identity {
            chain_id: plant.hub.chain.to_string(),
            sidecar: crate::support::key(101).did().to_string(),
        };
        eventually("the killed one lets go of its store", async || {
            Store::open(&path, &identity(), Arc::new(Metrics::default())).is_ok()
        })
        .await;
    }
    assert_eq!(acknowledged.len(), 600);
}

#[test]
fn a_store_that_is_not_right_is_refused_in_one_sentence() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("store");
    let identity = |chain: &str, sidecar: &str| Identity {
        chain_id: chain.into(),
        sidecar: sidecar.into(),
    };
    let open = |chain: &str, sidecar: &str| {
        Store::open(
            &path,
            &identity(chain, sidecar),
            Arc::new(Metrics::default()),
        )
        .map(|_| ())
    };
    {
        let _held = Store::open(
            &path,
            &identity("plant-1", "a"),
            Arc::new(Metrics::default()),
        )
        .unwrap();
        assert!(matches!(open("plant-1", "a"), Err(StoreError::Locked(_))));
    }
    assert!(matches!(
        open("plant-2", "a"),
        Err(StoreError::ForeignChain { .. })
    ));
    assert!(matches!(
        open("plant-1", "b"),
        Err(StoreError::ForeignSidecar { .. })
    ));
    assert!(open("plant-1", "a").is_ok());
    for entry in std::fs::read_dir(&path).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("MANIFEST") {
            std::fs::write(entry.path(), b"no manifest at all").unwrap();
        }
    }
    let error = open("plant-1", "a").unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(
        sentence.contains("damaged") && sentence.contains("backup"),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1);
}

/// Writes that keep the writer busy for a while.
fn heavy(number: usize) -> Write {
    let key = format!("ballast-{number}").into_bytes();
    Write {
        puts: vec![(Column::Meta, key, Some(vec![1; 1 << 20]))],
        ..Write::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_cut_off_before_it_is_handed_over_is_taken_again() {
    let plant = Plant::new();
    let pair = plant.pair().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let blocks = blocks_of(a, &created.commit);
    let documents = b.sidecar.documents.clone();
    let store = documents.store().clone();
    tokio::task::unconstrained(async {
        // The writer is busy, its queue full, and others stand in line.
        let mut line = Vec::new();
        for number in 0..32 {
            line.push(Box::pin(store.enqueue(heavy(number))));
        }
        for _ in 0..6000 {
            line.push(Box::pin(store.enqueue(Write::default())));
        }
        let mut handed = Vec::new();
        for place in &mut line {
            if let std::task::Poll::Ready(write) = futures::poll!(place) {
                handed.push(write.unwrap());
            }
        }
        assert!(handed.len() < line.len(), "nobody had to wait");
        let mut batch = Box::pin(documents.receive("peer", vec![blocks.clone()]));
        assert!(futures::poll!(&mut batch).is_pending());
        drop(batch);
    })
    .await;
    let received = documents.receive("peer", vec![blocks]).await.unwrap();
    assert_eq!(received[0].verdict(), "provisional");
    b.shows(&document, json!({"pieces": 1})).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_another_batch_holds_is_known_only_when_it_is_durable() {
    let plant = Plant::new();
    let pair = plant.pair().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let (document, commit) = (cid(&created.document), cid(&created.commit));
    let blocks = blocks_of(a, &created.commit);
    let documents = b.sidecar.documents.clone();
    let store = documents.store().clone();
    for number in 0..64 {
        drop(store.enqueue(heavy(number)).await.unwrap());
    }
    let mut first = Box::pin(documents.receive("one", vec![blocks.clone()]));
    assert!(futures::poll!(&mut first).is_pending());
    let second = documents.receive("two", vec![blocks]).await.unwrap();
    assert_eq!(second[0].verdict(), "known");
    let kept = store.commit(document.digest(), commit.digest()).unwrap();
    assert!(kept.is_some(), "known, but not on disk");
    assert_eq!(first.await.unwrap()[0].verdict(), "provisional");
    pair.stop().await;
}
