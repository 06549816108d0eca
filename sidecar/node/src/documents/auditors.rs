//! Who may export no leaf of a policy's log, found out once and remembered.
//!
//! Nobody is refused a trail before every document was asked about, and anybody can ask who makes
//! himself a key. So a refusal is remembered as of a revision of the policy and a place in the feed,
//! for as long as it stands by time: asked again, only documents that changed since are looked at. Actors that the policy never named
//! and that created nothing are all answered alike, so they share one memory.

use std::collections::{BTreeMap, BTreeSet};

use audit::verdict::DocumentClaim;
use hub_types::PolicyId;
use identity::Did;
use policy::{Relationships as _, Time};

use super::{claim_of, could_not_tell, locked, Documents};
use crate::authority::{actor_of, CouldNotTell};
use crate::failure::Failure;
use crate::guard::Refusal;
use crate::store::keys::{self, meta, Digest};
use crate::store::records::{decode, digest, DocumentRecord, FeedRecord};
use crate::store::{Column, StoreError};

/// Actors remembered apart. Each stands in a policy or created a document; beyond it this starts over.
const REMEMBERED_MAX: usize = 1024;

/// A refusal, with a document that it is about.
pub(crate) type Refused = (DocumentClaim, Refusal);

/// Why nothing may be exported.
#[derive(Clone)]
pub(crate) enum NoAudit {
    /// Refused on every document; of one it is told why.
    Refused(Box<Refused>),
    /// There is no document.
    NoDocument,
}

/// Actors who were refused, by policy and DID; strangers have none.
#[derive(Default)]
pub(super) struct Auditors(BTreeMap<(PolicyId, Option<String>), Known>);

#[derive(Clone)]
struct Known {
    revision: u64,
    /// The next change of the feed, when the documents were looked at.
    feed: u64,
    /// Who created the documents that were looked at: no strangers.
    creators: BTreeSet<String>,
    first: Option<Box<Refused>>,
    /// From when on one of the refusals may be otherwise by time.
    until: Option<Time>,
}

/// What came of one look at documents.
struct Looked {
    known: Known,
    permitted: bool,
}

impl Looked {
    /// Asks about one more document; says whether to go on.
    fn at(
        &mut self,
        documents: &Documents,
        policy: &PolicyId,
        record: &DocumentRecord,
        auditor: &Did,
    ) -> Result<bool, StoreError> {
        if record.policy != policy.as_bytes() {
            return Ok(true);
        }
        let claim = claim_of(record)?;
        self.known
            .creators
            .insert(claim.creator.as_str().to_owned());
        match documents.guard.audit(policy, &claim, auditor) {
            Ok(_) => self.permitted = true,
            // What could not be told of one document is no denial of all (Invariant 3).
            Err(refusal @ Refusal::CouldNotTell(_)) => {
                self.known.first = Some(Box::new((claim, refusal)));
            }
            Err(refusal) => {
                if let Refusal::Denied { until, .. } = &refusal {
                    self.known.until = match (self.known.until, *until) {
                        (Some(known), Some(until)) => Some(known.min(until)),
                        (known, until) => known.or(until),
                    };
                }
                let refused = || Box::new((claim, refusal));
                self.known.first.get_or_insert_with(refused);
            }
        }
        Ok(!self.permitted && !self.passes())
    }

    /// Whether it could not be told for a reason that has nothing to do with the document.
    fn passes(&self) -> bool {
        let first = self.known.first.as_deref();
        first.is_some_and(|(_, refusal)| {
            matches!(
                refusal,
                Refusal::CouldNotTell(
                    CouldNotTell::Stale { .. }
                        | CouldNotTell::NothingProven(_)
                        | CouldNotTell::NotFollowed(_)
                )
            )
        })
    }
}

impl Documents {
    /// Why `auditor` may export no leaf about any document of `policy`; none when he may export
    /// some. The first time it asks document by document until one is permitted, so call it where
    /// waiting harms nobody, and one at a time.
    ///
    /// # Errors
    /// [`Failure`]: could not tell, or the sidecar itself fails.
    pub(crate) fn audit_refusal(
        &self,
        policy: &PolicyId,
        auditor: &Did,
    ) -> Result<Option<NoAudit>, Failure> {
        let actor = actor_of(auditor);
        let (revision, now, named) = self
            .authority
            .answer(policy, |authority, reading| {
                let view = authority.view(reading.revision);
                let named = view.is_none_or(|view| view.actor(&actor).is_some());
                (reading.revision, reading.time.to_policy(), named)
            })
            .map_err(|error| could_not_tell(&error))?;
        let name = auditor.as_str().to_owned();
        let before = {
            let auditors = locked(&self.auditors);
            let known = |key: Option<String>| {
                let known = auditors.0.get(&(*policy, key));
                known.filter(|known| {
                    known.revision == revision && known.until.is_none_or(|until| now < until)
                })
            };
            let stranger = || known(None).filter(|known| !named && !known.creators.contains(&name));
            known(Some(name.clone())).or_else(stranger).cloned()
        };
        let feed = self.next_change()?;
        let mut looked = Looked {
            permitted: false,
            known: before.clone().unwrap_or(Known {
                revision,
                feed,
                creators: BTreeSet::new(),
                first: None,
                until: None,
            }),
        };
        match &before {
            None => self.store.scan(Column::Documents, &[], &[], |_, value| {
                let record = decode(Column::Documents, value)?;
                looked.at(self, policy, &record, auditor)
            })?,
            Some(before) => self.look_since(before.feed, |record| {
                looked.at(self, policy, record, auditor)
            })?,
        }
        if looked.permitted {
            return Ok(None);
        }
        let refused = match &looked.known.first {
            None => NoAudit::NoDocument,
            Some(refused) => NoAudit::Refused(refused.clone()),
        };
        if !looked.passes() {
            looked.known.feed = feed;
            let stranger = !named && !looked.known.creators.contains(&name);
            let key = (*policy, (!stranger).then_some(name));
            let mut auditors = locked(&self.auditors);
            if auditors.0.len() >= REMEMBERED_MAX && !auditors.0.contains_key(&key) {
                auditors.0.clear();
            }
            auditors.0.insert(key, looked.known);
        }
        Ok(Some(refused))
    }

    fn next_change(&self) -> Result<u64, StoreError> {
        let bytes = self.store.get(Column::Meta, meta::FEED_NEXT)?;
        let number = |bytes: Vec<u8>| {
            let bytes = bytes.try_into();
            bytes.map_err(|_| StoreError::Record(Column::Meta.name()))
        };
        Ok(bytes.map(number).transpose()?.map_or(0, u64::from_be_bytes))
    }

    /// Visits the documents that changed since a place in the feed, until `visit` says no.
    fn look_since(
        &self,
        feed: u64,
        mut visit: impl FnMut(&DocumentRecord) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut changed: BTreeSet<Digest> = BTreeSet::new();
        self.store
            .scan(Column::Feed, &[], &keys::number(feed), |_, value| {
                let entry: FeedRecord = decode(Column::Feed, value)?;
                if entry.commit.is_empty() {
                    changed.insert(digest(Column::Feed, &entry.document)?);
                }
                Ok::<bool, StoreError>(true)
            })?;
        for document in changed {
            let Some(record) = self.store.document(&document)? else {
                continue;
            };
            if !visit(&record)? {
                break;
            }
        }
        Ok(())
    }
}
