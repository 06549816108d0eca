//! Homes for CometBFT nodes: keys, one genesis, and a configuration for short blocks.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};
use serde_json::{json, Value};

use crate::ports;

/// Times that suit validators on one machine. The field names are CometBFT's.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a validator waits after a commit before it starts the next height, in ms.
    pub timeout_commit_ms: u64,
    /// How often a peer's gossip routine looks for something to send, in ms.
    pub gossip_sleep_ms: u64,
    /// How long a connection gathers messages before it flushes them, in ms.
    pub flush_ms: u64,
}

impl Default for Pace {
    /// Blocks of about 100 ms on two cores: CometBFT takes 36 ms beyond `timeout_commit` with
    /// gossip and flush at 10 ms.
    fn default() -> Self {
        Self {
            timeout_commit_ms: 60,
            gossip_sleep_ms: 10,
            flush_ms: 10,
        }
    }
}

/// One CometBFT node's home and addresses.
#[derive(Clone, Debug)]
pub struct CometHome {
    /// The folder given as `--home`.
    pub path: PathBuf,
    /// Peer-to-peer address.
    pub p2p: SocketAddr,
    /// RPC address.
    pub rpc: SocketAddr,
    /// Where its application listens for ABCI; `kvstore` for the built-in one.
    pub app: String,
    /// Its peer-to-peer identity.
    pub node_id: String,
}

/// Makes `count` validators of equal power that know one another and share a genesis.
///
/// `app_for` gives each node's `proxy_app`; `app_state` becomes genesis' `app_state`.
///
/// # Errors
/// When CometBFT cannot initialise a home, or its files are not as expected.
pub fn make_homes(
    comet: &Path,
    folder: &Path,
    count: usize,
    chain_id: &str,
    app_state: &Value,
    pace: Pace,
    mut app_for: impl FnMut(usize) -> String,
) -> Result<Vec<CometHome>> {
    let mut homes = Vec::with_capacity(count);
    let mut validators = Vec::with_capacity(count);
    for index in 0..count {
        let path = folder.join(format!("validator{index}/comet"));
        std::fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        run(comet, &["init", "--home", &path.to_string_lossy()])?;
        let node_id = run(comet, &["show-node-id", "--home", &path.to_string_lossy()])?
            .trim()
            .to_owned();
        let key: Value = read_json(&path.join("config/priv_validator_key.json"))?;
        validators.push(json!({
            "address": key["address"], "pub_key": key["pub_key"], "power": "10", "name": format!("validator{index}"),
        }));
        homes.push(CometHome {
            path,
            p2p: ports::free()?,
            rpc: ports::free()?,
            app: app_for(index),
            node_id,
        });
    }
    let mut genesis: Value = read_json(&homes[0].path.join("config/genesis.json"))?;
    genesis["chain_id"] = json!(chain_id);
    genesis["validators"] = Value::Array(validators);
    genesis["app_state"] = app_state.clone();
    for home in &homes {
        let text = serde_json::to_string_pretty(&genesis).context("write genesis")?;
        std::fs::write(home.path.join("config/genesis.json"), text)
            .context("write genesis.json")?;
        configure(home, &homes, pace)?;
    }
    Ok(homes)
}

fn configure(home: &CometHome, all: &[CometHome], pace: Pace) -> Result<()> {
    let path = home.path.join("config/config.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut config: toml::Table = text
        .parse()
        .with_context(|| format!("parse {}", path.display()))?;
    let peers: Vec<String> = all
        .iter()
        .filter(|peer| peer.node_id != home.node_id)
        .map(|peer| format!("{}@{}", peer.node_id, peer.p2p))
        .collect();
    let ms = |ms: u64| toml::Value::from(format!("{ms}ms"));

    config.insert("proxy_app".into(), home.app.clone().into());
    config.insert("log_level".into(), "error".into());
    section(
        &mut config,
        "rpc",
        [
            ("laddr", format!("tcp://{}", home.rpc).into()),
            ("pprof_laddr", "".into()),
            ("max_open_connections", 4000.into()),
            ("max_body_bytes", 4_000_000.into()),
        ],
    )?;
    section(
        &mut config,
        "p2p",
        [
            ("laddr", format!("tcp://{}", home.p2p).into()),
            ("persistent_peers", peers.join(",").into()),
            ("addr_book_strict", false.into()),
            ("allow_duplicate_ip", true.into()),
            ("pex", false.into()),
            ("flush_throttle_timeout", ms(pace.flush_ms)),
            ("send_rate", 50_000_000.into()),
            ("recv_rate", 50_000_000.into()),
        ],
    )?;
    // With recheck off, an account with transactions in the pool could not send another after the
    // next block: CheckTx would count from the committed sequence. Recheck skips signatures, and a
    // pool of some blocks' worth keeps it short: who finds it full tries again.
    section(
        &mut config,
        "mempool",
        [
            ("size", 5_000.into()),
            ("cache_size", 50_000.into()),
            ("recheck", true.into()),
        ],
    )?;
    section(
        &mut config,
        "consensus",
        [
            ("timeout_commit", ms(pace.timeout_commit_ms)),
            ("peer_gossip_sleep_duration", ms(pace.gossip_sleep_ms)),
            ("peer_query_maj23_sleep_duration", "500ms".into()),
            ("timeout_propose", "1s".into()),
        ],
    )?;
    section(&mut config, "tx_index", [("indexer", "kv".into())])?;
    std::fs::write(
        &path,
        toml::to_string(&config).context("write config.toml")?,
    )
    .with_context(|| format!("write {}", path.display()))
}

fn section<const N: usize>(
    config: &mut toml::Table,
    name: &str,
    values: [(&str, toml::Value); N],
) -> Result<()> {
    let table = config
        .get_mut(name)
        .and_then(toml::Value::as_table_mut)
        .with_context(|| format!("CometBFT's config.toml has no [{name}]"))?;
    for (key, value) in values {
        if !table.contains_key(key) {
            bail!("CometBFT's config.toml has no `{key}` in [{name}]: is it the pinned version?");
        }
        table.insert(key.to_owned(), value);
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("parse {}", path.display()))
}

fn run(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "`cometbft {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
