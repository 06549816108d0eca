//! The story, and what becomes of the auditor's file when it is touched.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{ensure, Context, Result};
use localnet::binaries::Binaries;
use localnet::network::Engine;
use localnet::story::{self, Narrator};

#[tokio::test(flavor = "multi_thread")]
async fn the_story_holds_on_four_validators() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("trail.hold");
    let mut narrator = Narrator::aloud();
    let engine = Engine::Comet { validators: 4 };
    let (stage, trail) = story::play(&folder.path().join("network"), engine, &out, &mut narrator).await.unwrap();
    narrator.table();
    assert!(narrator.shown() >= 25, "the story shows {} things", narrator.shown());
    stage.plant.network.stop();
    every_change_is_named(&trail.file, &trail.trust).unwrap();
}

/// Flips, cuts, swaps and pads each field of the file; the library and the binary must refuse each
/// with a reason.
fn every_change_is_named(file: &PathBuf, trust: &str) -> Result<()> {
    let bytes = std::fs::read(file).context("read the trail")?;
    let (height, hash) = trust.split_once(':').context("a trust point")?;
    let trust = audit::Trust::parse(height, hash)?;
    audit::verify(&bytes, &trust).context("the trail as it is")?;
    let (mut refused, mut reasons) = (0, std::collections::BTreeMap::<String, usize>::new());
    for mutation in audit::mutate::all(&bytes) {
        let error = match audit::verify(&mutation.bytes, &trust) {
            Ok(_) => anyhow::bail!("{} still verifies", mutation.name),
            Err(error) => error,
        };
        ensure!(!error.to_string().is_empty(), "{} is refused without a reason", mutation.name);
        *reasons.entry(error.section().to_owned()).or_default() += 1;
        refused += 1;
    }
    println!("{refused} changed files, all refused, by what was wrong: {reasons:?}");
    ensure!(refused > 100, "the mutator made only {refused} files");

    let hold = Binaries::find()?.hold;
    let exit = |arguments: &[&str]| -> Result<Option<i32>> {
        Ok(Command::new(&hold).args(["audit", "verify"]).args(arguments).output().context("run hold")?.status.code())
    };
    let path = file.to_string_lossy();
    let point = format!("{height}:{hash}");
    ensure!(exit(&[&path, "--trust", &point])? == Some(0), "the trail verifies");
    ensure!(exit(&[&path, "--trust", &format!("{height}:{}", "00".repeat(32))])? == Some(1), "another block hash is refused");
    ensure!(exit(&["/nonexistent", "--trust", &point])? == Some(2), "a missing file is neither yes nor no");
    Ok(())
}
