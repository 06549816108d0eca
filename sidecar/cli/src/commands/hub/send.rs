//! Transactions: each is signed here, sent, and reported only once its result is proven.

use std::path::Path;

use anyhow::{bail, Context as _};
use hub_client::{Included, Terms};
use hub_types::audit::OpenLog;
use hub_types::bank::Send;
use hub_types::document::Document;
use hub_types::policy::{CreatePolicy, DefineCollection, RegisterObject, SetRelationships};
use hub_types::{Amount, LogId, Message, PolicyId};
use identity::{AccountAddress, Did, SecretKey};
use policy::{Name, ObjectRef, Policy, Relationship};
use serde_json::{json, Value};
use wire::audit::MsgOpenLogResponse;
use wire::policy::{
    MsgCreatePolicyResponse, MsgDefineCollectionResponse, MsgRegisterObjectResponse,
    MsgSetRelationshipsResponse,
};

use super::client::Connection;
use super::{alias, Relationships, Signing};
use crate::commands::policy::read_definition;
use crate::context::Context;
use crate::convert;
use crate::reply::{Reply, Verdict};

/// A signer whose key is open.
struct Signer {
    key: SecretKey,
    account: AccountAddress,
}

impl Signer {
    fn open(context: &Context, signing: &Signing) -> anyhow::Result<Self> {
        let name = context.key_name(signing.from.as_deref())?;
        let key = context.key(Some(&name))?;
        let account = AccountAddress::of(key.public_key())
            .with_context(|| format!("key \"{name}\" cannot sign hub transactions"))?;
        Ok(Self { key, account })
    }
}

/// Signs and sends one message. A refusal by the hub is an answer (exit code 1).
async fn send(
    connection: &Connection,
    signer: &Signer,
    signing: &Signing,
    message: Message,
    answer: impl FnOnce(&Included) -> anyhow::Result<(String, Value)>,
) -> anyhow::Result<Reply> {
    let terms = Terms {
        gas_limit: signing.gas,
        fee: signing.fee.map(Amount),
        memo: signing.memo.clone(),
        ..Terms::default()
    };
    let client = connection.verified()?;
    match client.submit_with(&signer.key, vec![message], &terms).await {
        Ok(included) => {
            let (text, mut json) = answer(&included)?;
            json["tx"] = json!(included.hash.to_upper_hex());
            json["height"] = json!(included.height.0);
            json["gas_used"] = json!(included.gas_used);
            Ok(Reply::yes(
                format!(
                    "{text}\n\nblock {}  transaction {}  gas {}  (inclusion and result verified)",
                    included.height,
                    included.hash.to_upper_hex(),
                    included.gas_used
                ),
                json,
            ))
        }
        Err(error) if error.is_refusal() => Ok(Reply {
            text: format!("refused: {error}"),
            json: json!({
                "error": error.to_string(),
                "code": error.code(),
                "name": error.code().and_then(hub_types::Code::from_number).map(hub_types::Code::name),
            }),
            verdict: Verdict::No,
        }),
        Err(error) => Err(error.into()),
    }
}

/// A policy to create.
pub(super) struct NewPolicy<'a> {
    pub(super) file: &'a Path,
    pub(super) alias: Option<&'a str>,
    pub(super) anchor_lag: u64,
    pub(super) max_staleness: u64,
}

pub(super) async fn create_policy(
    context: &Context,
    connection: &Connection,
    new: &NewPolicy<'_>,
    signing: &Signing,
) -> anyhow::Result<Reply> {
    let definition = read_definition(new.file)?;
    // Looked at here first: a mistake costs no fee and names its line.
    let policy = Policy::parse(&definition)
        .with_context(|| format!("{} is not a valid policy", new.file.display()))?;
    for warning in policy.warnings() {
        context.note(&format!("warning: {}: {warning}", new.file.display()));
    }
    if let Some(name) = new.alias {
        crate::config::check_name(name)?;
    }
    let signer = Signer::open(context, signing)?;
    let message = Message::CreatePolicy(CreatePolicy {
        creator: signer.account,
        definition,
        anchor_lag: new.anchor_lag,
        max_staleness_seconds: new.max_staleness,
    });
    send(connection, &signer, signing, message, |included| {
        let response: MsgCreatePolicyResponse = included.response(0)?;
        let id = PolicyId::from_slice(&response.policy)?;
        let mut text = format!("Created policy {id}.");
        if let Some(name) = new.alias {
            alias::keep(context, "policies", name, &id.to_string())?;
            text.push_str(&format!(" Here it is called \"{name}\"."));
        }
        Ok((
            text,
            json!({"policy": id.to_string(), "revision": response.revision, "alias": new.alias}),
        ))
    })
    .await
}

/// A collection to define.
pub(super) struct NewCollection<'a> {
    pub(super) policy: &'a str,
    pub(super) name: &'a str,
    pub(super) resource: &'a str,
    pub(super) scope_relation: &'a str,
    pub(super) schema: &'a Path,
}

pub(super) async fn define_collection(
    context: &Context,
    connection: &Connection,
    new: &NewCollection<'_>,
    signing: &Signing,
) -> anyhow::Result<Reply> {
    let policy = context.config.policy(new.policy)?;
    let text = std::fs::read_to_string(new.schema)
        .with_context(|| format!("cannot read {}", new.schema.display()))?;
    let schema = crdt::Schema::from_json(&text)
        .with_context(|| format!("{} is not a valid schema", new.schema.display()))?;
    let signer = Signer::open(context, signing)?;
    let message = Message::DefineCollection(DefineCollection {
        creator: signer.account,
        policy,
        resource: Name::new(new.resource)?,
        name: Name::new(new.name)?,
        scope_relation: Name::new(new.scope_relation)?,
        schema_cid: schema.cid().to_bytes().to_vec(),
        schema: schema.encode(),
    });
    send(connection, &signer, signing, message, |included| {
        let response: MsgDefineCollectionResponse = included.response(0)?;
        Ok((
            format!(
                "Defined collection {} of resource {}, schema version {}, at revision {}.",
                new.name, new.resource, response.schema_version, response.revision
            ),
            json!({
                "policy": policy.to_string(),
                "collection": new.name,
                "resource": new.resource,
                "schema_cid": schema.cid().to_string(),
                "schema_version": response.schema_version,
                "revision": response.revision,
            }),
        ))
    })
    .await
}

pub(super) async fn relate(
    context: &Context,
    connection: &Connection,
    asked: &Relationships,
    set: bool,
) -> anyhow::Result<Reply> {
    let policy = context.config.policy(&asked.policy)?;
    let mut all = Vec::new();
    for text in &asked.relationships {
        all.push(parse_relationship(context, text)?);
    }
    if let Some(file) = &asked.file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            let at = || format!("{} line {}", file.display(), number + 1);
            all.push(parse_relationship(context, line).with_context(at)?);
        }
    }
    if all.is_empty() {
        bail!("no relationship was given; write them as resource:id#relation@subject, with terms behind it");
    }
    let most = hub_types::policy::messages::RELATIONSHIPS_MAX;
    if all.len() > most {
        bail!(
            "{} relationships are too many for one transaction; give at most {most} at a time",
            all.len()
        );
    }
    let signer = Signer::open(context, &asked.signing)?;
    let count = all.len();
    let (set_list, delete_list) = if set {
        (all, Vec::new())
    } else {
        // A line that was set is deleted as it is.
        let bare = |one: Relationship| one.on(policy::Terms::NONE);
        (Vec::new(), all.into_iter().map(bare).collect())
    };
    let message = Message::SetRelationships(SetRelationships {
        creator: signer.account,
        policy,
        set: set_list,
        delete: delete_list,
        preconditions: Vec::new(),
    });
    send(connection, &signer, &asked.signing, message, |included| {
        let response: MsgSetRelationshipsResponse = included.response(0)?;
        let word = if set { "Set" } else { "Deleted" };
        let unchanged = count as u64 - u64::from(response.changed).min(count as u64);
        let note = match (unchanged, set) {
            (0, _) => String::new(),
            (n, true) => format!(" ({n} stood there already)"),
            (n, false) => format!(" ({n} did not exist)"),
        };
        Ok((
            format!(
                "{word} {} relationship{} at revision {}{note}.",
                response.changed,
                if response.changed == 1 { "" } else { "s" },
                response.revision
            ),
            json!({
                "policy": policy.to_string(),
                "revision": response.revision,
                "changed": response.changed,
            }),
        ))
    })
    .await
}

/// A relationship whose subject may be the name of a key here.
fn parse_relationship(context: &Context, text: &str) -> anyhow::Result<Relationship> {
    let Some((head, subject, terms)) = parts(text) else {
        return Ok(text.parse()?);
    };
    if subject.contains(':') || subject == "*" || context.keyring().get(subject).is_err() {
        return Ok(text.parse()?);
    }
    let did = context.actor(subject)?;
    Ok(format!("{head}@{did}{terms}").parse()?)
}

/// What stands before the `@` of the subject, the subject, and its terms. An `@` may stand in the
/// object's id, and anything in a condition's context.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find(" with ").unwrap_or(text.len());
    let (fact, terms) = text.split_at(end);
    let relation = fact.find('#')?;
    let at = relation + fact[relation..].find('@')?;
    Some((&fact[..at], &fact[at + 1..], terms))
}

pub(super) async fn register(
    context: &Context,
    connection: &Connection,
    policy: &str,
    object: &ObjectRef,
    document: Option<&Path>,
    signing: &Signing,
) -> anyhow::Result<Reply> {
    let policy = context.config.policy(policy)?;
    let document: Option<Document> = document.map(convert::read_document).transpose()?;
    let signer = Signer::open(context, signing)?;
    let owner = signer.key.did();
    let message = Message::RegisterObject(RegisterObject {
        creator: signer.account,
        policy,
        object: object.clone(),
        document,
    });
    send(connection, &signer, signing, message, |included| {
        let response: MsgRegisterObjectResponse = included.response(0)?;
        Ok((
            format!(
                "Registered {object} at revision {}; {owner} owns it.",
                response.revision
            ),
            json!({
                "policy": policy.to_string(),
                "object": object.to_string(),
                "owner": owner.to_string(),
                "revision": response.revision,
            }),
        ))
    })
    .await
}

pub(super) async fn coins(
    context: &Context,
    connection: &Connection,
    to: &str,
    amount: u64,
    signing: &Signing,
) -> anyhow::Result<Reply> {
    let to = account_of(context, to)?;
    let signer = Signer::open(context, signing)?;
    let from = signer.account;
    let message = Message::Send(Send {
        from,
        to,
        amount: Amount(amount),
    });
    send(connection, &signer, signing, message, |_| {
        Ok((
            format!("Sent {amount} uhold from {from} to {to}."),
            json!({"from": from.to_string(), "to": to.to_string(), "amount": amount}),
        ))
    })
    .await
}

pub(super) async fn open_log(
    context: &Context,
    connection: &Connection,
    policy: &str,
    anchoring: Option<&str>,
    name: Option<&str>,
    signing: &Signing,
) -> anyhow::Result<Reply> {
    let policy = context.config.policy(policy)?;
    let anchoring: Option<Did> = anchoring.map(|text| context.actor(text)).transpose()?;
    if let Some(name) = name {
        crate::config::check_name(name)?;
    }
    let signer = Signer::open(context, signing)?;
    let operator = signer.key.did();
    let message = Message::OpenLog(OpenLog {
        creator: signer.account,
        policy,
        anchoring,
    });
    send(connection, &signer, signing, message, |included| {
        let response: MsgOpenLogResponse = included.response(0)?;
        let log = LogId::from_slice(&response.log)?;
        if let Some(name) = name {
            alias::keep(context, "logs", name, &log.to_string())?;
        }
        Ok((
            format!("Opened audit log {log} of {operator}."),
            json!({
                "log": log.to_string(),
                "policy": policy.to_string(),
                "operator": operator.to_string(),
            }),
        ))
    })
    .await
}

/// An account as a person writes it: an address, a DID, or the name of a key.
pub(super) fn account_of(context: &Context, text: &str) -> anyhow::Result<AccountAddress> {
    if text.starts_with("hold1") {
        return AccountAddress::parse(text).with_context(|| format!("{text} is no account"));
    }
    let did = context.actor(text)?;
    AccountAddress::of(did.public_key()).with_context(|| format!("{text} has no account"))
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_relationship_is_parted_before_its_terms() {
        for (text, expected) in [
            (
                "cell:1#operator@alice",
                Some(("cell:1#operator", "alice", "")),
            ),
            (
                "cell:a@b#operator@alice with office_hours {\"mail\":\"a@b#c\"}",
                Some((
                    "cell:a@b#operator",
                    "alice",
                    " with office_hours {\"mail\":\"a@b#c\"}",
                )),
            ),
            ("cell:1#operator", None),
            ("cell@1", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
