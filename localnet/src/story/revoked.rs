//! Step 5: Bob is revoked. What he did in time stays; nothing that he signs or shows later counts.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use super::intruder::proven;
use super::scribe::{Place, Scribe};
use super::stage::{counter, wait_until};
use super::{Narrator, Stage};

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("Bob is revoked, and tries to write in the past");
    let bob = stage.plant.person("bob")?.clone();
    let settled = wait_until("Bob's commits are attested and settled at A", || async {
        let history = stage.history("alice", "sidecar-a").await?;
        let by_bob: Vec<&Value> = history
            .iter()
            .filter(|commit| commit["author"] == bob.did.as_str())
            .collect();
        Ok((!by_bob.is_empty()
            && by_bob
                .iter()
                .all(|commit| commit["verdict"]["name"] == "settled"))
        .then_some(by_bob.len()))
    })
    .await?;
    narrator.say(&format!(
        "Bob has {settled} commits in the record. Sidecars have logged that they held them and anchored those logs on the hub: that \
         is an attestation, and it settles them."
    ));

    let before = stage.status("sidecar-b").await?;
    let (_, parents) = stage.heads("alice", "sidecar-b").await?;
    let chain = stage.plant.network.chain_id().to_owned();
    let scribe = Scribe::of(&bob, &chain, &stage.plant.policy).await?;
    let document = stage.document.clone();
    let place = || Place {
        document: Some(&document),
        parents: parents.clone(),
        authority: proven(&before),
        claimed_time_ms: 1_700_000_000_000,
    };
    narrator.say("Bob signs one more commit and shows it to nobody: he hoards it for later.");
    let hoarded = scribe.commit(place(), "hoarded", 100)?;
    let pieces =
        counter(&stage.record("alice", "sidecar-a").await?).context("the counter `pieces`")?;

    narrator.command("hold hub unrelate plant 'cell:1#operator@<bob>' --from opal");
    let opal = stage.plant.person("opal")?.clone();
    let revoked = opal
        .hold
        .run(&[
            "hub",
            "unrelate",
            "plant",
            &format!("cell:1#operator@{}", bob.did),
            "--from",
            "opal",
        ])
        .await?;
    let revision = revoked["revision"]
        .as_u64()
        .context("the revision of the revocation")?;
    let confirmed = Instant::now();
    for sidecar in ["sidecar-a", "sidecar-b"] {
        wait_until("the sidecar has proven the revocation", || async {
            let status = stage.status(sidecar).await?;
            Ok((proven(&status).revision >= revision).then_some(()))
        })
        .await?;
        narrator.answer(&format!(
            "{sidecar} had proven revision {revision} {} ms after it was confirmed to Opal",
            confirmed.elapsed().as_millis()
        ));
    }
    for sidecar in ["sidecar-a", "sidecar-b"] {
        let outcome = stage
            .doc(
                "bob",
                sidecar,
                &["update", &stage.document, "--inc", "pieces=1"],
            )
            .await?;
        narrator.check(
            outcome.code == 1,
            &format!("{sidecar} refuses Bob's next write"),
            "exit code 1 of hold doc update",
        )?;
    }

    narrator.say("Bob signs a commit now that claims to be older: it cites the revision at which he still might. And he shows the one that he hoarded.");
    let backdated = scribe.commit(place(), "backdated", 100)?;
    for (name, commit, sidecar) in [
        ("back-dated", backdated, "sidecar-b"),
        ("hoarded", hoarded, "sidecar-a"),
    ] {
        let pushed = scribe.push(&stage.p2p(sidecar)?, commit).await?;
        narrator.answer(&format!(
            "{name}, at {sidecar}: {}: {}",
            pushed.verdict, pushed.reason
        ));
        narrator.check(
            pushed.verdict == "late",
            &format!("the {name} commit does not count: nobody who may attest held it in time"),
            "the verdict in the answer, and in hold doc history",
        )?;
    }
    let record = stage.converged(pieces).await?;
    narrator.check(
        record["fields"]["station"] == "lathe",
        "on every replica the record is as it was, with what Bob wrote in time still in it",
        "hold doc get DOCUMENT at A and at B",
    )
}
