//! What a signature covers. A statement is bytes together with what they are for.
//!
//! The invariant: statements of two purposes, or of one purpose on two chains, never share
//! their bytes, so no signature can be carried from one to the other.
//!
//! A dressed statement (commit, command, delegation, promise) is
//!
//! ```text
//! length of domain (1 byte) | domain | length of chain id (1 byte) | chain id | payload
//! ```
//!
//! with the domain `holdfast/<purpose>/1`. Transactions and tokens have formats of their own
//! that other software must be able to sign, so their bytes are covered as they are: a Cosmos
//! `SignDoc` (which carries the chain id) and a JWS signing input (domain and chain id are
//! claims). A `SignDoc` with a body starts with 0x0a and a JWS signing input with a letter, so
//! neither can start like a dressed statement; bytes that do are refused all the same.

use alloc::{borrow::Cow, vec::Vec};

use crate::{ChainId, IdentityError};

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A step of a document.
    Commit,
    /// A command that somebody else brings to the hub.
    Command,
    /// A bearer token (JWS).
    Token,
    /// The right of another key, a sidecar's, to act for this one.
    Delegation,
    /// A log operator's promise that a leaf will stand under an anchor.
    Promise,
    /// A Cosmos transaction (`SignDoc`).
    Transaction,
}

impl Purpose {
    /// All purposes, for tests.
    pub const ALL: [Self; 6] = [
        Self::Commit,
        Self::Command,
        Self::Token,
        Self::Delegation,
        Self::Promise,
        Self::Transaction,
    ];

    /// The domain tag. Transactions have none: their format is not ours.
    pub const fn domain(self) -> Option<&'static str> {
        match self {
            Self::Commit => Some("holdfast/commit/1"),
            Self::Command => Some("holdfast/command/1"),
            Self::Token => Some("holdfast/token/1"),
            Self::Delegation => Some("holdfast/delegation/1"),
            Self::Promise => Some("holdfast/promise/1"),
            Self::Transaction => None,
        }
    }
}

/// The bytes that a signature covers, ready to be signed or verified. Somebody who signs
/// outside (a wallet, a hardware key) signs [`Statement::as_bytes`] by the key's own rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    purpose: Purpose,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Statement<'a> {
    /// A commit header.
    pub fn commit(chain: &ChainId, payload: &[u8]) -> Self {
        Self::dressed(Purpose::Commit, "holdfast/commit/1", chain, payload)
    }

    /// A command's canonical payload.
    pub fn command(chain: &ChainId, payload: &[u8]) -> Self {
        Self::dressed(Purpose::Command, "holdfast/command/1", chain, payload)
    }

    /// A delegation.
    pub fn delegation(chain: &ChainId, payload: &[u8]) -> Self {
        Self::dressed(Purpose::Delegation, "holdfast/delegation/1", chain, payload)
    }

    /// A promise.
    pub fn promise(chain: &ChainId, payload: &[u8]) -> Self {
        Self::dressed(Purpose::Promise, "holdfast/promise/1", chain, payload)
    }

    /// A JWS signing input (RFC 7515 §5.1): `base64url(header) . base64url(payload)`. Domain
    /// (`holdfast/token/1`) and chain id are claims, checked by whoever reads the token.
    ///
    /// # Errors
    /// [`IdentityError::StatementAmbiguous`] for bytes that start like a dressed statement.
    pub fn token(signing_input: &'a [u8]) -> Result<Self, IdentityError> {
        Self::undressed(Purpose::Token, signing_input)
    }

    /// The bytes of a Cosmos `SignDoc` (SIGN_MODE_DIRECT), which carries the chain id.
    ///
    /// # Errors
    /// [`IdentityError::StatementAmbiguous`] for bytes that start like a dressed statement.
    pub fn transaction(sign_doc: &'a [u8]) -> Result<Self, IdentityError> {
        Self::undressed(Purpose::Transaction, sign_doc)
    }

    /// What the statement is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The bytes to sign.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn dressed(purpose: Purpose, domain: &str, chain: &ChainId, payload: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(2 + domain.len() + chain.as_str().len() + payload.len());
        for part in [domain, chain.as_str()] {
            // Domains are the constants above and a chain id has at most 50 bytes.
            bytes.push(part.len() as u8);
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(payload);
        Self {
            purpose,
            bytes: Cow::Owned(bytes),
        }
    }

    fn undressed(purpose: Purpose, bytes: &'a [u8]) -> Result<Self, IdentityError> {
        if bytes
            .get(1..)
            .is_some_and(|rest| rest.starts_with(b"holdfast/"))
        {
            return Err(IdentityError::StatementAmbiguous);
        }
        Ok(Self {
            purpose,
            bytes: Cow::Borrowed(bytes),
        })
    }
}
