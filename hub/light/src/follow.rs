//! Following a policy: all its revisions, knowing that none is missing.
//!
//! A policy's record holds the compact range of its log. Whoever has as many leaves as the record
//! counts, and finds the record's root, has them all (DESIGN §5). A page that does not reach the
//! end comes with a consistency proof to the record's log, so it is proven before it is applied.

use alloc::vec::Vec;

use hub_types::{
    policy::{changes_root, keys, messages::BLOCK_CHANGES_MAX, Change, PolicyLeaf, PolicyRecord},
    Height, PolicyId, Record,
};
use merkle::{CompactRange, Hash};
use policy::History;
use wire::policy as proto;

use crate::{
    proof::decode_message,
    record_proof::{hashes_from_wire, hashes_to_wire, required},
    LightError, StateProof, Trusted,
};

/// The most revisions of one page.
pub const PAGE_REVISIONS_MAX: usize = 1_000;

/// The most changes of one revision: twice what the hub lets one block make of a policy.
pub const REVISION_CHANGES_MAX: usize = 100_000;

const _: () = assert!(
    BLOCK_CHANGES_MAX <= REVISION_CHANGES_MAX,
    "a block may make a revision that no follower takes"
);

/// The largest encoded page.
pub const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most hashes of a consistency proof.
const CONSISTENCY_HASHES_MAX: usize = 49;

/// One revision and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionChanges {
    /// The leaf.
    pub leaf: PolicyLeaf,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

impl RevisionChanges {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> proto::Revision {
        proto::Revision {
            leaf: Some(self.leaf.to_wire()),
            changes: self.changes.iter().map(Record::to_wire).collect(),
        }
    }

    /// Reads the protobuf form. That the changes are those of the leaf is checked by the follower.
    ///
    /// # Errors
    /// [`LightError::TooMany`], [`LightError::Malformed`], [`LightError::Record`].
    pub fn from_wire(wire: &proto::Revision) -> Result<Self, LightError> {
        if wire.changes.len() > REVISION_CHANGES_MAX {
            let found = wire.changes.len();
            return Err(LightError::TooMany {
                what: "changes",
                found,
                max: REVISION_CHANGES_MAX,
            });
        }
        let leaf = required(wire.leaf.as_ref(), "a revision's leaf")?;
        Ok(Self {
            leaf: PolicyLeaf::from_wire(leaf.clone())?,
            changes: wire
                .changes
                .iter()
                .map(|change| Change::from_wire(change.clone()))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Revisions in order, and what proves them.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangesPage {
    /// The revisions.
    pub revisions: Vec<RevisionChanges>,
    /// The policy's record.
    pub record: StateProof,
    /// From the log that ends with these revisions to the record's; empty at the end.
    pub consistency: Vec<Hash>,
}

impl ChangesPage {
    /// The protobuf form, which answers `Changes`.
    #[must_use]
    pub fn to_wire(&self) -> proto::QueryChangesResponse {
        proto::QueryChangesResponse {
            revisions: self
                .revisions
                .iter()
                .map(RevisionChanges::to_wire)
                .collect(),
            record: Some(self.record.to_wire()),
            consistency: hashes_to_wire(&self.consistency),
        }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// As those of the parts.
    pub fn from_wire(wire: &proto::QueryChangesResponse) -> Result<Self, LightError> {
        if wire.revisions.len() > PAGE_REVISIONS_MAX {
            let found = wire.revisions.len();
            return Err(LightError::TooMany {
                what: "revisions",
                found,
                max: PAGE_REVISIONS_MAX,
            });
        }
        Ok(Self {
            revisions: wire
                .revisions
                .iter()
                .map(RevisionChanges::from_wire)
                .collect::<Result<_, _>>()?,
            record: StateProof::from_wire(required(wire.record.as_ref(), "policy's record")?)?,
            consistency: hashes_from_wire(
                "hashes of a consistency proof",
                &wire.consistency,
                CONSISTENCY_HASHES_MAX,
            )?,
        })
    }

    /// Reads an encoded page.
    ///
    /// # Errors
    /// As [`ChangesPage::from_wire`], and [`LightError::Encoding`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LightError> {
        Self::from_wire(&decode_message(bytes, PAGE_BYTES_MAX, "page of changes")?)
    }
}

/// How far a follower got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The policy's record in the state that was proven.
    pub record: PolicyRecord,
    /// The block after which that is the state.
    pub state_height: Height,
    /// Whether every revision up to that block is known now.
    pub complete: bool,
}

/// Every revision of one policy up to some block.
///
/// What it holds was proven; a page that does not verify changes nothing.
pub struct Follower {
    policy: PolicyId,
    log: CompactRange,
    history: History,
    last_height: Height,
}

impl Follower {
    /// A follower that knows nothing yet.
    #[must_use]
    pub fn new(policy: PolicyId) -> Self {
        Self {
            policy,
            log: CompactRange::new(),
            history: History::new(),
            last_height: Height(0),
        }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &PolicyId {
        &self.policy
    }

    /// The revision to ask for next: how many are known.
    #[must_use]
    pub const fn next_revision(&self) -> u64 {
        self.log.size()
    }

    /// The log of leaves so far.
    #[must_use]
    pub const fn log(&self) -> &CompactRange {
        &self.log
    }

    /// All revisions so far; checks are asked here.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Verifies a page under `trusted` and takes it in.
    ///
    /// # Errors
    /// Names what does not verify; nothing has changed then. After [`LightError::History`] the
    /// proven revisions before the one that does not apply are kept.
    pub fn apply(&mut self, trusted: &Trusted, page: &ChangesPage) -> Result<Progress, LightError> {
        let record: PolicyRecord = page
            .record
            .verify_record(trusted, &keys::policy(&self.policy))?
            .ok_or(LightError::Absent { what: "the policy" })?;
        if record.id != self.policy {
            return Err(LightError::Policy {
                expected: self.policy,
                found: record.id,
            });
        }
        let (known, found) = (self.log.size(), record.log.size());
        if found < known {
            return Err(LightError::Older { known, found });
        }
        let state_height = page.record.state_height();
        let log = self.extend(&page.revisions, state_height)?;
        prove_prefix(&log, &record.log, &page.consistency)?;
        // Only now is anything of the page known to be true.
        for RevisionChanges { leaf, changes } in &page.revisions {
            let changes: Vec<_> = changes.iter().map(Change::to_policy).collect();
            self.history
                .apply(leaf.to_revision(), &changes)
                .map_err(LightError::History)?;
            self.log
                .append_leaf_hash(leaf.leaf_hash(), &mut |_, _, _| {})
                .map_err(|source| LightError::Path {
                    what: "a revision",
                    source,
                })?;
            self.last_height = leaf.height;
        }
        let complete = self.log.size() == record.log.size();
        Ok(Progress {
            record,
            state_height,
            complete,
        })
    }

    /// The log with the leaves of `revisions` appended, each checked against its place and its
    /// changes.
    fn extend(
        &self,
        revisions: &[RevisionChanges],
        state_height: Height,
    ) -> Result<CompactRange, LightError> {
        const WHAT: &str = "a revision";
        let mut log = self.log.clone();
        let mut above = self.last_height;
        for RevisionChanges { leaf, changes } in revisions {
            if leaf.policy != self.policy {
                return Err(LightError::Leaf {
                    what: WHAT,
                    reason: "it is another policy's",
                });
            }
            if leaf.revision != log.size() {
                return Err(LightError::Revision {
                    expected: log.size(),
                    found: leaf.revision,
                });
            }
            if leaf.height <= above || leaf.height > state_height {
                return Err(LightError::Leaf {
                    what: WHAT,
                    reason: "its height is out of turn",
                });
            }
            above = leaf.height;
            if leaf.changes_count != changes.len() as u64
                || leaf.changes_root != changes_root(changes)
            {
                return Err(LightError::Changes {
                    revision: leaf.revision,
                });
            }
            log.append_leaf_hash(leaf.leaf_hash(), &mut |_, _, _| {})
                .map_err(|source| LightError::Path { what: WHAT, source })?;
        }
        Ok(log)
    }
}

/// That `log` is the beginning of `whole`.
fn prove_prefix(
    log: &CompactRange,
    whole: &CompactRange,
    consistency: &[Hash],
) -> Result<(), LightError> {
    const WHAT: &str = "the policy's log";
    if log.size() > whole.size() {
        return Err(LightError::Older {
            known: log.size(),
            found: whole.size(),
        });
    }
    if log.size() == 0 {
        // A policy has a first revision, so a page that brings none proves nothing.
        return Err(LightError::Revision {
            expected: 0,
            found: whole.size(),
        });
    }
    merkle::verify_consistency(
        log.size(),
        &log.root(),
        whole.size(),
        &whole.root(),
        consistency,
    )
    .map_err(|source| LightError::Path { what: WHAT, source })
}
