//! Step 8: the auditor gets one file and one block hash, and trusts nobody.

use std::path::Path;

use anyhow::{Context, Result};
use tokio::process::Command;

use super::{Narrator, Stage, Trail};
use crate::plant::field;

pub(super) async fn play(stage: &mut Stage, out: &Path, narrator: &mut Narrator) -> Result<Trail> {
    narrator.step("Audrey, the auditor, gets one file and one block hash");
    let audrey = stage.plant.person("audrey")?.clone();
    let file = std::path::absolute(out).context("where the trail goes")?;
    let path = file.to_string_lossy().into_owned();
    let url = stage.plant.sidecar_url("sidecar-a")?;
    let _ = std::fs::remove_file(&file);
    narrator.command("hold audit fetch --sidecar A --out trail.hold --from audrey");
    let fetched = audrey
        .hold
        .run(&[
            "audit",
            "fetch",
            "--sidecar",
            &url,
            "--out",
            &path,
            "--from",
            "audrey",
        ])
        .await?;
    let trust = field(&fetched, "trust")?;
    let bytes = std::fs::metadata(&file).context("the trail")?.len();
    narrator.answer(&format!("{bytes} bytes, to be verified under {trust}"));

    narrator.say("She verifies it with no network at all.");
    narrator.command(&format!(
        "unshare -n hold audit verify trail.hold --trust {trust}"
    ));
    let (code, text, isolated) = verify(stage, &file, &trust).await?;
    narrator.answer(&text);
    let how = if isolated {
        "without a network"
    } else {
        "(this user may not cut off the network here, so with one)"
    };
    narrator.check(code == 0, &format!("the file verifies {how}: who wrote what, under which permission, at which revision; no leaf missing"), "hold audit verify")?;

    narrator.say("Somebody changes one byte in the middle.");
    let mut changed = std::fs::read(&file).context("read the trail")?;
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let forged = file.with_extension("forged.hold");
    std::fs::write(&forged, changed).context("write the changed trail")?;
    let (code, text, _) = verify(stage, &forged, &trust).await?;
    let _ = std::fs::remove_file(&forged);
    narrator.answer(&text);
    narrator.check(
        code == 1,
        "with one byte changed the answer is no, and names the first thing that is wrong",
        "hold audit verify",
    )?;
    Ok(Trail { file, trust })
}

/// Runs `hold audit verify` in a network namespace of its own where that is allowed.
async fn verify(stage: &Stage, file: &Path, trust: &str) -> Result<(i32, String, bool)> {
    let hold = &stage.plant.network.binaries().hold;
    let isolated = Command::new("unshare")
        .args(["-n", "true"])
        .status()
        .await
        .is_ok_and(|status| status.success());
    let mut command = if isolated {
        Command::new("unshare")
    } else {
        Command::new(hold)
    };
    if isolated {
        command.arg("-n").arg(hold);
    }
    let output = command
        .args(["audit", "verify", &file.to_string_lossy(), "--trust", trust])
        .output()
        .await
        .context("run hold audit verify")?;
    let mut text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.push_str(String::from_utf8_lossy(&output.stderr).trim());
    Ok((output.status.code().unwrap_or(-1), text, isolated))
}
