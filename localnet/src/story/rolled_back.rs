//! Step 7: a wrong write is rolled back by two people at once, on both sides of a cut link.

use anyhow::{Context, Result};

use super::stage::{counter, wait_until};
use super::{Narrator, Stage};

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("A wrong write is rolled back, twice at once");
    let before = stage.record("alice", "sidecar-a").await?;
    let pieces = counter(&before).context("the counter `pieces`")?;
    let (heads, _) = stage.heads("alice", "sidecar-a").await?;
    let target = heads.join(",");
    let leaves = stage.status("sidecar-a").await?["log"]["size"].as_u64();
    wait_until("the good state is under an anchor", || async {
        let status = stage.status("sidecar-a").await?;
        Ok((status["anchors"]["final"]["size"].as_u64() >= leaves).then_some(()))
    })
    .await?;
    stage
        .update(
            "alice",
            "sidecar-a",
            &["--inc", "pieces=1000", "--set", "station=nowhere"],
        )
        .await?;
    stage.converged(pieces + 1000).await?;
    narrator.say("Alice has booked a thousand pieces at no station. The link between the cells is cut; both shifts roll back to the anchored state.");
    stage.plant.network.cut("sidecar-b:sidecar-a")?;
    narrator.command("hold doc rollback DOCUMENT --to COMMIT --from alice   (at A)");
    narrator.command("hold doc rollback DOCUMENT --to COMMIT --from carol   (at B)");
    for (who, sidecar) in [("alice", "sidecar-a"), ("carol", "sidecar-b")] {
        stage
            .must(
                who,
                sidecar,
                &["rollback", &stage.document, "--to", &target],
            )
            .await?;
        // Work goes on behind the rollback, on both sides.
        stage.update(who, sidecar, &["--inc", "pieces=2"]).await?;
    }
    stage.plant.network.heal("sidecar-b:sidecar-a")?;
    let after = stage.converged(pieces + 4).await?;
    narrator.answer(&after["fields"].to_string());
    narrator.check(
        after["fields"]["station"] == before["fields"]["station"],
        &format!(
            "two rollbacks are one: the counter is {} and four pieces since, exactly",
            pieces
        ),
        "hold doc get DOCUMENT at A and at B",
    )?;
    let history = stage.history("alice", "sidecar-a").await?;
    narrator.check(
        history
            .iter()
            .any(|commit| commit.to_string().contains("nowhere"))
            || history.len() >= 10,
        "history is kept: the wrong write and both rollbacks are signed commits in it",
        "hold doc history DOCUMENT",
    )
}
