//! Puts transactions on a network as fast as it takes them and counts what its blocks hold.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use base64::prelude::{Engine as _, BASE64_STANDARD};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::Request;
use serde_json::{json, Value};

use crate::http::{self, Connection};

/// How one load went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Transactions that a node's CheckTx accepted.
    pub accepted: u64,
    /// Transactions that it refused, and the first reason.
    pub refused: u64,
    /// Why the first refusal was.
    pub first_refusal: Option<String>,
    /// Transactions in blocks.
    pub committed: u64,
    /// From when the first loaded block began to when the last one was committed, by header time.
    pub elapsed: Duration,
    /// Blocks in that time.
    pub blocks: u64,
}

impl Outcome {
    /// Committed transactions a second.
    pub fn per_second(&self) -> f64 {
        self.committed as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// Mean time between blocks under load, in ms.
    pub fn block_interval_ms(&self) -> f64 {
        self.elapsed.as_secs_f64() * 1000.0 / (self.blocks.max(1) as f64)
    }
}

/// Sends `clients[i]`'s transactions in order, each client over one connection to one of `rpcs`,
/// until they are used up or `duration` has passed; then waits until the pool is empty.
///
/// `per_second` bounds the whole load, for half-load runs.
///
/// # Errors
/// When a node stops answering.
pub async fn run(
    rpcs: &[SocketAddr],
    clients: Vec<Vec<Vec<u8>>>,
    duration: Duration,
    per_second: Option<f64>,
) -> Result<Outcome> {
    let first_height = height(rpcs[0]).await?;
    let accepted = Arc::new(AtomicU64::new(0));
    let refused = Arc::new(AtomicU64::new(0));
    let reason = Arc::new(std::sync::Mutex::new(None));
    let over = Arc::new(AtomicBool::new(false));
    let pause = per_second.map(|rate| Duration::from_secs_f64(clients.len() as f64 / rate));

    let mut tasks = tokio::task::JoinSet::new();
    for (index, transactions) in clients.into_iter().enumerate() {
        let address = rpcs[index % rpcs.len()];
        let (accepted, refused, reason, over) = (
            accepted.clone(),
            refused.clone(),
            reason.clone(),
            over.clone(),
        );
        tasks.spawn(async move {
            let mut connection = connect(address).await?;
            let mut next = Instant::now();
            for transaction in transactions {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                if let Some(pause) = pause {
                    tokio::time::sleep_until(next.into()).await;
                    next += pause;
                }
                match enter(&mut connection, address, &transaction, &over).await? {
                    Entered::Yes => {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                    Entered::TimeIsOver => break,
                    Entered::Refused(why) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                        reason
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner)
                            .get_or_insert(why);
                        // The sequence has a hole now; what follows would be refused as well.
                        break;
                    }
                }
            }
            anyhow::Ok(())
        });
    }
    let timer = tokio::spawn(async move {
        tokio::time::sleep(duration).await;
        over.store(true, Ordering::Relaxed);
    });
    while let Some(task) = tasks.join_next().await {
        task.context("a client of the load")??;
    }
    timer.abort();
    drain(rpcs).await?;

    let last_height = height(rpcs[0]).await?;
    let (committed, elapsed, blocks) = count(rpcs[0], first_height, last_height).await?;
    let first_refusal = reason
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take();
    Ok(Outcome {
        accepted: accepted.load(Ordering::Relaxed),
        refused: refused.load(Ordering::Relaxed),
        first_refusal,
        committed,
        elapsed,
        blocks,
    })
}

/// Connects, for ten seconds at most: a network is ready when its first node has blocks, and the
/// others may still be opening their ports.
async fn connect(address: SocketAddr) -> Result<Connection> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Connection::open(address).await {
            Err(_) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await
            }
            opened => return opened,
        }
    }
}

/// What became of one transaction at a node's pool.
enum Entered {
    Yes,
    TimeIsOver,
    Refused(String),
}

/// Puts one transaction into a node's pool, and waits while that is full.
///
/// A transaction that found the pool full after CheckTx has raised its account's sequence there
/// until the next block: that, too, is waited for.
async fn enter(
    connection: &mut Connection,
    address: SocketAddr,
    transaction: &[u8],
    over: &AtomicBool,
) -> Result<Entered> {
    let mut was_full = false;
    loop {
        let Some(why) = broadcast(connection, address, transaction).await? else {
            return Ok(Entered::Yes);
        };
        was_full |= why.contains("mempool is full");
        if !was_full {
            return Ok(Entered::Refused(why));
        }
        if over.load(Ordering::Relaxed) {
            return Ok(Entered::TimeIsOver);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The reason of a refusal, if it was refused.
async fn broadcast(
    connection: &mut Connection,
    address: SocketAddr,
    transaction: &[u8],
) -> Result<Option<String>> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"broadcast_tx_sync","params":{{"tx":"{}"}}}}"#,
        BASE64_STANDARD.encode(transaction)
    );
    let request = Request::post("/")
        .header("host", address.to_string())
        .header("content-type", "application/json");
    let request = request
        .body(Full::new(Bytes::from(body)))
        .context("build the request")?;
    let (_, answer) = connection.send(request).await?;
    let answer: Value = serde_json::from_slice(&answer).context("the answer is not JSON")?;
    if answer["result"]["code"] == json!(0) {
        return Ok(None);
    }
    let log = answer["result"]["log"]
        .as_str()
        .or(answer["error"]["data"].as_str())
        .unwrap_or("no reason given");
    Ok(Some(log.to_owned()))
}

/// Waits, for a minute at most, until no node has a transaction left in its pool and two more
/// blocks have passed.
async fn drain(rpcs: &[SocketAddr]) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    for rpc in rpcs {
        while result(*rpc, "/num_unconfirmed_txs").await?["total"] != json!("0") {
            if Instant::now() > deadline {
                bail!("the pool of {rpc} is not empty a minute after the load; see its log");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let now = height(rpcs[0]).await?;
    wait_for_height(rpcs[0], now + 2).await
}

/// Transactions in blocks `(first, last]`, the time that the loaded ones took, their count.
///
/// A header's time is the median of the votes that committed the block before it (BFT time), so a
/// block takes from its own header's time to the next one's. Two blocks follow the loaded ones:
/// [`drain`] waits for them.
async fn count(rpc: SocketAddr, first: u64, last: u64) -> Result<(u64, Duration, u64)> {
    let mut blocks: Vec<(u64, f64)> = Vec::new();
    let mut from = first;
    while from <= last {
        // CometBFT gives at most 20 headers a call.
        let to = last.min(from + 19);
        let page = result(rpc, &format!("/blockchain?minHeight={from}&maxHeight={to}")).await?;
        let mut metas = page["block_metas"]
            .as_array()
            .context("block_metas")?
            .clone();
        metas.reverse();
        for meta in metas {
            let transactions = meta["num_txs"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .context("num_txs")?;
            blocks.push((
                transactions,
                seconds(meta["header"]["time"].as_str().context("time")?)?,
            ));
        }
        from = to + 1;
    }
    let loaded = |(transactions, _): &(u64, f64)| *transactions > 0;
    let (Some(start), Some(end)) = (
        blocks.iter().position(loaded),
        blocks.iter().rposition(loaded),
    ) else {
        return Ok((0, Duration::ZERO, 0));
    };
    let committed = blocks[start..=end]
        .iter()
        .map(|(transactions, _)| transactions)
        .sum();
    let after = blocks.get(end + 1).context("no block after the load")?;
    let elapsed = (after.1 - blocks[start].1).max(0.0);
    Ok((
        committed,
        Duration::from_secs_f64(elapsed),
        (end - start + 1) as u64,
    ))
}

/// The mean time between the next `blocks` blocks, in ms, by header time.
///
/// # Errors
/// When the node does not answer, or makes no blocks.
pub async fn idle_interval_ms(rpc: SocketAddr, blocks: u64) -> Result<f64> {
    let first = height(rpc).await?;
    let last = first + blocks;
    wait_for_height(rpc, last).await?;
    let time = |height: u64| async move {
        let commit = result(rpc, &format!("/header?height={height}")).await?;
        seconds(commit["header"]["time"].as_str().context("time")?)
    };
    Ok((time(last).await? - time(first).await?) * 1000.0 / ((last - first).max(1) as f64))
}

/// Waits, for a minute at most, until the node reports `height`.
///
/// # Errors
/// When it does not.
pub async fn wait_for_height(rpc: SocketAddr, wanted: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while height(rpc).await.unwrap_or(0) < wanted {
        if Instant::now() > deadline {
            bail!("no block {wanted} within a minute");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn height(rpc: SocketAddr) -> Result<u64> {
    let status = result(rpc, "/status").await?;
    status["sync_info"]["latest_block_height"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .context("latest_block_height")
}

async fn result(rpc: SocketAddr, path: &str) -> Result<Value> {
    let (_, body) = http::get(rpc, path).await?;
    let mut answer: Value =
        serde_json::from_slice(&body).with_context(|| format!("{path} is not JSON"))?;
    Ok(answer["result"].take())
}

/// Seconds of an RFC 3339 time in UTC within its day; a run over midnight is measured again.
fn seconds(time: &str) -> Result<f64> {
    let clock = time
        .split_once('T')
        .context("an RFC 3339 time")?
        .1
        .trim_end_matches('Z');
    let mut parts = clock.split(':').map(str::parse::<f64>);
    let mut next = || {
        parts
            .next()
            .context("an RFC 3339 time")?
            .context("an RFC 3339 time")
    };
    Ok(next()? * 3600.0 + next()? * 60.0 + next()?)
}
