//! Step 6: the sidecars' logs are anchored, and the chain refuses a log that was rewritten.

use anyhow::{Context, Result};

use super::stage::wait_until;
use super::{forger, Narrator, Stage};
use crate::plant::field;

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("What was done is anchored; what was done cannot be undone");
    let anchored = wait_until("sidecar A has two final anchors that cover the record", || async {
        let status = stage.status("sidecar-a").await?;
        let anchors = status["anchors"]["final"].as_u64().unwrap_or(0);
        Ok((anchors >= 2).then_some(status))
    })
    .await?;
    let log = field(&anchored["log"], "id").or_else(|_| field(&anchored["anchors"], "log"))?;
    let audrey = stage.plant.person("audrey")?.clone();
    let on_hub = audrey.hold.run(&["hub", "log", &log]).await?;
    narrator.command(&format!("hold hub log {log}"));
    narrator.answer(&on_hub.to_string());
    let size = on_hub["size"].as_u64().context("the anchored size")?;
    narrator.check(
        size > 0,
        &format!("the hub holds size and root of A's log ({size} leaves) and the root of its heads; each anchor proved that it extends the last"),
        "hold hub log LOG, verified by light client",
    )?;
    narrator.say("A's operator is bribed. He rewrites the log and anchors it with his real key, with the best consistency proof that can be made.");
    let refusal = forger::anchor_a_rewritten_log(stage, &log).await?;
    narrator.answer(&refusal);
    let now = audrey.hold.run(&["hub", "log", &log]).await?;
    narrator.check(
        !refusal.is_empty() && now["size"].as_u64() >= Some(size),
        "the chain refuses the fork, whoever signs it, and the anchored log stands",
        "hold hub log LOG",
    )
}
