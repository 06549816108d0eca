//! A commit: a header whose signature was verified.

use alloc::{sync::Arc, vec::Vec};

use identity::{Batch, ChainId, Signature, Statement};

use crate::{Cid, Disclosure, Error, Header, HeaderBlock};

/// A header, and a signature of its author over it. There is no other way to one than through
/// verification, but for [`Commit::trusted`].
///
/// The signature travels beside the header and is no part of what the CID names, so a commit has
/// one name however it was signed; two commits are equal if their headers are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Commit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    block: HeaderBlock,
    signature: Signature,
}

impl Commit {
    /// Decodes a header, puts the signature beside it and verifies it.
    ///
    /// # Errors
    /// As [`HeaderBlock::decode`] and [`HeaderBlock::verify`].
    pub fn decode(chain: &ChainId, header: Vec<u8>, signature: Signature) -> Result<Self, Error> {
        HeaderBlock::decode(header)?.verify(chain, signature)
    }

    /// A commit whose signature was verified before, as when a replica reads its own store.
    pub fn trusted(block: HeaderBlock, signature: Signature) -> Self {
        Self(Arc::new(Inner { block, signature }))
    }

    /// Verifies many at once: ed25519 signatures in a batch cost about half. The result at each
    /// place is what [`HeaderBlock::verify`] says of it.
    pub fn verify_all(
        chain: &ChainId,
        blocks: Vec<(HeaderBlock, Signature)>,
    ) -> Vec<Result<Self, Error>> {
        let mut batch = Batch::new();
        for (block, signature) in &blocks {
            // A header of another chain is refused below, whatever its signature is.
            let statement = Statement::commit(chain, block.bytes());
            batch.push(block.header().author.public_key(), statement, signature);
        }
        let results = batch.verify();
        blocks
            .into_iter()
            .zip(results)
            .map(|((block, signature), result)| {
                let found = &block.header().chain;
                if found != chain {
                    let (expected, found) = (chain.clone(), found.clone());
                    return Err(Error::WrongChain { expected, found });
                }
                let commit = *block.cid();
                result.map_err(|source| Error::Signature { commit, source })?;
                Ok(Self::trusted(block, signature))
            })
            .collect()
    }

    /// The commit's name.
    pub fn cid(&self) -> &Cid {
        self.0.block.cid()
    }

    /// The header.
    pub fn header(&self) -> &Header {
        self.0.block.header()
    }

    /// The header's bytes.
    pub fn header_bytes(&self) -> &[u8] {
        self.0.block.bytes()
    }

    /// The signature.
    pub fn signature(&self) -> &Signature {
        &self.0.signature
    }

    /// Opens the body of this commit.
    ///
    /// # Errors
    /// [`Error::WrongBody`], as [`Header::open_body`].
    pub fn open_body(&self, bytes: &[u8]) -> Result<Disclosure, Error> {
        self.header().open_body(self.cid(), bytes)
    }
}

impl PartialEq for Commit {
    fn eq(&self, other: &Self) -> bool {
        self.cid() == other.cid()
    }
}

impl Eq for Commit {}
