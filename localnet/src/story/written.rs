//! Step 2: Alice writes in her cell, and the other cell sees it.

use anyhow::Result;

use super::stage::{counter, wait_until};
use super::{Narrator, Stage};
use crate::plant::field;

pub(super) async fn play(stage: &mut Stage, narrator: &mut Narrator) -> Result<()> {
    narrator.step("Alice writes a batch record in cell 1");
    narrator.say(
        "A document needs no transaction: its id is made of its collection, the cell that it lives in, and its author, so nobody \
         else can claim it. Alice signs it with her own key; sidecar A makes it durable before it answers.",
    );
    let opal = stage.plant.person("opal")?.clone();
    let before = opal.hold.run(&["hub", "policy", "show", "plant"]).await?;
    narrator.command("hold doc create --policy plant --collection batches --scope cell:1 --set product=axle --inc pieces=10 --add defects=scratch --from alice");
    let created = stage
        .must(
            "alice",
            "sidecar-a",
            &[
                "create",
                "--policy",
                "plant",
                "--collection",
                "batches",
                "--scope",
                "cell:1",
                "--set",
                "product=axle",
                "--set",
                "station=mill",
                "--inc",
                "pieces=10",
                "--add",
                "defects=scratch",
            ],
        )
        .await?;
    stage.document = field(&created, "document")?;
    narrator.answer(&format!(
        "document {}\n{}, at proven revision {} and height {}",
        stage.document,
        field(&created, "verdict")?,
        created["decision"]["revision"],
        created["decision"]["height"]
    ));
    narrator.check(
        !stage.document.is_empty(),
        "Alice's record is signed by her key and durable at sidecar A",
        "hold doc get DOCUMENT --sidecar A",
    )?;

    let seen = wait_until("the record is at sidecar B", || async {
        let outcome = stage
            .doc("alice", "sidecar-b", &["get", &stage.document])
            .await?;
        Ok((outcome.code == 0 && counter(&outcome.json) == Some(10)).then_some(outcome.json))
    })
    .await?;
    narrator.answer(&seen["fields"].to_string());
    narrator.check(
        seen["fields"]["product"] == "axle",
        "it appears at sidecar B over libp2p: B fetched both blocks and verified hash, signature and Alice's permission itself",
        "hold doc get DOCUMENT --sidecar B",
    )?;
    let after = opal.hold.run(&["hub", "policy", "show", "plant"]).await?;
    narrator.check(
        before["revision"] == after["revision"],
        "the hub saw none of it: the policy's log has no new revision",
        "hold hub policy show plant",
    )
}
