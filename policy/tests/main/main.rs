//! Tests of the whole crate against an oracle, naive models and published data.
#![allow(missing_docs, reason = "tests speak for themselves")]

mod agreement;
mod generate;
mod oracle;
mod policies;
mod random;
mod records;
mod shinzohub;
mod suite;
