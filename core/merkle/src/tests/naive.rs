//! RFC 6962 §2.1 written down as it reads: recursive, over all leaves, with no cleverness.

use alloc::vec::Vec;

use crate::{hash_children, hash_leaf, Hash, EMPTY_ROOT};

/// Some leaves, each different.
pub fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| i.to_string().into_bytes()).collect()
}

/// The largest power of two smaller than `n`.
fn k(n: usize) -> usize {
    let mut k = 1;
    while 2 * k < n {
        k *= 2;
    }
    k
}

/// MTH(D[n]).
pub fn root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => hash_leaf(leaf),
        _ => {
            let (left, right) = leaves.split_at(k(leaves.len()));
            hash_children(&root(left), &root(right))
        }
    }
}

/// PATH(m, D[n]).
pub fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = k(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = match m < k {
        true => (path(m, left), root(right)),
        false => (path(m - k, right), root(left)),
    };
    path.push(other);
    path
}

/// PROOF(m, D[n]).
pub fn proof(m: usize, leaves: &[Vec<u8>]) -> Vec<Hash> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return match whole {
            true => Vec::new(),
            false => [root(leaves)].into(),
        };
    }
    let k = k(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = match m <= k {
        true => (subproof(m, left, whole), root(right)),
        false => (subproof(m - k, right, false), root(left)),
    };
    proof.push(other);
    proof
}

use alloc::string::ToString;
