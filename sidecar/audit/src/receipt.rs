//! A receipt: one leaf, proven under one trusted header.
//!
//! It is what an answer can carry and what sidecars exchange as attestations: an audit log's leaf,
//! its inclusion under an anchor, and the proof of that anchor. `docs/spec/log.md` §4.

use alloc::string::ToString;
use alloc::vec::Vec;

use hub_light::{AnchorProof, Anchored, Trusted};
use hub_types::{LogId, PolicyId};
use merkle::Hash;
use policy::Actor;
use prost::Message;
use wire::canonical;

use crate::bundle::form;
use crate::bundle::read::explain;
use crate::bundle::Wrong;
use crate::content::{CommitHeld, Content, Origin};
use crate::leaf::Disclosure;
use crate::shown::{path_from_wire, path_to_wire, shown_from_wire, shown_to_wire};
use crate::verdict::Attestation;

/// Bytes of a receipt: a leaf of at most 4 kB, three paths of at most 50 hashes, a state proof.
/// Real ones have about 2 kB.
pub const RECEIPT_BYTES_MAX: usize = 32 * 1024;

/// One leaf under an anchor under a header.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The leaf's index.
    pub index: u64,
    /// What is shown of it.
    pub leaf: Disclosure,
    /// RFC 6962 inclusion under the anchor's size and root.
    pub path: Vec<Hash>,
    /// The anchor under a header.
    pub anchor: AnchorProof,
}

/// What a verified receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The leaf's index.
    pub index: u64,
    /// The anchor, and the log's record.
    pub anchored: Anchored,
}

impl Receipt {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        form::Receipt {
            index: self.index,
            leaf: Some(shown_to_wire(&self.leaf)),
            path: path_to_wire(&self.path),
            anchor: Some(self.anchor.to_wire()),
        }
        .encode_to_vec()
    }

    /// Reads [`Receipt::to_bytes`], and no other spelling. Nothing is proven yet.
    ///
    /// # Errors
    /// [`Wrong`], what does not read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Receipt, Wrong> {
        let wire: form::Receipt = canonical::decode(bytes, RECEIPT_BYTES_MAX)
            .map_err(|error| Wrong::Encoding(explain(&error)))?;
        let leaf = wire
            .leaf
            .as_ref()
            .ok_or_else(|| Wrong::field("leaf", "it is missing"))?;
        let anchor = wire
            .anchor
            .as_ref()
            .ok_or_else(|| Wrong::field("anchor", "it is missing"))?;
        let receipt = Receipt {
            index: wire.index,
            leaf: shown_from_wire(leaf, wire.index)?,
            path: path_from_wire("path", &wire.path)?,
            anchor: AnchorProof::from_wire(anchor)
                .map_err(|error| Wrong::proof("the anchor", explain(&error)))?,
        };
        match receipt.to_bytes() == bytes {
            true => Ok(receipt),
            false => Err(Wrong::Encoding("it has a field too many".into())),
        }
    }

    /// Verifies the receipt under a trusted header, which must be the one that it was made under.
    ///
    /// # Errors
    /// [`Wrong::Proof`] or [`Wrong::Merkle`], whichever step fails first.
    pub fn verify(&self, trusted: &Trusted, log: &LogId) -> Result<Received, Wrong> {
        let anchored = self
            .anchor
            .verify(trusted, log)
            .map_err(|error| Wrong::proof("the anchor", explain(&error)))?;
        merkle::verify_inclusion(
            &self.leaf.leaf(self.index).hash(),
            self.index,
            anchored.leaf.size,
            &self.path,
            &anchored.leaf.root,
        )
        .map_err(|error| Wrong::merkle("the leaf", error.to_string()))?;
        Ok(Received {
            index: self.index,
            anchored,
        })
    }

    /// Verifies the receipt as an attestation in a log about `policy`: gives the commit that the
    /// operator says it held, and what [`crate::verdict::decide`] needs to know.
    ///
    /// # Errors
    /// As [`Receipt::verify`]; [`Wrong::Field`] when the leaf is not an opened `commit-held`, or
    /// the log is about another policy.
    pub fn attestation(
        &self,
        trusted: &Trusted,
        log: &LogId,
        policy: &PolicyId,
    ) -> Result<(CommitHeld, Attestation), Wrong> {
        let received = self.verify(trusted, log)?;
        let Some(Content::CommitHeld(held)) = self.leaf.opening().map(|opening| opening.content())
        else {
            return Err(Wrong::field(
                "leaf",
                "it does not say that a commit was held",
            ));
        };
        if held.origin != Origin::Peer {
            return Err(Wrong::field(
                "leaf",
                "a sidecar does not attest what was written through it",
            ));
        }
        let record = &received.anchored.record;
        if record.policy != *policy {
            return Err(Wrong::field("anchor", "the log is about another policy"));
        }
        let operator =
            Actor::new(record.operator.as_str()).map_err(|error| Wrong::field("anchor", error))?;
        let attestation = Attestation {
            height: held.height,
            revision: held.revision,
            anchor_height: received.anchored.leaf.height.0,
            operator,
        };
        Ok((held.clone(), attestation))
    }
}
