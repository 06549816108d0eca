//! Proofs in the wire forms of `holdfast.light.v1`; `hub-light` verifies them.

use hub_light::proof::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX};
use hub_types::{
    policy::{keys, PolicyLeaf, PolicyRecord},
    PolicyId, Record,
};
use ics23::CommitmentProof;
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

/// The most bytes of single proofs that one answer is made of. Compression leaves out what they
/// share, so this is above what a batch may have.
const PROOFS_BYTES_MAX: usize = 4 * BATCH_BYTES_MAX;

/// Proves each key, as far as anybody would take the answer: of more keys than a batch may have
/// entries not one is proven, and none after the bytes are used up.
fn bounded(
    keys: impl ExactSizeIterator<Item = Vec<u8>>,
    bytes_max: usize,
    prove: impl Fn(Vec<u8>) -> Result<CommitmentProof, StoreError>,
) -> Result<Vec<CommitmentProof>, QueryError> {
    if keys.len() > BATCH_ENTRIES_MAX {
        return Err(too_large());
    }
    let mut proofs = Vec::with_capacity(keys.len());
    let mut bytes = 0_usize;
    for key in keys {
        let proof = prove(key)?;
        bytes = bytes.saturating_add(proof.encoded_len());
        if bytes > bytes_max {
            return Err(too_large());
        }
        proofs.push(proof);
    }
    Ok(proofs)
}

fn too_large() -> QueryError {
    QueryError::Undecided {
        reason: format!(
            "the evidence takes more than {BATCH_ENTRIES_MAX} entries or {BATCH_BYTES_MAX} bytes; \
             ask without proof, or make the groups and lists on the way smaller"
        ),
    }
}

/// Several keys of a policy's tree in one compressed batch.
///
/// # Errors
/// As [`policy_root`]; [`QueryError::Undecided`] for more than a batch may hold.
pub fn evidence(
    context: &QueryContext<'_>,
    record: &PolicyRecord,
    revision: u64,
    keys: impl ExactSizeIterator<Item = Vec<u8>>,
    documents: Vec<wire::policy::Document>,
) -> Result<CheckEvidence, QueryError> {
    let tree = TreeId::Policy(*record.id.as_bytes());
    let proofs = bounded(keys, PROOFS_BYTES_MAX, |key| {
        Ok(context.view.prove(&tree, &key, revision)?.1)
    })?;
    let compressed = hub_light::proof::compress(proofs).map_err(|error| QueryError::Node {
        reason: error.to_string(),
    })?;
    if compressed.len() > BATCH_BYTES_MAX {
        return Err(too_large());
    }
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many keys were proven, and whether there is an answer.
    fn proven(keys: usize, bytes_max: usize) -> (usize, bool) {
        let count = Cell::new(0);
        let answer = bounded((0..keys).map(|_| vec![1]), bytes_max, |key| {
            count.set(count.get() + 1);
            let exist = ics23::ExistenceProof {
                key,
                ..ics23::ExistenceProof::default()
            };
            Ok(CommitmentProof {
                proof: Some(ics23::commitment_proof::Proof::Exist(exist)),
            })
        });
        (count.get(), answer.is_ok())
    }

    #[test]
    fn evidence_that_nobody_takes_is_refused_before_it_is_proven() {
        assert_eq!(
            proven(BATCH_ENTRIES_MAX, 1 << 20),
            (BATCH_ENTRIES_MAX, true)
        );
        assert_eq!(proven(BATCH_ENTRIES_MAX + 1, 1 << 20), (0, false));
        let (count, answered) = proven(BATCH_ENTRIES_MAX, 100);
        assert!(!answered && count < 100, "{count}");
    }
}
