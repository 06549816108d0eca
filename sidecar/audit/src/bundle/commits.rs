//! The commits: signatures, bodies, and that each document's history is whole.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec::Vec;

use crdt::{Cid, Commit, Disclosure, DocumentId};

use super::container::Section;
use super::error::{VerifyError, Wrong};
use super::read::{explain, Blocks, Subject};
use crate::verdict::DocumentClaim;

/// One verified commit.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub commit: Commit,
    pub body: Disclosure,
}

/// One document with all its commits, parents first.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub id: DocumentId,
    pub claim: DocumentClaim,
    pub commits: Vec<Held>,
    pub tips: BTreeSet<Cid>,
}

/// Verifies signatures and bodies, and sorts the commits by document.
///
/// # Errors
/// The first commit that is of another chain, badly signed, beside its body, of a document that
/// the bundle is not about, or without its parents.
pub(crate) fn documents(
    commits: Vec<Blocks>,
    subject: &Subject,
) -> Result<BTreeMap<Cid, Document>, VerifyError> {
    let mut bodies = Vec::with_capacity(commits.len());
    let mut blocks = Vec::with_capacity(commits.len());
    for commit in commits {
        bodies.push(commit.body);
        blocks.push((commit.block, commit.signature));
    }
    let verified = Commit::verify_all(&subject.chain, blocks);
    let mut documents: BTreeMap<Cid, Document> = BTreeMap::new();
    let mut known: BTreeSet<Cid> = BTreeSet::new();
    for ((place, commit), body) in (0u64..).zip(verified).zip(bodies) {
        let at = |wrong| VerifyError::at(Section::Commits, place, wrong);
        let commit = commit.map_err(|error| at(Wrong::Commit(explain(&error))))?;
        let id = commit.header().document_id();
        if !subject.documents.contains(id.cid()) {
            return Err(at(Wrong::OtherDocument(id.to_string())));
        }
        let body = match body {
            None => Disclosure::Absent,
            Some(bytes) => commit
                .open_body(&bytes)
                .map_err(|error| at(Wrong::Commit(explain(&error))))?,
        };
        let document = match documents.get_mut(id.cid()) {
            Some(document) => document,
            None => {
                // Parents come first, so the first one must be the one that creates.
                let Some(preimage) = commit.header().preimage() else {
                    let parent = commit.header().parents.first();
                    let parent = parent.map(Cid::to_string).unwrap_or_default();
                    return Err(at(Wrong::ParentMissing(parent)));
                };
                let claim = DocumentClaim::of(preimage)
                    .map_err(|error| at(Wrong::Commit(explain(&error))))?;
                documents.entry(*id.cid()).or_insert(Document {
                    id,
                    claim,
                    commits: Vec::new(),
                    tips: BTreeSet::new(),
                })
            }
        };
        for parent in &commit.header().parents {
            if !known.contains(parent) {
                return Err(at(Wrong::ParentMissing(parent.to_string())));
            }
            document.tips.remove(parent);
        }
        known.insert(*commit.cid());
        document.tips.insert(*commit.cid());
        document.commits.push(Held { commit, body });
    }
    Ok(documents)
}
