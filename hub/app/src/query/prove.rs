//! Proofs in the wire forms of `holdfast.light.v1`; `hub-light` verifies them.

use hub_types::{
    policy::{keys, PolicyLeaf, PolicyRecord},
    PolicyId, Record,
};
use merkle::{Hash, ProveError};
use prost::Message;
use wire::light::{
    CheckEvidence, PolicyProof, PolicyRootProof, RevisionInclusion, StateProof, TreeProof,
};

use super::answer::{QueryContext, QueryError};
use crate::store::{LogName, LogReader, StoreError, TreeId};

fn node(error: ProveError<StoreError>) -> QueryError {
    QueryError::Node {
        reason: error.to_string(),
    }
}

/// Hashes as messages carry them.
pub fn hashes(hashes: Vec<Hash>) -> Vec<Vec<u8>> {
    hashes.into_iter().map(|hash| hash.to_vec()).collect()
}

/// A key of the main tree, present or absent.
///
/// # Errors
/// The node's.
pub fn state(context: &QueryContext<'_>, key: &[u8]) -> Result<StateProof, QueryError> {
    let (value, proof) = context.view.prove(&TreeId::Main, key, context.height)?;
    Ok(StateProof {
        state_height: context.height,
        header_height: context.height + 1,
        key: key.to_vec(),
        value,
        ics23: proof.encode_to_vec(),
    })
}

/// The root of a policy's tree at a revision; `None` for the newest at the height.
///
/// # Errors
/// [`QueryError::NotFound`] for a revision that is not there.
pub fn policy_root(
    context: &QueryContext<'_>,
    record: &PolicyRecord,
    revision: Option<u64>,
) -> Result<PolicyRootProof, QueryError> {
    let newest = record.latest_revision();
    let earlier = match revision {
        None => None,
        Some(revision) if Some(revision) == newest => None,
        Some(revision) => Some(revision_inclusion(context, record, revision)?),
    };
    Ok(PolicyRootProof {
        record: Some(state(context, &keys::policy(&record.id))?),
        earlier,
    })
}

fn revision_inclusion(
    context: &QueryContext<'_>,
    record: &PolicyRecord,
    revision: u64,
) -> Result<RevisionInclusion, QueryError> {
    let size = record.log.size();
    if revision >= size {
        return Err(QueryError::not_found(format!(
            "policy {} has revisions 0 to {}, not {revision}",
            record.id,
            size.saturating_sub(1)
        )));
    }
    let log = LogReader::new(&context.view, LogName::Policy(*record.id.as_bytes()));
    let leaf = PolicyLeaf::from_bytes(&log.leaf(revision)?)?;
    let path = merkle::inclusion_proof(&log, revision, size).map_err(node)?;
    Ok(RevisionInclusion {
        leaf: Some(leaf.to_wire()),
        path: hashes(path),
    })
}

/// A key of a policy's tree at a revision, under the header.
///
/// # Errors
/// As [`policy_root`].
pub fn policy_entry(
    context: &QueryContext<'_>,
    record: &PolicyRecord,
    revision: Option<u64>,
    key: &[u8],
) -> Result<PolicyProof, QueryError> {
    let version = revision
        .or(record.latest_revision())
        .ok_or_else(|| no_revision(&record.id))?;
    let root = policy_root(context, record, revision)?;
    let tree = TreeId::Policy(*record.id.as_bytes());
    let (value, proof) = context.view.prove(&tree, key, version)?;
    Ok(PolicyProof {
        root: Some(root),
        entry: Some(TreeProof {
            key: key.to_vec(),
            value,
            ics23: proof.encode_to_vec(),
        }),
    })
}

/// Several keys of a policy's tree in one compressed batch.
///
/// # Errors
/// As [`policy_root`].
pub fn evidence(
    context: &QueryContext<'_>,
    record: &PolicyRecord,
    revision: u64,
    keys: impl IntoIterator<Item = Vec<u8>>,
    documents: Vec<wire::policy::Document>,
) -> Result<CheckEvidence, QueryError> {
    let tree = TreeId::Policy(*record.id.as_bytes());
    let proofs = keys
        .into_iter()
        .map(|key| Ok(context.view.prove(&tree, &key, revision)?.1))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let compressed = hub_light::proof::compress(proofs).map_err(|error| QueryError::Node {
        reason: error.to_string(),
    })?;
    Ok(CheckEvidence {
        root: Some(policy_root(context, record, Some(revision))?),
        ics23: compressed,
        documents,
    })
}

/// The consistency proof from the log that ends with entry `last` to the whole; empty when that
/// ends it.
///
/// # Errors
/// The node's.
pub fn consistency(
    context: &QueryContext<'_>,
    log: LogName,
    old_size: u64,
    size: u64,
) -> Result<Vec<Vec<u8>>, QueryError> {
    if old_size == 0 || old_size >= size {
        return Ok(Vec::new());
    }
    let reader = LogReader::new(&context.view, log);
    let proof = merkle::consistency_proof(&reader, old_size, size).map_err(node)?;
    Ok(hashes(proof))
}

/// The inclusion path of an entry.
///
/// # Errors
/// The node's.
pub fn inclusion(
    context: &QueryContext<'_>,
    log: LogName,
    index: u64,
    size: u64,
) -> Result<Vec<Vec<u8>>, QueryError> {
    let reader = LogReader::new(&context.view, log);
    let proof = merkle::inclusion_proof(&reader, index, size).map_err(node)?;
    Ok(hashes(proof))
}

pub(crate) fn no_revision(id: &PolicyId) -> QueryError {
    QueryError::not_found(format!("policy {id} has no revision yet"))
}
