//! Tokens for a sidecar: a JWT that the actor's key signs for one request
//! (`sidecar/node/src/token.rs` reads them).

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use identity::{ChainId, Did, SecretKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A token lives a minute: long enough for one request and a clock that is a little off.
const LIFE_SECONDS: u64 = 60;

/// What a token is for.
pub(crate) struct Purpose<'a> {
    /// The sidecar's DID.
    pub(crate) audience: &'a Did,
    /// The chain.
    pub(crate) chain: &'a ChainId,
    /// HTTP method.
    pub(crate) method: &'a str,
    /// Path with query.
    pub(crate) path: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
}

/// Signs a token. It binds method, path and body, and for a write a single-use id too, so whoever
/// records it can do nothing else with it.
pub(crate) fn issue(key: &SecretKey, purpose: &Purpose<'_>) -> anyhow::Result<String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is set before 1970")?
        .as_secs();
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id)
        .ok()
        .context("the system gives no randomness")?;
    let did = key.did();
    let mut claims = json!({
        "dom": "holdfast/token/1",
        "iss": did.as_str(),
        "aud": purpose.audience.as_str(),
        "chain": purpose.chain.as_str(),
        "iat": now,
        "exp": now + LIFE_SECONDS,
        "method": purpose.method,
        "path": purpose.path,
        "body": hex::encode(Sha256::digest(purpose.body)),
    });
    if !matches!(purpose.method, "GET" | "HEAD") {
        claims["jti"] = json!(hex::encode(id));
    }
    let header = json!({"alg": key.kind().jose_algorithm(), "typ": "JWT", "kid": did.as_str()});
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = key.sign_token(input.as_bytes())?;
    Ok(format!(
        "{input}.{}",
        URL_SAFE_NO_PAD.encode(signature.as_bytes())
    ))
}
