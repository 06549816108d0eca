//! What every step needs: asking a sidecar as somebody, and waiting for what must come.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use serde_json::Value;

use crate::hold::Outcome;
use crate::plant::Plant;

/// How long anything that must happen by itself may take.
const PATIENCE: Duration = Duration::from_secs(45);

/// The stage: who is there and what has happened so far.
pub struct Stage {
    /// The plant.
    pub plant: Plant,
    /// Alice's batch record.
    pub document: String,
}

impl Stage {
    /// Runs `hold doc …` as `who` against `sidecar`.
    pub(super) async fn doc(
        &self,
        who: &str,
        sidecar: &str,
        arguments: &[&str],
    ) -> Result<Outcome> {
        let url = self.plant.sidecar_url(sidecar)?;
        let mut all = vec!["doc"];
        all.extend(arguments);
        all.extend(["--sidecar", &url, "--from", who]);
        self.plant.person(who)?.hold.try_run(&all).await
    }

    /// Like [`Stage::doc`], for what must succeed.
    pub(super) async fn must(&self, who: &str, sidecar: &str, arguments: &[&str]) -> Result<Value> {
        let outcome = self.doc(who, sidecar, arguments).await?;
        if outcome.code != 0 {
            bail!(
                "`hold doc {}` by {who} at {sidecar} ended with {}: {} {}",
                arguments.join(" "),
                outcome.code,
                outcome.error,
                outcome.json
            );
        }
        Ok(outcome.json)
    }

    /// Updates the batch record.
    pub(super) async fn update(&self, who: &str, sidecar: &str, setters: &[&str]) -> Result<Value> {
        let mut arguments = vec!["update", self.document.as_str()];
        arguments.extend(setters);
        self.must(who, sidecar, &arguments).await
    }

    /// The batch record as `who` sees it at `sidecar`.
    pub(super) async fn record(&self, who: &str, sidecar: &str) -> Result<Value> {
        self.must(who, sidecar, &["get", &self.document]).await
    }

    /// Waits until both sidecars have the same heads and the same fields, and `pieces` pieces.
    pub(super) async fn converged(&self, pieces: i64) -> Result<Value> {
        wait_until("both sidecars have the same record", || async {
            let (a, b) = (
                self.record("alice", "sidecar-a").await?,
                self.record("alice", "sidecar-b").await?,
            );
            let same = a["heads"] == b["heads"] && a["fields"] == b["fields"];
            Ok((same && counter(&a) == Some(pieces)).then_some(a))
        })
        .await
    }

    /// The commits of the batch record, oldest first, as `who` sees them at `sidecar`.
    pub(super) async fn history(&self, who: &str, sidecar: &str) -> Result<Vec<Value>> {
        let history = self
            .must(who, sidecar, &["history", &self.document])
            .await?;
        history["commits"]
            .as_array()
            .cloned()
            .context("no `commits` in the history")
    }

    /// The heads of the batch record, and the same with their DAG heights.
    pub(super) async fn heads(
        &self,
        who: &str,
        sidecar: &str,
    ) -> Result<(Vec<String>, Vec<(String, u64)>)> {
        let record = self.record(who, sidecar).await?;
        let heads: Vec<String> = record["heads"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|head| head.as_str().map(str::to_owned))
            .collect();
        let history = self.history(who, sidecar).await?;
        let height = |head: &String| {
            let commit = history
                .iter()
                .find(|commit| commit["commit"] == head.as_str());
            commit
                .and_then(|commit| commit["height"].as_u64())
                .with_context(|| format!("no DAG height of {head}"))
        };
        let parents = heads
            .iter()
            .map(|head| Ok((head.clone(), height(head)?)))
            .collect::<Result<_>>()?;
        Ok((heads, parents))
    }

    /// The libp2p address of a sidecar.
    pub(super) fn p2p(&self, sidecar: &str) -> Result<String> {
        let node = self.plant.network.sidecar(sidecar)?;
        let peer = node.identity["peer_id"]
            .as_str()
            .context("`sidecar init` gave no peer_id")?;
        Ok(format!(
            "/ip4/{}/tcp/{}/p2p/{peer}",
            node.p2p.ip(),
            node.p2p.port()
        ))
    }

    /// The status page of a sidecar.
    pub(super) async fn status(&self, sidecar: &str) -> Result<Value> {
        let address = self.plant.network.sidecar(sidecar)?.http;
        let (_, body) = crate::http::get(address, "/v1/status").await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// The counter `pieces` of a record.
pub(super) fn counter(record: &Value) -> Option<i64> {
    let pieces = &record["fields"]["pieces"];
    pieces.as_i64().or_else(|| pieces.as_str()?.parse().ok())
}

/// Asks again and again until there is an answer.
///
/// # Errors
/// After 45 seconds, with what was waited for, or when asking fails.
pub(super) async fn wait_until<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited {} s in vain until {what}", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
