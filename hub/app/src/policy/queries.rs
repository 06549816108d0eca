//! Policies, their history, their records, and checks with evidence.

use ::policy::{
    gather, Actor, Circumstances, Decision, Limits, ObjectRef, Question, RecordReader, Time,
};
use hub_types::{
    document::{Document, CREATE},
    policy::{
        convert::{context_from_json, object_from_wire, time_to_wire},
        keys, PolicyLeaf, PolicyRecord,
    },
    PolicyId, Record,
};
use prost::Message;
use wire::light::PolicyProof;
use wire::policy::{
    Decision as WireDecision, QueryChangesRequest, QueryChangesResponse,
    QueryCheckPermissionRequest, QueryCheckPermissionResponse, QueryCollectionRequest,
    QueryCollectionResponse, QueryObjectRequest, QueryObjectResponse, QueryPoliciesRequest,
    QueryPoliciesResponse, QueryPolicyRequest, QueryPolicyResponse, Revision,
};

use super::seal::revision_key;
use crate::chain::block_time;
use crate::chain::readers::RevisionReader;
use crate::query::{prove, QueryContext, QueryError};
use crate::store::{Column, LogName, TreeId};

/// The most preimages of documents that one check takes.
const DOCUMENTS_MAX: usize = 64;

/// The most bytes of changes in one answer. A revision is never cut, so an answer may be larger by
/// one; a block's 4 MB and `BLOCK_CHANGES_MAX` keep a revision to some 12 MB.
const CHANGES_BYTES_MAX: usize = 1 << 20;

/// A policy at the context's height.
struct Found {
    record: PolicyRecord,
    tree: TreeId,
    revision: u64,
}

fn find(context: &QueryContext<'_>, id: &[u8]) -> Result<Found, QueryError> {
    let id = PolicyId::from_slice(id).map_err(QueryError::request)?;
    let record: PolicyRecord = context
        .record(&keys::policy(&id))?
        .ok_or_else(|| QueryError::not_found(format!("policy {id}")))?;
    let revision = record
        .latest_revision()
        .ok_or_else(|| prove::no_revision(&id))?;
    Ok(Found {
        tree: TreeId::Policy(*id.as_bytes()),
        record,
        revision,
    })
}

/// One entry of the policy's tree at its newest revision, with its proof when one is asked for.
fn entry(
    context: &QueryContext<'_>,
    found: &Found,
    key: &[u8],
    prove: bool,
) -> Result<(Option<Vec<u8>>, Option<PolicyProof>), QueryError> {
    let value = context.view.at_version(&found.tree, key, found.revision)?;
    let proof = prove
        .then(|| prove::policy_entry(context, &found.record, None, key))
        .transpose()?;
    Ok((value, proof))
}

/// One policy.
///
/// # Errors
/// [`QueryError::NotFound`].
pub fn policy(
    context: &QueryContext<'_>,
    request: QueryPolicyRequest,
) -> Result<QueryPolicyResponse, QueryError> {
    let found = find(context, &request.policy)?;
    let key = ::policy::keys::definition_key();
    let definition = context
        .view
        .at_version(&found.tree, &key, found.revision)?
        .unwrap_or_default();
    Ok(QueryPolicyResponse {
        height: context.height,
        proof: request
            .prove
            .then(|| prove::policy_entry(context, &found.record, None, &key))
            .transpose()?,
        record: Some(found.record.to_wire()),
        definition: String::from_utf8(definition).map_err(|error| QueryError::Node {
            reason: error.to_string(),
        })?,
    })
}

/// All policies, by id, at the newest height.
///
/// # Errors
/// [`QueryError::Request`] for an earlier height: lists are kept for the newest only.
pub fn policies(
    context: &QueryContext<'_>,
    request: QueryPoliciesRequest,
) -> Result<QueryPoliciesResponse, QueryError> {
    let newest = context
        .view
        .committed()
        .map_or(0, |committed| committed.height);
    if context.height != newest {
        return Err(QueryError::request(
            "lists are answered for the newest height only",
        ));
    }
    // All keys of records share what stands before the id.
    let first = keys::policy(&PolicyId::new([0; 32]));
    let prefix = &first[..first.len() - 32];
    let from = if request.after.is_empty() {
        first.clone()
    } else {
        let after = PolicyId::from_slice(&request.after).map_err(QueryError::request)?;
        let mut from = keys::policy(&after);
        from.push(0);
        from
    };
    let limit = QueryContext::limit(request.limit);
    let entries = context
        .view
        .latest_range(&TreeId::Main, prefix, &from, limit)?;
    let records = entries
        .into_iter()
        .map(|(_, bytes)| Ok(PolicyRecord::from_bytes(&bytes)?.to_wire()))
        .collect::<Result<_, QueryError>>()?;
    Ok(QueryPoliciesResponse {
        height: context.height,
        records,
    })
}

/// Revisions without a gap, and what proves that there is none.
///
/// # Errors
/// [`QueryError::NotFound`].
pub fn changes(
    context: &QueryContext<'_>,
    request: QueryChangesRequest,
) -> Result<QueryChangesResponse, QueryError> {
    let found = find(context, &request.policy)?;
    let id = found.record.id;
    let size = found.record.log.size();
    let mut revisions = Vec::new();
    let mut bytes = 0;
    for revision in (request.from..size).take(QueryContext::limit(request.limit)) {
        let stored = context
            .view
            .side(Column::Revisions, &revision_key(&id, revision))?
            .ok_or_else(|| QueryError::Node {
                reason: format!("revision {revision} of policy {id} is missing"),
            })?;
        if bytes > 0 && bytes + stored.len() > CHANGES_BYTES_MAX {
            break;
        }
        bytes += stored.len();
        revisions.push(
            Revision::decode(&stored[..]).map_err(|error| QueryError::Node {
                reason: error.to_string(),
            })?,
        );
    }
    let end = request.from.saturating_add(revisions.len() as u64);
    let log = LogName::Policy(*id.as_bytes());
    Ok(QueryChangesResponse {
        consistency: prove::consistency(context, log, end, size)?,
        record: Some(prove::state(context, &keys::policy(&id))?),
        revisions,
    })
}

/// The record of one object.
///
/// # Errors
/// [`QueryError::NotFound`] for the policy; an object without a record is an answer.
pub fn object(
    context: &QueryContext<'_>,
    request: QueryObjectRequest,
) -> Result<QueryObjectResponse, QueryError> {
    let found = find(context, &request.policy)?;
    let object =
        object_from_wire("object", request.object.as_ref()).map_err(QueryError::request)?;
    let key = ::policy::keys::object_key(object.resource(), object.id());
    let (record, proof) = entry(context, &found, &key, request.prove)?;
    Ok(QueryObjectResponse {
        height: context.height,
        revision: found.revision,
        record,
        proof,
    })
}

/// The record of one collection.
///
/// # Errors
/// [`QueryError::NotFound`] for the policy; a collection without a record is an answer.
pub fn collection(
    context: &QueryContext<'_>,
    request: QueryCollectionRequest,
) -> Result<QueryCollectionResponse, QueryError> {
    let found = find(context, &request.policy)?;
    let key = ::policy::keys::collection_key(&request.resource, &request.name);
    let (record, proof) = entry(context, &found, &key, request.prove)?;
    Ok(QueryCollectionResponse {
        height: context.height,
        revision: found.revision,
        record,
        proof,
    })
}

/// Whether an actor has a permission, with the evidence that lets anybody replay it. [`asked_at`] says
/// at which time conditions and expiries are asked.
///
/// # Errors
/// [`QueryError::Undecided`] where the engine cannot tell: that is no answer (Invariant 3).
pub fn check_permission(
    context: &QueryContext<'_>,
    request: QueryCheckPermissionRequest,
) -> Result<QueryCheckPermissionResponse, QueryError> {
    let found = find(context, &request.policy)?;
    let revision = request.revision.unwrap_or(found.revision);
    if revision > found.revision {
        return Err(QueryError::not_found(format!(
            "revision {revision}; the newest is {}",
            found.revision
        )));
    }
    check_kept(context, &found, revision)?;
    let reader = RevisionReader::new(&context.view, found.tree, revision);
    let definition = reader
        .get(&::policy::keys::definition_key())
        .map_err(undecided)?
        .ok_or_else(|| QueryError::Node {
            reason: "the policy has no definition".to_owned(),
        })?;
    let policy = context.compiled(&found.record.id, &definition)?;
    let object: ObjectRef =
        object_from_wire("object", request.object.as_ref()).map_err(QueryError::request)?;
    let actor = Actor::new(&request.actor).map_err(QueryError::request)?;
    let question = Question::new(object, &request.permission, actor);
    let circumstances = Circumstances {
        time: asked_at(context, &found, revision)?,
        context: context_from_json("context", &request.context).map_err(QueryError::request)?,
    };

    if request.documents.len() > DOCUMENTS_MAX {
        return Err(QueryError::request("at most 64 documents are taken"));
    }
    let mut facts = Vec::new();
    let mut collections = Vec::new();
    for wire in &request.documents {
        let document = Document::from_wire(wire).map_err(QueryError::request)?;
        let mut one = document_facts(context, &found, &reader, &document)?;
        // Ownership never permits creation (DESIGN §5).
        if question.permission == CREATE && question.object == one.object {
            one.owner = None;
        }
        facts.push(one);
        collections.push(document.collection_key());
    }
    let limits = Limits::CONSENSUS;
    let gathered =
        gather(&policy, &reader, &question, &circumstances, &facts, limits).map_err(undecided)?;
    let evidence = if request.prove {
        let keys = gathered.keys.into_iter().chain(collections);
        let keys: std::collections::BTreeSet<_> = keys.collect();
        Some(prove::evidence(
            context,
            &found.record,
            revision,
            keys.into_iter(),
            request.documents,
        )?)
    } else {
        None
    };
    let decision = match gathered.answer.decision {
        Decision::Allow => WireDecision::Allow,
        Decision::Deny => WireDecision::Deny,
        Decision::Conditional => WireDecision::Conditional,
    };
    Ok(QueryCheckPermissionResponse {
        height: context.height,
        revision,
        decision: decision as i32,
        evidence,
        time: Some(time_to_wire(circumstances.time)),
        missing: gathered.answer.missing,
    })
}

/// When a question is asked: for the newest revision at the time of the block whose header proves the
/// state, which is when a light client replays it; where that block is yet to come, at the time of
/// the last one. An earlier revision is asked at the time of the block that made it.
fn asked_at(context: &QueryContext<'_>, found: &Found, revision: u64) -> Result<Time, QueryError> {
    if revision != found.revision {
        return Ok(leaf(context, found, revision)?.time.to_policy());
    }
    let view = &context.view;
    let of = |height| block_time::of(view, height);
    let time = match of(context.height + 1)? {
        None => of(context.height)?,
        proving => proving,
    };
    let time =
        time.ok_or_else(|| QueryError::not_found(format!("the time of block {}", context.height)))?;
    Ok(time.to_policy())
}

/// The leaf of a revision.
fn leaf(
    context: &QueryContext<'_>,
    found: &Found,
    revision: u64,
) -> Result<PolicyLeaf, QueryError> {
    let missing = || QueryError::Node {
        reason: format!("revision {revision} is missing"),
    };
    let stored = context
        .view
        .side(Column::Revisions, &revision_key(&found.record.id, revision))?
        .and_then(|bytes| Revision::decode(&bytes[..]).ok())
        .and_then(|revision| revision.leaf)
        .ok_or_else(missing)?;
    Ok(PolicyLeaf::from_wire(stored)?)
}

/// What is derived from a document's preimage; its scope's relation is what the collection says.
fn document_facts(
    context: &QueryContext<'_>,
    found: &Found,
    reader: &RevisionReader<'_, '_>,
    document: &Document,
) -> Result<::policy::DocumentFacts, QueryError> {
    let committed = context
        .view
        .committed()
        .ok_or_else(|| QueryError::not_found("a committed block"))?;
    let chain =
        identity::ChainId::parse(&committed.chain_id).map_err(|error| QueryError::Node {
            reason: error.to_string(),
        })?;
    let record = reader
        .get(&document.collection_key())
        .map_err(undecided)?
        .ok_or_else(|| {
            QueryError::not_found(format!(
                "collection {} of {}",
                document.collection, document.resource
            ))
        })?;
    let record =
        ::policy::CollectionRecord::from_bytes(&record).map_err(|reason| QueryError::Node {
            reason: reason.to_owned(),
        })?;
    document
        .facts(&chain, &found.record.id, &record.scope_relation)
        .map_err(QueryError::request)
}

/// An earlier revision is answered only while its tree is kept.
fn check_kept(context: &QueryContext<'_>, found: &Found, revision: u64) -> Result<(), QueryError> {
    if revision == found.revision {
        return Ok(());
    }
    let next = leaf(context, found, revision + 1)?;
    // The revision was the newest up to the block before the next one.
    context
        .view
        .check_height(next.height.0.saturating_sub(1).max(1))
        .map_err(QueryError::from)?;
    Ok(())
}

fn undecided(error: impl std::fmt::Display) -> QueryError {
    QueryError::Undecided {
        reason: error.to_string(),
    }
}
