//! The auditor's crate: log leaves, receipts, attestations, verdicts, and the bundle that proves
//! them all under one trusted header.
//!
//! Pure: no I/O, clock or randomness. The node uses it to write leaves and to judge commits; the
//! command line, the tests and (as wasm) a browser use it to verify a `trail.hold`. It trusts no
//! sidecar: a log must prove itself append-only and complete by index, and every verdict and
//! decision is computed again.
//!
//! Written forms: `docs/spec/log.md`, `docs/spec/bundle.md`, `docs/spec/evidence.md`.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod authority;
pub mod bundle;
pub mod bytes;
mod claim;
pub mod content;
pub mod heads;
pub mod leaf;
pub mod mutate;
pub mod receipt;
pub mod report;
mod shown;
pub mod times;
pub mod verdict;

pub use bundle::{verify, VerifyError};
