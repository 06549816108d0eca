//! Anchoring survives a crash after each of its steps: none is doubled, none is lost.

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use node::anchoring::{list, AnchorState, Anchoring, Parts, Step};
use node::attestations::Attestations;
use node::authority::hub::Hub;
use serde_json::json;

use crate::support::{FakeHub, Plant, Running};

/// The anchoring of a running sidecar, stepped by hand.
pub fn anchoring(running: &Running, hub: &Arc<FakeHub>, plant: &Plant) -> Anchoring {
    let documents = running.sidecar.documents.clone();
    let hub: Arc<dyn Hub> = hub.clone();
    let metrics = running.sidecar.metrics.clone();
    Anchoring::new(Parts {
        store: documents.store().clone(),
        hub: hub.clone(),
        attestations: Arc::new(Attestations::new(documents.clone(), hub, metrics.clone())),
        documents,
        metrics,
        policy: plant.policy(),
        operator: plant.operator_a.did(),
        interval: Duration::from_millis(1),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_each_step_doubles_and_loses_no_anchor() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let mut sizes = Vec::new();
    for crash_after in [
        Step::LogOpened,
        Step::Intended,
        Step::Submitted,
        Step::Confirmed,
        Step::Attested,
    ] {
        let a = plant.still(home.path(), &plant.operator_a, 101).await;
        a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
        let steps = anchoring(&a, &a.hub, &plant);
        for _ in 0..20 {
            let step = steps.step().await.unwrap();
            if step == crash_after || step == Step::Idle {
                break;
            }
        }
        drop(steps);
        a.sidecar.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;

        let a = reopened(&plant, home.path()).await;
        let steps = anchoring(&a, &a.hub, &plant);
        let mut idle = 0;
        while idle < 2 {
            idle = if steps.step().await.unwrap() == Step::Idle {
                idle + 1
            } else {
                0
            };
        }
        let anchors = list(a.sidecar.documents.store(), 0, 100).unwrap();
        assert!(anchors
            .iter()
            .all(|anchor| anchor.state() == AnchorState::Final));
        let on_hub = plant.hub.anchors.load(Ordering::SeqCst) as usize;
        assert_eq!(anchors.len(), on_hub, "crashed after {crash_after:?}");
        sizes = anchors.iter().map(|anchor| anchor.size).collect();
        let indexes: Vec<u64> = anchors.iter().map(|anchor| anchor.index).collect();
        assert_eq!(indexes, (0..on_hub as u64).collect::<Vec<_>>());
        drop(steps);
        a.sidecar.stop().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(sizes.is_sorted_by(|left, right| left < right), "{sizes:?}");
}

async fn reopened(plant: &Plant, home: &std::path::Path) -> Running {
    // The killed one lets go of the lock when its last task is gone.
    for _ in 0..100 {
        let path = home.join(node::start::files::STORE);
        let identity = node::store::Identity {
            chain_id: plant.hub.chain.to_string(),
            sidecar: crate::support::key(101).did().to_string(),
        };
        if node::store::Store::open(&path, &identity, Arc::default()).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    plant.still(home, &plant.operator_a, 101).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_whose_answer_was_lost_is_found_on_the_hub() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.still(home.path(), &plant.operator_a, 101).await;
    a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    a.hub.deaf.store(1, Ordering::SeqCst);
    let steps = anchoring(&a, &a.hub, &plant);
    let mut failed = 0;
    for _ in 0..20 {
        match steps.step().await {
            Ok(Step::Idle) => break,
            Ok(_) => {}
            Err(_) => failed += 1,
        }
    }
    assert_eq!(failed, 1, "the answer was lost once");
    assert_eq!(plant.hub.anchors.load(Ordering::SeqCst), 1);
    let anchors = list(a.sidecar.documents.store(), 0, 10).unwrap();
    assert_eq!(anchors.len(), 1);
    assert_eq!(anchors[0].state(), AnchorState::Final);
    drop(steps);
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_the_hub_knows_otherwise_is_anchored_no_more() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plant = Plant::new();
    let a = plant.still(home.path(), &plant.operator_a, 101).await;
    for _ in 0..3 {
        a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    }
    let steps = anchoring(&a, &a.hub, &plant);
    while steps.step().await.unwrap() != Step::Idle {}
    drop(steps);
    // The same operator with an empty store would write a fork.
    let b = plant.still(other.path(), &plant.operator_a, 101).await;
    b.create(&plant.alice, json!({"pieces": 2})).await.unwrap();
    let steps = anchoring(&b, &b.hub, &plant);
    assert_eq!(steps.step().await.unwrap(), Step::Stuck);
    assert_eq!(plant.hub.anchors.load(Ordering::SeqCst), 1);
    drop(steps);
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_begins_with_a_denial_is_anchored_on() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.still(home.path(), &plant.operator_a, 101).await;
    let steps = anchoring(&a, &a.hub, &plant);
    let denied = a.create(&plant.mallory, json!({"pieces": 1})).await;
    assert!(denied.is_err());
    while steps.step().await.unwrap() != Step::Idle {}
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    while steps.step().await.unwrap() != Step::Idle {}
    assert_eq!(plant.hub.anchors.load(Ordering::SeqCst), 2);
    let path = format!("/v1/documents/{}?at_anchor=0", created.document);
    let token = a.token(&plant.alice, "GET", &path, "", "");
    let (status, answer) = a.http("GET", &path, Some(&token), "").await;
    assert_eq!(status, 404, "{answer}");
    a.trail(&plant.auditor).await.unwrap();
    drop(steps);
    a.sidecar.stop().await.unwrap();
}
