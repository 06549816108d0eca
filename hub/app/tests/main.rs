//! Whole-application tests of the hub: everything below is driven as an engine drives it.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod binary;
mod comet;
mod cosmos;
mod determinism;
mod faults;
mod policies;
mod proofs;
mod questions;
mod refusals;
mod served;
mod support;
mod terms;
