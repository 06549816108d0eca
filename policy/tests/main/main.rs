//! Tests of the whole crate against an oracle, naive models and published data.
#![allow(missing_docs, reason = "tests speak for themselves")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod generate;
mod notation;
mod oracle;
mod policies;
mod random;
mod records;
mod shinzohub;
mod statements;
mod suite;
