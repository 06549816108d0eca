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
use node::network::client::Client;
use node::network::messages::{Answer, CommitBlocks, Hello, Push, PushResult, Question};
use node::network::peer_identity::delegate;
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
        Self::under(hub::PLANT)
    }

    /// Under another policy, which has all that `plant` has.
    pub fn under(definition: &str) -> Self {
        tell();
        let (operator_a, operator_b) = (key(2), key(3));
        let hub = FakeHub::new(&key(1).did(), &operator_a.did(), definition);
        let hub = Arc::new(hub);
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
        collection_of(&self.hub, &self.policy())
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
            questions: Some("127.0.0.1:0".parse().unwrap()),
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
        };
        running.caught_up(self.hub.height()).await;
        running
    }
}

/// Two sidecars, of operators A and B, with homes that go when they go.
pub struct Pair {
    pub a: Running,
    pub b: Running,
    pub homes: [tempfile::TempDir; 2],
}

impl Pair {
    pub async fn stop(self) {
        self.a.sidecar.stop().await.unwrap();
        self.b.sidecar.stop().await.unwrap();
    }
}

impl Plant {
    /// A and B, that do not know each other yet.
    pub async fn pair(&self) -> Pair {
        let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let a = self.sidecar(homes[0].path(), &self.operator_a, 101).await;
        let b = self.sidecar(homes[1].path(), &self.operator_b, 102).await;
        Pair { a, b, homes }
    }

    /// A and B, connected.
    pub async fn met(&self) -> Pair {
        let pair = self.pair().await;
        pair.a.meet(&pair.b).await;
        pair
    }

    /// Starts a sidecar of `operator` that anchors nothing by itself.
    pub async fn still(&self, home: &Path, operator: &SecretKey, network: u8) -> Running {
        let hub = Arc::new(self.hub.seen_by(&operator.did()));
        let mut config = self.config(home, operator);
        config.anchoring.enabled = false;
        self.start(config, hub, operator, network).await
    }

    /// A, that follows `second` as well.
    pub async fn both(&self, home: &Path, second: &PolicyId) -> Running {
        let hub = Arc::new(self.hub.seen_by(&self.operator_a.did()));
        let mut config = self.config(home, &self.operator_a);
        config.policies.insert("second".into(), *second.as_bytes());
        let running = self.start(config, hub, &self.operator_a, 101).await;
        eventually("the second policy is proven", async || {
            let authority = &running.sidecar.authority;
            authority.answer(second, |_, _| ()).is_ok()
        })
        .await;
        running
    }

    /// A peer without a sidecar that acts for `operator`.
    pub async fn peer_of(&self, operator: &SecretKey, network: u8, of: &Running) -> Client {
        let chain = self.hub.chain.clone();
        let client = Client::connect(key(network), chain.clone(), of.address().await)
            .await
            .unwrap();
        let not_after = self.clock_seconds() + 100_000;
        let signed = delegate(operator, &chain, &key(network).did(), not_after);
        let hello = Hello {
            operator: operator.did().to_string(),
            not_after,
            delegation: signed.as_bytes().to_vec(),
            feed: None,
        };
        client.hello(hello).await.unwrap();
        client
    }

    /// A change of `document` by `author`, prepared at `at` and signed, not submitted.
    pub fn signed(
        &self,
        at: &Running,
        author: &SecretKey,
        document: &Cid,
        changes: Value,
    ) -> (Cid, CommitBlocks) {
        let intent = Intent::Update {
            document: *document,
            changes: serde_json::from_value(changes).unwrap(),
        };
        let documents = &at.sidecar.documents;
        let prepared = documents.prepare(&author.did(), intent).unwrap();
        let (commit, body) = prepared.blocks.sign(author).unwrap();
        let blocks = CommitBlocks {
            header: commit.header_bytes().to_vec(),
            signature: commit.signature().as_bytes().to_vec(),
            body: Some(body.bytes().to_vec()),
        };
        (*commit.cid(), blocks)
    }
}

/// A running sidecar with its own uplink.
pub struct Running {
    pub sidecar: Sidecar,
    pub hub: Arc<FakeHub>,
    pub policy: PolicyId,
}

/// The collection `batches` of a policy.
pub fn collection_of(hub: &FakeHub, policy: &PolicyId) -> Cid {
    let id = *policy.as_bytes();
    let preimage = CollectionPreimage::new(hub.chain.clone(), id, "batch", "batches").unwrap();
    *preimage.id().cid()
}

/// Pushes commits and attestations at once.
pub async fn push(
    client: &Client,
    commits: Vec<CommitBlocks>,
    attestations: Vec<Vec<u8>>,
) -> Vec<PushResult> {
    let push = Push {
        commits,
        attestations,
    };
    match client.ask(Question::Push(push)).await.unwrap() {
        Answer::Push(answer) => answer.results,
        other => panic!("{other:?}"),
    }
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
        self.create_in(self.policy, actor, values).await
    }

    pub async fn create_in(
        &self,
        policy: PolicyId,
        actor: &SecretKey,
        values: Value,
    ) -> Result<Submitted, Failure> {
        let intent = Intent::Create {
            policy,
            collection: collection_of(&self.hub, &policy),
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
            .permit(
                document,
                actor,
                Sight::Bodies,
                &Default::default(),
                "document.read",
            )
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
        let (head, body) = self.http_bytes(method, path, token, body).await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        (status, serde_json::from_str(&body).unwrap_or(json!(body)))
    }

    /// The trail that `actor` is given, verified; or how it was refused.
    pub async fn trail(&self, actor: &SecretKey) -> Result<audit::report::Report, (u16, Value)> {
        let token = self.token(actor, "GET", "/v1/trail", "", "");
        let (head, body) = self.http_bytes("GET", "/v1/trail", Some(&token), "").await;
        if !head.starts_with("HTTP/1.1 200") {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return Err((status, serde_json::from_slice(&body).unwrap()));
        }
        let trust = head.split("x-holdfast-trust: ").nth(1).unwrap();
        let trust = trust.lines().next().unwrap().trim().parse().unwrap();
        Ok(audit::bundle::verify(&body, trust).unwrap())
    }

    /// One HTTP request; head and body.
    async fn http_bytes(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> (String, Vec<u8>) {
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
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let body = answer.split_off(end.unwrap() + 4);
        (String::from_utf8(answer).unwrap(), body)
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

/// Waits until everything in the sidecar's log is anchored.
pub async fn anchored(running: &Running) {
    let store = running.sidecar.documents.store();
    eventually("the log is anchored", async || {
        let last = node::anchoring::newest_final(store).unwrap();
        last.is_some_and(|anchor| anchor.size == store.log().tail.range.size())
    })
    .await;
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
