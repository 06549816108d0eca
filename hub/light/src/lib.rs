//! From one header that a person trusts to any value of the hub's state, with no server to trust.
//!
//! A [`Verifier`] leads from a trusted block to a later one: two thirds of its validators signed
//! it, and a third of those whom we trusted before. A header's app hash is the root of the main
//! tree; a [`StateProof`] leads from there to a value, a [`PolicyProof`] through a policy's record
//! into its own tree. Whatever grows stands as an RFC 6962 log in a record, so the same header
//! proves earlier blocks ([`BlockInclusion`]), revisions ([`Follower`], [`PolicyRootProof`]) and
//! anchors ([`AnchorProof`]) by short paths. [`CheckEvidence`] is all that one permission check
//! reads, proven and replayed.
//!
//! Invariant 2 lives here: a proof gives its value only through `verify`, and every error names
//! what did not verify. Everything decoded has a stated bound (Invariant 7) and one spelling, so
//! no byte of a proof can change without somebody noticing.
//!
//! This crate knows no network, no clock (time is an argument) and no documents' content.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod anchor;
mod block;
mod blocks;
mod error;
mod evidence;
mod follow;
pub mod forge;
mod light_block;
mod path;
pub mod proof;
mod record_proof;
mod state;
mod trust;
mod verifier;
mod voting;

#[cfg(test)]
mod tests;

pub use anchor::{AnchorProof, Anchored};
pub use block::{block_hash, height_of, time_of, to_tendermint_time};
pub use blocks::{BlockInclusion, EarlierBlocks, EARLIER_BLOCKS_MAX};
pub use error::LightError;
pub use evidence::{CheckEvidence, Checked};
pub use follow::{ChangesPage, Follower, Progress, RevisionChanges};
pub use light_block::LightBlock;
pub use path::SkippingPath;
pub use proof::{jmt_spec, verify_absence, verify_presence};
pub use record_proof::{PolicyProof, PolicyRoot, PolicyRootProof, RevisionInclusion, TreeProof};
pub use state::StateProof;
pub use trust::{TrustPoint, Trusted, VerifiedBlock};
pub use verifier::{Options, Verifier};
