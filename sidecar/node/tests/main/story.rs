//! The story of the plant, between two sidecars in one process.

use std::time::Duration;

use audit::content::{Content, Outcome};
use node::failure::Kind;
use node::network::messages::CommitBlocks;
use serde_json::json;
use std::sync::atomic::Ordering;

use crate::support::{blocks_of, cid, eventually, leaves, Pair, Plant};

#[tokio::test(flavor = "multi_thread")]
async fn what_alice_writes_at_one_sidecar_appears_at_the_other_and_merges() {
    let plant = Plant::new();
    let pair = plant.met().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a
        .create(
            &plant.alice,
            json!({"product": "valve", "pieces": 10, "defects": ["scratch"]}),
        )
        .await
        .unwrap();
    let document = cid(&created.document);
    b.shows(
        &document,
        json!({"product": "valve", "pieces": 10, "defects": ["scratch"]}),
    )
    .await;
    b.update(
        &plant.bob,
        &document,
        json!({"increment": {"pieces": 5}, "add": {"defects": "dent"}}),
    )
    .await
    .unwrap();
    a.shows(
        &document,
        json!({"product": "valve", "pieces": 15, "defects": ["dent", "scratch"]}),
    )
    .await;
    a.update(
        &plant.alice,
        &document,
        json!({"remove": {"defects": "scratch"}}),
    )
    .await
    .unwrap();
    b.shows(
        &document,
        json!({"product": "valve", "pieces": 15, "defects": ["dent"]}),
    )
    .await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_sidecars_go_on_and_converge_by_themselves() {
    let plant = Plant::new();
    let Pair { a, b, homes } = plant.met().await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    b.shows(&document, json!({"pieces": 1})).await;

    // Both links are cut: B is stopped and comes back without knowing A, and no hub is there.
    b.sidecar.stop().await.unwrap();
    let b = plant.sidecar(homes[1].path(), &plant.operator_b, 102).await;
    a.hub.down.store(true, Ordering::SeqCst);
    b.hub.down.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        a.update(&plant.alice, &document, json!({"increment": {"pieces": 1}}))
            .await
            .unwrap();
        b.update(&plant.bob, &document, json!({"increment": {"pieces": 100}}))
            .await
            .unwrap();
    }
    eventually("the answer says that the hub is away", async || {
        a.get(&plant.alice.did(), &document)
            .await
            .unwrap()
            .hub
            .offline
    })
    .await;
    a.shows(&document, json!({"pieces": 21})).await;
    b.shows(&document, json!({"pieces": 2001})).await;

    a.meet(&b).await;
    a.shows(&document, json!({"pieces": 2021})).await;
    b.shows(&document, json!({"pieces": 2021})).await;
    let heads = |view: node::documents::View| view.heads;
    let at_a = heads(a.get(&plant.alice.did(), &document).await.unwrap());
    let at_b = heads(b.get(&plant.alice.did(), &document).await.unwrap());
    assert_eq!(at_a, at_b);
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_replica_could_not_tell_whatever_the_wall_clock_says() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    a.hub.down.store(true, Ordering::SeqCst);
    plant.clock.advance(Duration::from_secs(500));
    assert!(
        a.get(&plant.alice.did(), &document).await.is_ok(),
        "within max_staleness"
    );
    plant.clock.advance(Duration::from_secs(200));
    plant.clock.set_wall(1);
    let failure = a.get(&plant.alice.did(), &document).await.unwrap_err();
    assert_eq!(failure.kind, Kind::CouldNotTell);
    let failure = a
        .update(&plant.alice, &document, json!({"increment": {"pieces": 1}}))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, Kind::CouldNotTell);
    let failure = a.get(&plant.mallory.did(), &document).await.unwrap_err();
    assert_eq!(failure.kind, Kind::CouldNotTell, "neither a yes nor a no");
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_writer_keeps_what_was_attested_and_writes_nothing_more() {
    let plant = Plant::new();
    let pair = plant.met().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    b.shows(&document, json!({"pieces": 1})).await;
    b.update(&plant.bob, &document, json!({"increment": {"pieces": 10}}))
        .await
        .unwrap();
    a.shows(&document, json!({"pieces": 11})).await;

    // A attests Bob's commit: its anchor is final, and B has the receipt.
    let settled = async |running: &crate::support::Running| {
        let permit = running
            .sidecar
            .documents
            .permit(
                &document,
                &plant.alice.did(),
                node::guard::Sight::Bodies,
                &Default::default(),
                "test",
            )
            .await
            .unwrap();
        let history = running.sidecar.documents.history(&permit).unwrap();
        let bobs = history
            .commits
            .iter()
            .find(|commit| commit.author == plant.bob.did().as_str());
        bobs.is_some_and(|commit| commit.verdict["name"] == "settled")
    };
    eventually("Bob's commit is settled at both", async || {
        settled(a).await && settled(b).await
    })
    .await;

    // Bob hoards a commit: prepared and signed now, shown later.
    let hoarded = b
        .sidecar
        .documents
        .prepare(
            &plant.bob.did(),
            node::documents::Intent::Update {
                document,
                changes: serde_json::from_value(json!({"increment": {"pieces": 1000}})).unwrap(),
            },
        )
        .unwrap();
    let (commit, body) = hoarded.blocks.sign(&plant.bob).unwrap();

    plant.hub.revoke("cell:1", "operator", &plant.bob.did());
    let height = plant.hub.height();
    a.caught_up(height).await;
    b.caught_up(height).await;
    for running in [a, b] {
        let failure = running
            .update(&plant.bob, &document, json!({"increment": {"pieces": 7}}))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, Kind::Denied);
        assert!(failure.hub.is_some(), "a denial carries its reading");
        running.shows(&document, json!({"pieces": 11})).await;
    }

    let client = node::network::client::Client::connect(
        crate::support::key(77),
        plant.hub.chain.clone(),
        a.address().await,
    )
    .await
    .unwrap();
    let blocks = CommitBlocks {
        header: commit.header_bytes().to_vec(),
        signature: commit.signature().as_bytes().to_vec(),
        body: Some(body.bytes().to_vec()),
    };
    let results = client.push(vec![blocks]).await.unwrap();
    assert_eq!(results[0].verdict, "late", "{}", results[0].reason);
    // It does not count, but it is held, and an auditor sees since when.
    let held = leaves(a)
        .into_iter()
        .any(|leaf| matches!(leaf, Content::CommitHeld(held) if held.commit == *commit.cid()));
    assert!(held, "no leaf says that it is held");
    a.shows(&document, json!({"pieces": 11})).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    b.shows(&document, json!({"pieces": 11})).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_write_is_rolled_back_twice_at_once_and_the_counter_is_right() {
    let plant = Plant::new();
    let Pair { a, b, homes } = plant.pair().await;
    let created = a
        .create(&plant.alice, json!({"pieces": 5, "product": "valve"}))
        .await
        .unwrap();
    let document = cid(&created.document);
    eventually("an anchor is final", async || {
        let last = node::anchoring::latest(a.sidecar.documents.store()).unwrap();
        last.is_some_and(|anchor| anchor.index == 0 && !anchor.proof.is_empty())
    })
    .await;
    a.update(
        &plant.alice,
        &document,
        json!({"increment": {"pieces": 1000}, "set": {"product": "x"}}),
    )
    .await
    .unwrap();
    a.meet(&b).await;
    b.shows(&document, json!({"pieces": 1005, "product": "x"}))
        .await;
    let permit = a
        .sidecar
        .documents
        .permit(
            &document,
            &plant.alice.did(),
            node::guard::Sight::Bodies,
            &Default::default(),
            "test",
        )
        .await
        .unwrap();
    let target = a.sidecar.documents.heads_at_anchor(&permit, 0).unwrap();
    b.sidecar.stop().await.unwrap();
    let b = plant.sidecar(homes[1].path(), &plant.operator_b, 102).await;
    a.rollback(&plant.alice, &document, target.clone())
        .await
        .unwrap();
    b.rollback(&plant.bob, &document, target).await.unwrap();
    b.update(&plant.bob, &document, json!({"increment": {"pieces": 2}}))
        .await
        .unwrap();
    a.meet(&b).await;
    a.shows(&document, json!({"pieces": 7, "product": "valve"}))
        .await;
    b.shows(&document, json!({"pieces": 7, "product": "valve"}))
        .await;
    let rollbacks = leaves(&a)
        .iter()
        .filter(|leaf| matches!(leaf, Content::Rollback(_)))
        .count();
    assert_eq!(rollbacks, 2, "each rollback has its leaf");
    a.sidecar.stop().await.unwrap();
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_and_the_refusal_is_logged_up_to_a_quota() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let a = plant.sidecar(home.path(), &plant.operator_a, 101).await;
    let most = node::limits::ACTOR_DENIAL_LEAVES_MAX as usize;
    for _ in 0..most + 9 {
        let failure = a
            .create(&plant.mallory, json!({"pieces": 1}))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, Kind::Denied, "{failure}");
    }
    let denials = |leaves: &[Content]| {
        leaves
            .iter()
            .filter(|leaf| matches!(leaf, Content::Decision(d) if d.outcome == Outcome::Deny && d.preimage.is_some() && d.document.is_none()))
            .count()
    };
    assert_eq!(denials(&leaves(&a)), most);
    a.sidecar.documents.end_denial_window(true).await.unwrap();
    let overflow = leaves(&a).into_iter().find_map(|leaf| match leaf {
        Content::DenialsOverflow(overflow) => Some(overflow.count),
        _ => None,
    });
    assert_eq!(overflow, Some(9));
    a.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_left_out_is_asked_for_when_a_peer_may_give_it() {
    let plant = Plant::new();
    let pair = plant.pair().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let mut commits = vec![created.commit];
    for _ in 0..3 {
        let by = json!({"increment": {"pieces": 1}});
        let updated = a.update(&plant.alice, &document, by).await.unwrap();
        commits.push(updated.commit);
    }
    // A peer that may not give bodies gave the headers, and of one it has both.
    let blocks: Vec<CommitBlocks> = commits
        .iter()
        .enumerate()
        .map(|(place, commit)| CommitBlocks {
            body: blocks_of(a, commit).body.filter(|_| place == 3),
            ..blocks_of(a, commit)
        })
        .collect();
    b.sidecar.documents.receive("relay", blocks).await.unwrap();
    let view = b.get(&plant.alice.did(), &document).await;
    assert_ne!(view.unwrap().fields.get("pieces"), Some(&json!(4)));
    b.meet(a).await;
    b.shows(&document, json!({"pieces": 4})).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_without_its_body_takes_nothing_from_one_that_waits_with_it() {
    let plant = Plant::new();
    let pair = plant.pair().await;
    let (a, b) = (&pair.a, &pair.b);
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let by = json!({"increment": {"pieces": 1}});
    let updated = a.update(&plant.alice, &document, by).await.unwrap();
    let (first, second) = (blocks_of(a, &created.commit), blocks_of(a, &updated.commit));
    let bare = CommitBlocks {
        body: None,
        ..second.clone()
    };
    let documents = &b.sidecar.documents;
    for (blocks, verdict) in [(second, "defer"), (bare, "defer"), (first, "provisional")] {
        let received = documents.receive("peer", vec![blocks]).await.unwrap();
        assert_eq!(received[0].verdict(), verdict);
    }
    b.shows(&document, json!({"pieces": 2})).await;
    pair.stop().await;
}
