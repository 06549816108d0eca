//! The story, and what becomes of the auditor's file when it is touched.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{anyhow, ensure, Context, Result};
use audit::mutate::Effort;
use hub_light::TrustPoint;
use localnet::binaries::Binaries;
use localnet::network::Engine;
use localnet::story::{self, Narrator};

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_on_four_validators() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("trail.hold");
    let mut narrator = Narrator::aloud();
    let engine = Engine::Comet { validators: 4 };
    let (stage, trail) = story::play(&folder.path().join("network"), engine, &out, &mut narrator)
        .await
        .unwrap();
    narrator.table();
    assert!(
        narrator.shown() >= 25,
        "the story shows {} things",
        narrator.shown()
    );
    stage.plant.network.stop();
    every_change_is_named(&trail.file, &trail.trust).unwrap();
}

/// Every field of the first items of each kind; `make soak` spoils every byte of every item, which
/// takes an hour.
fn effort() -> Effort {
    match std::env::var_os("HOLDFAST_SOAK") {
        Some(_) => Effort::ALL,
        None => Effort {
            stride: 251,
            repeated: 2,
        },
    }
}

/// Flips, cuts, swaps and pads each field of the file; the library and the binary must refuse each
/// with a reason.
fn every_change_is_named(file: &Path, trust: &str) -> Result<()> {
    let bytes = std::fs::read(file).context("read the trail")?;
    let point: TrustPoint = trust.parse().map_err(|error| anyhow!("{error}"))?;
    audit::verify(&bytes, point).context("the trail as it is")?;
    let (mut refused, mut reasons) = (0, BTreeMap::<String, usize>::new());
    let mut wrong = None;
    audit::mutate::each(
        &bytes,
        effort(),
        &mut |name, changed| match audit::verify(changed, point) {
            Ok(_) => wrong = Some(format!("{name} still verifies")),
            Err(error) if error.to_string().is_empty() => {
                wrong = Some(format!("{name} is refused without a reason"))
            }
            Err(error) => {
                *reasons.entry(error.section.to_string()).or_default() += 1;
                refused += 1;
            }
        },
    );
    println!("{refused} changed files, all refused, by what was wrong: {reasons:?}");
    ensure!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    ensure!(refused > 100, "the mutator made only {refused} files");

    let hold = Binaries::find()?.hold;
    let exit = |arguments: &[&str]| -> Result<Option<i32>> {
        Ok(Command::new(&hold)
            .args(["audit", "verify"])
            .args(arguments)
            .output()
            .context("run hold")?
            .status
            .code())
    };
    let path = file.to_string_lossy();
    ensure!(
        exit(&[&path, "--trust", trust])? == Some(0),
        "the trail verifies"
    );
    ensure!(
        exit(&[
            &path,
            "--trust",
            &format!("{}:{}", point.height, "00".repeat(32))
        ])? == Some(1),
        "another block hash is refused"
    );
    ensure!(
        exit(&["/nonexistent", "--trust", trust])? == Some(2),
        "a missing file is neither yes nor no"
    );
    Ok(())
}
