//! Step 6: the sidecars' logs are anchored, and the chain refuses a log that was rewritten.

use anyhow::{Context, Result};

use super::stage::wait_until;
use super::{forger, Narrator, Stage};
use crate::plant::field;

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("What was done is anchored; what was done cannot be undone");
    wait_until("sidecar A has two final anchors", || async {
        let status = stage.status("sidecar-a").await?;
        Ok((status["anchors"]["final"]["index"].as_u64() >= Some(1)).then_some(()))
    })
    .await?;
    let audrey = stage.plant.person("audrey")?.clone();
    let operator = stage.plant.person("op-a")?.did.clone();
    let of_a = || async {
        let logs = audrey.hold.run(&["hub", "logs", "plant"]).await?;
        let log = logs["logs"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|log| log["operator"] == operator.as_str())
            .cloned();
        log.context("the hub has no log of op-a")
    };
    let on_hub = of_a().await?;
    let log = field(&on_hub, "log")?;
    narrator.command("hold hub logs plant");
    narrator.answer(&format!(
        "log {}…, {} leaves, {} anchors, the last at height {}\nroot {}",
        log.get(..16).unwrap_or(&log),
        on_hub["size"],
        on_hub["anchors"],
        on_hub["last_anchor_height"],
        on_hub["root"].as_str().unwrap_or("?")
    ));
    let size = on_hub["size"].as_u64().context("the anchored size")?;
    narrator.check(
        size > 0,
        &format!("the hub holds size and root of A's log ({size} leaves) and the root of its heads; each anchor proved that it extends the last"),
        "hold hub logs plant; hold hub anchors LOG",
    )?;
    narrator.say("A's operator is bribed. He rewrites the log and anchors it with his real key, with the best consistency proof that can be made.");
    let refusal = forger::anchor_a_rewritten_log(stage, &log).await?;
    narrator.answer(&refusal);
    let now = of_a().await?;
    narrator.check(
        !refusal.is_empty() && now["size"].as_u64() >= Some(size),
        "the chain refuses the fork, whoever signs it, and the anchored log stands",
        "hold hub anchors LOG",
    )
}
