//! Step 3: Mallory is refused at the front door, at the back door, and at the hub.

use anyhow::Result;
use crdt::Authority;

use super::scribe::{policy_id, Place, Scribe};
use super::{Narrator, Stage};

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("Mallory, who operates nothing, tries to write");
    let outcome = stage
        .doc(
            "mallory",
            "sidecar-a",
            &["update", &stage.document, "--set", "station=mine"],
        )
        .await?;
    narrator.command("hold doc update DOCUMENT --set station=mine --from mallory");
    narrator.answer(if outcome.error.is_empty() {
        outcome.json["error"].as_str().unwrap_or_default()
    } else {
        &outcome.error
    });
    narrator.check(
        outcome.code == 1,
        "sidecar A refuses him, with the revision that decided",
        "exit code 1 of hold doc update",
    )?;

    narrator.say(
        "So he runs a node of his own, which holds nothing back, and pushes a correctly signed commit straight to sidecar B. B does \
         not ask who sent it: it asks its proven copy of the policy.",
    );
    let before = stage.status("sidecar-b").await?;
    let chain = stage.plant.network.chain_id().to_owned();
    let mallory = stage.plant.person("mallory")?.clone();
    let scribe = Scribe::of(&mallory, &chain, &stage.plant.policy).await?;
    let address = stage.p2p("sidecar-b")?;
    let place = || Place {
        document: None,
        parents: Vec::new(),
        authority: proven(&before),
        claimed_time_ms: 1_700_000_000_000,
    };
    let pushed = scribe
        .push(&address, scribe.commit(place(), "mine", 1_000)?)
        .await?;
    narrator.answer(&format!("{}: {}", pushed.verdict, pushed.reason));
    narrator.check(
        pushed.verdict == "reject",
        "B rejects a batch that Mallory creates in cell 1",
        "the decision is a leaf of B's audit log",
    )?;

    let (_, parents) = stage.heads("alice", "sidecar-b").await?;
    let document = stage.document.clone();
    let changing = Place {
        document: Some(&document),
        parents,
        ..place()
    };
    let pushed = scribe
        .push(&address, scribe.commit(changing, "mine", 1_000)?)
        .await?;
    narrator.answer(&format!("{}: {}", pushed.verdict, pushed.reason));
    narrator.check(
        pushed.verdict == "reject",
        "B rejects his change of Alice's record",
        "the decision is a leaf of B's audit log",
    )?;

    narrator.say(
        "He makes a policy of his own on the hub, in which he may do everything, and cites that.",
    );
    let file = stage.plant.network.folder().join("mallory.yaml");
    std::fs::write(
        &file,
        crate::plant::POLICY.replace("name: plant", "name: mine"),
    )?;
    let own = mallory
        .hold
        .run(&[
            "hub",
            "create-policy",
            &file.to_string_lossy(),
            "--from",
            "mallory",
            "--alias",
            "mine",
        ])
        .await?;
    let own = policy_id(own["policy"].as_str().unwrap_or_default())?;
    let scribe = scribe.with_policy(own);
    let pushed = scribe
        .push(&address, scribe.commit(place(), "mine", 1_000)?)
        .await?;
    narrator.answer(&format!("{}: {}", pushed.verdict, pushed.reason));
    narrator.check(
        matches!(pushed.verdict.as_str(), "reject" | "defer"),
        "a commit that cites his own policy counts nowhere: B follows the plant's policy, not the commit's",
        "GET /v1/status of sidecar B, counters",
    )?;

    let preimage = stage.plant.network.folder().join("document.json");
    std::fs::write(
        &preimage,
        stage.record("alice", "sidecar-b").await?.to_string(),
    )?;
    let object = format!("batch:{}", stage.document);
    let register = [
        "hub",
        "register",
        "plant",
        &object,
        "--document",
        &preimage.to_string_lossy(),
        "--from",
        "mallory",
    ];
    let outcome = mallory.hold.try_run(&register).await?;
    narrator
        .command("hold hub register plant batch:DOCUMENT --document document.json --from mallory");
    narrator.answer(if outcome.error.is_empty() {
        outcome.json["error"].as_str().unwrap_or_default()
    } else {
        &outcome.error
    });
    let refused = format!("{}{}", outcome.error, outcome.json).contains("author");
    narrator.check(
        outcome.code == 1 && refused,
        "nor can he register Alice's record on the hub as his: only its author can",
        "hold hub register",
    )?;

    let record = stage.record("alice", "sidecar-b").await?;
    narrator.check(
        record["fields"]["station"] == "mill",
        "Alice's record is as she left it",
        "hold doc get DOCUMENT",
    )?;
    let after = stage.status("sidecar-b").await?;
    let rejected =
        |status: &serde_json::Value| status["counters"]["rejected"].as_u64().unwrap_or(0);
    narrator.check(
        rejected(&after) >= rejected(&before) + 2
            && after["log"]["size"].as_u64() > before["log"]["size"].as_u64(),
        "and every refusal is in B's audit log",
        "GET /v1/status of sidecar B",
    )
}

/// The hub state that a sidecar has proven, as its status says.
pub(super) fn proven(status: &serde_json::Value) -> Authority {
    let proven = status["policies"]
        .as_object()
        .and_then(|policies| policies.values().next())
        .map(|policy| &policy["proven"]);
    let number = |name: &str| proven.and_then(|proven| proven[name].as_u64()).unwrap_or(0);
    Authority {
        revision: number("revision"),
        height: number("height"),
    }
}
