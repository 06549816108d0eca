//! ICS-23 proofs of presence and absence.
//!
//! The main tree and the policies' trees are Jellyfish Merkle trees (crate `jmt`), whose proofs
//! are ICS-23 proofs of one specification, [`jmt_spec`]. The verification itself is the crate
//! `ics23`'s; before it comes what that crate leaves out or would answer with a bare `false`:
//! bounds, the exact shape of every step, and which key and value a proof is of. After these
//! checks a proof has one spelling.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use ics23::{
    batch_entry, commitment_proof::Proof, compressed_batch_entry, BatchEntry, BatchProof,
    CommitmentProof, CompressedBatchProof, CompressedExistenceProof, ExistenceProof, HashOp,
    InnerOp, InnerSpec, LeafOp, LengthOp, NonExistenceProof, ProofSpec,
};
use policy::limits::{
    DEFINITION_BYTES_MAX, PAGE_BYTES_MAX, PAGE_KEY_BYTES_MAX, RECORD_BYTES_MAX, SCHEMA_BYTES_MAX,
};
use sha2::{Digest, Sha256};
use wire::{canonical, Message};

use crate::LightError;

/// What a leaf of a JMT is hashed with.
const LEAF_DOMAIN: &[u8] = b"JMT::LeafNode";

/// What an inner node of a JMT is hashed with; the spelling is upstream's.
const INNER_DOMAIN: &[u8] = b"JMT::IntrnalNode";

/// What stands for an empty subtree of a JMT.
const EMPTY_CHILD: &[u8] = b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// The deepest leaf of a JMT: one step for each bit of a key's hash. `jmt`'s own specification
/// says 64, but whoever chooses keys can find two whose hashes share more bits (2^32 tries give a
/// pair that shares 64), and their proofs must verify.
pub const PATH_STEPS_MAX: usize = 256;

/// The largest encoded proof: a proof of absence holds two neighbours' whole records and paths.
pub const PROOF_BYTES_MAX: usize = 4 * 1024 * 1024;

/// More than a step of a path takes encoded: its domain, a sibling, tags and lengths.
const STEP_BYTES_MAX: usize = 80;

// Whatever stands in a policy's tree can be proven: pages are the largest values and have the longest
// keys.
const _: () = assert!(
    2 * (PAGE_BYTES_MAX + PAGE_KEY_BYTES_MAX + PATH_STEPS_MAX * STEP_BYTES_MAX + 1024)
        <= PROOF_BYTES_MAX
        && PAGE_BYTES_MAX > RECORD_BYTES_MAX
        && RECORD_BYTES_MAX > DEFINITION_BYTES_MAX + 1024
        && RECORD_BYTES_MAX > SCHEMA_BYTES_MAX + 1024,
    "a value may be too large to be proven"
);

/// The largest encoded batch of proofs.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The most entries of a batch. A check is bounded by its steps long before.
pub const BATCH_ENTRIES_MAX: usize = 4_096;

/// The specification of our trees' proofs; documented in docs/spec/evidence.md.
#[must_use]
pub fn jmt_spec() -> ProofSpec {
    ProofSpec {
        leaf_spec: Some(jmt_leaf()),
        inner_spec: Some(InnerSpec {
            child_order: vec![0, 1],
            child_size: 32,
            min_prefix_length: INNER_DOMAIN.len() as i32,
            max_prefix_length: INNER_DOMAIN.len() as i32,
            empty_child: EMPTY_CHILD.to_vec(),
            hash: HashOp::Sha256.into(),
        }),
        max_depth: PATH_STEPS_MAX as i32,
        min_depth: 0,
        prehash_key_before_comparison: true,
    }
}

fn jmt_leaf() -> LeafOp {
    LeafOp {
        hash: HashOp::Sha256.into(),
        prehash_key: HashOp::Sha256.into(),
        prehash_value: HashOp::Sha256.into(),
        length: LengthOp::NoPrefix.into(),
        prefix: LEAF_DOMAIN.to_vec(),
    }
}

/// Verifies that `value` stands under `key` in the tree with this root.
///
/// # Errors
/// [`LightError::Kind`], [`LightError::Key`], [`LightError::Value`], [`LightError::Shape`],
/// [`LightError::Root`]; `what` names the thing in them.
pub fn verify_presence(
    spec: &ProofSpec,
    root: &[u8; 32],
    proof: &CommitmentProof,
    key: &[u8],
    value: &[u8],
    what: &'static str,
) -> Result<(), LightError> {
    let Some(Proof::Exist(exist)) = &proof.proof else {
        return Err(LightError::Kind { what });
    };
    if exist.key != key {
        return Err(LightError::Key { what });
    }
    if exist.value != value {
        return Err(LightError::Value { what });
    }
    check_existence(spec, exist, what)?;
    match ics23::verify_membership::<Sha256Only>(proof, spec, &root.to_vec(), key, value) {
        true => Ok(()),
        false => Err(LightError::Root { what }),
    }
}

/// Verifies that nothing stands under `key` in the tree with this root: its neighbours in the
/// order of hashes stand next to each other.
///
/// # Errors
/// As [`verify_presence`].
pub fn verify_absence(
    spec: &ProofSpec,
    root: &[u8; 32],
    proof: &CommitmentProof,
    key: &[u8],
    what: &'static str,
) -> Result<(), LightError> {
    let Some(Proof::Nonexist(non)) = &proof.proof else {
        return Err(LightError::Kind { what });
    };
    // Sparse trees of Cosmos name the hash of the key there; ours name the key.
    let names_hash = *spec != jmt_spec() && spec.prehash_key_before_comparison;
    if non.key != key && !(names_hash && non.key == Sha256::digest(key).as_slice()) {
        return Err(LightError::Key { what });
    }
    if non.left.is_none() && non.right.is_none() {
        return Err(LightError::Shape {
            what,
            reason: "absence is shown by one neighbour or two",
        });
    }
    for neighbour in non.left.iter().chain(&non.right) {
        check_existence(spec, neighbour, what)?;
    }
    check_neighbours(spec, non, key, what)?;
    match ics23::verify_non_membership::<Sha256Only>(proof, spec, &root.to_vec(), key) {
        true => Ok(()),
        false => Err(LightError::Root { what }),
    }
}

/// Bounds and shape of one path. For our own trees every step must be exactly what `jmt` makes.
fn check_existence(
    spec: &ProofSpec,
    proof: &ExistenceProof,
    what: &'static str,
) -> Result<(), LightError> {
    let refuse = |reason| Err(LightError::Shape { what, reason });
    if proof.path.len() > PATH_STEPS_MAX {
        return refuse("the path is longer than a key has bits");
    }
    // `ics23` would hash with whatever a proof names; our host functions know SHA-256 only.
    let known = |hash: i32| hash == HashOp::Sha256 as i32 || hash == HashOp::NoHash as i32;
    let Some(leaf) = &proof.leaf else {
        return refuse("the leaf's operation is missing");
    };
    if ![leaf.hash, leaf.prehash_key, leaf.prehash_value]
        .into_iter()
        .all(known)
        || !proof.path.iter().all(|step| known(step.hash))
    {
        return refuse("another hash than SHA-256");
    }
    if *spec != jmt_spec() {
        return Ok(());
    }
    if *leaf != jmt_leaf() {
        return refuse("the leaf's operation is another tree's");
    }
    match proof.path.iter().all(is_jmt_step) {
        true => Ok(()),
        false => refuse("a step of the path is another tree's"),
    }
}

/// Whether a step has one sibling of 32 bytes, to the left or to the right.
fn is_jmt_step(step: &InnerOp) -> bool {
    let sibling = step.prefix.strip_prefix(INNER_DOMAIN).map(<[u8]>::len);
    step.hash == HashOp::Sha256 as i32
        && matches!((sibling, step.suffix.len()), (Some(0), 32) | (Some(32), 0))
}

/// That the key lies between its neighbours, and that these are two leaves: `ics23` walks both
/// paths down from the root in step and would run past the end of two that are the same.
fn check_neighbours(
    spec: &ProofSpec,
    proof: &NonExistenceProof,
    key: &[u8],
    what: &'static str,
) -> Result<(), LightError> {
    let place = |key: &[u8]| match spec.prehash_key_before_comparison {
        true => Sha256::digest(key).to_vec(),
        false => key.to_vec(),
    };
    let key = place(key);
    let left_is_before = proof.left.iter().all(|left| place(&left.key) < key);
    let right_is_after = proof.right.iter().all(|right| place(&right.key) > key);
    if !left_is_before || !right_is_after {
        let reason = "the key does not lie between the neighbours";
        return Err(LightError::Shape { what, reason });
    }
    if let (Some(left), Some(right)) = (&proof.left, &proof.right) {
        let same = left
            .path
            .iter()
            .rev()
            .zip(right.path.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        if same == left.path.len() || same == right.path.len() {
            let reason = "the neighbours' paths never part";
            return Err(LightError::Shape { what, reason });
        }
    }
    Ok(())
}

/// Reads a proof in its one encoding.
///
/// # Errors
/// [`LightError::Encoding`].
pub fn decode(bytes: &[u8], what: &'static str) -> Result<CommitmentProof, LightError> {
    decode_message(bytes, PROOF_BYTES_MAX, what)
}

/// Reads a message of at most `bytes_max` bytes in its one encoding; `what` names it in the error.
pub(crate) fn decode_message<M: Message + Default>(
    bytes: &[u8],
    bytes_max: usize,
    what: &'static str,
) -> Result<M, LightError> {
    canonical::decode(bytes, bytes_max).map_err(|source| LightError::Encoding { what, source })
}

/// Puts single proofs together; shared nodes are written once.
///
/// # Errors
/// [`LightError::TooMany`]; [`LightError::Shape`] for a proof that is itself a batch.
pub fn compress(proofs: impl IntoIterator<Item = CommitmentProof>) -> Result<Vec<u8>, LightError> {
    let entry = |proof: CommitmentProof| match proof.proof {
        Some(Proof::Exist(exist)) => Ok(batch_entry::Proof::Exist(exist)),
        Some(Proof::Nonexist(non)) => Ok(batch_entry::Proof::Nonexist(non)),
        _ => Err(LightError::Shape {
            what: "a batch",
            reason: "a batch is made of single proofs",
        }),
    };
    let entries = proofs
        .into_iter()
        .map(|proof| {
            Ok(BatchEntry {
                proof: Some(entry(proof)?),
            })
        })
        .collect::<Result<Vec<_>, LightError>>()?;
    if entries.len() > BATCH_ENTRIES_MAX {
        let found = entries.len();
        return Err(LightError::TooMany {
            what: "entries",
            found,
            max: BATCH_ENTRIES_MAX,
        });
    }
    let batch = CommitmentProof {
        proof: Some(Proof::Batch(BatchProof { entries })),
    };
    let compressed = ics23::compress(&batch).map_err(|_| LightError::Shape {
        what: "a batch",
        reason: "it cannot be compressed",
    })?;
    Ok(canonical::encode(&compressed))
}

/// Reads a compressed batch, verifies every entry of it under `root`, and gives the keys with
/// their values, `None` for those that are absent.
///
/// # Errors
/// [`LightError::Encoding`], [`LightError::TooMany`], [`LightError::DuplicateKey`], and as
/// [`verify_presence`].
pub fn verify_compressed(
    spec: &ProofSpec,
    root: &[u8; 32],
    bytes: &[u8],
    what: &'static str,
) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, LightError> {
    let proof: CommitmentProof = decode_message(bytes, BATCH_BYTES_MAX, what)?;
    let Some(Proof::Compressed(batch)) = proof.proof else {
        return Err(LightError::Shape {
            what,
            reason: "a compressed batch is expected",
        });
    };
    if batch.entries.len() > BATCH_ENTRIES_MAX {
        let found = batch.entries.len();
        return Err(LightError::TooMany {
            what: "entries",
            found,
            max: BATCH_ENTRIES_MAX,
        });
    }
    let mut used = vec![false; batch.lookup_inners.len()];
    let mut known = BTreeMap::new();
    for entry in &batch.entries {
        let (key, value, single) = expand_entry(&batch, entry, &mut used, what)?;
        match &value {
            Some(value) => verify_presence(spec, root, &single, &key, value, what)?,
            None => verify_absence(spec, root, &single, &key, what)?,
        }
        if known.insert(key, value).is_some() {
            return Err(LightError::DuplicateKey);
        }
    }
    // A step that nothing uses could say anything.
    match used.into_iter().all(|used| used) {
        true => Ok(known),
        false => Err(LightError::Shape {
            what,
            reason: "a step of the batch belongs to no entry",
        }),
    }
}

type Expanded = (Vec<u8>, Option<Vec<u8>>, CommitmentProof);

fn expand_entry(
    batch: &CompressedBatchProof,
    entry: &ics23::CompressedBatchEntry,
    used: &mut [bool],
    what: &'static str,
) -> Result<Expanded, LightError> {
    let mut expand = |proof: &CompressedExistenceProof| expand(batch, proof, used, what);
    Ok(match &entry.proof {
        Some(compressed_batch_entry::Proof::Exist(exist)) => {
            let exist = expand(exist)?;
            let (key, value) = (exist.key.clone(), exist.value.clone());
            (
                key,
                Some(value),
                CommitmentProof {
                    proof: Some(Proof::Exist(exist)),
                },
            )
        }
        Some(compressed_batch_entry::Proof::Nonexist(non)) => {
            let non = NonExistenceProof {
                key: non.key.clone(),
                left: non.left.as_ref().map(&mut expand).transpose()?,
                right: non.right.as_ref().map(&mut expand).transpose()?,
            };
            (
                non.key.clone(),
                None,
                CommitmentProof {
                    proof: Some(Proof::Nonexist(non)),
                },
            )
        }
        None => {
            return Err(LightError::Shape {
                what,
                reason: "an entry of the batch is empty",
            })
        }
    })
}

/// Fills in the steps of a path. The number of steps is checked first, so a batch never expands
/// to more than its entries times [`PATH_STEPS_MAX`] steps, one entry at a time.
fn expand(
    batch: &CompressedBatchProof,
    proof: &CompressedExistenceProof,
    used: &mut [bool],
    what: &'static str,
) -> Result<ExistenceProof, LightError> {
    if proof.path.len() > PATH_STEPS_MAX {
        let reason = "the path is longer than a key has bits";
        return Err(LightError::Shape { what, reason });
    }
    let step = |index: &i32| {
        let reason = "a path names a step that the batch does not hold";
        let index = usize::try_from(*index).map_err(|_| LightError::Shape { what, reason })?;
        let step = batch
            .lookup_inners
            .get(index)
            .ok_or(LightError::Shape { what, reason })?;
        used[index] = true;
        Ok(step.clone())
    };
    Ok(ExistenceProof {
        key: proof.key.clone(),
        value: proof.value.clone(),
        leaf: proof.leaf.clone(),
        path: proof
            .path
            .iter()
            .map(step)
            .collect::<Result<_, LightError>>()?,
    })
}

/// The host functions of `ics23`: SHA-256. [`check_existence`] refuses every proof that names
/// another hash before `ics23` sees it.
struct Sha256Only;

impl ics23::HostFunctionsProvider for Sha256Only {
    fn sha2_256(message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }

    fn sha2_512(_: &[u8]) -> [u8; 64] {
        unreachable!("only SHA-256 passes check_existence")
    }

    fn sha2_512_truncated(_: &[u8]) -> [u8; 32] {
        unreachable!("only SHA-256 passes check_existence")
    }

    fn keccak_256(_: &[u8]) -> [u8; 32] {
        unreachable!("only SHA-256 passes check_existence")
    }

    fn ripemd160(_: &[u8]) -> [u8; 20] {
        unreachable!("only SHA-256 passes check_existence")
    }

    fn blake2b_512(_: &[u8]) -> [u8; 64] {
        unreachable!("only SHA-256 passes check_existence")
    }

    fn blake2s_256(_: &[u8]) -> [u8; 32] {
        unreachable!("only SHA-256 passes check_existence")
    }

    fn blake3(_: &[u8]) -> [u8; 32] {
        unreachable!("only SHA-256 passes check_existence")
    }
}
