//! Making proofs from stored nodes (RFC 6962 §2.1.1 and §2.1.2).

use alloc::vec::Vec;

use crate::{hash_children, CompactRange, Hash, MerkleError, ProveError, EMPTY_ROOT, SIZE_MAX};

/// Where the complete nodes of a log are kept. Only nodes that were reported as completed are
/// asked for: `(index + 1) << level` is never more than the size in question.
pub trait Nodes {
    /// Why a node cannot be read.
    type Error;

    /// The hash of the complete node `index` at `level`; leaves are level 0.
    ///
    /// # Errors
    /// Whatever the storage reports; a missing node is an error, too.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<N: Nodes + ?Sized> Nodes for &N {
    type Error = N::Error;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        (**self).node(level, index)
    }
}

/// The proof that leaf `index` stands in the log of `size` leaves (PATH of RFC 6962 §2.1.1),
/// from the leaf's sibling upwards. Reads at most 2 log n nodes.
///
/// # Errors
/// [`ProveError::Question`] if there is no such leaf, [`ProveError::Nodes`] from the storage.
pub fn inclusion_proof<N: Nodes>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    check_size(size)?;
    if index >= size {
        return Err(MerkleError::IndexOutside { index, size }.into());
    }
    let mut proof = Vec::new();
    let (mut begin, mut end) = (0, size);
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            proof.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(nodes, begin, middle)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the log of `new` leaves extends the one of `old` leaves (PROOF of RFC 6962
/// §2.1.2). Empty for equal sizes.
///
/// # Errors
/// [`ProveError::Question`] for `old` zero or above `new`, [`ProveError::Nodes`] from the storage.
pub fn consistency_proof<N: Nodes>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    check_size(new)?;
    if old == 0 {
        return Err(MerkleError::OldSizeZero.into());
    }
    if old > new {
        return Err(MerkleError::SizeShrinks { old, new }.into());
    }
    let mut proof = Vec::new();
    let (mut begin, mut end) = (0, new);
    while end != old {
        let middle = begin + split(end - begin);
        if old <= middle {
            proof.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(nodes, begin, middle)?);
            begin = middle;
        }
    }
    // The old tree itself needs no hash: the verifier has its root.
    if begin != 0 {
        proof.push(subtree(nodes, begin, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`ProveError::Question`] for an impossible size, [`ProveError::Nodes`] from the storage.
pub fn root_at<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, ProveError<N::Error>> {
    Ok(range_at(nodes, size)?.root())
}

/// The compact range of the first `size` leaves, to go on appending there.
///
/// # Errors
/// [`ProveError::Question`] for an impossible size, [`ProveError::Nodes`] from the storage.
pub fn range_at<N: Nodes>(nodes: &N, size: u64) -> Result<CompactRange, ProveError<N::Error>> {
    check_size(size)?;
    let hashes = complete_nodes(0, size)
        .map(|(level, index)| nodes.node(level, index).map_err(ProveError::Nodes))
        .collect::<Result<_, _>>()?;
    Ok(CompactRange::from_parts(size, hashes)?)
}

fn check_size(size: u64) -> Result<(), MerkleError> {
    match size > SIZE_MAX {
        true => Err(MerkleError::SizeTooLarge { size }),
        false => Ok(()),
    }
}

/// The largest power of two below `length`, which is at least 2 (k of RFC 6962 §2.1).
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The root over the leaves `begin..end`, where `begin` is where RFC 6962 would split.
fn subtree<N: Nodes>(nodes: &N, begin: u64, end: u64) -> Result<Hash, ProveError<N::Error>> {
    let mut hashes = Vec::new();
    for (level, index) in complete_nodes(begin, end) {
        hashes.push(nodes.node(level, index).map_err(ProveError::Nodes)?);
    }
    Ok(hashes
        .into_iter()
        .rev()
        .reduce(|right, left| hash_children(&left, &right))
        .unwrap_or(EMPTY_ROOT))
}

/// The maximal complete nodes that cover `begin..end`, largest first: one for each bit set in
/// the length. Right only where `begin` is a multiple of the largest of them.
fn complete_nodes(begin: u64, end: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut at = begin;
    core::iter::from_fn(move || {
        let level = (end - at).checked_ilog2()?;
        let node = (level as u8, at >> level);
        at += 1 << level;
        Some(node)
    })
}
