//! The JSON of requests, and what it names.

use audit::content::CONTEXT_TEXT_BYTES_MAX;
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use crdt::{Cid, Scope};
use hub_types::PolicyId;
use policy::Context;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::Served;
use crate::documents::values::Changes;
use crate::failure::Failure;

/// A new document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    /// Alias or id of the policy.
    pub policy: String,
    /// Name or id of the collection.
    pub collection: String,
    /// The object that it is created in, `resource:id`.
    pub scope: String,
    /// Its fields.
    #[serde(default)]
    pub fields: Map<String, Json>,
}

/// A change of a document that the body names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    pub document: String,
    #[serde(default)]
    pub set: Map<String, Json>,
    #[serde(default)]
    pub increment: Map<String, Json>,
    #[serde(default)]
    pub add: Map<String, Json>,
    #[serde(default)]
    pub remove: Map<String, Json>,
}

/// A document and nothing else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    pub document: String,
}

/// Where to roll back to: one of both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// Heads of the state to return to.
    #[serde(default)]
    pub to_commits: Vec<String>,
    /// Number of an anchor of this sidecar.
    #[serde(default)]
    pub to_anchor: Option<u64>,
}

/// A rollback of a document that the body names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    pub document: String,
    #[serde(default)]
    pub to_commits: Vec<String>,
    #[serde(default)]
    pub to_anchor: Option<u64>,
}

/// What is to be prepared.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Prepare {
    Create(Create),
    Update(Update),
    Delete(Named),
    Rollback(Rollback),
}

/// A signed commit; blocks and signature in base64.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submit {
    pub header: String,
    pub signature: String,
    pub body: String,
}

impl Update {
    pub fn changes(self) -> Changes {
        Changes {
            set: self.set,
            increment: self.increment,
            add: self.add,
            remove: self.remove,
        }
    }
}

/// Bytes in base64.
pub(crate) fn bytes(field: &str, text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|_| {
        Failure::invalid(
            format!("`{field}` is not base64"),
            "use the standard alphabet with padding",
        )
    })
}

/// A CID.
pub(crate) fn cid(field: &str, text: &str) -> Result<Cid, Failure> {
    text.parse().map_err(|_| {
        Failure::invalid(
            format!("`{field}` is no CID of this house: {}", excerpt(text)),
            "a CID has 59 letters and begins with bafyrei",
        )
    })
}

/// `resource:id`.
pub(crate) fn scope(text: &str) -> Result<Scope, Failure> {
    let parsed = text
        .split_once(':')
        .and_then(|(resource, id)| Scope::new(resource, id).ok());
    parsed.ok_or_else(|| {
        Failure::invalid(
            format!("{} names no object", excerpt(text)),
            "write resource:id, such as cell:1",
        )
    })
}

/// What somebody gives to conditions: a JSON object, as short as what a decision's leaf holds.
pub(crate) fn context(text: Option<&str>) -> Result<Context, Failure> {
    let Some(text) = text else {
        return Ok(Context::default());
    };
    let wrong = |reason: String| {
        Failure::invalid(
            format!("`context` cannot be taken: {reason}"),
            "give a JSON object of parameters, such as {\"zone\":\"ward\"}",
        )
    };
    let context = Context::from_json(text).map_err(|error| wrong(error.to_string()))?;
    match context.to_json().len() <= CONTEXT_TEXT_BYTES_MAX {
        true => Ok(context),
        false => Err(wrong(format!(
            "it has more than {CONTEXT_TEXT_BYTES_MAX} bytes"
        ))),
    }
}

/// A followed policy by alias or id.
pub(crate) fn policy(served: &Served, name: &str) -> Result<PolicyId, Failure> {
    served.documents.authority().named(name).ok_or_else(|| {
        Failure::not_found(
            format!("the policy {} is not followed here", excerpt(name)),
            "GET /v1/status lists the followed policies",
        )
    })
}

/// A collection of a policy by name, `resource/name` or id.
pub(crate) fn collection(served: &Served, policy: &PolicyId, name: &str) -> Result<Cid, Failure> {
    if let Ok(cid) = name.parse() {
        return Ok(cid);
    }
    let found = served.documents.authority().collections_named(policy, name);
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::not_found(
            format!(
                "the policy defines no collection {} as proven here",
                excerpt(name)
            ),
            "define it on the hub, and wait a block",
        )),
        _ => Err(Failure::invalid(
            format!("several resources have a collection {}", excerpt(name)),
            "write resource/name",
        )),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
