//! Tests that need more than one crate: the shape of the house, whole networks, faults.
//!
//! `core::` runs in seconds; `chain::` and `faults::` start real validators (see `scripts/test`).

mod chain;
mod core;
mod faults;
