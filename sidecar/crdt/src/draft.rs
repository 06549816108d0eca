//! Writing a commit: prepare, sign, submit.
//!
//! Whoever holds the key may be elsewhere. [`Draft::prepare`] makes the two blocks; an external
//! signer gets their bytes, decodes them, sees what it signs, and returns a signature, which
//! [`Prepared::attach`] verifies.

use alloc::{string::String, vec::Vec};

use identity::{ChainId, Did, SecretKey, Signature};

use crate::{
    body::SALT_BYTES, header::CREATE, Authority, Body, BodyBlock, Cid, Commit, DocumentRef, Error,
    Header, HeaderBlock, HeaderParts, Operation, Schema,
};

/// What the author decides; the rest of a commit follows from it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The chain that has the policy.
    pub chain: ChainId,
    /// The document.
    pub document: DocumentRef,
    /// The version of the schema given to [`Draft::prepare`].
    pub schema_version: u64,
    /// The commits to follow, each with its DAG height, in any order.
    pub parents: Vec<(Cid, u64)>,
    /// Who will sign.
    pub author: Did,
    /// The author's clock, in milliseconds of Unix time.
    pub claimed_time_ms: u64,
    /// The hub state that the author cites.
    pub authority: Authority,
    /// Random, used once.
    pub salt: [u8; SALT_BYTES],
    /// What changes.
    pub operations: Vec<Operation>,
}

/// Both blocks of a commit that lacks its signature.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The header, which is what is signed.
    pub header: HeaderBlock,
    /// The body.
    pub body: BodyBlock,
}

impl Draft {
    /// Makes the blocks: checks the operations against the schema and lists the permissions that
    /// they take.
    ///
    /// # Errors
    /// [`Error::UnknownField`], [`Error::WrongKind`], or what [`Body::clear`] and
    /// [`Header::new`] refuse.
    pub fn prepare(self, schema: &Schema) -> Result<Prepared, Error> {
        let first = matches!(self.document, DocumentRef::First(_));
        let mut permissions: Vec<String> = Vec::new();
        if first {
            permissions.push(CREATE.into());
        }
        for operation in &self.operations {
            let permission = schema.permission(operation, first)?;
            if !permissions.iter().any(|listed| listed == permission) {
                permissions.push(permission.into());
            }
        }
        permissions.sort_unstable();
        let body = Body::clear(self.salt, self.operations)?.into_block()?;
        let mut parents: Vec<Cid> = self.parents.iter().map(|(parent, _)| *parent).collect();
        parents.sort_unstable();
        parents.dedup();
        let highest = self
            .parents
            .iter()
            .map(|(_, height)| *height)
            .max()
            .unwrap_or(0);
        let header = Header::new(HeaderParts {
            chain: self.chain,
            document: self.document,
            schema_version: self.schema_version,
            parents,
            height: highest.saturating_add(1),
            author: self.author,
            claimed_time_ms: self.claimed_time_ms,
            authority: self.authority,
            permissions,
            body: *body.cid(),
            body_bytes: body.bytes().len() as u64,
        })?
        .into_block()?;
        Ok(Prepared { header, body })
    }
}

impl Prepared {
    /// Signs with a key at hand.
    ///
    /// # Errors
    /// [`Error::WrongKey`] if the key is not the author's.
    pub fn sign(self, key: &SecretKey) -> Result<(Commit, BodyBlock), Error> {
        let header = self.header.header();
        if header.author.public_key() != key.public_key() {
            return Err(Error::WrongKey {
                author: header.author.clone(),
                key: key.did(),
            });
        }
        let signature = key.sign_commit(&header.chain, self.header.bytes());
        Ok((Commit::trusted(self.header, signature), self.body))
    }

    /// Takes a signature that was made elsewhere, and verifies it.
    ///
    /// # Errors
    /// [`Error::Signature`].
    pub fn attach(self, signature: Signature) -> Result<(Commit, BodyBlock), Error> {
        let chain = self.header.header().chain.clone();
        Ok((self.header.verify(&chain, signature)?, self.body))
    }
}
