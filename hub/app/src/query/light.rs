//! `holdfast.light.v1.Query`: any key of any tree, earlier blocks, parameters.

use hub_types::{
    auth::{self, Params},
    blocks::{self, BlockLeaf, BlockLog},
    policy::{keys, PolicyRecord},
    Height, PolicyId, Record,
};
use wire::light::{
    BlockInclusion, QueryBlockInclusionRequest, QueryBlockInclusionResponse, QueryParamsRequest,
    QueryParamsResponse, QueryStateRequest, QueryStateResponse,
};

use super::answer::{QueryContext, QueryError};
use super::prove;
use crate::store::{LogName, LogReader, TreeId};

/// At most one page of a relation's subjects is longer than some 300 bytes; no key is near this.
const KEY_BYTES_MAX: usize = 4096;

/// One key of one tree at one height.
///
/// # Errors
/// [`QueryError`].
pub fn state(
    context: &QueryContext<'_>,
    request: QueryStateRequest,
) -> Result<QueryStateResponse, QueryError> {
    if request.key.is_empty() || request.key.len() > KEY_BYTES_MAX {
        return Err(QueryError::request("a key has 1 to 4,096 bytes"));
    }
    if request.height != 0 && request.height != context.height {
        let context = QueryContext::new(context.hub, request.height)?;
        return state_here(&context, request);
    }
    state_here(context, request)
}

fn state_here(
    context: &QueryContext<'_>,
    request: QueryStateRequest,
) -> Result<QueryStateResponse, QueryError> {
    let mut response = QueryStateResponse {
        height: context.height,
        ..QueryStateResponse::default()
    };
    if request.policy.is_empty() {
        if request.prove {
            let proof = prove::state(context, &request.key)?;
            response.value.clone_from(&proof.value);
            response.state_proof = Some(proof);
        } else {
            response.value = context.value(&request.key)?;
        }
        return Ok(response);
    }
    let id = PolicyId::from_slice(&request.policy).map_err(QueryError::request)?;
    let record: PolicyRecord = context
        .record(&keys::policy(&id))?
        .ok_or_else(|| QueryError::not_found(format!("policy {id}")))?;
    if request.prove {
        let proof = prove::policy_entry(context, &record, None, &request.key)?;
        response.value = proof.entry.as_ref().and_then(|entry| entry.value.clone());
        response.policy_proof = Some(proof);
    } else {
        let revision = record
            .latest_revision()
            .ok_or_else(|| prove::no_revision(&id))?;
        let tree = TreeId::Policy(*id.as_bytes());
        response.value = context.view.at_version(&tree, &request.key, revision)?;
    }
    Ok(response)
}

/// An earlier block under a later header.
///
/// # Errors
/// [`QueryError::NotFound`] for a block that the log does not have.
pub fn block_inclusion(
    context: &QueryContext<'_>,
    request: QueryBlockInclusionRequest,
) -> Result<QueryBlockInclusionResponse, QueryError> {
    if request.at_height != 0 && request.at_height != context.height {
        let context = QueryContext::new(context.hub, request.at_height)?;
        return block_inclusion_here(&context, request.height);
    }
    block_inclusion_here(context, request.height)
}

fn block_inclusion_here(
    context: &QueryContext<'_>,
    height: u64,
) -> Result<QueryBlockInclusionResponse, QueryError> {
    let key = blocks::keys::block_log();
    let log: BlockLog = context
        .record(&key)?
        .ok_or_else(|| QueryError::not_found("the log of blocks"))?;
    let index = log.index_of(Height(height)).ok_or_else(|| {
        QueryError::not_found(format!(
            "block {height}; the state after block {} holds blocks {} to {}",
            context.height,
            log.initial_height,
            log.last_height()
        ))
    })?;
    let reader = LogReader::new(&context.view, LogName::Blocks);
    let leaf = BlockLeaf::from_bytes(&reader.leaf(index)?)?;
    Ok(QueryBlockInclusionResponse {
        proof: Some(BlockInclusion {
            record: Some(prove::state(context, &key)?),
            leaf: Some(leaf.to_wire()),
            path: prove::inclusion(context, LogName::Blocks, index, log.blocks.size())?,
        }),
    })
}

/// The chain's parameters.
///
/// # Errors
/// The node's.
pub fn params(
    context: &QueryContext<'_>,
    request: QueryParamsRequest,
) -> Result<QueryParamsResponse, QueryError> {
    let key = auth::keys::params();
    let params: Params = context
        .record(&key)?
        .ok_or_else(|| QueryError::not_found("the parameters"))?;
    Ok(QueryParamsResponse {
        height: context.height,
        params: Some(params.to_wire()),
        proof: request
            .prove
            .then(|| prove::state(context, &key))
            .transpose()?,
    })
}
