//! One HTTP request to a sidecar. Bounded in bytes and time.

use std::time::Duration;

use anyhow::{bail, Context as _};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// The longest JSON answer that is read: a page of documents.
pub const JSON_BYTES_MAX: usize = 16 << 20;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a bundle may take: the sidecar proves every leaf in it.
const BUNDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// A server that is reached by HTTP/1.1.
#[derive(Debug, Clone)]
pub struct Server {
    base: String,
}

/// An answer: any status, the body as bytes.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A request.
#[derive(Debug)]
pub struct Ask<'a> {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Path with query.
    pub path: &'a str,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// What is sent as `Authorization: Bearer`.
    pub token: Option<String>,
    /// The longest answer that is read.
    pub bytes_max: usize,
}

impl Server {
    /// The server at `url`, `http://host:port`.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let base = url.trim().trim_end_matches('/');
        if base.starts_with("https://") {
            bail!("{base}: https is not spoken here yet; reach the sidecar over http:// on its own machine or through a tunnel");
        }
        let base = if base.starts_with("http://") {
            base.to_owned()
        } else {
            format!("http://{base}")
        };
        let uri: Uri = base
            .parse()
            .with_context(|| format!("\"{url}\" is no address; write http://HOST:PORT"))?;
        if uri.host().is_none_or(str::is_empty) {
            bail!("\"{url}\" is no address; write http://HOST:PORT");
        }
        Ok(Self { base })
    }

    /// The address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When there is no complete answer within the bounds. A status that is no success is an
    /// answer.
    pub async fn ask(&self, ask: Ask<'_>) -> anyhow::Result<Answer> {
        let timeout = if ask.bytes_max > JSON_BYTES_MAX {
            BUNDLE_TIMEOUT
        } else {
            TIMEOUT
        };
        tokio::time::timeout(timeout, self.exchange(ask))
            .await
            .unwrap_or_else(|_| {
                Err(anyhow::anyhow!(
                    "the sidecar at {} gave no complete answer within {} s",
                    self.base,
                    timeout.as_secs()
                ))
            })
    }

    async fn exchange(&self, ask: Ask<'_>) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(ask.method)
            .uri(format!("{}{}", self.base, ask.path));
        if !ask.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = ask.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(Bytes::from(ask.body)))
            .context("the request cannot be written")?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        connector.set_nodelay(true);
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        let response = client.request(request).await.map_err(|error| {
            anyhow::anyhow!(innermost(&error)).context(format!(
                "the sidecar at {} cannot be reached; is it running, and is the address right?",
                self.base
            ))
        })?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ask.bytes_max)
            .collect()
            .await
            .map_err(|error| {
                anyhow::anyhow!(
                    "the answer of the sidecar at {} broke off: {error}",
                    self.base
                )
            })?
            .to_bytes()
            .to_vec();
        Ok(Answer { status, body })
    }
}

/// The reason that says something: the outer ones are "client error (Connect)" and the like.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
