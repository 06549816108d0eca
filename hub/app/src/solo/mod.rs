//! The solo engine: `hubd dev` without CometBFT.
//!
//! A driver over the same application that CometBFT drives, a store of blocks, and the part of
//! CometBFT's RPC that our clients use. Headers and commits are real, made by
//! [`hub_light::forge`] with one validator key, so light client, proofs and bundles run the same
//! code on both engines. It is for development and tests, and says so when it starts.

mod block_store;
mod engine;
mod json;
mod params;
mod pool;
mod routes;
pub mod rpc;
mod tx_proof;

pub use engine::{run, BroadcastError, Engine, EngineError, EngineOptions};
