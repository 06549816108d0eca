//! The `hubd` binary: what it prints, what it refuses with one sentence, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{people, RICH};

const HUBD: &str = env!("CARGO_BIN_EXE_hubd");

fn run(arguments: &[&str]) -> Output {
    Command::new(HUBD).args(arguments).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn account() -> String {
    format!("{}={RICH}", people(1)[0].address)
}

/// The one sentence on standard error, without the program's name.
fn sentence(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    let line = error.lines().last().unwrap_or_default();
    line.strip_prefix("hubd: ").unwrap().to_owned()
}

struct Dev {
    child: Child,
    rpc: String,
    banner: String,
}

impl Dev {
    fn start(home: &Path, more: &[&str]) -> Dev {
        let account = account();
        let mut child = Command::new(HUBD)
            .args(["dev", "--home", text(home), "--rpc", "127.0.0.1:0"])
            .args(["--block-ms", "20", "--account", &account])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let warning = lines.next().unwrap().unwrap();
        let served = lines.next().unwrap().unwrap();
        let (_, rest) = served.split_once("RPC http://").unwrap();
        let rpc = rest.split([',', ' ']).next().unwrap().to_owned();
        Dev {
            child,
            rpc,
            banner: warning + "\n" + &served,
        }
    }

    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.rpc).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    fn height(&self) -> u64 {
        let status = self.get("/status");
        let height = status.pointer("/result/sync_info/latest_block_height");
        height.unwrap().as_str().unwrap().parse().unwrap()
    }

    fn wait_for(&self, height: u64) {
        let began = Instant::now();
        while self.height() < height {
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dev_says_what_it_is_and_goes_on_after_any_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path(), &[]);
    assert!(
        dev.banner.contains("development and tests only"),
        "{}",
        dev.banner
    );
    dev.wait_for(5);
    assert_eq!(dev.end("-TERM"), Some(0), "ends in order");
    let mut height = 5;
    for signal in ["-KILL", "-INT", "-KILL"] {
        let mut dev = Dev::start(folder.path(), &[]);
        assert!(dev.height() >= height - 1);
        dev.wait_for(height + 5);
        height = dev.height();
        dev.end(signal);
    }
    let dev = Dev::start(folder.path(), &[]);
    assert!(dev.height() >= height, "no block was lost");
    let genesis = dev.get("/genesis");
    let chain_id = genesis
        .pointer("/result/genesis/chain_id")
        .unwrap()
        .as_str()
        .unwrap();
    assert!(chain_id.starts_with("dev-"));
}

#[test]
fn two_new_chains_have_different_ids() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ids: Vec<Value> = folders
        .iter()
        .map(|folder| {
            Dev::start(folder.path(), &[]).get("/status")["result"]["node_info"]["network"].clone()
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn busy_ports_and_stores_are_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let other = tempfile::tempdir().unwrap();
    let output = run(&[
        "dev",
        "--home",
        text(other.path()),
        "--rpc",
        &address,
        "--account",
        &account(),
    ]);
    let error = sentence(&output);
    assert!(
        error.contains(&address) && error.contains("--rpc"),
        "{error}"
    );
    let output = run(&[
        "start",
        "--home",
        text(other.path()),
        "--abci",
        &address,
        "--grpc",
        "",
        "--metrics",
        "",
    ]);
    let error = sentence(&output);
    assert!(
        error.contains(&address) && error.contains("--abci"),
        "{error}"
    );

    let _dev = Dev::start(folder.path(), &[]);
    let output = run(&["dev", "--home", text(folder.path()), "--rpc", "127.0.0.1:0"]);
    assert!(sentence(&output).contains("in use by another process"));
}

#[test]
fn a_damaged_store_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(folder.path(), &[]);
    dev.wait_for(2);
    dev.end("-TERM");
    std::fs::write(folder.path().join("data/state/CURRENT"), "MANIFEST-9\n").unwrap();
    let output = run(&["dev", "--home", text(folder.path()), "--rpc", "127.0.0.1:0"]);
    let error = sentence(&output);
    assert!(
        error.contains("damaged") && error.contains("data/state"),
        "{error}"
    );
}

#[test]
fn init_makes_a_home_once_and_genesis_prints_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let account = account();
    let arguments = [
        "init",
        "--home",
        text(&home),
        "--chain-id",
        "plant-1",
        "--account",
        &account,
    ];
    let output = run(&arguments);
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("cometbft init") && printed.contains("hubd start"),
        "{printed}"
    );
    let file = std::fs::read_to_string(home.join("config/genesis.json")).unwrap();
    let genesis: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(genesis["chain_id"], "plant-1");
    assert!(sentence(&run(&arguments)).contains("exists already"));

    let output = run(&["genesis", "--chain-id", "plant-1", "--account", &account]);
    let state: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(state, genesis["app_state"]);
    let output = run(&["genesis", "--chain-id", "plant 1", "--account", &account]);
    assert_eq!(output.status.code(), Some(1));
}

/// `hubd start` in `home`, and its ABCI and metrics addresses.
fn start(home: &Path) -> (Dev, String, String) {
    let address = || {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        held.local_addr().unwrap().to_string()
    };
    let (abci, metrics) = (address(), address());
    let child = Command::new(HUBD)
        .args(["start", "--home", text(home), "--grpc", ""])
        .args(["--abci", &format!("tcp://{abci}"), "--metrics", &metrics])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while TcpStream::connect(&metrics).is_err() || TcpStream::connect(&abci).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(10));
    }
    let dev = Dev {
        child,
        rpc: metrics.clone(),
        banner: String::new(),
    };
    (dev, abci, metrics)
}

#[test]
fn start_waits_for_cometbft_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut node, ..) = start(folder.path());
    let health = node.get("/healthz");
    assert_eq!(health["status"], "waiting for the first block");
    assert_eq!(node.end("-TERM"), Some(0));
    assert!(folder.path().join("config/hubd.toml").exists());
}

#[test]
fn a_panic_in_any_thread_ends_the_process_with_its_reason() {
    use prost::Message;
    use std::os::unix::process::ExitStatusExt;
    use tendermint_proto::v0_38::abci::{request, Request, RequestFinalizeBlock};
    let folder = tempfile::tempdir().unwrap();
    let (mut node, abci, _) = start(folder.path());
    // A block before InitChain: the application cannot go on, and says so.
    let request = Request {
        value: Some(request::Value::FinalizeBlock(RequestFinalizeBlock {
            hash: vec![1; 32].into(),
            height: 1,
            time: Some(tendermint_proto::google::protobuf::Timestamp::default()),
            ..Default::default()
        })),
    };
    let mut stream = TcpStream::connect(abci).unwrap();
    stream
        .write_all(&request.encode_length_delimited_to_vec())
        .unwrap();
    let status = node.child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "aborted: {status}");
    let mut error = String::new();
    node.child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut error)
        .unwrap();
    assert!(error.contains("InitChain has not come yet"), "{error}");
    assert!(error.contains("start again"), "{error}");
}
