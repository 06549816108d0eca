//! The same sidecar against a real hub process (`hubd dev`), light client and all. Needs the
//! binary: `HUBD` names it, or it lies beside this test's own; without it the test says so and
//! passes, since `make test` runs the story with it.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hub_client::{HttpTransport, HubClient, Options, Rpc, Transport};
use hub_light::TrustPoint;
use hub_types::policy::{CreatePolicy, DefineCollection, SetRelationships};
use hub_types::{BlockHash, Height, Message, PolicyId};
use identity::{AccountAddress, ChainId, SecretKey};
use node::failure::Kind;
use node::start::{files, start_at, Sidecar};
use policy::Name;
use serde_json::json;

use crate::support::{cid, eventually, fields, hub::FakeHub, hub::PLANT, hub::SCHEMA, key};

fn hubd() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("HUBD") {
        return Some(path.into());
    }
    let own = std::env::current_exe().ok()?;
    let beside = own.parent()?.parent()?.join("hubd");
    beside.exists().then_some(beside)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

struct RealHub {
    // Killed when dropped.
    _process: tokio::process::Child,
    url: String,
    chain: ChainId,
    trust: TrustPoint,
    client: HubClient,
}

async fn start_hub(
    binary: &std::path::Path,
    home: &std::path::Path,
    rich: &[&SecretKey],
) -> RealHub {
    let port = free_port();
    let chain = ChainId::parse("plant-real-1").unwrap();
    let mut command = tokio::process::Command::new(binary);
    command
        .args([
            "dev",
            "--block-ms",
            "100",
            "--chain-id",
            chain.as_str(),
            "--home",
        ])
        .arg(home)
        .args(["--rpc", &format!("127.0.0.1:{port}")]);
    for key in rich {
        let account = AccountAddress::of(key.public_key()).unwrap();
        command.args(["--account", &format!("{account}=1000000000000")]);
    }
    let process = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new(&url).unwrap());
    let mut status = None;
    eventually("hubd makes blocks", async || {
        status = Rpc::new(&*transport)
            .status()
            .await
            .ok()
            .filter(|status| status.latest_height > 2);
        status.is_some()
    })
    .await;
    let status = status.unwrap();
    let trust = TrustPoint {
        height: Height(status.latest_height),
        hash: BlockHash::new(status.latest_hash),
    };
    let client = HubClient::open(Options::new(chain.clone(), trust, vec![transport])).unwrap();
    RealHub {
        _process: process,
        url,
        chain,
        trust,
        client,
    }
}

fn relate(
    policy: PolicyId,
    owner: &SecretKey,
    set: Vec<policy::Relationship>,
    delete: Vec<policy::Relationship>,
) -> Message {
    Message::SetRelationships(SetRelationships {
        creator: AccountAddress::of(owner.public_key()).unwrap(),
        policy,
        set,
        delete,
        preconditions: Vec::new(),
    })
}

async fn plant(hub: &RealHub, owner: &SecretKey) -> PolicyId {
    let creator = AccountAddress::of(owner.public_key()).unwrap();
    let message = Message::CreatePolicy(CreatePolicy {
        creator,
        definition: PLANT.into(),
        anchor_lag: 200,
        max_staleness_seconds: 600,
    });
    let created = hub.client.submit(owner, vec![message]).await.unwrap();
    let created: wire::policy::MsgCreatePolicyResponse = created.response(0).unwrap();
    let policy = PolicyId::from_slice(&created.policy).unwrap();
    let schema = crdt::Schema::from_json(SCHEMA).unwrap();
    let define = Message::DefineCollection(DefineCollection {
        creator,
        policy,
        resource: Name::new("batch").unwrap(),
        name: Name::new("batches").unwrap(),
        scope_relation: Name::new("parent").unwrap(),
        schema_cid: schema.cid().to_bytes().to_vec(),
        schema: schema.encode(),
    });
    let register = Message::RegisterObject(hub_types::policy::RegisterObject {
        creator,
        policy,
        object: policy::ObjectRef::new("cell", "1").unwrap(),
        document: None,
    });
    let set = [
        ("operator", 10),
        ("operator", 11),
        ("auditor", 20),
        ("witness", 2),
        ("witness", 3),
    ]
    .map(|(relation, seed)| FakeHub::relationship("cell:1", relation, &key(seed).did()));
    let relate = relate(policy, owner, set.to_vec(), Vec::new());
    hub.client
        .submit(owner, vec![define, register, relate])
        .await
        .unwrap();
    policy
}

async fn sidecar(
    hub: &RealHub,
    policy: PolicyId,
    home: &std::path::Path,
    operator: u8,
    network: u8,
) -> Sidecar {
    use node::config::{AnchoringFile, File, HubFile, ListenFile, OperatorFile, FILE_NAME};
    if !home.join(FILE_NAME).exists() {
        std::fs::create_dir_all(home.join(files::KEYRING)).unwrap();
        let write =
            |name: &str, seed| node::secrets::write(&home.join(name), &key(seed), None).unwrap();
        write(files::NETWORK_KEY, network);
        write(files::OPERATOR_KEY, operator);
        write("keyring/alice.key", 10);
        write("keyring/bob.key", 11);
        let file = File {
            chain_id: hub.chain.to_string(),
            hub: HubFile::new(vec![hub.url.clone()], hub.trust.to_string()),
            listen: ListenFile {
                api: "127.0.0.1:0".into(),
                peers: "/ip4/127.0.0.1/tcp/0".into(),
                questions: Some("127.0.0.1:0".into()),
            },
            policies: [("plant".to_owned(), policy.to_string())].into(),
            operator: OperatorFile {
                did: key(operator).did().to_string(),
                key: Some(files::OPERATOR_KEY.into()),
                delegation: None,
                delegation_not_after: 0,
            },
            anchoring: AnchoringFile {
                interval_ms: 200,
                ..AnchoringFile::default()
            },
            peers: Vec::new(),
            log_reads: true,
        };
        std::fs::write(home.join(FILE_NAME), file.text().unwrap()).unwrap();
    }
    let sidecar = start_at(home).await.unwrap();
    let newest = hub.client.latest().await.unwrap().height.0;
    eventually("the replica proves the policy", async || {
        sidecar
            .authority
            .judge(&policy, |_, reading| reading.height + 1 >= newest)
            .unwrap_or(false)
    })
    .await;
    sidecar
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thread_from_a_local_write_to_a_verified_trail_through_a_real_hub() {
    let Some(binary) = hubd() else {
        eprintln!("skipped: no hubd binary; set HUBD, or run `cargo build -p hub-app` first");
        return;
    };
    let homes = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (owner, alice, bob) = (key(1), key(10), key(11));
    let hub = start_hub(&binary, homes[0].path(), &[&owner, &key(2), &key(3)]).await;
    let policy = plant(&hub, &owner).await;
    let a = sidecar(&hub, policy, homes[1].path(), 2, 101).await;
    let b = sidecar(&hub, policy, homes[2].path(), 3, 102).await;
    let address = a.network.addresses().await.unwrap()[0].clone();
    let address = format!("{address}/p2p/{}", a.peer_id).parse().unwrap();
    b.network.keep(address).await.unwrap();

    let collection = a.authority.collections_named(&policy, "batches")[0];
    let create = node::documents::Intent::Create {
        policy,
        collection,
        scope: crdt::Scope::new("cell", "1").unwrap(),
        fields: fields(json!({"product": "valve", "pieces": 3})),
    };
    let created = a.documents.write(&alice.did(), create, None).await.unwrap();
    let document = cid(&created.document);
    let update = |changes: serde_json::Value| node::documents::Intent::Update {
        document,
        changes: serde_json::from_value(changes).unwrap(),
    };
    let kept = async |sidecar: &Sidecar, commits: u64| {
        let record = sidecar
            .documents
            .store()
            .document(document.digest())
            .unwrap();
        record.is_some_and(|record| record.commits >= commits)
    };
    eventually("B has Alice's record", async || kept(&b, 1).await).await;
    b.documents
        .write(
            &bob.did(),
            update(json!({"increment": {"pieces": 4}})),
            None,
        )
        .await
        .unwrap();
    eventually("A has Bob's change", async || kept(&a, 2).await).await;
    eventually("Bob's change is attested at both", async || {
        [&a, &b].iter().all(|sidecar| {
            let mut found = 0;
            let store = sidecar.documents.store();
            store
                .scan(
                    node::store::Column::Attestations,
                    document.digest(),
                    &[],
                    |_, _| {
                        found += 1;
                        Ok::<bool, node::store::StoreError>(true)
                    },
                )
                .unwrap();
            found >= 1
        })
    })
    .await;

    eventually("A's log is anchored", async || {
        node::anchoring::newest_final(a.documents.store())
            .unwrap()
            .is_some()
    })
    .await;

    // The auditor gets one file, and verifies it with nothing but the header's hash.
    let exporter = Arc::new(node::trail::Exporter::new(node::trail::Parts {
        documents: a.documents.clone(),
        authority: a.authority.clone(),
        hub: hub_of(&hub, homes[0].path()),
        chain: hub.chain.clone(),
        policy,
        issuer: Arc::new(key(2)),
    }));
    let request = |auditor: &SecretKey| node::trail::TrailRequest {
        auditor: auditor.did(),
        from_anchor: None,
        to_anchor: None,
        height: None,
    };
    let exported = exporter.export(&request(&key(20))).await.unwrap();
    let report = audit::bundle::verify(&exported.bytes, exported.trust.parse().unwrap()).unwrap();
    drop(report);
    // Under an earlier header that the auditor names, if he trusts that one.
    let point: TrustPoint = exported.trust.parse().unwrap();
    let named = node::trail::TrailRequest {
        height: Some(point.height.0),
        ..request(&key(20))
    };
    assert_eq!(exporter.export(&named).await.unwrap().trust, exported.trust);
    let newest = node::trail::TrailRequest {
        from_anchor: Some(0),
        ..request(&key(20))
    };
    let later = exporter.export(&newest).await.unwrap();
    audit::bundle::verify(&later.bytes, later.trust.parse().unwrap()).unwrap();
    let denied = exporter.export(&request(&key(66))).await.unwrap_err();
    drop(exporter);
    assert_eq!(denied.kind, Kind::Denied);

    // Bob is revoked: within a block and 200 ms nobody takes a write of his.
    let relationship = FakeHub::relationship("cell:1", "operator", &bob.did());
    let revoke = relate(policy, &owner, Vec::new(), vec![relationship]);
    let included = hub.client.submit(&owner, vec![revoke]).await.unwrap();
    hub.client
        .reach(included.height.next(), Duration::from_secs(5))
        .await
        .unwrap();
    let proven = Instant::now();
    let mut took = None;
    while proven.elapsed() < Duration::from_secs(5) {
        let write = update(json!({"increment": {"pieces": 1}}));
        match b.documents.write(&bob.did(), write, None).await {
            Err(failure) if failure.kind == Kind::Denied => {
                took = Some(proven.elapsed());
                break;
            }
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    eprintln!("revocation took effect {took:?} after its header could be proven");
    assert!(took.is_some(), "a revoked writer goes on writing");
    a.stop().await.unwrap();
    b.stop().await.unwrap();

    // After a restart everything is there, and the light client goes on where it was.
    let a = sidecar(&hub, policy, homes[1].path(), 2, 101).await;
    assert!(kept(&a, 2).await);
    a.stop().await.unwrap();
}

fn hub_of(hub: &RealHub, home: &std::path::Path) -> Arc<dyn node::authority::hub::Hub> {
    let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new(&hub.url).unwrap());
    let options = Options::new(hub.chain.clone(), hub.trust, vec![transport])
        .with_state_file(home.join("auditor-trust.bin"));
    Arc::new(node::authority::LightHub::open(options, key(2).did(), None, 0).unwrap())
}
