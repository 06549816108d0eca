//! Each role killed at any moment under load; CometBFT crashed at its own fail points. Nothing
//! that was acknowledged is lost or doubled, and everybody comes back to the same app hash.

mod crash_points;
mod kills;
mod load;

use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use localnet::network::{Engine, Network};
use localnet::plant::{Plant, PlantOptions};

/// How long a node that came back may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(60);

/// A plant on four validators, in a folder that goes with it.
pub(crate) async fn plant(sidecars: usize) -> Result<(tempfile::TempDir, Plant)> {
    let folder = tempfile::tempdir().context("a folder for the network")?;
    let options = PlantOptions {
        folder: folder.path().join("network"),
        engine: Engine::Comet { validators: 4 },
        sidecars,
    };
    let plant = Plant::raise(options).await?;
    Ok((folder, plant))
}

/// Waits until every validator has the same app hash at one new height.
pub(crate) async fn all_agree(network: &Network) -> Result<u64> {
    let target = network.height().await + 2;
    let deadline = Instant::now() + CATCH_UP;
    'wait: loop {
        if Instant::now() > deadline {
            let mut heights = Vec::new();
            for index in 0..network.hubs().len() {
                heights.push(network.height_of(index).await);
            }
            bail!(
                "validators did not all reach height {target} within {} s; they are at {heights:?}",
                CATCH_UP.as_secs()
            );
        }
        for index in 0..network.hubs().len() {
            if network
                .height_of(index)
                .await
                .is_none_or(|height| height < target)
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue 'wait;
            }
        }
        break;
    }
    let mut hashes = Vec::new();
    for hub in network.hubs() {
        let (_, body) = localnet::http::get(hub.rpc, &format!("/commit?height={target}")).await?;
        let answer: serde_json::Value = serde_json::from_slice(&body)?;
        hashes.push(
            answer["result"]["signed_header"]["header"]["app_hash"]
                .as_str()
                .context("app_hash")?
                .to_owned(),
        );
    }
    if hashes.iter().any(|hash| *hash != hashes[0]) {
        bail!("app hashes differ at height {target}: {hashes:?}");
    }
    Ok(target)
}
