//! Questions about hub state: every answer names the height that it was proven at.

use anyhow::Context as _;
use hub_client::{HubClient, Proven};
use hub_types::audit::LogRecord;
use hub_types::policy::{ChangeKind, PolicyRecord};
use hub_types::TransactionHash;
use policy::Policy;
use serde_json::{json, Value};

use super::client::Connection;
use super::{send, unverified};
use crate::commands::policy::describe;
use crate::context::Context;
use crate::reply::{fields, table, Reply, Verdict};

/// What stands under every verified answer.
fn proven_line<T>(proven: &Proven<T>) -> String {
    format!(
        "proven at height {} under the header of block {} ({})",
        proven.state_height, proven.header.height, proven.header.time
    )
}

fn proven_json<T>(proven: &Proven<T>, mut json: Value) -> Value {
    json["verified"] = json!(true);
    json["height"] = json!(proven.state_height.0);
    json["header_height"] = json!(proven.header.height.0);
    json["header_hash"] = json!(proven.header.hash.to_string());
    json
}

pub(super) async fn status(connection: &Connection) -> anyhow::Result<Reply> {
    let client = match connection {
        Connection::Verified(client) => client,
        Connection::Unverified(transports) => return unverified::status(transports).await,
    };
    let header = client.latest().await?;
    let mut text = fields(&[
        ("chain", client.chain_id().to_string()),
        ("newest block", header.height.to_string()),
        ("time", header.time.to_string()),
        ("hash", header.hash.to_string()),
        ("state root", hex::encode_upper(header.app_hash)),
        ("trust", format!("{}:{}", header.height, header.hash)),
    ]);
    text.push_str("\n\nverified by the light client");
    text.push_str(&complaints(client));
    Ok(Reply::yes(
        text,
        json!({
            "verified": true,
            "chain_id": client.chain_id().as_str(),
            "height": header.height.0,
            "time": header.time.to_string(),
            "hash": header.hash.to_string(),
            "app_hash": hex::encode_upper(header.app_hash),
            "trust": format!("{}:{}", header.height, header.hash),
            "complaints": client.complaints().iter().map(|it| json!({"node": it.node, "reason": it.fault.to_string()})).collect::<Vec<_>>(),
        }),
    ))
}

/// Nodes that gave something else than the truth while another answered.
fn complaints(client: &HubClient) -> String {
    client
        .complaints()
        .iter()
        .map(|it| format!("\nwarning: {} {}; it was not used", it.node, it.fault))
        .collect()
}

pub(super) async fn account(
    context: &Context,
    connection: &Connection,
    who: &str,
) -> anyhow::Result<Reply> {
    let address = send::account_of(context, who)?;
    let client = match connection {
        Connection::Verified(client) => client,
        Connection::Unverified(transports) => {
            return unverified::account(transports, &address).await
        }
    };
    let proven = client.account(&address).await?;
    let Some(account) = &proven.value else {
        return Ok(Reply {
            text: format!(
                "Account {address} does not exist; {}.",
                proven_line(&proven)
            ),
            json: proven_json(
                &proven,
                json!({"address": address.to_string(), "exists": false}),
            ),
            verdict: Verdict::No,
        });
    };
    let text = fields(&[
        ("account", address.to_string()),
        ("balance", format!("{} uhold", account.balance.0)),
        ("number", account.number.to_string()),
        ("sequence", account.sequence.to_string()),
    ]);
    Ok(Reply::yes(
        format!("{text}\n\n{}", proven_line(&proven)),
        proven_json(
            &proven,
            json!({
                "address": address.to_string(),
                "exists": true,
                "balance": account.balance.0,
                "number": account.number,
                "sequence": account.sequence,
            }),
        ),
    ))
}

pub(super) async fn policy(
    context: &Context,
    connection: &Connection,
    text: &str,
) -> anyhow::Result<Reply> {
    let id = context.config.policy(text)?;
    let client = match connection {
        Connection::Verified(client) => client,
        Connection::Unverified(transports) => return unverified::policy(transports, &id).await,
    };
    let shown = client.policy_with_definition(&id).await?;
    let Some((record, definition)) = &shown.value else {
        return Ok(Reply {
            text: format!("Policy {id} does not exist; {}.", proven_line(&shown)),
            json: proven_json(&shown, json!({"policy": id.to_string(), "exists": false})),
            verdict: Verdict::No,
        });
    };
    let compiled = Policy::parse(definition)
        .context("the proven definition does not compile here; is `hold` older than the hub?")?;
    let (described, resources) = describe(&compiled);
    let text = format!(
        "{}\n\n{described}\n\n{}",
        fields(&record_rows(context, record)),
        proven_line(&shown)
    );
    Ok(Reply::yes(
        text,
        proven_json(
            &shown,
            json!({
                "policy": id.to_string(),
                "exists": true,
                "name": compiled.name(),
                "creator": record.creator.to_string(),
                "revision": record.latest_revision(),
                "last_height": record.last_height.0,
                "anchor_lag": record.anchor_lag,
                "max_staleness_seconds": record.max_staleness_seconds,
                "engine_version": record.engine_version,
                "resources": resources,
                "definition": definition,
            }),
        ),
    ))
}

fn record_rows(context: &Context, record: &PolicyRecord) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(name) = context.config.name_of(&record.id) {
        rows.push(("called here", name.to_owned()));
    }
    let revision = record
        .latest_revision()
        .map_or_else(|| "none".to_owned(), |it| it.to_string());
    rows.extend([
        ("policy", record.id.to_string()),
        ("creator", record.creator.to_string()),
        (
            "revision",
            format!("{revision}, from block {}", record.last_height),
        ),
        ("anchor lag", format!("{} blocks", record.anchor_lag)),
        (
            "max staleness",
            format!("{} seconds", record.max_staleness_seconds),
        ),
    ]);
    rows
}

pub(super) async fn history(
    context: &Context,
    connection: &Connection,
    text: &str,
) -> anyhow::Result<Reply> {
    let id = context.config.policy(text)?;
    let client = connection.verified()?;
    let proven = client.all_changes(&id).await?;
    let mut rows = vec![["REVISION", "BLOCK", "TIME", "ACTOR", "CHANGE"]
        .map(str::to_owned)
        .to_vec()];
    let mut values = Vec::new();
    for (leaf, changes) in &proven.value {
        for change in changes {
            let what = describe_change(&change.kind);
            values.push(json!({
                "revision": leaf.revision,
                "height": leaf.height.0,
                "time": leaf.time.to_string(),
                "actor": change.actor.to_string(),
                "transaction": change.transaction.map(|hash| hash.to_upper_hex()),
                "change": what,
            }));
            rows.push(vec![
                leaf.revision.to_string(),
                leaf.height.to_string(),
                leaf.time.to_string(),
                short(change.actor.as_str()),
                what,
            ]);
        }
    }
    Ok(Reply::yes(
        format!(
            "{}\n\ncomplete: all {} revisions, {}",
            table(&rows),
            proven.value.len(),
            proven_line(&proven)
        ),
        proven_json(
            &proven,
            json!({"policy": id.to_string(), "complete": true, "changes": values}),
        ),
    ))
}

fn describe_change(kind: &ChangeKind) -> String {
    match kind {
        ChangeKind::Created { definition, .. } => {
            format!("policy created ({} bytes)", definition.len())
        }
        ChangeKind::CollectionDefined {
            resource,
            name,
            record,
        } => format!(
            "collection {name} of {resource}, schema version {}",
            record.version
        ),
        ChangeKind::RelationshipSet(it) => format!("+ {it}"),
        ChangeKind::RelationshipDeleted(it) => format!("- {it}"),
        ChangeKind::ObjectRegistered { object, .. } => format!("registered {object}"),
    }
}

/// A DID that fits a column: its beginning and its end.
pub(super) fn short(did: &str) -> String {
    let count = did.chars().count();
    if count <= 24 {
        return did.to_owned();
    }
    let head: String = did.chars().take(14).collect();
    let tail: String = did.chars().skip(count - 6).collect();
    format!("{head}…{tail}")
}

fn log_json(record: &LogRecord) -> Value {
    json!({
        "log": record.id.to_string(),
        "operator": record.operator.to_string(),
        "policy": record.policy.to_string(),
        "anchoring": record.anchoring.to_string(),
        "size": record.size,
        "root": hex::encode(record.root),
        "heads_root": hex::encode(record.heads_root),
        "anchors": record.anchors.size(),
        "last_anchor_height": record.last_anchor_height.0,
        "sealed": record.sealed,
    })
}

pub(super) async fn log(
    context: &Context,
    connection: &Connection,
    text: &str,
) -> anyhow::Result<Reply> {
    let id = context.config.log(text)?;
    let proven = connection.verified()?.log(&id).await?;
    let Some(record) = &proven.value else {
        return Ok(Reply {
            text: format!("Audit log {id} does not exist; {}.", proven_line(&proven)),
            json: proven_json(&proven, json!({"log": id.to_string(), "exists": false})),
            verdict: Verdict::No,
        });
    };
    let mut rows = vec![
        ("log", id.to_string()),
        ("operator", record.operator.to_string()),
        ("policy", record.policy.to_string()),
        ("anchored by", record.anchoring.to_string()),
        ("anchors", record.anchors.size().to_string()),
    ];
    if record.anchors.size() > 0 {
        rows.extend([
            (
                "last anchor",
                format!("block {}", record.last_anchor_height),
            ),
            ("leaves", record.size.to_string()),
            ("root", hex::encode(record.root)),
            ("heads root", hex::encode(record.heads_root)),
        ]);
    }
    if record.sealed {
        rows.push(("state", "sealed: it takes no more anchors".to_owned()));
    }
    let mut json = log_json(record);
    json["exists"] = json!(true);
    Ok(Reply::yes(
        format!("{}\n\n{}", fields(&rows), proven_line(&proven)),
        proven_json(&proven, json),
    ))
}

pub(super) async fn logs(
    context: &Context,
    connection: &Connection,
    policy: &str,
) -> anyhow::Result<Reply> {
    let id = context.config.policy(policy)?;
    let client = connection.verified()?;
    let proven = client.logs(&id).await?;
    let mut rows = vec![["LOG", "OPERATOR", "LEAVES", "ANCHORS", "LAST ANCHOR"]
        .map(str::to_owned)
        .to_vec()];
    for record in &proven.value {
        rows.push(vec![
            record.id.to_string(),
            short(record.operator.as_str()),
            record.size.to_string(),
            record.anchors.size().to_string(),
            if record.anchors.size() == 0 {
                "none yet".to_owned()
            } else {
                format!("block {}", record.last_anchor_height)
            },
        ]);
    }
    let list = if proven.value.is_empty() {
        "No audit log was ever opened for this policy.".to_owned()
    } else {
        table(&rows)
    };
    Ok(Reply::yes(
        format!("{list}\n\ncomplete, {}", proven_line(&proven)),
        proven_json(
            &proven,
            json!({
                "policy": id.to_string(),
                "logs": proven.value.iter().map(log_json).collect::<Vec<_>>(),
            }),
        ),
    ))
}

pub(super) async fn anchors(
    context: &Context,
    connection: &Connection,
    log: &str,
) -> anyhow::Result<Reply> {
    let id = context.config.log(log)?;
    let client = connection.verified()?;
    let proven = client.all_anchors(&id).await?;
    let mut rows = vec![["ANCHOR", "BLOCK", "TIME", "LEAVES", "ROOT"]
        .map(str::to_owned)
        .to_vec()];
    let mut values = Vec::new();
    for (index, anchor) in proven.value.iter().enumerate() {
        rows.push(vec![
            index.to_string(),
            anchor.height.to_string(),
            anchor.time.to_string(),
            anchor.size.to_string(),
            hex::encode(anchor.root),
        ]);
        values.push(json!({
            "index": index,
            "height": anchor.height.0,
            "time": anchor.time.to_string(),
            "size": anchor.size,
            "root": hex::encode(anchor.root),
            "heads_root": hex::encode(anchor.heads_root),
        }));
    }
    let list = if proven.value.is_empty() {
        "This log was never anchored.".to_owned()
    } else {
        table(&rows)
    };
    Ok(Reply::yes(
        format!("{list}\n\ncomplete, {}", proven_line(&proven)),
        proven_json(&proven, json!({"log": id.to_string(), "anchors": values})),
    ))
}

pub(super) async fn transaction(connection: &Connection, hash: &str) -> anyhow::Result<Reply> {
    let hash = TransactionHash::parse(&hash.to_lowercase())?;
    let client = connection.verified()?;
    let Some(included) = client.find(hash).await? else {
        return Ok(Reply {
            text: format!(
                "No node shows transaction {} in a block. That proves nothing: it may come, or \
                 the nodes may not keep it.",
                hash.to_upper_hex()
            ),
            json: json!({"tx": hash.to_upper_hex(), "found": false}),
            verdict: Verdict::Unknown,
        });
    };
    let outcome = if included.code == 0 {
        "succeeded".to_owned()
    } else {
        format!(
            "failed: {} (code {}; a node says: {})",
            hub_client::sentence_of(included.code),
            included.code,
            included.log
        )
    };
    let text = fields(&[
        ("transaction", hash.to_upper_hex()),
        (
            "block",
            format!("{}, place {}", included.height, included.index),
        ),
        ("outcome", outcome),
        ("gas", included.gas_used.to_string()),
    ]);
    Ok(Reply {
        text: format!("{text}\n\ninclusion and result verified"),
        json: json!({
            "tx": hash.to_upper_hex(),
            "found": true,
            "verified": true,
            "height": included.height.0,
            "index": included.index,
            "code": included.code,
            "gas_used": included.gas_used,
        }),
        verdict: if included.code == 0 {
            Verdict::Yes
        } else {
            Verdict::No
        },
    })
}
