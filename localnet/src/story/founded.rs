//! Step 1: a hub starts, and its operator puts the policy on it.

use anyhow::Result;

use super::{Narrator, Stage};
use crate::network::Engine;
use crate::plant::{Plant, PlantOptions};

pub(super) async fn play(options: PlantOptions, narrator: &mut Narrator) -> Result<Stage> {
    narrator.step("A hub starts, and gets the plant's policy");
    match options.engine {
        Engine::Embedded { .. } => narrator.say(
            "The hub keeps who may do what, and promises about what was done. Here it runs on the embedded engine: \
             real headers and commits, signed by one key, for development.",
        ),
        Engine::Comet { validators } => {
            narrator.say(&format!("The hub keeps who may do what, and promises about what was done. Here it is {validators} CometBFT validators."));
        }
    }
    let sidecars = options.sidecars;
    let mut plant = Plant::found(&options).await?;
    narrator.answer(&format!(
        "chain {}, {}",
        plant.network.chain_id(),
        plant.network.engine_found()
    ));
    narrator.say(
        "Everybody is told one block hash, out of band. From here on nobody believes a server: each answer of the hub is checked \
         against a header that leads back to that block.",
    );
    narrator.answer(&format!("trust point {}", plant.trust));
    narrator.say("Opal runs the plant. She creates the policy from a file, the collection `batches`, and says who works in cell 1.");
    narrator.command("hold hub create-policy plant.yaml --from opal --alias plant");
    narrator.command("hold hub define-collection plant batches --resource batch --scope-relation parent --schema batch.json --from opal");
    narrator.command("hold hub relate plant 'cell:1#operator@<alice>' 'cell:1#operator@<bob>' 'cell:1#auditor@<audrey>' … --from opal");
    plant.found_policy().await?;
    let alice = plant.person("alice")?.clone();
    let check = alice
        .hold
        .try_run(&[
            "hub", "check", "plant", &alice.did, "operate", "cell:1", "--prove",
        ])
        .await?;
    narrator.command(&format!(
        "hold hub check plant {} operate cell:1 --prove",
        short(&alice.did)
    ));
    narrator.answer(&format!(
        "allow, at revision {} and height {}; {} bytes of evidence, verified under header {}",
        check.json["revision"],
        check.json["height"],
        check.json["evidence_bytes"],
        check.json["header_height"]
    ));
    narrator.check(
        check.code == 0 && check.json["decision"] == "allow",
        "the hub says that Alice may operate cell 1, and the evidence was verified against a header",
        "hold hub check plant DID operate cell:1 --prove",
    )?;
    let mallory = plant.person("mallory")?.clone();
    let check = mallory
        .hold
        .try_run(&[
            "hub",
            "check",
            "plant",
            &mallory.did,
            "operate",
            "cell:1",
            "--prove",
        ])
        .await?;
    narrator.check(
        check.code == 1 && check.json["decision"] == "deny",
        "that Mallory may not is proven as well: a denial carries evidence like an allowance",
        "the same command with another DID; exit code 1",
    )?;
    for index in 0..sidecars {
        plant.add_sidecar(index).await?;
    }
    narrator.say("Each cell has a sidecar: the plant's own database next to the machine. Both follow the policy through proofs.");
    Ok(Stage {
        plant,
        document: String::new(),
    })
}

/// A DID that fits a line.
pub(super) fn short(did: &str) -> String {
    let tail: String = did
        .chars()
        .skip(did.chars().count().saturating_sub(6))
        .collect();
    format!("did:key:…{tail}")
}
