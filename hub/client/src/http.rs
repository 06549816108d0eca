//! JSON-RPC over HTTP/1.1 to CometBFT's RPC port, or to `hubd dev`, which speaks the same.
//!
//! Ours rather than `tendermint-rpc`'s, whose clients bring known advisories. Plain HTTP only:
//! nothing in an answer is believed for having come over a safe line, and no secret is sent.

use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{json, Value};

use crate::transport::{BoxFuture, Transport, TransportError};

/// How long an answer may take from the first byte sent to the last byte read. CometBFT itself
/// gives up at ten seconds (`timeout_broadcast_tx_commit`).
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take. Shorter than a call, so that a dead node does not hold up the
/// next one in the list.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A node's RPC port.
pub struct HttpTransport {
    name: String,
    uri: Uri,
    client: Client<HttpConnector, Full<Bytes>>,
    timeout: Duration,
}

impl HttpTransport {
    /// A transport to `url`: `http://host:port`, `tcp://host:port` as CometBFT writes it, or
    /// `host:port`. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`TransportError::Address`] when `url` cannot be such an address.
    pub fn new(url: &str) -> Result<Self, TransportError> {
        let refuse = |reason| TransportError::Address {
            url: url.to_owned(),
            reason,
        };
        let trimmed = url.trim();
        if trimmed.starts_with("https://") {
            return Err(refuse(
                "https is not spoken here, and not needed: answers are verified; use http://",
            ));
        }
        let rest = trimmed
            .strip_prefix("http://")
            .or_else(|| trimmed.strip_prefix("tcp://"))
            .unwrap_or(trimmed)
            .trim_end_matches('/');
        if rest.is_empty() || rest.contains("://") {
            return Err(refuse("expected http://HOST:PORT"));
        }
        let uri: Uri = format!("http://{rest}/")
            .parse()
            .map_err(|_| refuse("expected http://HOST:PORT"))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(refuse("the host is missing; expected http://HOST:PORT"));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        Ok(Self {
            name: format!("http://{rest}"),
            uri,
            client: Client::builder(TokioExecutor::new()).build(connector),
            timeout: CALL_TIMEOUT,
        })
    }

    /// The same with another bound on time.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn exchange(
        &self,
        method: &str,
        params: Value,
        bytes_max: usize,
    ) -> Result<Vec<u8>, TransportError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| unreachable(&error))?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let collected = Limited::new(response.into_body(), bytes_max)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    TransportError::TooLong { bytes_max }
                } else {
                    unreachable(&*error)
                }
            })?
            .to_bytes();
        // CometBFT sends JSON-RPC errors with status 500; only a body that cannot be an envelope
        // is reported by its status.
        if status >= 300 && collected.first() != Some(&b'{') {
            return Err(TransportError::Status { status });
        }
        Ok(collected.to_vec())
    }
}

impl Transport for HttpTransport {
    fn name(&self) -> &str {
        &self.name
    }

    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Value,
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            tokio::time::timeout(self.timeout, self.exchange(method, params, bytes_max))
                .await
                .unwrap_or_else(|_| {
                    Err(TransportError::TimedOut {
                        timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
                    })
                })
        })
    }
}

/// The innermost reason: the outer ones say only "client error (Connect)".
fn unreachable(error: &(dyn std::error::Error + 'static)) -> TransportError {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    TransportError::Unreachable {
        reason: innermost.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that reads one request, writes `head`, then `chunk` again and again for ever.
    async fn serve(head: &'static str, chunk: &'static str, pause: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut buffer = [0_u8; 4096];
                    let _ = stream.read(&mut buffer).await;
                    if stream.write_all(head.as_bytes()).await.is_err() {
                        return;
                    }
                    while !chunk.is_empty() {
                        if stream.write_all(chunk.as_bytes()).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        format!("http://{address}")
    }

    const ENDLESS: &str =
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"jsonrpc\":\"2.0\",\"x\":\"";

    #[tokio::test]
    async fn an_endless_answer_is_cut_off_by_bytes() {
        let url = serve(
            ENDLESS,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            Duration::ZERO,
        )
        .await;
        let transport = HttpTransport::new(&url)
            .unwrap()
            .with_timeout(Duration::from_secs(60));
        assert_eq!(
            transport.call("status", json!({}), 100_000).await,
            Err(TransportError::TooLong { bytes_max: 100_000 })
        );
    }

    #[tokio::test]
    async fn an_answer_that_trickles_is_cut_off_by_time() {
        let url = serve(ENDLESS, "a", Duration::from_millis(20)).await;
        let transport = HttpTransport::new(&url)
            .unwrap()
            .with_timeout(Duration::from_millis(200));
        assert_eq!(
            transport.call("status", json!({}), 100_000).await,
            Err(TransportError::TimedOut { timeout_ms: 200 })
        );
    }

    #[tokio::test]
    async fn a_dead_port_and_a_bare_status_are_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let transport = HttpTransport::new(&address.to_string()).unwrap();
        let error = transport
            .call("status", json!({}), 100_000)
            .await
            .unwrap_err();
        assert!(
            matches!(error, TransportError::Unreachable { .. }),
            "{error}"
        );

        let url = serve(
            "HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno.",
            "",
            Duration::ZERO,
        )
        .await;
        let transport = HttpTransport::new(&url).unwrap();
        assert_eq!(
            transport.call("status", json!({}), 100_000).await,
            Err(TransportError::Status { status: 404 })
        );
    }

    #[test]
    fn addresses_are_parsed_or_refused_by_reason() {
        for good in [
            "http://127.0.0.1:26657",
            "tcp://hub:26657/",
            "localhost:26657",
        ] {
            assert!(HttpTransport::new(good).is_ok(), "{good}");
        }
        for bad in ["", "https://hub:26657", "ftp://hub", "http://"] {
            assert!(HttpTransport::new(bad).is_err(), "{bad}");
        }
    }
}
