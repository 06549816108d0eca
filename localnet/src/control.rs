//! How `localnet status`, `kill`, `cut` and the rest reach the supervisor that owns a network: one
//! JSON object a line over a Unix socket in the network's folder, which only its owner can open.

use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::network::Network;

/// The longest request or answer, in bytes: a status of a hundred nodes is far below it.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// What can be asked of a supervisor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", content = "name", rename_all = "snake_case")]
pub enum Request {
    /// All nodes, links and addresses.
    Status,
    /// Kill a node as a power cut would.
    Kill(String),
    /// Start a node that is not running.
    Start(String),
    /// Cut a link.
    Cut(String),
    /// Heal a link.
    Heal(String),
    /// Stop everything.
    Down,
}

/// Where a network's supervisor listens.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

/// Asks the supervisor of the network in `folder`.
///
/// # Errors
/// When no supervisor runs there, or with its own words when it refuses.
pub async fn ask(folder: &Path, request: &Request) -> Result<Value> {
    let stream = UnixStream::connect(socket(folder)).await.with_context(|| {
        format!(
            "no network runs in {}; start one with `localnet up`",
            folder.display()
        )
    })?;
    let mut stream = BufReader::new(stream);
    let mut line = serde_json::to_vec(request).context("write the request")?;
    line.push(b'\n');
    stream.write_all(&line).await.context("send the request")?;
    let mut answer = Vec::new();
    stream
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut answer)
        .await
        .context("read the answer")?;
    let answer: Value =
        serde_json::from_slice(&answer).context("the supervisor ended before it answered")?;
    match answer["error"].as_str() {
        Some(error) => bail!("{error}"),
        None => Ok(answer),
    }
}

/// Serves requests until one asks to stop.
///
/// # Errors
/// When the socket cannot be opened.
pub async fn serve(network: &mut Network) -> Result<()> {
    let path = socket(network.control_folder());
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).with_context(|| format!("open {}", path.display()))?;
    loop {
        let (stream, _) = listener.accept().await.context("accept a request")?;
        let (reader, mut writer) = stream.into_split();
        let mut line = Vec::new();
        if BufReader::new(reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .await
            .is_err()
        {
            continue;
        }
        let request = serde_json::from_slice::<Request>(&line);
        let down = matches!(request, Ok(Request::Down));
        let answer = match request {
            Ok(request) => execute(network, request)
                .await
                .unwrap_or_else(|error| json!({ "error": format!("{error:#}") })),
            Err(error) => json!({ "error": format!("not a request: {error}") }),
        };
        if down {
            // Answered after everything has stopped: the listener's end is the answer.
            let _ = std::fs::remove_file(&path);
            let _ = writer.write_all(b"{\"down\":true}\n").await;
            return Ok(());
        }
        let _ = writer.write_all(format!("{answer}\n").as_bytes()).await;
    }
}

async fn execute(network: &mut Network, request: Request) -> Result<Value> {
    match request {
        Request::Status => return Ok(status(network).await),
        Request::Kill(name) => network.kill(&name)?,
        Request::Start(name) => network.revive(&name).await?,
        Request::Cut(name) => network.cut(&name)?,
        Request::Heal(name) => network.heal(&name)?,
        Request::Down => {}
    }
    Ok(json!({ "done": true }))
}

/// Everything there is to know about a network, as JSON.
pub async fn status(network: &mut Network) -> Value {
    let mut hubs = Vec::new();
    for (index, hub) in network.hubs().to_vec().into_iter().enumerate() {
        hubs.push(json!({
            "rpc": format!("http://{}", hub.rpc), "grpc": format!("http://{}", hub.grpc),
            "metrics": format!("http://{}/metrics", hub.metrics), "height": network.height_of(index).await,
        }));
    }
    let sidecars = network.sidecars().iter().map(|(name, sidecar)| {
        (name.clone(), json!({ "http": format!("http://{}", sidecar.http), "home": sidecar.home, "identity": sidecar.identity }))
    });
    let sidecars: serde_json::Map<String, Value> = sidecars.collect();
    let daemons = network.daemons();
    json!({
        "chain_id": network.chain_id(), "engine": network.engine_found(), "folder": network.folder(),
        "hubs": hubs, "sidecars": sidecars, "links": network.links(),
        "nodes": daemons.into_iter().map(|(name, pid)| json!({ "name": name, "pid": pid })).collect::<Vec<_>>(),
    })
}
