//! A hub's client that believes nothing it has not verified.
//!
//! Nodes are reached through [`Transport`]s and trusted for nothing but answering
//! (Invariant 2).

mod clock;
mod error;
mod http;
mod inclusion;
mod json;
mod rpc;
mod sentences;
mod transport;

pub use clock::{Clock, SystemClock};
pub use error::{Attempt, ClientError, Fault};
pub use http::{HttpTransport, BODY_BYTES_MAX, CALL_TIMEOUT};
pub use rpc::{
    BroadcastAnswer, QueryAnswer, Rpc, RpcError, Status, TxAnswer, TxProof, TxResult,
    VALIDATORS_MAX,
};
pub use sentences::{sentence, sentence_of};
pub use transport::{BoxFuture, Transport, TransportError};
