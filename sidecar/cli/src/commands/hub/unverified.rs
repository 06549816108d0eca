//! What `--unverified` shows: one node's word, under a line that says so.

use std::sync::Arc;

use hub_client::{Rpc, Transport};
use hub_types::PolicyId;
use identity::AccountAddress;
use serde_json::json;
use wire::cosmos::auth::v1beta1::{BaseAccount, QueryAccountRequest, QueryAccountResponse};
use wire::policy::{QueryPolicyRequest, QueryPolicyResponse};

use super::client::{ask_unverified, LOUD};
use crate::reply::{fields, Reply};

pub(super) async fn status(transports: &[Arc<dyn Transport>]) -> anyhow::Result<Reply> {
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for transport in transports {
        let rpc = Rpc::new(&**transport);
        match rpc.status().await {
            Ok(status) => {
                let hash = hex::encode_upper(status.latest_hash);
                rows.push(fields(&[
                    ("node", rpc.name().to_owned()),
                    ("chain", status.chain_id.clone()),
                    ("newest block", status.latest_height.to_string()),
                    ("hash", hash.clone()),
                    ("catching up", status.catching_up.to_string()),
                ]));
                values.push(json!({
                    "node": rpc.name(),
                    "chain_id": status.chain_id,
                    "height": status.latest_height,
                    "hash": hash,
                    "catching_up": status.catching_up,
                }));
            }
            Err(error) => {
                rows.push(format!("{} {error}", rpc.name()));
                values.push(json!({"node": rpc.name(), "error": error.to_string()}));
            }
        }
    }
    Ok(Reply::yes(
        format!("{LOUD}\n\n{}", rows.join("\n\n")),
        json!({"verified": false, "nodes": values}),
    ))
}

pub(super) async fn account(
    transports: &[Arc<dyn Transport>],
    address: &AccountAddress,
) -> anyhow::Result<Reply> {
    let request = QueryAccountRequest {
        address: address.to_string(),
    };
    let answer: QueryAccountResponse =
        ask_unverified(transports, "/cosmos.auth.v1beta1.Query/Account", &request).await?;
    let account = answer
        .account
        .and_then(|any| <BaseAccount as prost::Message>::decode(any.value.as_slice()).ok())
        .unwrap_or_default();
    Ok(Reply::yes(
        format!(
            "{LOUD}\n\n{}",
            fields(&[
                ("account", address.to_string()),
                ("number", account.account_number.to_string()),
                ("sequence", account.sequence.to_string()),
            ])
        ),
        json!({
            "verified": false,
            "address": address.to_string(),
            "number": account.account_number,
            "sequence": account.sequence,
        }),
    ))
}

pub(super) async fn policy(
    transports: &[Arc<dyn Transport>],
    id: &PolicyId,
) -> anyhow::Result<Reply> {
    let request = QueryPolicyRequest {
        policy: id.to_vec(),
        prove: false,
    };
    let answer: QueryPolicyResponse =
        ask_unverified(transports, "/holdfast.policy.v1.Query/Policy", &request).await?;
    let record = answer.record.unwrap_or_default();
    let revisions = record.log.map_or(0, |log| log.size);
    Ok(Reply::yes(
        format!(
            "{LOUD}\n\n{}\n\n{}",
            fields(&[
                ("policy", id.to_string()),
                ("creator", record.creator.clone()),
                ("revisions", revisions.to_string()),
                ("height", answer.height.to_string()),
            ]),
            answer.definition
        ),
        json!({
            "verified": false,
            "policy": id.to_string(),
            "creator": record.creator,
            "revisions": revisions,
            "height": answer.height,
            "definition": answer.definition,
        }),
    ))
}
