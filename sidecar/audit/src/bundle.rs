//! The bundle, `trail.hold`: one file that proves what a sidecar did between two anchors.
//!
//! [`Trail`] is the bundle as data: the node fills one and calls [`Trail::encode`]. [`verify`] reads
//! the bytes back and believes nothing: every byte is either hashed up to the one trusted header,
//! or checked to be the only one that could stand there. `docs/spec/bundle.md` is the written form.

pub(crate) mod age;
pub(crate) mod commits;
pub mod container;
pub(crate) mod decisions;
pub mod error;
pub(crate) mod form;
pub(crate) mod heads;
pub(crate) mod hub;
pub(crate) mod judge;
pub(crate) mod log;
pub(crate) mod read;
mod trail;
mod verify;
pub(crate) mod witness;

pub use container::{Section, BUNDLE_BYTES_MAX, MAGIC};
pub use error::{VerifyError, Wrong};
pub use trail::{
    CommitBlocks, HeadsProof, Trail, TrailError, WitnessAnchor, WitnessLeaf, WitnessLog,
};
pub use verify::{stated_header, verify};
