//! A plant of two cells in one process: actors, a hub by hand, sidecars on free ports.
#![allow(dead_code, reason = "tests and benches each use a part")]

pub mod hub;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crdt::{Cid, CollectionPreimage, Scope};
use hub_types::PolicyId;
use identity::{Did, KeyKind, SecretKey};
use node::clock::{Clock, ManualClock};
use node::config::{AnchoringFile, Config};
use node::documents::values::Changes;
use node::documents::{Intent, Submitted, View};
use node::failure::Failure;
use node::guard::Sight;
use node::network::messages::CommitBlocks;
use node::secrets::Keyring;
use node::start::{start, Replaceable, Sidecar};
use serde_json::{json, Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use hub::FakeHub;

pub fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyKind::Ed25519, [seed; 32]).unwrap()
}

/// Who plays: owner 1, operators of A and B 2 and 3, Alice 10, Bob 11, Mallory 66, auditor 20.
pub struct Plant {
    pub hub: Arc<FakeHub>,
    pub clock: Arc<ManualClock>,
    pub alice: SecretKey,
    pub bob: SecretKey,
    pub mallory: SecretKey,
    pub auditor: SecretKey,
    pub operator_a: SecretKey,
    pub operator_b: SecretKey,
}

/// With RUST_LOG set a test tells what its sidecars do.
fn tell() {
    if std::env::var_os("RUST_LOG").is_some() {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_test_writer()
            .try_init();
    }
}

impl Plant {
    pub fn new() -> Self {
        tell();
        let (operator_a, operator_b) = (key(2), key(3));
        let hub = Arc::new(FakeHub::new(&key(1).did(), &operator_a.did()));
        let plant = Self {
            hub,
            clock: Arc::new(ManualClock::at((hub::GENESIS_SECONDS as u64 + 10) * 1000)),
            alice: key(10),
            bob: key(11),
            mallory: key(66),
            auditor: key(20),
            operator_a,
            operator_b,
        };
        for (relation, actor) in [
            ("operator", &plant.alice),
            ("operator", &plant.bob),
            ("auditor", &plant.auditor),
            ("witness", &plant.operator_a),
            ("witness", &plant.operator_b),
        ] {
            plant.hub.grant("cell:1", relation, &actor.did());
        }
        plant
    }

    pub fn policy(&self) -> PolicyId {
        self.hub.policy
    }

    pub fn clock_seconds(&self) -> u64 {
        self.clock.wall_ms() / 1000
    }

    pub fn collection(&self) -> Cid {
        let id = *self.hub.policy.as_bytes();
        let preimage =
            CollectionPreimage::new(self.hub.chain.clone(), id, "batch", "batches").unwrap();
        *preimage.id().cid()
    }

    pub fn config(&self, home: &Path, operator: &SecretKey) -> Config {
        Config {
            home: home.to_owned(),
            chain_id: self.hub.chain.clone(),
            hub_rpc: Vec::new(),
            trust: (1, [0; 32]),
            trusting_period_seconds: 1,
            api: "127.0.0.1:0".parse().unwrap(),
            listen: "/ip4/127.0.0.1/tcp/0".parse().unwrap(),
            policies: [("plant".to_owned(), *self.hub.policy.as_bytes())].into(),
            operator: operator.did(),
            operator_key: None,
            delegation: None,
            anchoring: AnchoringFile {
                interval_ms: 50,
                ..AnchoringFile::default()
            },
            peers: Vec::new(),
            log_reads: true,
        }
    }

    /// Starts a sidecar of `operator` at `home`, with the keys of Alice, Bob and Mallory.
    pub async fn sidecar(&self, home: &Path, operator: &SecretKey, network: u8) -> Running {
        let hub = Arc::new(self.hub.seen_by(&operator.did()));
        let config = self.config(home, operator);
        self.start(config, hub, operator, network).await
    }

    pub async fn start(
        &self,
        config: Config,
        hub: Arc<FakeHub>,
        operator: &SecretKey,
        network: u8,
    ) -> Running {
        let mut keyring = Keyring::default();
        for actor in [10, 11, 66, 20] {
            keyring.insert(key(actor));
        }
        let clock: Arc<dyn Clock> = self.clock.clone();
        let sidecar = start(
            &config,
            Replaceable {
                hub: hub.clone(),
                clock,
                network_key: key(network),
                operator_key: Some(
                    SecretKey::from_seed(KeyKind::Ed25519, *operator.seed()).unwrap(),
                ),
                keyring,
            },
        )
        .await
        .unwrap();
        let running = Running {
            sidecar,
            hub,
            policy: self.policy(),
            collection: self.collection(),
        };
        running.caught_up(self.hub.height()).await;
        running
    }
}

/// A running sidecar with its own uplink.
pub struct Running {
    pub sidecar: Sidecar,
    pub hub: Arc<FakeHub>,
    pub policy: PolicyId,
    pub collection: Cid,
}

/// Waits until `check` is true, at most ten seconds.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never happened: {what}");
}

pub fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Running {
    /// Waits until the replica has proven everything under the header of `height`.
    pub async fn caught_up(&self, height: u64) {
        let authority = &self.sidecar.authority;
        for _ in 0..500 {
            let there = authority.answer(&self.policy, |_, reading| reading.height + 1 >= height);
            if there.unwrap_or(false) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "the replica does not catch up with {height}: {:?}",
            *authority.status().borrow()
        );
    }

    pub async fn create(&self, actor: &SecretKey, values: Value) -> Result<Submitted, Failure> {
        let intent = Intent::Create {
            policy: self.policy,
            collection: self.collection,
            scope: Scope::new("cell", "1").unwrap(),
            fields: fields(values),
        };
        self.sidecar
            .documents
            .write(&actor.did(), intent, None)
            .await
    }

    pub async fn update(
        &self,
        actor: &SecretKey,
        document: &Cid,
        changes: Value,
    ) -> Result<Submitted, Failure> {
        let changes: Changes = serde_json::from_value(changes).unwrap();
        let intent = Intent::Update {
            document: *document,
            changes,
        };
        self.sidecar
            .documents
            .write(&actor.did(), intent, None)
            .await
    }

    pub async fn rollback(
        &self,
        actor: &SecretKey,
        document: &Cid,
        target: Vec<Cid>,
    ) -> Result<Submitted, Failure> {
        let intent = Intent::Rollback {
            document: *document,
            target,
        };
        self.sidecar
            .documents
            .write(&actor.did(), intent, None)
            .await
    }

    pub async fn get(&self, actor: &Did, document: &Cid) -> Result<View, Failure> {
        let documents = &self.sidecar.documents;
        let permit = documents
            .permit(document, actor, Sight::Bodies, "document.read")
            .await?;
        documents.get(&permit, None)
    }

    /// Waits until the document's fields are these for Alice.
    pub async fn shows(&self, document: &Cid, expected: Value) {
        let alice = key(10).did();
        let mut last = json!(null);
        for _ in 0..500 {
            if let Ok(view) = self.get(&alice, document).await {
                last = Value::Object(view.fields);
                if last == expected {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the document shows {last}, not {expected}");
    }

    /// The address at which peers reach it.
    pub async fn address(&self) -> libp2p::Multiaddr {
        let mut found = None;
        eventually("the network listens", async || {
            found = self
                .sidecar
                .network
                .addresses()
                .await
                .unwrap()
                .first()
                .cloned();
            found.is_some()
        })
        .await;
        let text = format!("{}/p2p/{}", found.unwrap(), self.sidecar.peer_id);
        text.parse().unwrap()
    }

    /// Connects to another sidecar.
    pub async fn meet(&self, other: &Running) {
        self.sidecar
            .network
            .keep(other.address().await)
            .await
            .unwrap();
        eventually("the sidecars meet", async || {
            !self.sidecar.network.exchange().connected_peers().is_empty()
                && !other
                    .sidecar
                    .network
                    .exchange()
                    .connected_peers()
                    .is_empty()
        })
        .await;
    }

    /// One HTTP request; status and body.
    pub async fn http(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> (u16, Value) {
        let mut stream = tokio::net::TcpStream::connect(self.sidecar.api)
            .await
            .unwrap();
        let token = token
            .map(|token| format!("authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{token}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or(json!(body)))
    }

    /// A token of `actor` for one request.
    pub fn token(
        &self,
        actor: &SecretKey,
        method: &str,
        path: &str,
        body: &str,
        id: &str,
    ) -> String {
        let expected = node::token::Expected {
            audience: self.sidecar.did.clone(),
            chain: self.hub.chain.clone(),
        };
        let requested = node::token::Requested {
            method,
            path,
            body: body.as_bytes(),
        };
        let now = self.sidecar.documents.now_seconds();
        node::token::issue(actor, &expected, requested, now, id).unwrap()
    }
}

pub fn cid(text: &str) -> Cid {
    text.parse().unwrap()
}

/// All leaves of a sidecar's log, as the kinds and outcomes that they state.
pub fn leaves(running: &Running) -> Vec<audit::content::Content> {
    let store = running.sidecar.documents.store();
    let size = store.log().tail.range.size();
    (0..size)
        .map(|index| {
            store
                .leaf(index)
                .unwrap()
                .opening()
                .unwrap()
                .content()
                .clone()
        })
        .collect()
}

/// A kept commit, as a peer is given it.
pub fn blocks_of(running: &Running, commit: &str) -> CommitBlocks {
    let store = running.sidecar.documents.store();
    let kept = store.blocks(cid(commit).digest()).unwrap().unwrap();
    CommitBlocks {
        header: kept.header,
        signature: kept.signature,
        body: kept.body,
    }
}
