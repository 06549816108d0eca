//! Audit logs and their anchors.

use hub_types::{
    audit::{keys, AnchorLeaf, LogRecord, PolicyLogs},
    LogId, PolicyId, Record,
};
use wire::audit::{
    QueryAnchorProofRequest, QueryAnchorProofResponse, QueryAnchorsRequest, QueryAnchorsResponse,
    QueryLogRequest, QueryLogResponse, QueryLogsRequest, QueryLogsResponse,
};
use wire::light::AnchorProof;

use crate::query::{prove, QueryContext, QueryError};
use crate::store::{LogName, LogReader};

fn record(context: &QueryContext<'_>, id: &[u8]) -> Result<LogRecord, QueryError> {
    let id = LogId::from_slice(id).map_err(QueryError::request)?;
    context
        .record(&keys::log(&id))?
        .ok_or_else(|| QueryError::not_found(format!("audit log {id}")))
}

/// One log.
///
/// # Errors
/// [`QueryError::NotFound`].
pub fn log(
    context: &QueryContext<'_>,
    request: QueryLogRequest,
) -> Result<QueryLogResponse, QueryError> {
    let record = record(context, &request.log)?;
    Ok(QueryLogResponse {
        height: context.height,
        proof: request
            .prove
            .then(|| prove::state(context, &keys::log(&record.id)))
            .transpose()?,
        record: Some(record.to_wire()),
    })
}

/// All logs of a policy. Whoever finds the root over their ids has them all.
///
/// # Errors
/// The node's.
pub fn logs(
    context: &QueryContext<'_>,
    request: QueryLogsRequest,
) -> Result<QueryLogsResponse, QueryError> {
    let policy = PolicyId::from_slice(&request.policy).map_err(QueryError::request)?;
    let key = keys::policy_logs(&policy);
    let logs: PolicyLogs = context.record(&key)?.unwrap_or_default();
    let reader = LogReader::new(&context.view, LogName::PolicyLogs(*policy.as_bytes()));
    let mut records = Vec::new();
    for index in (request.from..logs.logs.size()).take(QueryContext::limit(request.limit)) {
        records.push(record(context, &reader.leaf(index)?)?.to_wire());
    }
    Ok(QueryLogsResponse {
        height: context.height,
        records,
        proof: Some(prove::state(context, &key)?),
    })
}

/// Anchors of a log, with what proves that none is missing among them.
///
/// # Errors
/// [`QueryError::NotFound`].
pub fn anchors(
    context: &QueryContext<'_>,
    request: QueryAnchorsRequest,
) -> Result<QueryAnchorsResponse, QueryError> {
    let record = record(context, &request.log)?;
    let name = LogName::Anchors(*record.id.as_bytes());
    let reader = LogReader::new(&context.view, name);
    let size = record.anchors.size();
    let mut anchors = Vec::new();
    for index in (request.from..size).take(QueryContext::limit(request.limit)) {
        anchors.push(AnchorLeaf::from_bytes(&reader.leaf(index)?)?.to_wire());
    }
    let end = request.from.saturating_add(anchors.len() as u64);
    Ok(QueryAnchorsResponse {
        consistency: prove::consistency(context, name, end, size)?,
        record: Some(prove::state(context, &keys::log(&record.id))?),
        anchors,
    })
}

/// One anchor with its proof.
///
/// # Errors
/// [`QueryError::NotFound`].
pub fn anchor_proof(
    context: &QueryContext<'_>,
    request: QueryAnchorProofRequest,
) -> Result<QueryAnchorProofResponse, QueryError> {
    let record = record(context, &request.log)?;
    let size = record.anchors.size();
    if request.index >= size {
        return Err(QueryError::not_found(format!(
            "anchor {} of log {}, which has {size}",
            request.index, record.id
        )));
    }
    let name = LogName::Anchors(*record.id.as_bytes());
    let reader = LogReader::new(&context.view, name);
    let leaf = AnchorLeaf::from_bytes(&reader.leaf(request.index)?)?;
    Ok(QueryAnchorProofResponse {
        proof: Some(AnchorProof {
            record: Some(prove::state(context, &keys::log(&record.id))?),
            index: request.index,
            leaf: Some(leaf.to_wire()),
            path: prove::inclusion(context, name, request.index, size)?,
        }),
    })
}
