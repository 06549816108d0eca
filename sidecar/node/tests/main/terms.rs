//! Writers whose permission ends or begins by time: by the time of a block, on every sidecar alike, in
//! whatever order commits and blocks arrive.

use crdt::Cid;
use hub_types::policy::ChangeKind;
use hub_types::Timestamp;
use identity::SecretKey;
use node::failure::Kind;
use node::network::messages::CommitBlocks;
use serde_json::json;

use crate::support::hub::{time, PLANT};
use crate::support::{cid, eventually, Plant, Running};
use crate::witnesses::{late, receipts};

/// The plant, whose operators may be so until a time, or from one on.
fn definition() -> String {
    let operator = "  - name: operator\n    types:\n    - actor\n";
    assert!(PLANT.contains(operator));
    let with_terms = "  - name: operator
    types: [actor, actor with expiration, actor with opened]
";
    let opened = "conditions:
- name: opened
  parameters: {now: clock, opens: timestamp}
  expr: now >= opens
resources:";
    PLANT
        .replace(operator, with_terms)
        .replacen("resources:", opened, 1)
}

fn operator(plant: &Plant, who: &SecretKey, terms: &str) {
    let text = format!("cell:1#operator@{} with {terms}", who.did());
    let set = ChangeKind::RelationshipSet(text.parse().unwrap());
    plant.hub.block(&[set]);
    plant.hub.block(&[]);
}

/// Makes blocks until one has that time.
async fn pass(plant: &Plant, until: Timestamp, running: &[&Running]) {
    while time(plant.hub.height()) <= until {
        plant.hub.block(&[]);
    }
    plant.hub.block(&[]);
    for one in running {
        one.caught_up(plant.hub.height()).await;
    }
}

/// Whether a receipt is about a commit: its opened leaf names it.
fn attests(receipt: &[u8], commit: &Cid) -> bool {
    let digest = commit.digest();
    receipt.windows(digest.len()).any(|bytes| bytes == digest)
}

/// Hands a commit over. It may have to wait until the block that ended the permission is proven; then
/// it is kept as late.
async fn is_late(plant: &Plant, at: &Running, commit: &CommitBlocks) {
    let documents = &at.sidecar.documents;
    let received = documents.receive("peer", vec![commit.clone()]).await;
    let told = received.unwrap()[0].verdict();
    assert!(["late", "defer"].contains(&told), "{told}");
    eventually("who hears of it now finds it late", async || {
        // What waits is looked at again with every block.
        plant.hub.block(&[]);
        late(at) == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_until_a_time_cannot_hoard_commits_beyond_it() {
    let plant = Plant::under(&definition());
    let pair = plant.met().await;
    let (a, b) = (&pair.a, &pair.b);
    // Anchors make blocks, too, so it is far enough away.
    let expiry = time(plant.hub.height() + 400);
    operator(&plant, &plant.mallory, &format!("expiration {expiry}"));
    for one in [a, b] {
        one.caught_up(plant.hub.height()).await;
    }
    // Of Alice's document: who creates one owns it, and may write it for ever.
    let created = a.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let by = json!({"increment": {"pieces": 10}});
    let in_time = a.update(&plant.mallory, &document, by.clone()).await;
    let in_time = in_time.unwrap();
    assert_eq!(in_time.verdict, "provisional");
    b.shows(&document, json!({"pieces": 11})).await;
    let commit = cid(&in_time.commit);
    eventually("B's attestation is at A", async || {
        receipts(a).iter().any(|receipt| attests(receipt, &commit))
    })
    .await;
    let (_, hoarded) = plant.signed(a, &plant.mallory, &document, by.clone());

    // A third sidecar hears of nothing until it is over.
    let home = tempfile::tempdir().unwrap();
    let c = plant.still(home.path(), &plant.operator_b, 103).await;
    pass(&plant, expiry, &[a, b, &c]).await;
    let refused = a.update(&plant.mallory, &document, by).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Denied, "{refused:?}");
    for one in [a, b] {
        is_late(&plant, one, &hoarded).await;
    }
    // The one is attested by B, who held it in time; nobody vouches for the other.
    let pieces = async |at: &Running| {
        let view = at.get(&plant.alice.did(), &document).await.ok()?;
        view.fields.get("pieces").cloned()
    };
    assert_eq!(pieces(a).await, Some(json!(11)));
    c.meet(b).await;
    eventually("C takes what B attests, and that alone", async || {
        pieces(&c).await == Some(json!(11))
    })
    .await;
    is_late(&plant, &c, &hoarded).await;
    assert_eq!(pieces(&c).await, Some(json!(11)));
    c.sidecar.stop().await.unwrap();
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_from_a_time_on_is_refused_before_and_believed_after() {
    let plant = Plant::under(&definition());
    let pair = plant.met().await;
    let (a, b) = (&pair.a, &pair.b);
    let opens = time(plant.hub.height() + 100);
    operator(
        &plant,
        &plant.mallory,
        &format!("opened {{\"opens\":\"{opens}\"}}"),
    );
    for one in [a, b] {
        one.caught_up(plant.hub.height()).await;
    }
    let early = a
        .create(&plant.mallory, json!({"pieces": 1}))
        .await
        .unwrap_err();
    assert_eq!(early.kind, Kind::Denied, "{early:?}");
    pass(&plant, opens, &[a, b]).await;
    // The time of the block that can be cited may have to be proven first.
    let mut document = None;
    eventually("it is believed", async || {
        let created = a.create(&plant.mallory, json!({"pieces": 2})).await;
        document = created.ok().map(|created| cid(&created.document));
        document.is_some()
    })
    .await;
    let document = document.unwrap();
    // What it cites lies after the moment, though no revision was made since.
    b.shows(&document, json!({"pieces": 2})).await;
    pair.stop().await;
}
