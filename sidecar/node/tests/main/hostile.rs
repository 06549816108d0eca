//! Peers that lie: garbage, endless frames, forged heights, commits of strangers, floods.

use crdt::{
    Authority, Cid, CollectionId, CollectionPreimage, DocumentId, DocumentPreimage, DocumentRef,
    Draft, Operation, Scope,
};
use identity::SecretKey;
use node::network::client::Client;
use node::network::messages::CommitBlocks;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::support::{cid, key, leaves, Plant, Running};

fn reading(running: &Running) -> Authority {
    running
        .sidecar
        .authority
        .judge(&running.policy, |_, reading| Authority {
            revision: reading.revision,
            height: reading.height,
        })
        .unwrap()
}

fn draft(
    plant: &Plant,
    author: &SecretKey,
    document: DocumentRef,
    parents: Vec<(Cid, u64)>,
    authority: Authority,
) -> Draft {
    Draft {
        chain: plant.hub.chain.clone(),
        document,
        schema_version: 1,
        parents,
        author: author.did(),
        claimed_time_ms: 1,
        authority,
        salt: [9; 16],
        operations: vec![Operation::Increment {
            field: "pieces".into(),
            by: 1,
        }],
    }
}

pub fn sign(plant_draft: Draft, author: &SecretKey) -> (Cid, CommitBlocks) {
    let schema = crdt::Schema::from_json(crate::support::hub::SCHEMA).unwrap();
    let (commit, body) = plant_draft.prepare(&schema).unwrap().sign(author).unwrap();
    let blocks = CommitBlocks {
        header: commit.header_bytes().to_vec(),
        signature: commit.signature().as_bytes().to_vec(),
        body: Some(body.bytes().to_vec()),
    };
    (*commit.cid(), blocks)
}

pub fn preimage(collection: Cid, author: &SecretKey, nonce: u8) -> DocumentPreimage {
    DocumentPreimage {
        collection: CollectionId(collection),
        scope: Scope::new("cell", "1").unwrap(),
        author: author.did(),
        nonce: [nonce; 16],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mallorys_own_node_is_rejected_and_the_refusal_is_in_the_log() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let b = plant.sidecar(home.path(), &plant.operator_b, 102).await;
    let created = b.create(&plant.alice, json!({"pieces": 1})).await.unwrap();
    let document = cid(&created.document);
    let client = Client::connect(key(66), plant.hub.chain.clone(), b.address().await)
        .await
        .unwrap();
    let push = async |blocks| client.push(vec![blocks]).await.unwrap().remove(0);
    let at = reading(&b);
    let mallory = &plant.mallory;

    // A correctly signed change of Alice's record, by somebody without a role.
    let reference = DocumentRef::Known(DocumentId(document));
    let parents = vec![(cid(&created.commit), 1)];
    let (_, change) = sign(
        draft(&plant, mallory, reference.clone(), parents.clone(), at),
        mallory,
    );
    let result = push(change.clone()).await;
    assert_eq!(result.verdict, "reject");
    assert!(result.reason.contains("edit"), "{}", result.reason);

    // A record of his own in her cell.
    let first = DocumentRef::First(preimage(plant.collection(), mallory, 1));
    let (_, create) = sign(draft(&plant, mallory, first, vec![], at), mallory);
    assert_eq!(push(create).await.verdict, "reject");

    // A policy of his own, in which he may do all.
    let own =
        CollectionPreimage::new(plant.hub.chain.clone(), [5; 32], "batch", "batches").unwrap();
    let first = DocumentRef::First(preimage(*own.id().cid(), mallory, 2));
    let (_, create) = sign(draft(&plant, mallory, first, vec![], at), mallory);
    let result = push(create).await;
    assert_eq!(result.verdict, "reject");
    assert!(result.reason.contains("collection"), "{}", result.reason);

    // Another schema version, a revision that was not in force, a forged DAG height.
    let (alice, bob) = (&plant.alice, &plant.bob);
    let mut other = draft(&plant, alice, reference.clone(), parents.clone(), at);
    other.schema_version = 7;
    assert_eq!(push(sign(other, alice).1).await.verdict, "reject");
    let wrong = Authority {
        revision: at.revision - 1,
        height: at.height,
    };
    let other = draft(&plant, bob, reference.clone(), parents.clone(), wrong);
    assert_eq!(push(sign(other, bob).1).await.verdict, "reject");
    let first = DocumentRef::First(preimage(plant.collection(), bob, 3));
    let other = draft(&plant, bob, first, vec![], wrong);
    assert_eq!(push(sign(other, bob).1).await.verdict, "reject");
    let forged = draft(&plant, bob, reference.clone(), vec![(parents[0].0, 41)], at);
    let result = push(sign(forged, bob).1).await;
    assert_eq!(result.verdict, "reject");
    assert!(result.reason.contains("height"), "{}", result.reason);

    // Somebody else's signature, and another body than the one that was signed.
    let (_, mut stolen) = sign(
        draft(&plant, bob, reference.clone(), parents.clone(), at),
        bob,
    );
    stolen.signature[3] ^= 1;
    assert_eq!(push(stolen).await.verdict, "reject");
    let (_, mut swapped) = sign(
        draft(&plant, bob, reference.clone(), parents.clone(), at),
        bob,
    );
    swapped.body.as_mut().unwrap()[20] ^= 1;
    assert_eq!(push(swapped.clone()).await.verdict, "reject");
    assert_eq!(push(CommitBlocks::default()).await.verdict, "reject");

    // A commit of the future waits, and so does one whose parent is missing.
    let ahead = Authority {
        revision: at.revision,
        height: at.height + 1000,
    };
    let (_, waits) = sign(
        draft(&plant, bob, reference.clone(), parents.clone(), ahead),
        bob,
    );
    assert_eq!(push(waits).await.verdict, "defer");
    let orphan = vec![(Cid::of(b"nobody"), 3)];
    let (_, waits) = sign(draft(&plant, bob, reference.clone(), orphan, at), bob);
    assert_eq!(push(waits).await.verdict, "defer");

    b.shows(&document, json!({"pieces": 1})).await;
    let refused: Vec<String> = leaves(&b)
        .into_iter()
        .filter_map(|leaf| match leaf {
            audit::content::Content::CommitRefused(refused) => Some(refused.reason),
            _ => None,
        })
        .collect();
    for reason in [
        "not-permitted",
        "collection",
        "schema",
        "below-parent",
        "citation",
        "dag-height",
        "signature",
    ] {
        assert!(
            refused.iter().any(|found| found == reason),
            "{reason} is not in {refused:?}"
        );
    }
    // Offered again it costs a lookup, and no second leaf.
    let before = leaves(&b).len();
    assert_eq!(push(change).await.verdict, "reject");
    assert_eq!(leaves(&b).len(), before);
    // The right body of what was swapped is welcome.
    let (_, right) = sign(draft(&plant, bob, reference, parents, at), bob);
    assert_eq!(push(right).await.verdict, "provisional");
    b.shows(&document, json!({"pieces": 2})).await;
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_rejected_commits_cuts_the_peer_off() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let b = plant.sidecar(home.path(), &plant.operator_b, 102).await;
    let client = Client::connect(key(66), plant.hub.chain.clone(), b.address().await)
        .await
        .unwrap();
    let at = reading(&b);
    let flood = |from: u8| -> Vec<CommitBlocks> {
        (0..128)
            .map(|number| {
                let first = preimage(plant.collection(), &plant.mallory, from + number);
                let first = DocumentRef::First(first);
                sign(
                    draft(&plant, &plant.mallory, first, vec![], at),
                    &plant.mallory,
                )
                .1
            })
            .collect()
    };
    client.push(flood(0)).await.unwrap();
    client.push(flood(128)).await.unwrap();
    let error = client.push(flood(0)).await.unwrap_err();
    assert!(error.to_string().contains("quota"), "{error}");
    assert!(b.sidecar.metrics.peer_requests_refused.get() >= 1);
    let most = u64::from(node::limits::ACTOR_DENIAL_LEAVES_MAX);
    let size = b.sidecar.documents.store().log().tail.range.size();
    assert!(size <= most, "{size} leaves for a flood");
    b.sidecar.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_wire_harms_nobody() {
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let b = plant.sidecar(home.path(), &plant.operator_b, 102).await;
    let address = b.address().await;
    let port = address
        .iter()
        .find_map(|part| match part {
            libp2p::multiaddr::Protocol::Tcp(port) => Some(port),
            _ => None,
        })
        .unwrap();
    for garbage in [
        vec![0_u8; 1],
        vec![0xff; 100_000],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
    ] {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        let _ = stream.write_all(&garbage).await;
    }
    // Peers of another chain speak another protocol and are not understood.
    let other = identity::ChainId::parse("plant-other-1").unwrap();
    let stranger = Client::connect(key(67), other, address.clone())
        .await
        .unwrap();
    assert!(stranger.changes(None).await.is_err());
    // Too many questions in one frame are refused by their bound, and counted.
    let client = Client::connect(key(68), plant.hub.chain.clone(), address)
        .await
        .unwrap();
    let many = node::network::messages::FetchQuestion {
        document: vec![1; 36],
        want: vec![vec![1; 36]; 1000],
        have: vec![],
    };
    assert!(client.fetch(many).await.is_err());
    assert!(b.sidecar.metrics.frames_refused.get() >= 1);
    let created = b.create(&plant.alice, json!({"pieces": 1})).await;
    assert!(created.is_ok(), "the sidecar goes on");
    b.sidecar.stop().await.unwrap();
}
