//! Step 4: the uplink is cut, then the link between the cells; work goes on, and comes together.

use anyhow::Result;

use super::stage::wait_until;
use super::{Narrator, Stage};

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("The uplink is gone, then the link between the cells; work goes on");
    narrator.command("localnet cut sidecar-a:hub; localnet cut sidecar-b:hub");
    for link in ["sidecar-a:hub", "sidecar-b:hub"] {
        stage.plant.network.cut(link)?;
    }
    let offline = wait_until("sidecar A notices that the hub is gone", || async {
        let written = stage
            .update("alice", "sidecar-a", &["--inc", "pieces=1"])
            .await?;
        Ok((written["decision"]["offline"] == true).then_some(written))
    })
    .await?;
    narrator.answer(&format!(
        "{} at revision {} and height {}, offline: {}",
        offline["verdict"].as_str().unwrap_or("?"),
        offline["decision"]["revision"],
        offline["decision"]["height"],
        offline["decision"]["offline"]
    ));
    narrator.check(
        true,
        "with the hub gone Alice goes on writing; the answer names the last proven revision and says that it is offline",
        "`decision` in the answer of hold doc update",
    )?;
    let before = super::stage::counter(&stage.record("alice", "sidecar-a").await?).unwrap_or(0);
    stage.converged(before).await?;

    narrator.command("localnet cut sidecar-b:sidecar-a");
    stage.plant.network.cut("sidecar-b:sidecar-a")?;
    narrator.say("Now the cells cannot hear each other either. Both go on with the same record.");
    for _ in 0..3 {
        stage
            .update("alice", "sidecar-a", &["--inc", "pieces=5"])
            .await?;
        stage
            .update("bob", "sidecar-b", &["--inc", "pieces=7"])
            .await?;
    }
    stage
        .update(
            "alice",
            "sidecar-a",
            &["--set", "station=lathe", "--add", "defects=dent"],
        )
        .await?;
    stage
        .update("bob", "sidecar-b", &["--add", "defects=burr"])
        .await?;
    let (a, b) = (
        stage.record("alice", "sidecar-a").await?,
        stage.record("bob", "sidecar-b").await?,
    );
    narrator.answer(&format!("A: {}\nB: {}", a["fields"], b["fields"]));
    narrator.check(
        a["heads"] != b["heads"],
        "the two copies have diverged",
        "hold doc get DOCUMENT at A and at B",
    )?;

    narrator.command("localnet heal sidecar-b:sidecar-a; localnet heal sidecar-a:hub; localnet heal sidecar-b:hub");
    for link in ["sidecar-b:sidecar-a", "sidecar-a:hub", "sidecar-b:hub"] {
        stage.plant.network.heal(link)?;
    }
    let merged = stage.converged(before + 36).await?;
    narrator.answer(&merged["fields"].to_string());
    let defects = merged["fields"]["defects"].to_string();
    narrator.check(
        ["scratch", "dent", "burr"].iter().all(|defect| defects.contains(defect)),
        "both converge to the same heads and fields by themselves, and the counter is exact: nothing lost, nothing counted twice",
        "hold doc get DOCUMENT at A and at B",
    )
}
