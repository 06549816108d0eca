//! The story that Holdfast must be able to tell, with real processes: a plant in San José, two
//! cells, two sidecars, a hub, and an auditor who trusts nobody.
//!
//! `localnet demo` narrates it on the embedded engine; the whole-system tests play the same steps
//! on four CometBFT validators. Every statement it makes is checked: one that does not hold ends it.

mod anchored;
mod audited;
mod forger;
mod founded;
mod intruder;
mod narrator;
mod offline;
mod revoked;
mod rolled_back;
mod scribe;
mod stage;
mod written;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use narrator::Narrator;
pub use stage::Stage;

use crate::network::Engine;
use crate::plant::PlantOptions;

/// Milliseconds between two blocks of the embedded engine in the story.
const BLOCK_MS: u64 = 200;

/// What the story leaves behind.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The auditor's file.
    pub file: PathBuf,
    /// The block it is verified under, `HEIGHT:HASH`.
    pub trust: String,
}

/// Plays the story aloud and leaves the auditor's file at `out`.
///
/// # Errors
/// When a statement does not hold, or a process fails.
pub async fn demo(out: &Path, validators: Option<usize>) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("holdfast-demo-{}", std::process::id()));
    let engine = validators.map_or(Engine::Embedded { block_ms: BLOCK_MS }, |validators| {
        Engine::Comet { validators }
    });
    let mut narrator = Narrator::aloud();
    let told = tokio::select! {
        told = play(&folder, engine, out, &mut narrator) => told,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; everything that had started is stopped")),
    };
    match told {
        Ok((stage, trail)) => {
            narrator.table();
            println!(
                "\nThe auditor's file is {}. Verify it, with no network at all:\n",
                trail.file.display()
            );
            println!(
                "  {} audit verify {} --trust {}\n",
                stage.plant.network.binaries().hold.display(),
                trail.file.display(),
                trail.trust
            );
            stage.plant.network.stop();
            std::fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))
        }
        Err(error) => Err(error.context(format!(
            "the story broke off; its logs are in {}",
            folder.join("logs").display()
        ))),
    }
}

/// Plays the story in `folder`; the network is still up when it ends well.
///
/// # Errors
/// When a statement does not hold, or a process fails.
pub async fn play(
    folder: &Path,
    engine: Engine,
    out: &Path,
    narrator: &mut Narrator,
) -> Result<(Stage, Trail)> {
    let mut stage = founded::play(
        PlantOptions {
            folder: folder.to_owned(),
            engine,
            sidecars: 2,
        },
        narrator,
    )
    .await?;
    written::play(&mut stage, narrator).await?;
    intruder::play(&mut stage, narrator).await?;
    offline::play(&mut stage, narrator).await?;
    revoked::play(&mut stage, narrator).await?;
    anchored::play(&mut stage, narrator).await?;
    rolled_back::play(&mut stage, narrator).await?;
    let trail = audited::play(&mut stage, out, narrator).await?;
    Ok((stage, trail))
}
