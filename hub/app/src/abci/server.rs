//! The socket that CometBFT connects to.
//!
//! `tendermint-abci`'s server is taken as it is: one blocking thread for each of CometBFT's four
//! connections, which is what ABCI's order asks for. Two things to know of it. It copies what is
//! left in its read buffer for each request that it decodes, so a large buffer costs time with the
//! square of the requests in it: [`READ_BUFFER_BYTES`] bounds that. And it cannot be asked to
//! stop: it ends with the process, which is safe, because only Commit writes.

use tendermint_abci::ServerBuilder;

use super::HubApplication;
use crate::serve::listen::{listen, ListenError};

/// What one read takes from the socket. CometBFT flushes CheckTx every 20 ms, at 3,000
/// transactions of 400 bytes a second some 24 kB; decoding 150 requests out of 64 kB copies about
/// 5 MB, 6 µs a request. Larger requests (blocks) grow the buffer as needed.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Why ABCI is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The server ended.
    #[error("the ABCI server ended: {0}")]
    Ended(String),
}

/// A bound server; [`AbciServer::run`] blocks.
pub struct AbciServer {
    server: tendermint_abci::Server<HubApplication>,
}

/// Takes the address.
///
/// # Errors
/// [`ServeError::Listen`], with a sentence when it is in use.
pub fn serve(address: &str, application: HubApplication) -> Result<AbciServer, ServeError> {
    // Tried first with our own listener, for its sentence.
    let probe = listen("ABCI", address, "--abci")?;
    let bound = probe
        .local_addr()
        .map_err(|error| ServeError::Ended(error.to_string()))?;
    drop(probe);
    let server = ServerBuilder::new(READ_BUFFER_BYTES)
        .bind(bound, application)
        .map_err(|error| ServeError::Ended(error.to_string()))?;
    Ok(AbciServer { server })
}

impl AbciServer {
    /// The address that it has.
    pub fn address(&self) -> String {
        self.server.local_addr()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// [`ServeError::Ended`].
    pub fn run(self) -> Result<(), ServeError> {
        self.server
            .listen()
            .map_err(|error| ServeError::Ended(error.to_string()))
    }
}
