//! A bundle as data, and its bytes.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crdt::{Cid, HeaderBlock};
use hub_light::{EarlierBlocks, LightBlock, RevisionChanges, StateProof};
use hub_types::audit::AnchorLeaf;
use hub_types::{range_to_wire, LogId, PolicyId, Record};
use identity::{ChainId, SecretKey};
use merkle::{CompactRange, Hash};
use prost::Message;
use wire::light::TreeProof;

use super::container::{self, BUNDLE_BYTES_MAX};
use super::form;
use crate::leaf::Disclosure;
use crate::shown::{path_to_wire, shown_to_wire};

/// A bundle as data. The node fills one; [`Trail::encode`] brings it into its one order.
///
/// All state proofs must be of the state under `header`: state height = header height − 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    /// The chain.
    pub chain: ChainId,
    /// The policy that the log is about.
    pub policy: PolicyId,
    /// The log.
    pub log: LogId,
    /// The header that the auditor will trust.
    pub header: LightBlock,
    /// Proof of the policy's record.
    pub policy_record: StateProof,
    /// Every revision of the policy, from the first.
    pub revisions: Vec<RevisionChanges>,
    /// Headers of blocks whose times verdicts hang on, where other parts of the bundle do not tell
    /// them. [`crate::bundle::verify`] names what is wanted.
    pub times: Option<EarlierBlocks>,
    /// Proof of the log's record.
    pub log_record: StateProof,
    /// Index of the first anchor that the bundle names; none to begin at the log's first leaf.
    pub from_anchor: Option<u64>,
    /// The compact range of the log of anchors at `from_anchor`; empty without one.
    pub anchors_before: CompactRange,
    /// The anchors from `from_anchor` (or 0) to the last that the bundle names, at least one.
    pub anchors: Vec<AnchorLeaf>,
    /// RFC 6962 consistency proof from the log of anchors that ends with them to the record's.
    pub anchors_consistency: Vec<Hash>,
    /// The compact range of the log at the size of the first anchor; empty without one.
    pub leaves_before: CompactRange,
    /// Every leaf from there to the last anchor's size.
    pub leaves: Vec<Disclosure>,
    /// Every commit of the documents that the bundle is about.
    pub commits: Vec<CommitBlocks>,
    /// For each document, its entry in the heads tree of the last anchor.
    pub heads: Vec<HeadsProof>,
    /// Receipts for commits of the bundle.
    pub witnesses: Vec<WitnessLog>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitBlocks {
    /// The header's block.
    pub header: Vec<u8>,
    /// The author's signature.
    pub signature: Vec<u8>,
    /// The body's block, where it is disclosed.
    pub body: Option<Vec<u8>>,
}

/// The entry of one document in the heads tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadsProof {
    /// The document.
    pub document: Cid,
    /// The entry, [`crate::heads::DocumentHeads::encode`].
    pub value: Vec<u8>,
    /// Encoded `cosmos.ics23.v1.CommitmentProof` of existence.
    pub ics23: Vec<u8>,
}

/// Leaves of one log under their anchors.
#[derive(Debug, Clone, PartialEq)]
pub struct WitnessLog {
    /// The log.
    pub log: LogId,
    /// Proof of the log's record.
    pub record: StateProof,
    /// Anchors, each with the leaves that it is the first to cover.
    pub anchors: Vec<WitnessAnchor>,
}

/// One anchor of a witness's log.
#[derive(Debug, Clone, PartialEq)]
pub struct WitnessAnchor {
    /// Its index in the log of anchors.
    pub index: u64,
    /// The anchor.
    pub anchor: AnchorLeaf,
    /// RFC 6962 inclusion in the record's log of anchors.
    pub path: Vec<Hash>,
    /// Leaves under it.
    pub leaves: Vec<WitnessLeaf>,
}

/// One leaf under an anchor.
#[derive(Debug, Clone, PartialEq)]
pub struct WitnessLeaf {
    /// Its index.
    pub index: u64,
    /// The leaf, opened.
    pub leaf: Disclosure,
    /// RFC 6962 inclusion under the anchor's size and root.
    pub path: Vec<Hash>,
}

/// Why a trail cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    /// No anchor: nothing would be proven.
    #[error("a bundle needs at least one anchor; wait until the log is anchored")]
    NoAnchor,
    /// A commit's header does not read.
    #[error("a commit's header does not read: {0}")]
    Header(String),
    /// Too large.
    #[error(
        "the bundle would have {bytes} bytes, more than {BUNDLE_BYTES_MAX}; ask for fewer leaves"
    )]
    TooLong {
        /// As it would be.
        bytes: usize,
    },
}

impl Trail {
    /// The bundle's bytes: canonical, so equal trails give equal files.
    ///
    /// Sorts what has an order (commits, entries, witnesses). It does not verify; whoever writes
    /// a bundle verifies it with [`crate::bundle::verify`] before handing it out.
    ///
    /// Without a seal anybody who hands the file on could put together a smaller one, with a body
    /// or an attestation left out; see [`Trail::encode_sealed`].
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn encode(&self) -> Result<Vec<u8>, TrailError> {
        bounded(container::end(self.begin(String::new())?, &[]))
    }

    /// The bundle's bytes, sealed: the issuer, best the log's operator, signs the whole of it, so
    /// that nobody else can leave out a part and have it look the same.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn encode_sealed(&self, issuer: &SecretKey) -> Result<Vec<u8>, TrailError> {
        let file = self.begin(issuer.did().to_string())?;
        let signature = issuer.sign_promise(&self.chain, &sealed_digest(&file));
        bounded(container::end(file, signature.as_bytes()))
    }

    /// Everything before the seal.
    fn begin(&self, issuer: String) -> Result<Vec<u8>, TrailError> {
        let last = (self.anchors.len() as u64)
            .checked_sub(1)
            .ok_or(TrailError::NoAnchor)?;
        let documents: BTreeSet<Cid> = self.heads.iter().map(|entry| entry.document).collect();
        let subject = form::Subject {
            chain_id: self.chain.to_string(),
            policy: self.policy.to_vec(),
            log: self.log.to_vec(),
            height: self.header.height().0,
            from_anchor: self.from_anchor,
            to_anchor: self.from_anchor.unwrap_or(0) + last,
            documents: documents
                .iter()
                .map(|cid| cid.to_bytes().to_vec())
                .collect(),
            issuer,
        };
        let policy = form::PolicySection {
            record: Some(self.policy_record.to_wire()),
            revisions: self
                .revisions
                .iter()
                .map(RevisionChanges::to_wire)
                .collect(),
            times: self.times.as_ref().map(EarlierBlocks::to_wire),
        };
        let log = form::LogSection {
            record: Some(self.log_record.to_wire()),
            before: Some(range_to_wire(&self.anchors_before)),
            anchors: self.anchors.iter().map(Record::to_wire).collect(),
            consistency: path_to_wire(&self.anchors_consistency),
        };
        let leaves = form::LeavesSection {
            before: Some(range_to_wire(&self.leaves_before)),
            leaves: self.leaves.iter().map(shown_to_wire).collect(),
        };
        Ok(container::begin(&[
            subject.encode_to_vec(),
            self.header.to_bytes(),
            policy.encode_to_vec(),
            log.encode_to_vec(),
            leaves.encode_to_vec(),
            self.commits_section()?.encode_to_vec(),
            self.heads_section().encode_to_vec(),
            self.witnesses_section().encode_to_vec(),
        ]))
    }

    fn commits_section(&self) -> Result<form::CommitsSection, TrailError> {
        let mut commits = Vec::with_capacity(self.commits.len());
        for commit in &self.commits {
            let block = HeaderBlock::decode(commit.header.clone())
                .map_err(|error| TrailError::Header(error.to_string()))?;
            let place = commit_place(&block);
            let blocks = form::CommitBlocks {
                header: commit.header.clone(),
                signature: commit.signature.clone(),
                body: commit.body.clone(),
            };
            commits.push((place, blocks));
        }
        commits.sort_by_key(|(place, _)| *place);
        commits.dedup_by(|(left, _), (right, _)| left == right);
        Ok(form::CommitsSection {
            commits: commits.into_iter().map(|(_, blocks)| blocks).collect(),
        })
    }

    fn heads_section(&self) -> form::HeadsSection {
        let mut heads: Vec<&HeadsProof> = self.heads.iter().collect();
        heads.sort_by_key(|entry| entry.document);
        heads.dedup_by_key(|entry| entry.document);
        form::HeadsSection {
            entries: heads
                .into_iter()
                .map(|entry| TreeProof {
                    key: entry.document.to_bytes().to_vec(),
                    value: Some(entry.value.clone()),
                    ics23: entry.ics23.clone(),
                })
                .collect(),
        }
    }

    fn witnesses_section(&self) -> form::WitnessesSection {
        let mut logs: Vec<&WitnessLog> = self.witnesses.iter().collect();
        logs.sort_by_key(|witness| witness.log);
        form::WitnessesSection {
            logs: logs.into_iter().map(witness_to_wire).collect(),
        }
    }
}

fn bounded(file: Vec<u8>) -> Result<Vec<u8>, TrailError> {
    match file.len() <= BUNDLE_BYTES_MAX {
        true => Ok(file),
        false => Err(TrailError::TooLong { bytes: file.len() }),
    }
}

/// What the issuer signs: a hash, in a domain of its own, of all bytes before the seal.
pub(crate) fn sealed_digest(before_seal: &[u8]) -> [u8; 32] {
    identity::hash("holdfast/trail/1", &[before_seal])
}

/// Where a commit stands in its section: by document, then DAG height, then CID; so parents come
/// first.
pub(crate) fn commit_place(block: &HeaderBlock) -> (Cid, u64, Cid) {
    (
        *block.header().document_id().cid(),
        block.header().height,
        *block.cid(),
    )
}

fn witness_to_wire(witness: &WitnessLog) -> form::WitnessLog {
    let mut anchors: Vec<&WitnessAnchor> = witness.anchors.iter().collect();
    anchors.sort_by_key(|anchor| anchor.index);
    form::WitnessLog {
        record: Some(witness.record.to_wire()),
        anchors: anchors
            .into_iter()
            .map(|anchor| {
                let mut leaves: Vec<&WitnessLeaf> = anchor.leaves.iter().collect();
                leaves.sort_by_key(|leaf| leaf.index);
                form::WitnessAnchor {
                    index: anchor.index,
                    anchor: Some(anchor.anchor.to_wire()),
                    path: path_to_wire(&anchor.path),
                    leaves: leaves
                        .into_iter()
                        .map(|leaf| form::WitnessLeaf {
                            index: leaf.index,
                            leaf: Some(shown_to_wire(&leaf.leaf)),
                            path: path_to_wire(&leaf.path),
                        })
                        .collect(),
                }
            })
            .collect(),
    }
}
