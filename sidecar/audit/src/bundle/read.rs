//! From payloads to checked data: every section decoded in its one spelling, every field in its
//! one form. What is proven comes after; nothing here is believed yet.

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::error::Error;

use crdt::{Cid, HeaderBlock};
use hub_types::audit::AnchorLeaf;
use hub_types::{LogId, PolicyId, Record};
use identity::{ChainId, Did, Signature};
use prost::Message;
use wire::canonical;

use super::container::{Section, BUNDLE_BYTES_MAX};
use super::error::{VerifyError, Wrong};
use super::form;

/// What the bundle says that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub chain: ChainId,
    pub policy: PolicyId,
    pub log: LogId,
    pub height: u64,
    pub from_anchor: Option<u64>,
    pub to_anchor: u64,
    pub documents: BTreeSet<Cid>,
    pub issuer: Option<Did>,
}

/// A commit whose header reads; its signature is not verified yet.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    pub block: HeaderBlock,
    pub signature: Signature,
    pub body: Option<Vec<u8>>,
}

/// Decodes a section's protobuf, and refuses every other spelling of it.
pub(crate) fn section<M: Message + Default>(
    section: Section,
    payload: &[u8],
) -> Result<M, VerifyError> {
    canonical::decode(payload, BUNDLE_BYTES_MAX)
        .map_err(|error| VerifyError::of(section, Wrong::Encoding(explain(&error))))
}

/// A required message of a section.
pub(crate) fn required<'a, T>(
    section: Section,
    field: &'static str,
    value: &'a Option<T>,
) -> Result<&'a T, VerifyError> {
    value
        .as_ref()
        .ok_or_else(|| VerifyError::of(section, Wrong::field(field, "it is missing")))
}

/// Reads an anchor, and refuses another spelling of it.
pub(crate) fn anchor_leaf(wire: &wire::audit::AnchorLeaf) -> Result<AnchorLeaf, Wrong> {
    let anchor = AnchorLeaf::from_wire(wire.clone())
        .map_err(|error| Wrong::field("anchor", explain(&error)))?;
    match anchor.to_wire() == *wire {
        true => Ok(anchor),
        false => Err(Wrong::Encoding("an anchor has a field too many".into())),
    }
}

/// An error with all that led to it, in one line.
pub(crate) fn explain(error: &dyn Error) -> alloc::string::String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

pub(crate) fn subject(payload: &[u8]) -> Result<Subject, VerifyError> {
    let at = |wrong| VerifyError::of(Section::Subject, wrong);
    let wire: form::Subject = section(Section::Subject, payload)?;
    let documents = wire
        .documents
        .iter()
        .map(|bytes| Cid::from_bytes(bytes))
        .collect::<Result<Vec<Cid>, _>>()
        .map_err(|error| at(Wrong::field("documents", error)))?;
    if !documents.is_sorted_by(|left, right| left < right) {
        return Err(at(Wrong::Order));
    }
    if wire.from_anchor.is_some_and(|from| from > wire.to_anchor) {
        return Err(at(Wrong::field("to_anchor", "it lies before from_anchor")));
    }
    if wire.height == 0 {
        return Err(at(Wrong::field("height", "no header has height 0")));
    }
    let issuer = match wire.issuer.as_str() {
        "" => None,
        text => Some(Did::parse(text).map_err(|error| at(Wrong::field("issuer", error)))?),
    };
    Ok(Subject {
        issuer,
        chain: ChainId::parse(&wire.chain_id)
            .map_err(|error| at(Wrong::field("chain_id", error)))?,
        policy: PolicyId::from_slice(&wire.policy)
            .map_err(|error| at(Wrong::field("policy", error)))?,
        log: LogId::from_slice(&wire.log).map_err(|error| at(Wrong::field("log", error)))?,
        height: wire.height,
        from_anchor: wire.from_anchor,
        to_anchor: wire.to_anchor,
        documents: documents.into_iter().collect(),
    })
}

/// Checks the seal: the issuer's signature over everything before it, or none at all.
pub(crate) fn seal(payload: &[u8], file: &[u8], subject: &Subject) -> Result<(), VerifyError> {
    let at = |wrong| VerifyError::of(Section::Seal, wrong);
    let Some(issuer) = &subject.issuer else {
        return match payload.is_empty() {
            true => Ok(()),
            false => Err(at(Wrong::Seal("it is sealed, but names no issuer".into()))),
        };
    };
    let signature =
        Signature::from_slice(payload).map_err(|error| at(Wrong::Seal(explain(&error))))?;
    // After the seal come the checksum alone; before it, its own tag and length.
    let before = file
        .len()
        .saturating_sub(payload.len() + super::container::AFTER_SEAL_BYTES);
    let digest = super::trail::sealed_digest(&file[..before]);
    issuer
        .public_key()
        .verify_promise(&subject.chain, &digest, &signature)
        .map_err(|error| at(Wrong::Seal(explain(&error))))
}

/// Reads the commits, in their one order. Items are counted by their place.
pub(crate) fn commits(payload: &[u8]) -> Result<Vec<Blocks>, VerifyError> {
    let wire: form::CommitsSection = section(Section::Commits, payload)?;
    let mut read: Vec<Blocks> = Vec::with_capacity(wire.commits.len());
    for (place, blocks) in (0u64..).zip(wire.commits) {
        let at = |wrong| VerifyError::at(Section::Commits, place, wrong);
        let block = HeaderBlock::decode(blocks.header)
            .map_err(|error| at(Wrong::Commit(explain(&error))))?;
        let signature = Signature::from_slice(&blocks.signature)
            .map_err(|error| at(Wrong::Commit(explain(&error))))?;
        let in_order = read.last().is_none_or(|before| {
            super::trail::commit_place(&before.block) < super::trail::commit_place(&block)
        });
        if !in_order {
            return Err(at(Wrong::Order));
        }
        read.push(Blocks {
            block,
            signature,
            body: blocks.body,
        });
    }
    Ok(read)
}
