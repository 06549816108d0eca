//! Merkle logs as in RFC 6962: append, roots, proofs of inclusion and of consistency.
//!
//! Whatever grows in Holdfast (blocks, a policy's changes, anchors, an audit log) is such a log:
//! its state is a [`CompactRange`] of at most 48 hashes, and one root proves every earlier leaf.
//!
//! # Where the nodes are
//! A node is named by level and index: (0, i) is leaf i, and (l, i) covers the leaves
//! `i << l .. (i + 1) << l`. Only *complete* nodes are ever stored: appending reports each once,
//! when its last leaf arrives, and it never changes again (Invariant 6). Nodes on the ragged
//! right edge depend on the size and are computed from complete ones when a proof asks for them.
//! Storage lies outside: give [`Nodes`] to make proofs. The names are those of C2SP tlog-tiles,
//! see [`Tile`].
//!
//! This crate knows no storage, no leaf format and no signature: to it leaves are bytes.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod error;
mod hash;
mod memory;
mod prove;
mod range;
mod tile;
mod verify;

#[cfg(test)]
mod tests;

pub use error::{MerkleError, ProveError};
pub use hash::{hash_children, hash_leaf, Hash, EMPTY_ROOT};
pub use memory::MemoryLog;
pub use prove::{consistency_proof, inclusion_proof, range_at, root_at, Nodes};
pub use range::{root_of, root_of_leaf_hashes, CompactRange};
pub use tile::{Tile, TILE_HEIGHT, TILE_WIDTH};
pub use verify::{root_from_inclusion, verify_consistency, verify_inclusion};

/// The most leaves that a log holds: 2^48 - 1. Sizes and node numbers never overflow 64 bits,
/// and tile paths stay short; at a million leaves a second it lasts nine years.
pub const SIZE_MAX: u64 = (1 << 48) - 1;

/// The most hashes that a proof has, for whoever bounds a message: 48 for inclusion, and for
/// consistency one more, where the old tree's last complete node is a leaf.
pub const PROOF_HASHES_MAX: usize = 49;
