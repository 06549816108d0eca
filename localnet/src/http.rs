//! Plain HTTP to daemons on this machine, for waiting and for load. Nothing here is trusted.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The longest answer that is read: a block of a loaded network, as JSON.
const BODY_BYTES_MAX: usize = 64 << 20;
/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// GETs `path`; gives the status and the body.
///
/// # Errors
/// When no complete answer comes in ten seconds.
pub async fn get(address: SocketAddr, path: &str) -> Result<(u16, Bytes)> {
    let request = Request::get(path)
        .header("host", address.to_string())
        .body(Full::new(Bytes::new()))
        .context("build the request")?;
    tokio::time::timeout(CALL_TIMEOUT, async {
        Connection::open(address).await?.send(request).await
    })
    .await
    .with_context(|| format!("{address} gave no answer in {} s", CALL_TIMEOUT.as_secs()))?
}

/// POSTs a JSON body to the root; gives the answer's body.
///
/// # Errors
/// When no complete answer comes in ten seconds.
pub async fn post(address: SocketAddr, body: Vec<u8>) -> Result<Bytes> {
    let request = Request::post("/")
        .header("host", address.to_string())
        .header("content-type", "application/json");
    let request = request
        .body(Full::new(Bytes::from(body)))
        .context("build the request")?;
    tokio::time::timeout(CALL_TIMEOUT, async {
        Ok(Connection::open(address).await?.send(request).await?.1)
    })
    .await
    .with_context(|| format!("{address} gave no answer in {} s", CALL_TIMEOUT.as_secs()))?
}

/// A kept-alive connection.
pub struct Connection {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .context("HTTP handshake")?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// When the connection breaks or the answer is longer than 64 MiB.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes)> {
        self.sender.ready().await.context("the connection closed")?;
        let response = self
            .sender
            .send_request(request)
            .await
            .context("no answer")?;
        let status = response.status().as_u16();
        match Limited::new(response.into_body(), BODY_BYTES_MAX)
            .collect()
            .await
        {
            Ok(body) => Ok((status, body.to_bytes())),
            Err(error) => bail!("the answer could not be read: {error}"),
        }
    }
}
