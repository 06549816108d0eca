//! The socket that CometBFT connects to.
//!
//! One blocking thread for each of CometBFT's four connections, which is what ABCI's order asks
//! for. Answers are gathered and written when no whole request is left to answer, and TCP does not
//! hold them back: CometBFT follows each call with a Flush and waits for both answers, so with
//! Nagle's algorithm (RFC 896) on, the second answer waits for a delayed acknowledgement, 40 ms on
//! Linux, five times a block. `tendermint-abci`'s own server has no way to say so
//! (`docs/decisions/0005-own-abci-socket.md`).
//!
//! The server cannot be asked to stop: it ends with the process, which is safe, because only Commit
//! writes.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use prost::bytes::BytesMut;
use prost::Message as _;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::Request;

use super::dispatch::dispatch;
use super::framing::{take_frame, FrameError};
use super::HubApplication;
use crate::serve::listen::{listen, ListenError};

/// What one read asks the socket for. CometBFT flushes CheckTx every 20 ms, at 3,000 transactions
/// of 400 bytes a second some 24 kB.
const READ_BYTES: usize = 64 * 1024;

/// Answers are written when so many bytes are gathered, also while requests are left.
const WRITE_BYTES: usize = 256 * 1024;

/// CometBFT opens four connections; a new one may come before the old ones are seen to be gone.
/// Each may hold a frame of a hundred megabytes.
const CONNECTIONS_MAX: usize = 8;

/// How long it waits after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why ABCI is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// No more connections come.
    #[error("the ABCI server ended: {0}")]
    Ended(#[from] io::Error),
}

/// Why one connection ended before CometBFT closed it.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("a frame holds no ABCI request ({0}); only CometBFT v0.38 may connect here")]
    Request(#[from] prost::DecodeError),
    #[error(transparent)]
    Socket(#[from] io::Error),
}

/// A bound server; [`AbciServer::run`] blocks.
pub struct AbciServer {
    listener: TcpListener,
    address: String,
    application: HubApplication,
}

/// Takes the address.
///
/// # Errors
/// [`ServeError::Listen`], with a sentence when it is in use; [`ServeError::Ended`].
pub fn serve(address: &str, application: HubApplication) -> Result<AbciServer, ServeError> {
    let listener = listen("ABCI", address, "--abci")?;
    let address = listener.local_addr()?.to_string();
    Ok(AbciServer {
        listener,
        address,
        application,
    })
}

impl AbciServer {
    /// The address that it has.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// [`ServeError::Ended`].
    pub fn run(self) -> Result<(), ServeError> {
        let open = Arc::new(());
        loop {
            let (stream, peer) = match self.listener.accept() {
                Ok(connection) => connection,
                // The other side gave up, or this process is out of descriptors for a moment.
                Err(error) => {
                    tracing::error!("no ABCI connection was accepted: {error}");
                    std::thread::sleep(ACCEPT_PAUSE);
                    continue;
                }
            };
            if Arc::strong_count(&open) > CONNECTIONS_MAX {
                tracing::error!(%peer, "more than {CONNECTIONS_MAX} ABCI connections; only one CometBFT may connect here");
                continue;
            }
            let (application, open) = (self.application.clone(), open.clone());
            std::thread::Builder::new()
                .name("abci".to_owned())
                .spawn(move || {
                    match converse(&application, &stream) {
                        Ok(()) => tracing::debug!(%peer, "CometBFT closed an ABCI connection"),
                        Err(error) => tracing::error!(%peer, "an ABCI connection ended: {error}"),
                    }
                    drop(open);
                })?;
        }
    }
}

/// Answers requests in order until the other side closes.
fn converse(application: &impl Application, stream: &TcpStream) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let (mut input, mut output) = (stream, stream);
    let mut asked = BytesMut::new();
    let mut answers = Vec::new();
    let mut window = vec![0; READ_BYTES];
    loop {
        while let Some(frame) = take_frame(&mut asked)? {
            let answer = dispatch(application, Request::decode(frame)?);
            answer
                .encode_length_delimited(&mut answers)
                .map_err(io::Error::other)?;
            if answers.len() >= WRITE_BYTES {
                output.write_all(&answers)?;
                answers.clear();
            }
        }
        output.write_all(&answers)?;
        answers.clear();
        answers.shrink_to(WRITE_BYTES);
        match input.read(&mut window) {
            Ok(0) => return Ok(()),
            Ok(read) => asked.extend_from_slice(&window[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error.into()),
        }
    }
}
