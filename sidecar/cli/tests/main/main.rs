//! Runs the built `hold` as a person or a script would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod hold;
mod key;
mod offline;
mod policy;
mod readme;
