//! The same blocks through CometBFT v0.38.25 and through the solo engine.
//!
//! CometBFT drives one application over ABCI and makes a chain. The solo engine, with the same
//! validator key, then makes the chain again from its transactions and vote times alone. Because
//! the block log in state holds block hashes, equal app hashes need equal headers to the last
//! byte: this is the test that the solo engine is no toy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use hub_app::abci::{serve, HubApplication};
use prost::bytes::Bytes;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use tendermint::Time;

use crate::support::{
    genesis_of, hub_in, open_engine, people, register, relate, send, Chain, VALIDATOR_SEED,
};

/// How many blocks both engines make.
const BLOCKS: u64 = 200;

/// Patience for a machine that does other things as well.
const DEADLINE: Duration = Duration::from_secs(240);

/// From COMETBFT, PATH, or where `go install` puts it.
fn cometbft() -> Option<PathBuf> {
    if let Ok(path) = std::env::var("COMETBFT") {
        return Some(PathBuf::from(path)).filter(|path| path.exists());
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join("go/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(home)
        .map(|folder| folder.join("cometbft"))
        .find(|file| file.exists())
}

struct Comet {
    child: Child,
    rpc: u16,
}

impl Drop for Comet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Comet {
    fn start(binary: &Path, home: &Path, genesis: &Value, abci: &str) -> Comet {
        let init = Command::new(binary)
            .args(["init", "--home"])
            .arg(home)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(init.success());
        std::fs::write(home.join("config/genesis.json"), genesis.to_string()).unwrap();
        let validator = hub_light::forge::Validator::new(VALIDATOR_SEED, 10);
        let public = validator.public_key().to_bytes();
        let key = json!({
            "address": hex::encode_upper(validator.address().as_bytes()),
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": BASE64.encode(&public)},
            "priv_key": {
                "type": "tendermint/PrivKeyEd25519",
                "value": BASE64.encode([&VALIDATOR_SEED[..], &public].concat()),
            },
        });
        std::fs::write(home.join("config/priv_validator_key.json"), key.to_string()).unwrap();
        let path = home.join("config/config.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let config = config
            .replace("timeout_commit = \"1s\"", "timeout_commit = \"5ms\"")
            .replace("pex = true", "pex = false")
            .replace("tcp://0.0.0.0:26656", "tcp://127.0.0.1:0");
        std::fs::write(&path, config).unwrap();
        let rpc = free_port();
        let log = std::fs::File::create(home.join("log")).unwrap();
        let child = Command::new(binary)
            .args(["start", "--home"])
            .arg(home)
            .args(["--proxy_app", &format!("tcp://{abci}")])
            .args(["--rpc.laddr", &format!("tcp://127.0.0.1:{rpc}")])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Comet { child, rpc }
    }

    /// HTTP/1.0, so that the answer ends with the connection.
    fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.rpc)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let mut body: Value = serde_json::from_str(body).ok()?;
        Some(body.get_mut("result")?.take())
    }

    fn height(&self) -> u64 {
        self.get("/status")
            .and_then(|status| {
                status
                    .pointer("/sync_info/latest_block_height")?
                    .as_str()?
                    .parse()
                    .ok()
            })
            .unwrap_or(0)
    }

    fn wait_for(&self, height: u64) {
        let began = Instant::now();
        while self.height() < height {
            assert!(began.elapsed() < DEADLINE, "CometBFT stays below {height}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn send(&self, tx: &Bytes) {
        let path = format!("/broadcast_tx_sync?tx=0x{}", hex::encode(tx));
        let answer = self.get(&path).unwrap();
        assert_eq!(answer["code"], 0, "{answer}");
    }
}

/// A block as CometBFT tells it: its hash, its transactions, when its commit was signed.
struct Told {
    hash: String,
    parts: String,
    header: Value,
    txs: Vec<Bytes>,
}

fn told(comet: &Comet, height: u64) -> Told {
    let block = comet.get(&format!("/block?height={height}")).unwrap();
    let text = |path: &str| block.pointer(path).unwrap().as_str().unwrap().to_owned();
    let txs = block["block"]["data"]["txs"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    Told {
        hash: text("/block_id/hash"),
        parts: text("/block_id/parts/hash"),
        header: block["block"]["header"].clone(),
        txs: txs
            .iter()
            .map(|tx| Bytes::from(BASE64.decode(tx.as_str().unwrap()).unwrap()))
            .collect(),
    }
}

fn vote_time(comet: &Comet, height: u64) -> Time {
    let commit = comet.get(&format!("/commit?height={height}")).unwrap();
    let time = commit
        .pointer("/signed_header/commit/signatures/0/timestamp")
        .unwrap();
    Time::parse_from_rfc3339(time.as_str().unwrap()).unwrap()
}

#[test]
fn cometbft_and_the_solo_engine_make_the_same_chain() {
    let Some(binary) = cometbft() else {
        eprintln!("skipped: no cometbft in COMETBFT, PATH or ~/go/bin");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let everybody = people(4);
    let genesis = genesis_of(&everybody);

    // The transactions, signed once; a chain of their own tells the policy's id.
    let mut signer = Chain::new(4);
    let policy = signer.plant(0);
    let create = signer.engine.blocks().block(1).unwrap().unwrap();
    let mut txs: Vec<Bytes> = create
        .block
        .unwrap()
        .data
        .unwrap()
        .txs
        .into_iter()
        .map(Bytes::from)
        .collect();
    let cell = register(&signer.people[0], policy, "cell:1");
    txs.push(signer.sign(0, vec![cell]));
    for round in 0..20_u64 {
        let message = send(&signer.people[1], &signer.people[2], 100 + round);
        txs.push(signer.sign(1, vec![message]));
        let operator = vec![format!(
            "cell:1#operator@{}",
            signer.people[(round % 4) as usize].did
        )];
        let (set, delete) = if round % 2 == 0 {
            (&operator[..], &[][..])
        } else {
            (&[][..], &operator[..])
        };
        let message = relate(&signer.people[0], policy, set, delete);
        txs.push(signer.sign(0, vec![message]));
        let message = relate(&signer.people[3], policy, &operator, &[]);
        txs.push(signer.sign(3, vec![message]));
    }

    // CometBFT's chain.
    let hub = hub_in(&folder.path().join("comet"), 0);
    let server = serve("127.0.0.1:0", HubApplication::new(hub.clone())).unwrap();
    let abci = server.address();
    std::thread::spawn(move || server.run());
    let comet = Comet::start(
        &binary,
        &folder.path().join("home"),
        genesis.document(),
        &abci,
    );
    comet.wait_for(1);
    for (index, tx) in txs.iter().enumerate() {
        comet.send(tx);
        if index % 3 == 2 {
            std::thread::sleep(Duration::from_millis(60));
        }
    }
    comet.wait_for(BLOCKS + 1);

    // The solo engine makes it again.
    let solo_folder = folder.path().join("solo");
    let solo_hub = hub_in(&solo_folder, 0);
    let solo = open_engine(&solo_folder, &everybody, solo_hub.clone());
    let mut executed = 0;
    for height in 1..=BLOCKS {
        let expected = told(&comet, height);
        executed += expected.txs.len();
        solo.make_block_of(expected.txs, vote_time(&comet, height))
            .unwrap();
        let stored = solo.blocks().block(height).unwrap().unwrap();
        let header = stored.block.unwrap().header.unwrap();
        for (field, ours) in [
            ("app_hash", &header.app_hash),
            ("last_results_hash", &header.last_results_hash),
            ("data_hash", &header.data_hash),
            ("last_commit_hash", &header.last_commit_hash),
            ("consensus_hash", &header.consensus_hash),
            ("validators_hash", &header.validators_hash),
            ("evidence_hash", &header.evidence_hash),
        ] {
            let theirs = expected.header[field].as_str().unwrap();
            assert_eq!(hex::encode_upper(ours), theirs, "{field} at {height}");
        }
        let id = stored.id.unwrap();
        assert_eq!(
            hex::encode_upper(&id.hash),
            expected.hash,
            "header hash at {height}"
        );
        let parts = id.part_set_header.unwrap().hash;
        assert_eq!(
            hex::encode_upper(parts),
            expected.parts,
            "block parts at {height}"
        );
    }
    assert_eq!(
        executed,
        txs.len(),
        "every transaction was in the compared blocks"
    );
    let last = solo_hub.store().committed().unwrap();
    let next = told(&comet, BLOCKS + 1);
    assert_eq!(
        next.header["app_hash"].as_str().unwrap(),
        hex::encode_upper(last.app_hash)
    );
    let results = comet
        .get(&format!(
            "/tx?hash=0x{}",
            hex::encode(Sha256::digest(&txs[2]))
        ))
        .unwrap();
    assert_eq!(results["tx_result"]["code"], 0);
}
