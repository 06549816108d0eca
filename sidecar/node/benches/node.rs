//! How fast the sidecar is, with what it is compared to in the same run.
//!
//! * `creates/…`: documents of four fields, signed, judged, logged with two leaves each, durable
//!   before they are acknowledged; 64 writers in one process. Reference: the same number of empty
//!   synced RocksDB writes by one writer (`reference/synced_write`), and one ed25519 signature.
//! * `check/…`: one permission check from the replica, 10,000 relationships, three steps deep.
//! * `http/…`: the same create over HTTP with a JWT each, 64 connections.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

#[path = "../tests/main/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::Bencher;
use identity::SecretKey;
use node::documents::Intent;
use serde_json::json;
use support::{collection_of, fields, key, FakeHub, Plant, Running};

const WRITERS: u64 = 64;
const CREATES_EACH: u64 = 40;

fn main() {
    divan::main();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

struct Setup {
    runtime: tokio::runtime::Runtime,
    running: Arc<Running>,
    _home: tempfile::TempDir,
}

fn setup() -> Setup {
    let runtime = runtime();
    let home = tempfile::tempdir().unwrap();
    let plant = Plant::new();
    let running = runtime.block_on(async {
        let hub = Arc::new(plant.hub.seen_by(&plant.operator_a.did()));
        let mut config = plant.config(home.path(), &plant.operator_a);
        config.anchoring.enabled = false;
        plant.start(config, hub, &plant.operator_a, 101).await
    });
    Setup {
        runtime,
        running: Arc::new(running),
        _home: home,
    }
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn creates_with_64_writers(bencher: Bencher) {
    let setup = setup();
    bencher
        .counter(ItemsCount::new(WRITERS * CREATES_EACH))
        .bench(|| {
            setup.runtime.block_on(async {
                let writers: Vec<_> = (0..WRITERS)
                    .map(|_| {
                        let running = setup.running.clone();
                        tokio::spawn(async move {
                            let alice = key(10).did();
                            for number in 0..CREATES_EACH {
                                let intent = Intent::Create {
                                    policy: running.policy,
                                    collection: collection_of(&running.hub, &running.policy),
                                    scope: crdt::Scope::new("cell", "1").unwrap(),
                                    fields: fields(json!({
                                        "product": "valve", "station": "s7", "pieces": number,
                                        "defects": ["dent"]
                                    })),
                                };
                                running
                                    .sidecar
                                    .documents
                                    .write(&alice, intent, None)
                                    .await
                                    .unwrap();
                            }
                        })
                    })
                    .collect();
                for writer in writers {
                    writer.await.unwrap();
                }
            });
        });
    let groups = setup.running.sidecar.metrics.groups.get();
    let writes = setup.running.sidecar.metrics.group_writes.get();
    eprintln!(
        "  {writes} writes in {groups} synced groups: {:.1} a group",
        writes as f64 / groups.max(1) as f64
    );
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn http_creates_with_jwt(bencher: Bencher) {
    let setup = setup();
    let next = AtomicU64::new(0);
    let creates: u64 = 16;
    let alice: SecretKey = key(10);
    bencher
        .counter(ItemsCount::new(WRITERS * creates))
        .with_inputs(|| {
            // Tokens are the client's work.
            let body = json!({"policy": "plant", "collection": "batches", "scope": "cell:1",
                "fields": {"product": "valve", "station": "s7", "pieces": 1, "defects": ["dent"]}})
            .to_string();
            let tokens: Vec<String> = (0..WRITERS * creates)
                .map(|_| {
                    let id = next.fetch_add(1, Ordering::Relaxed).to_string();
                    setup
                        .running
                        .token(&alice, "POST", "/v1/documents", &body, &id)
                })
                .collect();
            (body, tokens)
        })
        .bench_values(|(body, tokens)| {
            setup.runtime.block_on(async {
                let connections: Vec<_> = tokens
                    .chunks(creates as usize)
                    .map(|tokens| {
                        let (running, body, tokens) =
                            (setup.running.clone(), body.clone(), tokens.to_vec());
                        tokio::spawn(async move { keep_alive(&running, &body, &tokens).await })
                    })
                    .collect();
                for connection in connections {
                    connection.await.unwrap();
                }
            });
        });
}

/// Posts one create after the other over one connection.
async fn keep_alive(running: &Running, body: &str, tokens: &[String]) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(running.sidecar.api)
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 16 * 1024];
    for token in tokens {
        let request = format!(
            "POST /v1/documents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        assert!(
            answer[..read].starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer[..read])
        );
    }
}

#[divan::bench]
fn check_from_the_replica(bencher: Bencher) {
    let setup = setup();
    let running = &setup.running;
    let (running, _) = setup.runtime.block_on(async {
        let cells = (0..100).filter(|cell| *cell != 1);
        let mut changes: Vec<_> = cells
            .map(|cell| FakeHub::registered(&format!("cell:{cell}")))
            .collect();
        for number in 0..10_000_u32 {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&number.to_be_bytes());
            seed[31] = 1;
            let actor = SecretKey::from_seed(identity::KeyKind::Ed25519, seed)
                .unwrap()
                .did();
            let object = format!("cell:{}", number % 100);
            let relationship = FakeHub::relationship(&object, "operator", &actor);
            changes.push(hub_types::policy::ChangeKind::RelationshipSet(relationship));
        }
        running.hub.block(&changes);
        running.hub.block(&[]);
        running.caught_up(running.hub.height()).await;
        let created = running
            .create(&key(10), json!({"pieces": 1}))
            .await
            .unwrap();
        (running.clone(), created)
    });
    let documents = &running.sidecar.documents;
    let mut document = None;
    documents
        .store()
        .scan(node::store::Column::Documents, &[], &[], |key, _| {
            document = Some(<[u8; 32]>::try_from(key).unwrap());
            Ok::<bool, node::store::StoreError>(false)
        })
        .unwrap();
    let (claim, policy) = documents.claim(&document.unwrap()).unwrap().unwrap();
    let bob = key(11).did();
    bencher.bench_local(|| {
        running
            .sidecar
            .authority
            .ask_document(&policy, &claim, &bob, "read", &Default::default())
            .unwrap()
            .0
    });
}

#[divan::bench(sample_count = 20)]
fn reference_synced_write(bencher: Bencher) {
    let setup = setup();
    let store = setup.running.sidecar.documents.store().clone();
    bencher.bench_local(|| {
        setup.runtime.block_on(async {
            let puts = vec![(
                node::store::Column::Meta,
                b"bench".to_vec(),
                Some(vec![0; 64]),
            )];
            store
                .submit(node::store::Write {
                    puts,
                    ..Default::default()
                })
                .await
                .unwrap()
        })
    });
}

#[divan::bench]
fn reference_ed25519_signature(bencher: Bencher) {
    let (key, chain) = (key(10), identity::ChainId::parse("plant-1").unwrap());
    bencher.bench_local(|| key.sign_commit(&chain, &[7; 400]));
}
