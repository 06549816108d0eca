//! Documents: write, read, list.

use axum::extract::{Path, State};
use axum::Json;
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use crdt::Cid;
use serde::Deserialize;
use serde_json::{json, Value};

use super::auth::{Asked, Authenticated};
use super::bodies::{self, Create, Prepare, Submit, Target};
use super::{Served, Shared};
use crate::documents::values::Changes;
use crate::documents::{History, Intent, Listed, Submitted, View};
use crate::failure::Failure;
use crate::guard::{Permit, Sight};

type Answer<T> = Result<Json<T>, Failure>;

fn creation(served: &Served, create: Create) -> Result<Intent, Failure> {
    let policy = bodies::policy(served, &create.policy)?;
    Ok(Intent::Create {
        policy,
        collection: bodies::collection(served, &policy, &create.collection)?,
        scope: bodies::scope(&create.scope)?,
        fields: create.fields,
    })
}

async fn readable(
    served: &Served,
    actor: &identity::Did,
    document: &str,
    action: &'static str,
) -> Result<Permit, Failure> {
    readable_with(served, actor, document, None, action).await
}

/// With what the asker gives to conditions.
async fn readable_with(
    served: &Served,
    actor: &identity::Did,
    document: &str,
    context: Option<&str>,
    action: &'static str,
) -> Result<Permit, Failure> {
    let document = bodies::cid("document", document)?;
    let context = bodies::context(context)?;
    served
        .documents
        .permit(&document, actor, Sight::Bodies, &context, action)
        .await
}

/// Changing or rolling back shows what is there (an unknown element, a head), so it takes the
/// permission to read as well.
async fn rollback_intent(
    served: &Served,
    actor: &identity::Did,
    document: &str,
    target: Target,
) -> Result<Intent, Failure> {
    let permit = readable(served, actor, document, "document.rollback").await?;
    let target = match (target.to_anchor, target.to_commits.as_slice()) {
        (Some(sequence), []) => served.documents.heads_at_anchor(&permit, sequence)?,
        (None, [_, ..]) => target
            .to_commits
            .iter()
            .map(|commit| bodies::cid("to_commits", commit))
            .collect::<Result<_, _>>()?,
        _ => {
            return Err(Failure::invalid(
                "a rollback names either commits or an anchor",
                "give `to_commits` or `to_anchor`",
            ))
        }
    };
    Ok(Intent::Rollback {
        document: *permit.document(),
        target,
    })
}

async fn update_intent(
    served: &Served,
    actor: &identity::Did,
    document: &str,
    changes: Changes,
) -> Result<Intent, Failure> {
    let permit = readable(served, actor, document, "document.update").await?;
    Ok(Intent::Update {
        document: *permit.document(),
        changes,
    })
}

/// What is prepared names the document's heads as its parents, so it takes the permission to read,
/// whoever may sign it. `DELETE` itself shows nothing but its own commit.
async fn delete_intent(
    served: &Served,
    actor: &identity::Did,
    document: &str,
) -> Result<Intent, Failure> {
    let permit = readable(served, actor, document, "document.delete").await?;
    Ok(Intent::Delete {
        document: *permit.document(),
    })
}

pub(crate) async fn prepare(State(served): Shared, who: Authenticated) -> Answer<Value> {
    let actor = &who.actor;
    let intent = match who.json()? {
        Prepare::Create(create) => creation(&served, create)?,
        Prepare::Update(update) => {
            let document = update.document.clone();
            update_intent(&served, actor, &document, update.changes()).await?
        }
        Prepare::Delete(named) => delete_intent(&served, actor, &named.document).await?,
        Prepare::Rollback(rollback) => {
            let target = Target {
                to_commits: rollback.to_commits,
                to_anchor: rollback.to_anchor,
            };
            rollback_intent(&served, actor, &rollback.document, target).await?
        }
    };
    let prepared = served.documents.prepare(actor, intent)?;
    let header = prepared.blocks.header.bytes();
    let statement = identity::Statement::commit(&served.expected.chain, header);
    Ok(Json(json!({
        "document": prepared.document.to_string(),
        "commit": prepared.blocks.header.cid().to_string(),
        "resource": prepared.resource,
        "header": STANDARD.encode(header),
        "body": STANDARD.encode(prepared.blocks.body.bytes()),
        "sign_bytes": STANDARD.encode(statement.as_bytes()),
        "hub": prepared.reading,
    })))
}

pub(crate) async fn submit(State(served): Shared, who: Authenticated) -> Answer<Submitted> {
    let submit: Submit = who.json()?;
    let header = bodies::bytes("header", &submit.header)?;
    let signature = bodies::bytes("signature", &submit.signature)?;
    let body = bodies::bytes("body", &submit.body)?;
    let submitted = served
        .documents
        .submit(header, &signature, &body, &who.actor, who.single_use)
        .await?;
    Ok(Json(submitted))
}

pub(crate) async fn create(State(served): Shared, who: Authenticated) -> Answer<Submitted> {
    let intent = creation(&served, who.json()?)?;
    Ok(Json(
        served
            .documents
            .write(&who.actor, intent, who.single_use)
            .await?,
    ))
}

pub(crate) async fn update(
    State(served): Shared,
    Path(document): Path<String>,
    who: Authenticated,
) -> Answer<Submitted> {
    let intent = update_intent(&served, &who.actor, &document, who.json()?).await?;
    Ok(Json(
        served
            .documents
            .write(&who.actor, intent, who.single_use)
            .await?,
    ))
}

pub(crate) async fn remove(
    State(served): Shared,
    Path(document): Path<String>,
    who: Authenticated,
) -> Answer<Submitted> {
    let intent = Intent::Delete {
        document: bodies::cid("document", &document)?,
    };
    Ok(Json(
        served
            .documents
            .write(&who.actor, intent, who.single_use)
            .await?,
    ))
}

pub(crate) async fn rollback(
    State(served): Shared,
    Path(document): Path<String>,
    who: Authenticated,
) -> Answer<Submitted> {
    let intent = rollback_intent(&served, &who.actor, &document, who.json()?).await?;
    Ok(Json(
        served
            .documents
            .write(&who.actor, intent, who.single_use)
            .await?,
    ))
}

/// As of when to read.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AsOf {
    /// Commits, comma-separated.
    at: Option<String>,
    /// An anchor of this sidecar.
    at_anchor: Option<u64>,
    /// Values for conditions, a JSON object.
    context: Option<String>,
}

pub(crate) async fn get_one(
    State(served): Shared,
    Path(document): Path<String>,
    Asked(as_of): Asked<AsOf>,
    who: Authenticated,
) -> Answer<View> {
    let context = as_of.context.as_deref();
    let permit = readable_with(&served, &who.actor, &document, context, "document.read").await?;
    let heads: Option<Vec<Cid>> = match (as_of.at, as_of.at_anchor) {
        (None, None) => None,
        (Some(commits), None) => Some(
            commits
                .split(',')
                .map(|commit| bodies::cid("at", commit))
                .collect::<Result<_, _>>()?,
        ),
        (None, Some(sequence)) => Some(served.documents.heads_at_anchor(&permit, sequence)?),
        (Some(_), Some(_)) => {
            return Err(Failure::invalid(
                "`at` and `at_anchor` exclude each other",
                "give one",
            ))
        }
    };
    let view = served.documents.get(&permit, heads.as_deref())?;
    if served.log_reads {
        served
            .documents
            .log_reads(&who.actor, &[permit], "document.read")
            .await?;
    }
    Ok(Json(view))
}

/// What the asker gives to conditions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// A JSON object.
    context: Option<String>,
}

pub(crate) async fn history(
    State(served): Shared,
    Path(document): Path<String>,
    Asked(given): Asked<Given>,
    who: Authenticated,
) -> Answer<History> {
    let (actor, context) = (&who.actor, given.context.as_deref());
    let permit = readable_with(&served, actor, &document, context, "document.history").await?;
    let history = served.documents.history(&permit)?;
    if served.log_reads {
        served
            .documents
            .log_reads(&who.actor, &[permit], "document.history")
            .await?;
    }
    Ok(Json(history))
}

/// What to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    policy: String,
    collection: String,
    /// A field, with [`ListQuery::equals`].
    field: Option<String>,
    /// The value as JSON; a text that is no JSON stands for itself.
    equals: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    /// Values for conditions, a JSON object.
    context: Option<String>,
}

pub(crate) async fn list(
    State(served): Shared,
    Asked(query): Asked<ListQuery>,
    who: Authenticated,
) -> Answer<Listed> {
    let policy = bodies::policy(&served, &query.policy)?;
    let collection = bodies::collection(&served, &policy, &query.collection)?;
    let after = query
        .after
        .map(|after| bodies::cid("after", &after))
        .transpose()?;
    let filter: Vec<(String, Value)> = match (query.field, query.equals) {
        (None, None) => Vec::new(),
        (Some(field), Some(value)) => {
            vec![(
                field,
                serde_json::from_str(&value).unwrap_or(Value::String(value)),
            )]
        }
        _ => {
            return Err(Failure::invalid(
                "a filter needs `field` and `equals`",
                "give both",
            ))
        }
    };
    let limit = query.limit.unwrap_or(100);
    let (listed, permits) = served.documents.list(
        &who.actor,
        &policy,
        &collection,
        &bodies::context(query.context.as_deref())?,
        &filter,
        after.as_ref(),
        limit,
    )?;
    if served.log_reads && !permits.is_empty() {
        served
            .documents
            .log_reads(&who.actor, &permits, "document.list")
            .await?;
    }
    Ok(Json(listed))
}
