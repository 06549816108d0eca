//! kill -9 of every daemon, each in turn, while the hub and both sidecars are written to.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use serde_json::Value;

use super::{all_agree, load, plant};

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_killed_in_turn_under_load() {
    let soak = std::env::var_os("HOLDFAST_SOAK").is_some();
    let victims: &[&str] = if soak {
        &[
            "comet0",
            "hub0",
            "comet1",
            "hub1",
            "comet2",
            "hub2",
            "comet3",
            "hub3",
            "sidecar-a",
            "sidecar-b",
        ]
    } else {
        &["comet1", "hub2", "sidecar-b", "sidecar-a"]
    };
    kill_in_turn(victims, if soak { 3 } else { 1 })
        .await
        .unwrap();
}

async fn kill_in_turn(victims: &[&str], rounds: usize) -> Result<()> {
    let (_folder, mut plant) = plant(2).await?;
    let alice = plant.person("alice")?.clone();
    let url = plant.sidecar_url("sidecar-a")?;
    let create = [
        "doc",
        "create",
        "--policy",
        "plant",
        "--collection",
        "batches",
        "--scope",
        "cell:1",
        "--inc",
        "pieces=0",
        "--sidecar",
        &url,
        "--from",
        "alice",
    ];
    let document = alice.hold.run(&create).await?["document"]
        .as_str()
        .context("the document's id")?
        .to_owned();
    let sender = load::senders(&plant, "mallory").await?;
    let writers = [
        load::pieces(&plant, "alice", "sidecar-a", &document)?,
        load::pieces(&plant, "bob", "sidecar-b", &document)?,
    ];

    for round in 0..rounds {
        for victim in victims {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let height = plant.network.height().await;
            plant.network.kill(victim)?;
            plant
                .network
                .wait_for_blocks(height + 3)
                .await
                .with_context(|| format!("after the death of {victim}"))?;
            plant.network.revive(victim).await?;
            if victim.starts_with("sidecar") {
                plant.network.wait_for_sidecar(victim).await?;
            }
            let agreed = all_agree(&plant.network)
                .await
                .with_context(|| format!("after the return of {victim}"))?;
            println!("round {round}: {victim} killed, came back; all validators agree at height {agreed}");
        }
    }

    let (sent, unknown) = sender.stop().await;
    let client = load::client(&plant)?;
    let balance = client
        .account(&load::sink()?)
        .await?
        .value
        .map_or(0, |account| account.balance.0);
    println!("hub: {sent} sends acknowledged, {unknown} unknown, {balance} arrived");
    ensure!(
        sent > 0 && (sent..=sent + unknown).contains(&balance),
        "an acknowledged send was lost or doubled"
    );

    let (mut written, mut unknown) = (0, 0);
    for writer in writers {
        let (acknowledged, maybe) = writer.stop().await;
        written += acknowledged;
        unknown += maybe;
    }
    let (a, b) = converged(&plant, &document).await?;
    let pieces = a["fields"]["pieces"]
        .as_i64()
        .or_else(|| a["fields"]["pieces"].as_str()?.parse().ok())
        .context("the counter")?;
    let pieces = u64::try_from(pieces).context("the counter")?;
    println!("sidecars: {written} writes acknowledged, {unknown} unknown, the counter is {pieces}");
    ensure!(a == b, "the sidecars differ: {a} and {b}");
    ensure!(
        written > 0 && (written..=written + unknown).contains(&pieces),
        "an acknowledged write was lost or doubled"
    );

    for sidecar in ["sidecar-a", "sidecar-b"] {
        let status = status(&plant, sidecar).await?;
        println!("{sidecar}: anchors {}", status["anchors"]);
        ensure!(
            status["anchors"]["final"]["size"].as_u64() > Some(0),
            "{sidecar} has no final anchor: {}",
            status["anchors"]
        );
    }
    plant.network.stop();
    Ok(())
}

/// The document at both sidecars once they are alike.
async fn converged(plant: &localnet::plant::Plant, document: &str) -> Result<(Value, Value)> {
    let hold = &plant.person("alice")?.hold;
    let mut last = Default::default();
    for _ in 0..300 {
        let mut records = Vec::new();
        for sidecar in ["sidecar-a", "sidecar-b"] {
            let record = hold
                .run(&[
                    "doc",
                    "get",
                    document,
                    "--sidecar",
                    &plant.sidecar_url(sidecar)?,
                    "--from",
                    "alice",
                ])
                .await?;
            records
                .push(serde_json::json!({ "heads": record["heads"], "fields": record["fields"] }));
        }
        last = (records[0].clone(), records[1].clone());
        if last.0 == last.1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(last)
}

async fn status(plant: &localnet::plant::Plant, sidecar: &str) -> Result<Value> {
    let (_, body) = localnet::http::get(plant.network.sidecar(sidecar)?.http, "/v1/status").await?;
    Ok(serde_json::from_slice(&body)?)
}
