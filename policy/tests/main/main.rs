//! Tests of the whole crate against an oracle, naive models and published data.
#![allow(missing_docs, reason = "tests speak for themselves")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod cast;
mod conditions;
mod expansions;
mod generate;
mod language;
mod lookups;
mod naive;
mod oracle;
mod overlays;
mod policies;
mod random;
mod records;
mod shinzohub;
mod spicedb;
mod store;
mod suite;
