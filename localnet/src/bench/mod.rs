//! `localnet bench`: how many transactions four validators take, beside what CometBFT's built-in
//! `kvstore` takes in the same run and the same configuration. Figures are printed, never asserted.

mod load;
mod workload;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use clap::Args;
use identity::KeyKind;
use serde_json::json;

use crate::binaries::find_comet;
use crate::comet::{self, Pace};
use crate::network::{Engine, HubOptions, Network};
use crate::process::Process;
use workload::Accounts;

/// Transactions made beforehand for each second of load, over all clients: above what two cores
/// commit, so that no client runs out before the time is over.
const HEADROOM_PER_SECOND: u64 = 12_000;

/// Loads begin at this height: until all validators have found each other, rounds time out.
const WARM_HEIGHT: u64 = 20;

/// How long policies and objects may take to be made before the load.
const PREPARATION: Duration = Duration::from_secs(120);

/// What to load, and how hard.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Validators.
    #[arg(long, default_value_t = 4)]
    pub validators: usize,
    /// Concurrent clients; CheckTx is flushed every 20 ms, so few see less.
    #[arg(long, default_value_t = 256)]
    pub clients: usize,
    /// Seconds of load for each workload.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
}

/// One row of the result.
struct Row {
    name: &'static str,
    /// Changes that one transaction makes.
    unit: u64,
    outcome: load::Outcome,
}

/// Runs every workload on fresh networks and prints the table.
///
/// # Errors
/// When a network does not start or stops answering.
pub async fn run(options: Options, json: bool) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("holdfast-bench-{}", std::process::id()));
    let measured = tokio::select! {
        measured = measure(&options, &folder) => measured,
        _ = tokio::signal::ctrl_c() => bail!("interrupted; everything that had started is stopped"),
    };
    let _ = std::fs::remove_dir_all(&folder);
    let (rows, intervals, bytes) = measured?;
    print(&options, &rows, &intervals, bytes, json);
    Ok(())
}

async fn measure(
    options: &Options,
    folder: &Path,
) -> Result<(Vec<Row>, Vec<(&'static str, f64)>, usize)> {
    let duration = Duration::from_secs(options.seconds);
    let per_client =
        (options.seconds * HEADROOM_PER_SECOND / options.clients as u64).max(1) as usize;
    let mut rows = Vec::new();
    let mut intervals = Vec::new();

    let mut bytes = 0;
    for (name, kind) in [
        ("send, ed25519", KeyKind::Ed25519),
        ("send, secp256k1", KeyKind::Secp256k1),
    ] {
        let accounts = Accounts::generate(kind, options.clients)?;
        let network = start(options, &folder.join(name.replace(", ", "-")), &accounts).await?;
        let rpcs: Vec<SocketAddr> = network.hubs().iter().map(|hub| hub.rpc).collect();
        let load = accounts.sends(network.chain_id(), per_client)?;
        bytes = load
            .first()
            .and_then(|client| client.first())
            .map_or(0, Vec::len);
        if kind == KeyKind::Ed25519 {
            intervals.push(("idle", load::idle_interval_ms(rpcs[0], 40).await?));
        }
        rows.push(Row {
            name,
            unit: 1,
            outcome: load::run(&rpcs, load, duration, None).await?,
        });
        network.stop();
    }
    let full = rows[0].outcome.per_second();
    {
        let accounts = Accounts::generate(KeyKind::Ed25519, options.clients)?;
        let network = start(options, &folder.join("half"), &accounts).await?;
        let rpcs: Vec<SocketAddr> = network.hubs().iter().map(|hub| hub.rpc).collect();
        let load = accounts.sends(network.chain_id(), per_client)?;
        let outcome = load::run(&rpcs, load, duration, Some(full / 2.0)).await?;
        intervals.push(("at half load", outcome.block_interval_ms()));
        network.stop();
    }
    {
        let writers = options.clients.min(32);
        let accounts = Accounts::generate(KeyKind::Ed25519, writers)?;
        let network = start(options, &folder.join("relate"), &accounts).await?;
        let rpcs: Vec<SocketAddr> = network.hubs().iter().map(|hub| hub.rpc).collect();
        let (prepare, load) = accounts.relationship_batches(
            network.chain_id(),
            (options.seconds * 400 / writers as u64).max(1) as usize,
        )?;
        let prepared = load::run(&rpcs, prepare, PREPARATION, None).await?;
        if prepared.refused > 0 {
            bail!(
                "the policies of the load were refused: {}",
                prepared.first_refusal.unwrap_or_default()
            );
        }
        rows.push(Row {
            name: "relationship batches of 100",
            unit: 100,
            outcome: load::run(&rpcs, load, duration, None).await?,
        });
        network.stop();
    }
    let load = workload::kvstore(options.clients, per_client, bytes);
    rows.push(Row {
        name: "CometBFT kvstore, unsigned",
        unit: 1,
        outcome: kvstore(options, &folder.join("kvstore"), load, duration).await?,
    });
    Ok((rows, intervals, bytes))
}

async fn start(options: &Options, folder: &Path, accounts: &Accounts) -> Result<Network> {
    let network = Network::start(HubOptions {
        folder: folder.to_owned(),
        chain_id: "bench".to_owned(),
        engine: Engine::Comet {
            validators: options.validators,
        },
        accounts: accounts.funded()?,
        pace: Pace::default(),
    })
    .await?;
    load::wait_for_height(network.hubs()[0].rpc, WARM_HEIGHT).await?;
    Ok(network)
}

/// The same load on CometBFT's built-in application, in the same configuration.
async fn kvstore(
    options: &Options,
    folder: &Path,
    load: Vec<Vec<Vec<u8>>>,
    duration: Duration,
) -> Result<load::Outcome> {
    let comet = find_comet()?;
    let logs = folder.join("logs");
    std::fs::create_dir_all(&logs).context("create the reference's folder")?;
    let homes = comet::make_homes(
        &comet.path,
        folder,
        options.validators,
        "kvstore",
        &json!({}),
        Pace::default(),
        |_| "kvstore".to_owned(),
    )?;
    let mut nodes = Vec::new();
    for (index, home) in homes.iter().enumerate() {
        let mut command = Command::new(&comet.path);
        command.args(["start", "--home", &home.path.to_string_lossy()]);
        nodes.push(Process::start(
            &format!("kvstore{index}"),
            command,
            &logs.join(format!("kvstore{index}.log")),
        )?);
    }
    let rpcs: Vec<SocketAddr> = homes.iter().map(|home| home.rpc).collect();
    load::wait_for_height(rpcs[0], WARM_HEIGHT).await?;
    let outcome = load::run(&rpcs, load, duration, None).await?;
    nodes.iter_mut().for_each(|node| {
        node.stop();
    });
    Ok(outcome)
}

fn print(options: &Options, rows: &[Row], intervals: &[(&str, f64)], bytes: usize, json: bool) {
    let reference = rows.last().map_or(1.0, |row| row.outcome.per_second());
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({ "workload": row.name, "per_second": row.outcome.per_second(), "changes_per_second": row.outcome.per_second() * row.unit as f64,
                    "ratio": row.outcome.per_second() / reference, "accepted": row.outcome.accepted, "committed": row.outcome.committed, "refused": row.outcome.refused,
                    "first_refusal": row.outcome.first_refusal, "block_interval_ms": row.outcome.block_interval_ms() })
            })
            .collect();
        println!(
            "{}",
            json!({ "validators": options.validators, "clients": options.clients, "transaction_bytes": bytes, "rows": rows,
            "block_interval_ms": intervals.iter().map(|(name, ms)| json!({ "load": name, "ms": ms })).collect::<Vec<_>>() })
        );
        return;
    }
    println!(
        "{} validators, {} clients, {} s a workload, transactions of {bytes} bytes, this machine, {}\n",
        options.validators,
        options.clients,
        options.seconds,
        if cfg!(debug_assertions) { "the development build (`make bench` measures a release)" } else { "a release build" }
    );
    println!(
        "{:<30} {:>12} {:>14} {:>10} {:>12} {:>8}",
        "workload", "tx/s", "changes/s", "committed", "ms a block", "ratio"
    );
    for row in rows {
        let outcome = &row.outcome;
        let changes = if row.unit == 1 {
            String::new()
        } else {
            format!("{:.0}", outcome.per_second() * row.unit as f64)
        };
        let ratio = if row.unit == 1 {
            format!("{:.2}", outcome.per_second() / reference)
        } else {
            String::new()
        };
        println!(
            "{:<30} {:>12.0} {changes:>14} {:>10} {:>12.0} {ratio:>8}",
            row.name,
            outcome.per_second(),
            outcome.committed,
            outcome.block_interval_ms()
        );
        if let Some(why) = &outcome.first_refusal {
            println!("    {} refused, the first because: {why}", outcome.refused);
        }
    }
    println!();
    for (name, ms) in intervals {
        println!("block interval, {name}: {ms:.0} ms");
    }
}
