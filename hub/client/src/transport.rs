//! One call to one node, as bytes.
//!
//! A transport is trusted for nothing but reaching somebody: what comes back is bytes until the
//! light client has verified them (Invariant 2). It is a trait so that tests can lie: every test
//! of a forged answer is an implementation of [`Transport`] that forges it.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one JSON-RPC request to one node.
pub trait Transport: Send + Sync {
    /// What reports call this node: its address, or any other name that a person recognises.
    fn name(&self) -> &str;

    /// Calls `method` and gives the body of the answer: the JSON-RPC envelope, unparsed.
    ///
    /// An implementation reads at most `bytes_max` of it, and bounds the time.
    ///
    /// # Errors
    /// [`TransportError`] when no complete answer came within those bounds.
    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Value,
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, TransportError>>;
}

/// Why no answer came. Displays never repeat the node's name; the caller states it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The address cannot be used.
    #[error("`{url}` is not an address of a hub's RPC: {reason}")]
    Address {
        /// The address as it was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No connection, or it broke.
    #[error("cannot be reached: {reason}; is it running, and is the address right?")]
    Unreachable {
        /// The operating system's or the HTTP library's reason.
        reason: String,
    },
    /// No complete answer in time.
    #[error("gave no complete answer within {timeout_ms} ms")]
    TimedOut {
        /// The bound that was passed.
        timeout_ms: u64,
    },
    /// The answer is longer than we read.
    #[error("sent more than {bytes_max} bytes; nothing of the answer was used")]
    TooLong {
        /// The bound that was passed.
        bytes_max: usize,
    },
    /// An HTTP status without a JSON-RPC body.
    #[error("answered with HTTP status {status}")]
    Status {
        /// The status code.
        status: u16,
    },
}
