//! A hub's client that believes nothing it has not verified.
//!
//! Nodes are reached through [`Transport`]s, several in turn, and trusted for nothing but
//! answering (Invariant 2). A [`HubClient`] starts from a block that a person trusts, leads on from
//! it with `hub-light`, keeps the newest verified header in a file, and gives out state only with
//! the proof verified under such a header: values present or absent, records, policies and every
//! change of them, audit logs and their anchors, permission checks whose evidence is replayed
//! here. What it sends it follows into a block: inclusion under `data_hash`, the result under the
//! next header's `last_results_hash`.
//!
//! An answer that does not verify is reported with the node's name and what did not verify, the
//! next node is asked, and nothing of it is used. "No" by the hub, "nobody answers" and "it does
//! not verify" are different errors (Invariant 3).
//!
//! This crate knows no documents and no sidecars.

mod block;
mod blocks;
mod chain;
mod changes;
mod check;
mod client;
mod clock;
mod error;
mod http;
mod inclusion;
mod json;
mod logs;
mod query;
mod rpc;
mod sentences;
mod state;
mod state_file;
mod transport;
mod trust;
mod tx;

#[cfg(test)]
mod tests;

pub use block::Block;
pub use check::Checked;
pub use client::{HubClient, Options, Proven, CLOCK_DRIFT, HEADER_AGE_MAX, TRUSTING_PERIOD};
pub use clock::{Clock, SystemClock};
pub use error::{Attempt, ClientError, Fault};
pub use http::{HttpTransport, CALL_TIMEOUT};
pub use hub_light::{TrustPoint, Trusted};
pub use rpc::{
    BroadcastAnswer, QueryAnswer, Rpc, RpcError, Status, TxAnswer, TxProof, TxResult,
    BLOCK_ANSWER_BYTES_MAX, STATE_ANSWER_BYTES_MAX, VALIDATORS_MAX,
};
pub use sentences::{sentence, sentence_of};
pub use transport::{BoxFuture, Transport, TransportError};
pub use trust::{candidate, Candidate};
pub use tx::{Included, Terms, INCLUSION_TIMEOUT, TIMEOUT_BLOCKS};
