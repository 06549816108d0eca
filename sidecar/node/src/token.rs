//! Who asks: a JWT that the actor's own DID signed (RFC 7515, RFC 7519; `docs/spec/sidecar-api.md`).
//!
//! There is no account and no shared secret here. A token names its actor (`kid` and `iss`), the
//! sidecar that it is for (`aud`), the chain, and when it ends. A token for a write is worth one
//! request only: it binds method, path, body hash and a single-use id, for five minutes at most
//! (DESIGN §7), so whoever records it can do nothing with it.
//!
//! Parsing is strict: unknown fields, another algorithm than the key's own, `crit`, padding and
//! anything behind the third part are refused. The signature is verified last, after everything
//! that is cheap.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use identity::{ChainId, Did, KeyKind, SecretKey, Signature};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::limits::{
    CLOCK_SKEW_SECONDS_MAX, READ_TOKEN_SECONDS_MAX, TOKEN_BYTES_MAX, TOKEN_ID_BYTES_MAX,
    WRITE_TOKEN_SECONDS_MAX,
};

/// The domain that a token states in its claim `dom`.
const DOMAIN: &str = "holdfast/token/1";

/// Why a token is refused. Never repeats the token (Invariant 9).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("the request carries no token; send `Authorization: Bearer` with a JWT that the actor's key signed")]
    Missing,
    /// It is too long.
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// It is no JWT as this sidecar reads them.
    #[error("the token cannot be read ({0}); see docs/spec/sidecar-api.md")]
    Malformed(&'static str),
    /// `alg` is not the algorithm of the DID's key.
    #[error("the token's `alg` is not that of its actor's key; use {0}")]
    Algorithm(&'static str),
    /// `aud` is not this sidecar.
    #[error("the token is for another sidecar; set `aud` to {0}")]
    Audience(String),
    /// `chain` is not this chain.
    #[error("the token is for another chain; set `chain` to {0}")]
    Chain(String),
    /// It ended.
    #[error("the token has ended; issue a new one")]
    Ended,
    /// It begins in the future.
    #[error("the token was issued in the future; set the clock of the one that issues it")]
    Early,
    /// Its life is too long.
    #[error("the token lives longer than {0} seconds, the most for this kind of request")]
    LivesTooLong(u64),
    /// A write's token does not bind what it must.
    #[error("a token for a write must bind `{0}`; see docs/spec/sidecar-api.md")]
    Unbound(&'static str),
    /// It binds another request.
    #[error("the token was issued for another `{0}` than this request's")]
    OtherRequest(&'static str),
    /// Its signature is wrong.
    #[error("the token's signature is not that of its actor")]
    Signature,
    /// Its id was used.
    #[error("the token was used already; issue a new one for each write")]
    Replayed,
    /// Too many ids are remembered.
    #[error("too many writes within five minutes; try again in a minute")]
    TooMany,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    kid: String,
}

/// The claims. Times are seconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Always `holdfast/token/1`.
    pub dom: String,
    /// The actor's DID.
    pub iss: String,
    /// The sidecar's DID.
    pub aud: String,
    /// The chain id.
    pub chain: String,
    /// Issued.
    pub iat: u64,
    /// Ends.
    pub exp: u64,
    /// Single-use id; a must for writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// HTTP method; a must for writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path with query; a must for writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Hex of the body's SHA-256; a must for writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The request that a token is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Requested<'a> {
    /// HTTP method in capitals.
    pub method: &'a str,
    /// Path with query, as sent.
    pub path: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
}

impl Requested<'_> {
    /// Whether the request changes something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD")
    }
}

/// A token that holds for a request.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Who asks.
    pub actor: Did,
    /// For a write: the digest of actor and single-use id, and the second when it may be forgotten.
    pub single_use: Option<(TokenId, u64)>,
}

/// Digest of actor and `jti`. Half a SHA-256 is enough to tell ids of one actor apart, and an
/// actor who finds a collision only locks himself out.
pub type TokenId = [u8; 16];

/// What this sidecar expects in every token.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The sidecar's DID.
    pub audience: Did,
    /// The chain.
    pub chain: ChainId,
}

fn algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Ed25519 => "EdDSA",
        KeyKind::Secp256k1 => "ES256K",
        KeyKind::P256 => "ES256",
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed("a part is not base64url without padding"))
}

impl Expected {
    /// Verifies `token` for `requested` at `now_seconds`.
    ///
    /// The single-use id is not spent here: the caller spends it, so that it is remembered in the
    /// same batch as what the request writes.
    ///
    /// # Errors
    /// [`TokenError`] with what to change.
    pub fn verify(
        &self,
        token: &str,
        requested: Requested<'_>,
        now_seconds: u64,
    ) -> Result<Accepted, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let (signing_input, signature) = token
            .rsplit_once('.')
            .ok_or(TokenError::Malformed("it has not three parts"))?;
        let (header, payload) = signing_input
            .split_once('.')
            .ok_or(TokenError::Malformed("it has not three parts"))?;
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| TokenError::Malformed("its header has other fields than alg, typ, kid"))?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?)
            .map_err(|_| TokenError::Malformed("its claims are not the expected ones"))?;
        if claims.dom != DOMAIN {
            return Err(TokenError::Malformed(
                "its claim `dom` is not holdfast/token/1",
            ));
        }
        if header.typ.as_deref().is_some_and(|typ| typ != "JWT") {
            return Err(TokenError::Malformed("its `typ` is not JWT"));
        }
        if header.kid != claims.iss {
            return Err(TokenError::Malformed("`kid` and `iss` differ"));
        }
        let actor =
            Did::parse(&claims.iss).map_err(|_| TokenError::Malformed("`iss` is no did:key"))?;
        let expected = algorithm(actor.public_key().kind());
        if header.alg != expected {
            return Err(TokenError::Algorithm(expected));
        }
        self.claims_hold(&claims, requested, now_seconds)?;
        let signature = Signature::from_slice(&decode(signature)?)
            .map_err(|_| TokenError::Malformed("its signature has not 64 bytes"))?;
        actor
            .public_key()
            .verify_token(signing_input.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;
        let single_use = claims
            .jti
            .as_deref()
            .filter(|_| requested.is_write())
            .map(|jti| {
                let digest = identity::hash(DOMAIN, &[claims.iss.as_bytes(), jti.as_bytes()]);
                let mut id = TokenId::default();
                id.copy_from_slice(&digest[..16]);
                (id, claims.exp.saturating_add(CLOCK_SKEW_SECONDS_MAX))
            });
        Ok(Accepted { actor, single_use })
    }

    fn claims_hold(
        &self,
        claims: &Claims,
        requested: Requested<'_>,
        now: u64,
    ) -> Result<(), TokenError> {
        if claims.aud != self.audience.as_str() {
            return Err(TokenError::Audience(self.audience.to_string()));
        }
        if claims.chain != self.chain.as_str() {
            return Err(TokenError::Chain(self.chain.to_string()));
        }
        if claims.iat > now.saturating_add(CLOCK_SKEW_SECONDS_MAX) {
            return Err(TokenError::Early);
        }
        if claims.exp.saturating_add(CLOCK_SKEW_SECONDS_MAX) <= now {
            return Err(TokenError::Ended);
        }
        let most = if requested.is_write() {
            WRITE_TOKEN_SECONDS_MAX
        } else {
            READ_TOKEN_SECONDS_MAX
        };
        if claims.exp.saturating_sub(claims.iat) > most {
            return Err(TokenError::LivesTooLong(most));
        }
        let body = || hex::encode(Sha256::digest(requested.body));
        binds(
            "method",
            claims.method.as_deref(),
            requested.is_write(),
            requested.method,
        )?;
        binds(
            "path",
            claims.path.as_deref(),
            requested.is_write(),
            requested.path,
        )?;
        if claims.body.is_some() || requested.is_write() {
            binds("body", claims.body.as_deref(), true, &body())?;
        }
        match claims.jti.as_deref() {
            None if requested.is_write() => Err(TokenError::Unbound("jti")),
            Some(jti) if jti.is_empty() || jti.len() > TOKEN_ID_BYTES_MAX => {
                Err(TokenError::Malformed("`jti` has no bytes or more than 64"))
            }
            _ => Ok(()),
        }
    }
}

fn binds(
    what: &'static str,
    claimed: Option<&str>,
    must: bool,
    requested: &str,
) -> Result<(), TokenError> {
    match claimed {
        None if must => Err(TokenError::Unbound(what)),
        Some(claimed) if claimed != requested => Err(TokenError::OtherRequest(what)),
        _ => Ok(()),
    }
}

/// Issues a token for one request: what a client does, kept beside what the server checks.
///
/// # Errors
/// [`TokenError::Malformed`] when the claims cannot be written; with a valid DID they can.
pub fn issue(
    key: &SecretKey,
    expected: &Expected,
    requested: Requested<'_>,
    now_seconds: u64,
    single_use_id: &str,
) -> Result<String, TokenError> {
    let did = key.did();
    let write = requested.is_write();
    let claims = Claims {
        dom: DOMAIN.to_owned(),
        iss: did.to_string(),
        aud: expected.audience.to_string(),
        chain: expected.chain.to_string(),
        iat: now_seconds,
        exp: now_seconds + 60,
        jti: write.then(|| single_use_id.to_owned()),
        method: write.then(|| requested.method.to_owned()),
        path: write.then(|| requested.path.to_owned()),
        body: write.then(|| hex::encode(Sha256::digest(requested.body))),
    };
    sign(key, &claims)
}

/// Signs `claims` as they are.
///
/// # Errors
/// [`TokenError::Malformed`] when they cannot be written.
pub fn sign(key: &SecretKey, claims: &Claims) -> Result<String, TokenError> {
    let unwritable = |_| TokenError::Malformed("its claims cannot be written");
    let header = Header {
        alg: algorithm(key.kind()).to_owned(),
        typ: Some("JWT".to_owned()),
        kid: key.did().to_string(),
    };
    let header = serde_json::to_vec(&header).map_err(unwritable)?;
    let payload = serde_json::to_vec(claims).map_err(unwritable)?;
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(payload));
    let signature = key
        .sign_token(token.as_bytes())
        .map_err(|_| TokenError::Malformed("it cannot be signed"))?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.as_bytes()));
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const POST: Requested<'static> = Requested {
        method: "POST",
        path: "/v1/documents",
        body: b"{}",
    };
    const GET: Requested<'static> = Requested {
        method: "GET",
        path: "/v1/documents/x",
        body: b"",
    };

    fn key(kind: KeyKind) -> SecretKey {
        SecretKey::from_seed(kind, [7; 32]).unwrap()
    }

    fn expected() -> Expected {
        Expected {
            audience: SecretKey::from_seed(KeyKind::Ed25519, [9; 32])
                .unwrap()
                .did(),
            chain: ChainId::parse("plant-1").unwrap(),
        }
    }

    fn claims() -> Claims {
        let token = issue(&key(KeyKind::Ed25519), &expected(), POST, NOW, "a").unwrap();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    #[test]
    fn every_kind_of_key_may_ask() {
        for kind in [KeyKind::Ed25519, KeyKind::Secp256k1, KeyKind::P256] {
            for requested in [POST, GET] {
                let token = issue(&key(kind), &expected(), requested, NOW, "once").unwrap();
                let accepted = expected().verify(&token, requested, NOW).unwrap();
                assert_eq!(accepted.actor, key(kind).did());
                assert_eq!(accepted.single_use.is_some(), requested.is_write());
            }
        }
    }

    #[test]
    fn a_write_token_is_worth_its_one_request() {
        let token = issue(&key(KeyKind::Ed25519), &expected(), POST, NOW, "a").unwrap();
        let check = |requested| expected().verify(&token, requested, NOW).unwrap_err();
        assert_eq!(
            check(Requested {
                method: "DELETE",
                ..POST
            }),
            TokenError::OtherRequest("method")
        );
        assert_eq!(
            check(Requested {
                path: "/v1/x",
                ..POST
            }),
            TokenError::OtherRequest("path")
        );
        assert_eq!(
            check(Requested {
                body: b"{ }",
                ..POST
            }),
            TokenError::OtherRequest("body")
        );
        let read = issue(&key(KeyKind::Ed25519), &expected(), GET, NOW, "").unwrap();
        assert_eq!(
            expected().verify(&read, POST, NOW).unwrap_err(),
            TokenError::Unbound("method")
        );
    }

    #[test]
    fn a_token_holds_for_its_sidecar_chain_and_time_only() {
        let check = |change: &dyn Fn(&mut Claims), now| {
            let mut claims = claims();
            change(&mut claims);
            let token = sign(&key(KeyKind::Ed25519), &claims).unwrap();
            expected()
                .verify(&token, POST, now)
                .map(|_| ())
                .unwrap_err()
        };
        let other = key(KeyKind::Ed25519).did().to_string();
        assert!(matches!(
            check(&|c| c.aud = other.clone(), NOW),
            TokenError::Audience(_)
        ));
        assert!(matches!(
            check(&|c| c.chain = "plant-2".into(), NOW),
            TokenError::Chain(_)
        ));
        assert_eq!(
            check(&|_| {}, NOW + 60 + CLOCK_SKEW_SECONDS_MAX),
            TokenError::Ended
        );
        assert_eq!(
            check(&|_| {}, NOW - CLOCK_SKEW_SECONDS_MAX - 1),
            TokenError::Early
        );
        assert_eq!(
            check(&|c| c.exp = NOW + 301, NOW),
            TokenError::LivesTooLong(300)
        );
        assert_eq!(check(&|c| c.jti = None, NOW), TokenError::Unbound("jti"));
        assert!(matches!(
            check(&|c| c.dom = "x".into(), NOW),
            TokenError::Malformed(_)
        ));
    }

    #[test]
    fn a_token_that_another_key_signed_or_that_was_changed_is_refused() {
        let mut forged = claims();
        forged.iss = key(KeyKind::P256).did().to_string();
        let token = sign(&key(KeyKind::Ed25519), &forged).unwrap();
        assert!(expected().verify(&token, POST, NOW).is_err());

        let token = issue(&key(KeyKind::Ed25519), &expected(), POST, NOW, "a").unwrap();
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'A' {
                b'B'
            } else {
                b'A'
            };
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                expected().verify(&changed, POST, NOW).is_err(),
                "byte {position} was changed"
            );
        }
        for wrong in [
            "",
            ".",
            "..",
            "a.b",
            &format!("{token}."),
            &format!("{token}="),
        ] {
            assert!(
                expected().verify(wrong, POST, NOW).is_err(),
                "{wrong:?} was accepted"
            );
        }
    }
}
