//! The `sidecar` command: what a person sees who types something wrong.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const TRUST: &str = "7:abababababababababababababababababababababababababababababababab";
const POLICY: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn sidecar(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidecar"))
        .args(arguments)
        .env_remove("SIDECAR_PASSPHRASE")
        .env_remove("SIDECAR_PASSPHRASE_FILE")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn init(home: &Path, more: &[&str], environment: &[(&str, &str)]) -> Output {
    let home = home.to_str().unwrap();
    let mut arguments = vec![
        "init",
        "--output",
        "json",
        "--home",
        home,
        "--chain-id",
        "plant-1",
        "--hub",
        "http://127.0.0.1:1",
        "--trust",
        TRUST,
        "--policy",
        POLICY,
        "--http",
        "127.0.0.1:0",
        "--p2p",
        "/ip4/127.0.0.1/tcp/0",
    ];
    arguments.extend(more);
    sidecar(&arguments, environment)
}

/// The command failed with one sentence that holds these words.
fn refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{text}");
    let last = text.lines().last().unwrap_or_default();
    for word in words {
        assert!(last.contains(word), "{word:?} is not in {text}");
    }
}

#[test]
fn init_makes_a_home_once_and_says_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("a");
    let output = init(&home, &["--plain-keys"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    for field in ["peer_id", "actor", "operator", "account"] {
        assert!(
            said[field].as_str().is_some_and(|text| !text.is_empty()),
            "{said}"
        );
    }
    refused(&init(&home, &["--plain-keys"], &[]), &["exists already"]);
    let wrong = folder.path().join("b");
    refused(&init(&wrong, &[], &[]), &["passphrase"]);
    assert!(!wrong.join("config.toml").exists());
    let output = init(&wrong, &["--plain-keys", "--peer", "nowhere"], &[]);
    refused(&output, &["peers", "nowhere"]);
    assert!(!wrong.join("config.toml").exists(), "no half-made home");
}

#[test]
fn start_refuses_what_is_wrong_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("a");
    let start = |home: &Path, environment: &[(&str, &str)]| {
        sidecar(&["start", "--home", home.to_str().unwrap()], environment)
    };
    refused(&start(&home, &[]), &["config.toml", "sidecar init"]);
    let right = [("SIDECAR_PASSPHRASE", "four words of sense")];
    assert!(init(&home, &[], &right).status.success());
    refused(&start(&home, &[]), &["sealed"]);
    refused(
        &start(&home, &[("SIDECAR_PASSPHRASE", "wrong")]),
        &["passphrase does not open"],
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = home.join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::fs::write(&config, text.replace("127.0.0.1:0", &address)).unwrap();
    refused(&start(&home, &right), &["cannot listen", &address]);

    std::fs::write(&config, text.replace("plant-1", "plant-2")).unwrap();
    refused(&start(&home, &right), &["belongs to the chain plant-1"]);
    for entry in std::fs::read_dir(home.join("store")).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("MANIFEST") {
            std::fs::write(entry.path(), b"nothing").unwrap();
        }
    }
    std::fs::write(&config, &text).unwrap();
    refused(&start(&home, &right), &["damaged"]);
}
