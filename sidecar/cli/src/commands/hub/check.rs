//! `hold hub check`: allow, deny or conditional, with the revision, the height and the time that it
//! holds for.
//!
//! The node's answer is not asked for: it sends evidence, the evidence is verified under a header
//! of the light client, and the policy engine decides here, from what was proven.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hub_client::Checked;
use hub_types::policy::convert::context_to_json;
use policy::{Decision, ObjectRef, Question};
use prost::Message as _;
use serde_json::json;
use wire::policy::{QueryCheckPermissionRequest, QueryCheckPermissionResponse};

use super::client::{ask_unverified, Connection, LOUD};
use crate::commands::policy::{parse_actor, parse_given, word};
use crate::context::Context;
use crate::convert;
use crate::keyring::write_over;
use crate::reply::{fields, Reply};

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
    /// Values for conditions, JSON.
    pub(super) given: Option<&'a str>,
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
    let given = parse_given(asked.given)?;
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
            context: context_to_json(&given),
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
            wire::policy::Decision::Conditional => Decision::Conditional,
            wire::policy::Decision::Unspecified => {
                anyhow::bail!("the node gave no decision; try again without --unverified")
            }
        };
        let (word, verdict) = word(decision);
        let lacks = lacks(&answer.missing);
        return Ok(Reply {
            text: format!(
                "{LOUD}\n\n{word}  {sentence}{lacks}\n\nrevision {}  height {}",
                answer.revision, answer.height
            ),
            json: json!({
                "verified": false,
                "decision": word,
                "missing": answer.missing,
                "revision": answer.revision,
                "height": answer.height,
            }),
            verdict,
        });
    }

    let proven = connection
        .verified()?
        .check(&policy, &question, &given, asked.revision, &documents)
        .await
        .with_context(|| format!("could not tell: {sentence}"))?;
    let Checked {
        answer,
        circumstances,
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
    // An earlier revision is asked at its own time.
    if circumstances.time != proven.header.time.to_policy() {
        rows.push(("asked at", circumstances.time.to_string()));
    }
    if !circumstances.context.is_empty() {
        rows.push(("with", circumstances.context.to_json()));
    }
    if let Some(until) = answer.stands_until {
        rows.push(("until", format!("{until}, if nothing changes before")));
    }
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
        "asked_at": circumstances.time.to_string(),
        "missing": answer.missing,
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
        text: format!(
            "{word}  {sentence}{}\n\n{}",
            lacks(&answer.missing),
            fields(&rows)
        ),
        json,
        verdict,
    })
}

/// What a conditional answer lacks.
pub(crate) fn lacks(missing: &[String]) -> String {
    match missing {
        [] => String::new(),
        missing => format!(
            "\n\nIt hangs on {}. Without that it is a no; give it with --context.",
            missing.join(", ")
        ),
    }
}
