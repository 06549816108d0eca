//! `hold hub trust`: where trust comes in, the one time that it does.
//!
//! A light client starts from a block that a person trusts. This command shows the newest block
//! of the nodes given, with its hash, to be compared over another channel; with `--trust` it
//! checks that the nodes have that block, and keeps it.

use std::time::Duration;

use anyhow::{bail, Context as _};
use hub_client::{candidate, Candidate, Fault, Rpc, RpcError};
use hub_light::TrustPoint;
use hub_types::Height;
use serde_json::json;

use super::client::transports;
use super::Arguments;
use crate::config::{self, Config};
use crate::context::Context;
use crate::reply::{fields, Reply, Verdict};

/// A node may be a block behind the one that was asked first.
async fn patient_candidate(rpc: Rpc<'_>, height: Option<Height>) -> Result<Candidate, Fault> {
    const TRIES: u32 = 30;
    let mut answer = candidate(rpc, height).await;
    for _ in 0..TRIES {
        match (&answer, height) {
            (Err(Fault::Rpc(RpcError::Refused { .. })), Some(_)) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                answer = candidate(rpc, height).await;
            }
            _ => break,
        }
    }
    answer
}

/// Shows or keeps a trust point.
pub(super) async fn run(
    context: &Context,
    arguments: &Arguments,
    yes: bool,
) -> anyhow::Result<Reply> {
    let transports = transports(context, arguments)?;
    let wanted: Option<TrustPoint> = arguments
        .trust
        .as_ref()
        .map(|text| {
            text.parse()
                .with_context(|| format!("\"{text}\" is no trust point; write HEIGHT:HASH"))
        })
        .transpose()?;
    let mut shown: Option<Candidate> = None;
    let mut agreeing = Vec::new();
    let mut silent = Vec::new();
    for transport in &transports {
        let rpc = Rpc::new(&**transport);
        let height = match (&wanted, &shown) {
            (Some(point), _) => Some(point.height),
            (None, Some(first)) => Some(first.point.height),
            (None, None) => None,
        };
        let candidate = match patient_candidate(rpc, height).await {
            Ok(candidate) => candidate,
            Err(fault) => {
                silent.push(format!("{} {fault}", rpc.name()));
                continue;
            }
        };
        if let Some(point) = wanted.filter(|point| *point != candidate.point) {
            bail!(
                "{} has another block at height {}: {}. One of the two is not the chain you mean",
                rpc.name(),
                point.height,
                candidate.point
            );
        }
        match &shown {
            Some(first)
                if first.point != candidate.point || first.chain_id != candidate.chain_id =>
            {
                bail!(
                    "the nodes disagree: {} shows {} of {}, {} shows {} of {}; do not trust either \
                     before you know why",
                    agreeing.join(", "),
                    first.point,
                    first.chain_id,
                    rpc.name(),
                    candidate.point,
                    candidate.chain_id
                );
            }
            Some(_) => {}
            None => shown = Some(candidate),
        }
        agreeing.push(rpc.name().to_owned());
    }
    let Some(shown) = shown else {
        bail!("no node showed a block:\n  {}", silent.join("\n  "));
    };
    if let Some(expected) = arguments
        .chain_id
        .as_ref()
        .filter(|id| **id != shown.chain_id.as_str())
    {
        bail!("the nodes are on chain {}, not {expected}", shown.chain_id);
    }
    let keep = wanted.is_some() || yes;
    if keep {
        config::edit(&context.home, |document| {
            config::set_list(document, "hub", "rpc", &agreeing);
            config::set(document, "hub", "chain_id", shown.chain_id.as_str());
            config::set(document, "hub", "trust", &shown.point.to_string());
        })?;
    }
    let mut text = fields(&[
        ("chain", shown.chain_id.to_string()),
        ("block", shown.point.height.to_string()),
        ("time", shown.time.to_string()),
        ("hash", shown.point.hash.to_string()),
        ("validators", shown.validators.to_string()),
        ("shown by", agreeing.join(", ")),
    ]);
    for line in &silent {
        text.push_str(&format!("\nno answer  {line}"));
    }
    let path = Config::path(&context.home);
    if wanted.is_some() {
        text.push_str(&format!(
            "\n\nKept in {}. `hold hub status` verifies from here.",
            path.display()
        ));
    } else if yes {
        text.push_str(&format!(
            "\n\nKept in {} on the word of the nodes above: nothing was confirmed.",
            path.display()
        ));
    } else {
        text.push_str(&format!(
            "\n\nNothing vouches for this yet. Compare the hash with somebody who runs a validator or \
             a client of\nhis own, over another channel. If it is the same:\n\n  hold hub trust{} --trust {}",
            agreeing.iter().map(|url| format!(" --rpc {url}")).collect::<String>(),
            shown.point
        ));
    }
    Ok(Reply {
        text,
        json: json!({
            "chain_id": shown.chain_id.as_str(),
            "trust": shown.point.to_string(),
            "height": shown.point.height.0,
            "hash": shown.point.hash.to_string(),
            "time": shown.time.to_string(),
            "validators": shown.validators,
            "nodes": agreeing,
            "kept": keep,
        }),
        verdict: Verdict::Yes,
    })
}
