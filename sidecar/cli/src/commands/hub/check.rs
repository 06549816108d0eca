//! `hold hub check`: allow or deny, with the revision and the height that it holds for.
//!
//! The node's answer is not asked for: it sends evidence, the evidence is verified under a header
//! of the light client, and the policy engine decides here, from what was proven.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hub_client::Checked;
use policy::{Decision, ObjectRef, Question};
use prost::Message as _;
use serde_json::json;
use wire::policy::{QueryCheckPermissionRequest, QueryCheckPermissionResponse};

use super::client::{ask_unverified, Connection, LOUD};
use crate::commands::policy::parse_actor;
use crate::context::Context;
use crate::convert;
use crate::keyring::write_over;
use crate::reply::{fields, Reply, Verdict};

/// The question as it was typed.
pub(super) struct Asked<'a> {
    pub(super) policy: &'a str,
    pub(super) actor: &'a str,
    pub(super) permission: &'a str,
    pub(super) object: &'a ObjectRef,
    pub(super) revision: Option<u64>,
    /// `--prove`, and the file.
    pub(super) prove: Option<Option<&'a Path>>,
    pub(super) documents: &'a [PathBuf],
}

/// Asks and answers.
pub(super) async fn run(
    context: &Context,
    connection: &Connection,
    asked: Asked<'_>,
) -> anyhow::Result<Reply> {
    let policy = context.config.policy(asked.policy)?;
    let actor = parse_actor(context, asked.actor)?;
    let documents = asked
        .documents
        .iter()
        .map(|path| convert::read_document(path))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let question = Question::new(asked.object.clone(), asked.permission, actor.clone());
    let sentence = format!("{} on {} for {actor}", asked.permission, asked.object);

    if let Connection::Unverified(transports) = connection {
        let request = QueryCheckPermissionRequest {
            policy: policy.to_vec(),
            object: Some(hub_types::policy::convert::object_to_wire(asked.object)),
            permission: asked.permission.to_owned(),
            actor: actor.as_str().to_owned(),
            revision: asked.revision,
            prove: false,
            documents: documents.iter().map(|it| it.to_wire()).collect(),
        };
        let answer: QueryCheckPermissionResponse = ask_unverified(
            transports,
            "/holdfast.policy.v1.Query/CheckPermission",
            &request,
        )
        .await?;
        let decision = match answer.decision() {
            wire::policy::Decision::Allow => Decision::Allow,
            wire::policy::Decision::Deny => Decision::Deny,
            wire::policy::Decision::Unspecified => {
                anyhow::bail!("the node gave no decision; try again without --unverified")
            }
        };
        let (word, verdict) = word(decision);
        return Ok(Reply {
            text: format!(
                "{LOUD}\n\n{word}  {sentence}\n\nrevision {}  height {}",
                answer.revision, answer.height
            ),
            json: json!({
                "verified": false,
                "decision": word,
                "revision": answer.revision,
                "height": answer.height,
            }),
            verdict,
        });
    }

    let proven = connection
        .verified()?
        .check(&policy, &question, asked.revision, &documents)
        .await
        .with_context(|| format!("could not tell: {sentence}"))?;
    let Checked {
        answer,
        revision,
        evidence,
    } = &proven.value;
    let (word, verdict) = word(answer.decision);
    let bytes = evidence.encode_to_vec();
    let mut rows = vec![
        ("revision", revision.to_string()),
        (
            "height",
            format!(
                "{}, under the header of block {} ({})",
                proven.state_height, proven.header.height, proven.header.time
            ),
        ),
    ];
    let mut json = json!({
        "verified": true,
        "decision": word,
        "policy": policy.to_string(),
        "permission": asked.permission,
        "object": asked.object.to_string(),
        "actor": actor.as_str(),
        "revision": revision,
        "height": proven.state_height.0,
        "header_height": proven.header.height.0,
        "header_hash": proven.header.hash.to_string(),
        "time": proven.header.time.to_string(),
        "steps": answer.steps,
        "evidence_bytes": bytes.len(),
    });
    if let Some(file) = asked.prove {
        rows.push((
            "evidence",
            format!("{} bytes, verified and replayed here", bytes.len()),
        ));
        if let Some(path) = file {
            write_over(path, &bytes, 0o644)
                .with_context(|| format!("cannot write {}", path.display()))?;
            rows.push(("written to", path.display().to_string()));
            json["evidence_file"] = json!(path.display().to_string());
        }
    }
    Ok(Reply {
        text: format!("{word}  {sentence}\n\n{}", fields(&rows)),
        json,
        verdict,
    })
}

fn word(decision: Decision) -> (&'static str, Verdict) {
    match decision {
        Decision::Allow => ("allow", Verdict::Yes),
        Decision::Deny => ("deny", Verdict::No),
    }
}
