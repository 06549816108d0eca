//! An operator who rewrites his own log and anchors the result, with his real key.

use std::sync::Arc;

use anyhow::{anyhow, bail, Context, Result};
use hub_client::{ClientError, HttpTransport, HubClient, Options, Transport};
use hub_types::audit::Anchor;
use hub_types::{LogId, Message};
use identity::{AccountAddress, ChainId};
use merkle::MemoryLog;

use super::Stage;

/// Anchors a log of one leaf more than the hub knows, in which every leaf is another. Gives the
/// chain's refusal.
///
/// # Errors
/// When the chain takes it, or cannot be asked.
pub(super) async fn anchor_a_rewritten_log(stage: &Stage, log: &str) -> Result<String> {
    let network = &stage.plant.network;
    let key = node::secrets::read(&network.folder().join("op-a.key"), None)
        .context("the operator's key")?;
    let chain = ChainId::parse(network.chain_id()).map_err(|error| anyhow!("{error}"))?;
    let rpc = network.hubs().first().context("a hub node")?.rpc;
    let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new(&format!("http://{rpc}"))?);
    let trust = stage
        .plant
        .trust
        .parse()
        .map_err(|error| anyhow!("{error}"))?;
    let client = HubClient::open(Options::new(chain, trust, vec![transport]))?;
    let log = LogId::parse(log).map_err(|error| anyhow!("{error}"))?;
    let creator = AccountAddress::of(key.public_key()).map_err(|error| anyhow!("{error}"))?;

    // The sidecar goes on anchoring, so the size that he builds upon may be old by the time his
    // transaction is executed; then he tries again.
    for _ in 0..5 {
        let record = client.log(&log).await?.value.context("the log's record")?;
        let mut rewritten = MemoryLog::new();
        for index in 0..=record.size {
            rewritten
                .append(format!("what the operator would like leaf {index} to say").as_bytes())?;
        }
        let message = Message::Anchor(Anchor {
            creator,
            log,
            old_size: record.size,
            size: record.size + 1,
            root: rewritten.root(),
            heads_root: record.heads_root,
            consistency: rewritten.consistency_proof(record.size, record.size + 1)?,
        });
        match client.submit(&key, vec![message]).await {
            Err(error)
                if error.to_string().contains("size")
                    && !error.to_string().contains("consisten") =>
            {
                continue
            }
            Err(error @ (ClientError::Failed { .. } | ClientError::Refused { .. })) => {
                return Ok(error.to_string())
            }
            Err(error) => return Err(error.into()),
            Ok(included) => bail!(
                "the chain took a rewritten log at height {}",
                included.height
            ),
        }
    }
    bail!("the sidecar anchored faster than the forger could")
}
