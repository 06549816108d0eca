//! CometBFT's own fail points: places between its writes where a crash is worst
//! (`FAIL_TEST_INDEX`, see its `libs/fail`). The handshake afterwards must replay what the
//! application missed, or nothing where it missed nothing.

use std::time::{Duration, Instant};

use anyhow::{bail, Result};

use super::{all_agree, plant};

/// CometBFT 0.38 passes this many fail points in a block with transactions in it (counted by
/// running with rising indices until one no longer ended the process within two blocks).
const POINTS: u64 = 16;

#[tokio::test(flavor = "multi_thread")]
async fn comet_comes_back_from_crashes_at_its_fail_points() {
    let points = if std::env::var_os("HOLDFAST_SOAK").is_some() {
        (0..POINTS).collect()
    } else {
        seeded_points(3)
    };
    crash_at(&points).await.unwrap();
}

/// `count` points, from the seed that is printed or given in `HOLDFAST_SEED`.
fn seeded_points(count: usize) -> Vec<u64> {
    let seed = std::env::var("HOLDFAST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()));
    println!("crash points: HOLDFAST_SEED={seed}");
    // A step of 7 is prime to 16: the points differ.
    (0..count as u64)
        .map(|index| (seed + 7 * index) % POINTS)
        .collect()
}

async fn crash_at(points: &[u64]) -> Result<()> {
    let (_folder, mut plant) = plant(0).await?;
    for point in points {
        let network = &mut plant.network;
        network.kill("comet3")?;
        network.set_environment("comet3", "FAIL_TEST_INDEX", Some(&point.to_string()))?;
        network.revive("comet3").await?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while network.is_running("comet3") {
            if Instant::now() > deadline {
                bail!("fail point {point} was not reached within a minute");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        network.set_environment("comet3", "FAIL_TEST_INDEX", None)?;
        network.revive("comet3").await?;
        let height = all_agree(network).await?;
        println!("fail point {point}: crashed, came back, same app hash at height {height}");
    }
    plant.network.stop();
    Ok(())
}
