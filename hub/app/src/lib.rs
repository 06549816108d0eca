//! The hub: state machine, store, ABCI, gRPC, and what the `hubd` binary is made of.
//!
//! * [`store`] keeps a tree of trees and logs over RocksDB; it knows bytes only.
//! * [`chain`] takes transactions through their phases and blocks to their roots.
//! * [`auth`], [`bank`], [`policy`], [`audit`] are the modules: `execute`, `queries`, `genesis`.
//! * [`abci`] speaks to CometBFT, [`solo`] is the engine without it; both drive one application.
//! * [`serve`] is ports, metrics, shutdown; [`home`] a node's folder.
//!
//! What it does not know: sidecars, documents' contents, commits.

#![allow(
    clippy::module_name_repetitions,
    reason = "the module `policy` here and the crate `policy` are told apart by their paths"
)]

pub mod abci;
pub mod audit;
pub mod auth;
pub mod bank;
pub mod chain;
pub mod command;
pub mod home;
pub mod policy;
pub mod query;
pub mod serve;
pub mod solo;
pub mod store;
