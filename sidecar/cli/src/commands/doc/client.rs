//! A sidecar as its actor sees it: requests with tokens, refusals as answers.

use anyhow::{bail, Context as _};
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use crdt::Cid;
use hyper::Method;
use identity::{ChainId, Did, SecretKey, Signature};
use serde::Deserialize;
use serde_json::{json, Value};

use super::token::{issue, Purpose};
use super::{show, with_decision};
use crate::context::Context;
use crate::http::{Ask, Server, JSON_BYTES_MAX};
use crate::reply::{Reply, Verdict};

/// Where a rollback goes.
pub(super) enum Target {
    /// The state after these commits.
    Commits(Vec<Cid>),
    /// The state under an anchor of the sidecar's log.
    Anchor(u64),
}

/// A sidecar, and the key that acts.
pub(crate) struct Sidecar {
    server: Server,
    audience: Did,
    chain: ChainId,
    key: SecretKey,
}

/// The two blocks of a commit without its signature.
pub(super) struct Prepared {
    pub(super) header: Vec<u8>,
    pub(super) body: Vec<u8>,
    /// For a new document: of which resource the sidecar says the collection is.
    pub(super) resource: Option<String>,
}

/// What the sidecar says of itself.
#[derive(Deserialize)]
struct Status {
    sidecar: String,
    chain_id: String,
}

/// What the sidecar says when it does not do what was asked.
#[derive(Deserialize)]
struct Failure {
    kind: String,
    error: String,
    #[serde(default)]
    next_step: String,
}

impl Sidecar {
    /// Asks the sidecar who it is, and opens the key.
    pub(crate) async fn open(
        context: &Context,
        url: Option<&str>,
        from: Option<&str>,
    ) -> anyhow::Result<Self> {
        let server = server(context, url)?;
        let status = read_status(&server).await?;
        let stated: Status = serde_json::from_value(status)
            .with_context(|| format!("{} does not answer like a sidecar", server.url()))?;
        let chain = ChainId::parse(&stated.chain_id).context("the sidecar's chain id")?;
        // Commits and tokens name the chain: a sidecar must not choose it.
        if let Some(expected) = &context.config.hub.chain_id {
            if expected != chain.as_str() {
                bail!(
                    "the sidecar at {} is on chain {chain}, and this home on {expected}; use another --home or sidecar",
                    server.url()
                );
            }
        }
        let audience = Did::parse(&stated.sidecar).context("the sidecar's DID")?;
        let key = context.key(from)?;
        Ok(Self {
            server,
            audience,
            chain,
            key,
        })
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    pub(super) fn chain(&self) -> &ChainId {
        &self.chain
    }

    pub(super) fn key(&self) -> &SecretKey {
        &self.key
    }

    /// A read. The outer error is "could not tell"; a refusal is an answer.
    pub(super) async fn get(
        &self,
        path: &str,
        show: impl FnOnce(&Value) -> String,
    ) -> anyhow::Result<Reply> {
        match self
            .ask(Method::GET, path, Vec::new(), JSON_BYTES_MAX)
            .await?
        {
            Ok(body) => {
                let answer = with_decision(self.json(&body)?);
                Ok(Reply::yes(show(&answer), answer))
            }
            Err(refusal) => Ok(refusal),
        }
    }

    /// A read of bytes.
    pub(crate) async fn get_bytes(
        &self,
        path: &str,
        bytes_max: usize,
    ) -> anyhow::Result<Result<Vec<u8>, Reply>> {
        self.ask(Method::GET, path, Vec::new(), bytes_max).await
    }

    pub(super) async fn prepare(&self, request: &Value) -> anyhow::Result<Result<Prepared, Reply>> {
        #[derive(Deserialize)]
        struct Answer {
            header: String,
            body: String,
            resource: Option<String>,
        }
        let body = request.to_string().into_bytes();
        let answer = match self
            .ask(Method::POST, "/v1/prepare", body, JSON_BYTES_MAX)
            .await?
        {
            Ok(body) => body,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let answer: Answer = serde_json::from_slice(&answer).with_context(|| self.nonsense())?;
        let decode = |text: &str| STANDARD.decode(text).ok().with_context(|| self.nonsense());
        Ok(Ok(Prepared {
            header: decode(&answer.header)?,
            body: decode(&answer.body)?,
            resource: answer.resource,
        }))
    }

    pub(super) async fn submit(
        &self,
        header: &[u8],
        body: &[u8],
        signature: &Signature,
    ) -> anyhow::Result<Result<Value, Reply>> {
        let request = json!({
            "header": STANDARD.encode(header),
            "body": STANDARD.encode(body),
            "signature": STANDARD.encode(signature.as_bytes()),
        });
        let body = request.to_string().into_bytes();
        match self
            .ask(Method::POST, "/v1/submit", body, JSON_BYTES_MAX)
            .await?
        {
            Ok(body) => Ok(Ok(with_decision(self.json(&body)?))),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        bytes_max: usize,
    ) -> anyhow::Result<Result<Vec<u8>, Reply>> {
        let purpose = Purpose {
            audience: &self.audience,
            chain: &self.chain,
            method: method.as_str(),
            path,
            body: &body,
        };
        let token = issue(&self.key, &purpose)?;
        let answer = self
            .server
            .ask(Ask {
                method,
                path,
                body,
                token: Some(token),
                bytes_max,
            })
            .await?;
        if (200..300).contains(&answer.status) {
            return Ok(Ok(answer.body));
        }
        self.refusal(answer.status, &answer.body).map(Err)
    }

    /// A refusal as an answer (1), or as "could not tell" (an error, 2). Which of the two it is,
    /// the sidecar says; what it does not say is never a no.
    fn refusal(&self, status: u16, body: &[u8]) -> anyhow::Result<Reply> {
        let value: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let Ok(failure) = serde_json::from_value::<Failure>(value.clone()) else {
            bail!(
                "the sidecar at {} answered with HTTP status {status}",
                self.url()
            );
        };
        let next = match failure.next_step.as_str() {
            "" => String::new(),
            step => format!("; {step}"),
        };
        if matches!(
            failure.kind.as_str(),
            "could_not_tell" | "internal" | "too_many"
        ) {
            bail!("the sidecar could not tell: {}{next}", failure.error);
        }
        let mut json = with_decision(value);
        json["code"] = json!(failure.kind);
        json["status"] = json!(status);
        let word = if failure.kind == "denied" {
            "denied"
        } else {
            "refused"
        };
        let mut text = format!("{word}: {}{next}", failure.error);
        text.push_str(&show::rests_on(&json));
        Ok(Reply {
            text,
            json,
            verdict: Verdict::No,
        })
    }

    fn json(&self, body: &[u8]) -> anyhow::Result<Value> {
        serde_json::from_slice(body).with_context(|| self.nonsense())
    }

    fn nonsense(&self) -> String {
        format!(
            "the sidecar at {} gave an answer that cannot be read",
            self.url()
        )
    }
}

fn server(context: &Context, url: Option<&str>) -> anyhow::Result<Server> {
    let url = url.or(context.config.sidecar.url.as_deref()).context(
        "no sidecar is known; give --sidecar URL, or set url under [sidecar] in config.toml",
    )?;
    Server::new(url)
}

async fn read_status(server: &Server) -> anyhow::Result<Value> {
    let answer = server
        .ask(Ask {
            method: Method::GET,
            path: "/v1/status",
            body: Vec::new(),
            token: None,
            bytes_max: JSON_BYTES_MAX,
        })
        .await?;
    if answer.status != 200 {
        bail!(
            "{} answered with HTTP status {}; is it a sidecar?",
            server.url(),
            answer.status
        );
    }
    serde_json::from_slice(&answer.body)
        .with_context(|| format!("{} does not answer like a sidecar", server.url()))
}

/// `hold doc status`.
pub(super) async fn status(context: &Context, url: Option<&str>) -> anyhow::Result<Reply> {
    let status = read_status(&server(context, url)?).await?;
    Ok(Reply::yes(show::tree(&status), status))
}

/// Percent-encodes a query value (RFC 3986 §2.1).
pub(super) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
