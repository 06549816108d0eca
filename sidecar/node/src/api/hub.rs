//! The sidecar itself: health, status, checks, anchors, the auditor's file.

use axum::extract::State;
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::Json;
use hub_types::PolicyId;
use identity::Did;
use policy::Context;
use policy::{Decision, ObjectRef};
use serde::Deserialize;
use serde_json::{json, Map, Value};

use super::auth::{Asked, Authenticated};
use super::bodies;
use super::Shared;
use crate::anchoring::{latest, list, newest_final, AnchorState, Anchoring};
use crate::documents::could_not_tell;
use crate::failure::{Failure, Kind};
use crate::guard::Sight;
use crate::limits::LIST_PAGE_MAX;
use crate::metrics::{Origin, Outcome};
use crate::store::keys::meta;
use crate::store::{Column, Write};
use crate::trail::TrailRequest;

/// The header of a trail that carries `HEIGHT:HASH`.
pub(crate) const TRUST_HEADER: &str = "x-holdfast-trust";

pub(crate) async fn healthz(State(served): Shared) -> Response {
    let authority = served.documents.authority();
    let unproven: Vec<String> = authority
        .policies()
        .into_iter()
        .filter(|(_, policy)| authority.judge(policy, |_, _| ()).is_err())
        .map(|(alias, _)| alias)
        .collect();
    match unproven.is_empty() {
        true => (StatusCode::OK, Json(json!({ "healthy": true }))).into_response(),
        false => {
            let reason = format!("nothing is proven yet of {}", unproven.join(", "));
            let body = Json(json!({ "healthy": false, "reason": reason }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

pub(crate) async fn status(State(served): Shared) -> Result<Json<Value>, Failure> {
    let store = served.documents.store();
    let authority = served.documents.authority();
    let mut policies = Map::new();
    for (alias, policy) in authority.policies() {
        let proven = authority.judge(&policy, |_, reading| json!(reading)).ok();
        policies.insert(alias, json!({ "id": policy.to_string(), "proven": proven }));
    }
    let hub = authority.status().borrow().clone();
    let log = store.log();
    let last = latest(store)?;
    let final_anchor = newest_final(store)?.map(|anchor| json!(anchor.view()));
    let count = |outcome| {
        let of = |origin| {
            let labels = crate::metrics::CommitLabels { origin, outcome };
            served.metrics.commits.get_or_create(&labels).get()
        };
        of(Origin::Local) + of(Origin::Peer)
    };
    let peers: Vec<Value> = served
        .network
        .exchange()
        .connected_peers()
        .into_iter()
        .map(|(peer, identity)| {
            json!({
                "peer_id": peer.to_base58(),
                "sidecar": identity.sidecar.as_str(),
                "operator": identity.operator.map(|operator| operator.to_string()),
            })
        })
        .collect();
    let addresses: Vec<String> = served
        .network
        .addresses()
        .await
        .unwrap_or_default()
        .into_iter()
        .map(|address| format!("{address}/p2p/{}", served.peer_id))
        .collect();
    Ok(Json(json!({
        "chain_id": served.expected.chain.as_str(),
        "sidecar": served.expected.audience.as_str(),
        "operator": served.operator.as_str(),
        "peer_id": served.peer_id,
        "addresses": addresses,
        "hub": {
            "height": hub.height,
            "offline": hub.trouble.is_some(),
            "trouble": hub.trouble,
            "age_seconds": authority.age().as_secs(),
        },
        "policies": policies,
        "log": {
            "id": Anchoring::log_id(store)?.map(|log| log.to_string()),
            "size": log.tail.range.size(),
            "root": hex::encode(log.tail.range.root()),
        },
        "anchors": {
            "pending": last
                .as_ref()
                .filter(|anchor| anchor.state() == AnchorState::Pending)
                .map(crate::anchoring::AnchorRecord::view),
            "final": final_anchor,
        },
        "peers": peers,
        "counters": {
            "rejected": count(Outcome::Reject),
            "late": count(Outcome::Late),
            "deferred": count(Outcome::Defer),
            "dropped": served.metrics.peer_commits_dropped.get(),
            "denials": served.metrics.denials.get(),
        },
    })))
}

/// One question about a permission.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckQuery {
    policy: String,
    /// `resource:id`; a document's id stands for the document.
    object: String,
    permission: String,
    /// Whom it is about; who asks, when absent.
    actor: Option<String>,
    /// Values for conditions, a JSON object.
    context: Option<String>,
}

pub(crate) async fn check(
    State(served): Shared,
    Asked(query): Asked<CheckQuery>,
    who: Authenticated,
) -> Result<Json<Value>, Failure> {
    let policy = bodies::policy(&served, &query.policy)?;
    let actor = match &query.actor {
        None => who.actor.clone(),
        Some(actor) => Did::parse(actor)
            .map_err(|error| Failure::invalid(error.to_string(), "name a did:key"))?,
    };
    let (resource, id) = query
        .object
        .split_once(':')
        .ok_or_else(|| Failure::invalid("`object` names no object", "write resource:id"))?;
    let context = bodies::context(query.context.as_deref())?;
    let authority = served.documents.authority();
    // A kept document is asked with what its id proves, its creator and its scope; but only for
    // one who may see that it is kept. Everybody else is answered from the hub's objects alone.
    let kept = match id.parse::<crdt::Cid>() {
        Ok(document) => served
            .documents
            .claim(document.digest())?
            .filter(|(claim, of)| {
                let guard = served.documents.guard();
                let none = Context::default();
                let permit = guard.permit(of, claim, &who.actor, Sight::Headers, &none);
                permit.is_ok()
            }),
        Err(_) => None,
    };
    let answer = match kept {
        Some((claim, of)) if of == policy => {
            authority.ask_document(&policy, &claim, &actor, &query.permission, &context)
        }
        _ => {
            let object = ObjectRef::new(resource, id)
                .map_err(|error| Failure::invalid(error.to_string(), "write resource:id"))?;
            let actor = crate::authority::actor_of(&actor);
            authority.ask_object(&policy, object, &actor, &query.permission, &context)
        }
    };
    let (answer, reading) = answer.map_err(|error| could_not_tell(&error))?;
    let decision = match answer.decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::Conditional => "conditional",
    };
    let mut told = json!({
        "decision": decision,
        "actor": actor.as_str(),
        "permission": query.permission,
        "object": query.object,
        "hub": reading,
    });
    if !answer.missing.is_empty() {
        told["missing"] = json!(answer.missing);
    }
    Ok(Json(told))
}

/// A policy to follow from now on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowBody {
    alias: String,
    policy: String,
}

/// Longest alias; it is a name that a person types.
const ALIAS_BYTES_MAX: usize = 64;

pub(crate) async fn follow(
    State(served): Shared,
    who: Authenticated,
) -> Result<Json<Value>, Failure> {
    if who.actor != served.operator {
        return Err(Failure::new(
            Kind::Denied,
            "only the sidecar's operator decides what it follows",
            "ask the operator",
        ));
    }
    let body: FollowBody = who.json()?;
    if body.alias.is_empty() || body.alias.len() > ALIAS_BYTES_MAX {
        return Err(Failure::invalid(
            "the alias is empty or longer than 64 bytes",
            "choose another",
        ));
    }
    let policy = PolicyId::parse(&body.policy)
        .map_err(|error| Failure::invalid(error.to_string(), "name the policy's id in hex"))?;
    let store = served.documents.store();
    let put = (
        Column::Meta,
        meta::followed(&body.alias),
        Some(policy.to_vec()),
    );
    store
        .submit(Write {
            puts: vec![put],
            ..Write::default()
        })
        .await?;
    served
        .documents
        .authority()
        .follow(&body.alias, policy, store)?;
    Ok(Json(
        json!({ "alias": body.alias, "policy": policy.to_string() }),
    ))
}

/// Which anchors to show.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnchorsQuery {
    from: Option<u64>,
    limit: Option<usize>,
}

pub(crate) async fn anchors(
    State(served): Shared,
    Asked(query): Asked<AnchorsQuery>,
    _who: Authenticated,
) -> Result<Json<Value>, Failure> {
    let limit = query.limit.unwrap_or(100).clamp(1, LIST_PAGE_MAX);
    let anchors = list(served.documents.store(), query.from.unwrap_or(0), limit)?;
    let views: Vec<_> = anchors
        .iter()
        .map(crate::anchoring::AnchorRecord::view)
        .collect();
    Ok(Json(json!({ "anchors": views })))
}

/// Which part of the trail to export.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrailQuery {
    from_anchor: Option<u64>,
    to_anchor: Option<u64>,
    height: Option<u64>,
}

pub(crate) async fn trail(
    State(served): Shared,
    Asked(query): Asked<TrailQuery>,
    who: Authenticated,
) -> Result<Response, Failure> {
    let exporter = served.exporter.as_ref().ok_or_else(|| {
        Failure::new(
            Kind::Conflict,
            "this sidecar anchors no log",
            "name a policy in config.toml",
        )
    })?;
    let request = TrailRequest {
        auditor: who.actor,
        from_anchor: query.from_anchor,
        to_anchor: query.to_anchor,
        height: query.height,
    };
    let exported = exporter.export(&request).await?;
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            "application/octet-stream".to_owned(),
        ),
        (TRUST_HEADER, exported.trust),
    ];
    Ok((headers, exported.bytes).into_response())
}
