//! The auditor's file as it is made: asked for by those who may, about one policy, of documents
//! with more tips than an entry names.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use audit::content::{Content, Outcome};
use audit::heads::{DocumentHeads, HEADS_MAX};
use crdt::{Cid, DocumentId, DocumentRef, Draft, Operation};
use identity::SecretKey;
use node::anchoring::{latest, Step};
use node::network::messages::CommitBlocks;
use serde_json::json;

use crate::anchors::anchoring;
use crate::support::hub::PLANT;
use crate::support::{anchored, cid, key, leaves, push, Plant, Running};

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_audit_costs_nothing_and_leaves_a_leaf() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    anchored(&a).await;
    let (status, answer) = a.trail(&plant.mallory).await.unwrap_err();
    assert_eq!(status, 403, "{answer}");
    let told = answer.to_string();
    assert!(!told.contains(&created.document), "{told} names a document");
    assert_eq!(
        plant.hub.trails.load(Ordering::SeqCst),
        0,
        "nothing was proven"
    );
    let denied = leaves(&a).into_iter().any(|leaf| {
        matches!(leaf, Content::Decision(decision)
            if decision.permission == "audit"
                && decision.outcome == Outcome::Deny
                && decision.object == plant.policy().to_string()
                && decision.document.is_none()
                && decision.actor == plant.mallory.did().as_str())
    });
    assert!(denied, "no leaf says so");
    anchored(&a).await;
    let report = a.trail(&plant.auditor).await.unwrap();
    let last = report.decisions.last().unwrap();
    assert_eq!(
        (last.permission.as_str(), last.replay),
        ("audit", "replayed")
    );

    // Who cannot be told is not denied.
    a.hub.down.store(true, Ordering::SeqCst);
    plant.clock.advance(Duration::from_secs(700));
    let (status, answer) = a.trail(&plant.auditor).await.unwrap_err();
    assert_eq!(status, 503, "{answer}");
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_trail_in_vain_costs_one_look_at_each_document() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let many = 20;
    for pieces in 0..many {
        let values = json!({"pieces": pieces});
        a.create(&plant.alice, values).await.unwrap();
    }
    anchored(&a).await;
    let checks = || a.sidecar.metrics.checks.get();
    let cost = async |actor: &SecretKey| {
        let before = checks();
        let (status, answer) = a.trail(actor).await.unwrap_err();
        assert_eq!(status, 403, "{answer}");
        checks() - before
    };
    // One question more is the one that its leaf is about.
    assert_eq!(cost(&key(200)).await, many + 1);
    // Keys are made for nothing; one that nobody knows is like the other.
    for seed in 201..204 {
        assert_eq!(cost(&key(seed)).await, 1);
    }
    // Whom the policy names is asked about apart, and once; likewise who created a document.
    assert_eq!(cost(&plant.bob).await, many + 1);
    assert_eq!(cost(&plant.bob).await, 1);
    a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    assert_eq!(cost(&plant.bob).await, 2, "of the new one only");
    assert_eq!(cost(&key(201)).await, 2);
    // What he is given he has.
    plant.hub.grant("cell:1", "auditor", &key(201).did());
    a.caught_up(plant.hub.height()).await;
    anchored(&a).await;
    a.trail(&key(201)).await.unwrap();
    assert!(cost(&key(202)).await > many);
    plant.hub.revoke("cell:1", "auditor", &key(201).did());
    a.caught_up(plant.hub.height()).await;
    cost(&key(201)).await;
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn trails_are_made_one_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    anchored(&a).await;
    let held = plant.hub.trails_held.write().await;
    let first = a.trail(&plant.auditor);
    let second = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let second = tokio::time::timeout(Duration::from_secs(3), a.trail(&plant.auditor)).await;
        drop(held);
        second.expect("it is told at once").unwrap_err()
    };
    let (first, (status, _)) = tokio::join!(first, second);
    assert_eq!(status, 429);
    first.unwrap();
    a.trail(&plant.auditor).await.unwrap();
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_under_another_policy_stands_in_the_trail_as_a_link() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let second = plant.hub.second();
    for (relation, actor) in [("operator", &plant.alice), ("auditor", &plant.auditor)] {
        plant
            .hub
            .grant_in(&second, "cell:1", relation, &actor.did());
    }
    let a = plant.both(home.path(), &second).await;
    let ours = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let theirs = a
        .create_in(second, &plant.alice, json!({"pieces": 1}))
        .await
        .unwrap();
    // Somebody without a role changes both; and one of the two is not even signed right.
    let mut refused = Vec::new();
    for created in [&ours, &theirs] {
        let (document, parent) = (cid(&created.document), cid(&created.commit));
        let blocks = change(&a, &plant.mallory, &document, &[(parent, 1)], 1).1;
        let mut forged = change(&a, &plant.mallory, &document, &[(parent, 1)], 2).1;
        forged.signature[3] ^= 1;
        refused.extend([blocks, forged]);
    }
    // And a record of a policy that nobody follows.
    let own = crdt::CollectionPreimage::new(plant.hub.chain.clone(), [5; 32], "batch", "batches");
    refused.push(create(&a, &plant.mallory, *own.unwrap().id().cid()));
    let peer = plant.peer_of(&plant.mallory, 88, &a).await;
    for result in push(&peer, refused, Vec::new()).await {
        assert_eq!(result.verdict, "reject", "{}", result.reason);
    }
    let written = leaves(&a)
        .iter()
        .filter(|leaf| matches!(leaf, Content::CommitRefused(_)))
        .count();
    assert_eq!(written, 5);
    anchored(&a).await;
    for auditor in [&plant.auditor, &plant.operator_a] {
        let report = a.trail(auditor).await.unwrap();
        let mut reasons: Vec<&str> = report
            .refusals
            .iter()
            .map(|refusal| refusal.reason.as_str())
            .collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["collection", "not-permitted", "signature"]);
        let documents: BTreeSet<&str> = report
            .refusals
            .iter()
            .map(|refusal| refusal.document.as_str())
            .collect();
        assert!(!documents.contains(theirs.document.as_str()));
        assert_eq!(report.documents.len(), 1);
    }
    a.sidecar.stop().await.unwrap();
}

fn reading(running: &Running, document: &Cid) -> crdt::Authority {
    let (_, policy) = running
        .sidecar
        .documents
        .claim(document.digest())
        .unwrap()
        .unwrap();
    cited(running, &policy)
}

fn cited(running: &Running, policy: &hub_types::PolicyId) -> crdt::Authority {
    let authority = &running.sidecar.authority;
    authority
        .judge(policy, |_, reading| crdt::Authority {
            revision: reading.revision,
            height: reading.height,
        })
        .unwrap()
}

fn change(
    running: &Running,
    author: &SecretKey,
    document: &Cid,
    parents: &[(Cid, u64)],
    by: i64,
) -> (Cid, CommitBlocks) {
    let draft = Draft {
        chain: running.hub.chain.clone(),
        document: DocumentRef::Known(DocumentId(*document)),
        schema_version: 1,
        parents: parents.to_vec(),
        author: author.did(),
        claimed_time_ms: 1,
        authority: reading(running, document),
        salt: [9; 16],
        operations: vec![Operation::Increment {
            field: "pieces".into(),
            by,
        }],
    };
    crate::hostile::sign(draft, author)
}

fn create(running: &Running, author: &SecretKey, collection: Cid) -> CommitBlocks {
    let draft = Draft {
        chain: running.hub.chain.clone(),
        document: DocumentRef::First(crate::hostile::preimage(collection, author, 1)),
        schema_version: 1,
        parents: Vec::new(),
        author: author.did(),
        claimed_time_ms: 1,
        authority: cited(running, &running.policy),
        salt: [9; 16],
        operations: vec![Operation::Increment {
            field: "pieces".into(),
            by: 1,
        }],
    };
    crate::hostile::sign(draft, author).1
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tips_than_an_entry_names_break_no_trail() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.still(home.path(), &plant.operator_a, 101).await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let parent = (cid(&created.commit), 1);
    let most = i64::try_from(HEADS_MAX).unwrap();
    let flood: Vec<CommitBlocks> = (1..=most + 6)
        .map(|by| change(&a, &plant.alice, &document, &[parent], by).1)
        .collect();
    for some in flood.chunks(256) {
        let documents = &a.sidecar.documents;
        documents.receive("peer", some.to_vec()).await.unwrap();
    }
    let store = a.sidecar.documents.store();
    let steps = anchoring(&a, &a.hub, &plant);
    let anchored = async || {
        while steps.step().await.unwrap() != Step::Idle {}
        let version = latest(store).unwrap().unwrap().heads_version;
        let value = store
            .heads_tree()
            .value(version, &DocumentHeads::key(&document))
            .unwrap();
        let record = store.document(document.digest()).unwrap().unwrap();
        let tips: Vec<Cid> = record
            .tips
            .iter()
            .map(|tip| Cid::from_digest(tip.as_slice().try_into().unwrap()))
            .collect();
        (DocumentHeads::decode(&value.unwrap()).unwrap().heads, tips)
    };
    let (heads, tips) = anchored().await;
    assert_eq!(tips.len(), HEADS_MAX + 6);
    assert_eq!(heads, tips[..HEADS_MAX]);
    let report = a.trail(&plant.auditor).await.unwrap();
    assert_eq!(report.documents[0].commits.len(), HEADS_MAX + 7);

    // A merge makes room: the tips that were cut are named again.
    let parents: Vec<(Cid, u64)> = heads.iter().take(64).map(|head| (*head, 2)).collect();
    let (_, merge) = change(&a, &plant.alice, &document, &parents, 7);
    let documents = &a.sidecar.documents;
    documents.receive("peer", vec![merge]).await.unwrap();
    let (heads, tips) = anchored().await;
    assert_eq!(tips.len(), HEADS_MAX + 6 - 63);
    assert_eq!(heads, tips);
    a.trail(&plant.auditor).await.unwrap();
    drop(steps);
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_his_log_under_a_policy_without_the_permission_to_audit() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let audit = "  - name: audit\n    expr: parent->inspect\n";
    assert!(PLANT.contains(audit));
    let second = plant.hub.second_as(&PLANT.replace(audit, ""));
    plant
        .hub
        .grant_in(&second, "cell:1", "operator", &plant.alice.did());
    let hub = std::sync::Arc::new(plant.hub.seen_by(&plant.operator_a.did()));
    let mut config = plant.config(home.path(), &plant.operator_a);
    config.policies.insert("second".into(), *second.as_bytes());
    config.anchoring.policy = Some("second".into());
    let a = plant.start(config, hub, &plant.operator_a, 101).await;
    let values = json!({"pieces": 1});
    a.create_in(second, &plant.alice, values).await.unwrap();
    anchored(&a).await;
    let report = a.trail(&plant.operator_a).await.unwrap();
    assert_eq!(report.documents.len(), 1);
    let (status, answer) = a.trail(&plant.mallory).await.unwrap_err();
    assert_eq!(status, 400, "{answer}");
    a.sidecar.stop().await.unwrap();
}
