//! One policy's history, kept as the leaves and changes that were proven.
//!
//! On disk are the hub's own bytes. At the start they are verified again: changes against the
//! root in their leaf, leaves against the log in the record. So a disk that lies is found before
//! it decides anything. What a snapshot holds is not verified again but for its checksum; that it is
//! a state of this log is: what follows it must lead to the record.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::ops::Range;
use std::sync::Arc;

use audit::authority::{Collections, PolicyAuthority};
use audit::times::BlockTimes;
use crdt::{Cid, CollectionPreimage, Field, FieldKind, Permissions, Schema, Schemas};
use hub_types::policy::{changes_root, knows_engine, Change, PolicyLeaf, PolicyRecord};
use hub_types::{PolicyId, Record as _, Timestamp};
use identity::ChainId;
use merkle::CompactRange;
use policy::{HashKey, History};
use prost::Message;

use super::hub::{Revision, Update};
use super::snapshot::{Parts, Snapshot};
use crate::store::keys::{self, meta};
use crate::store::records::decode;
use crate::store::{Column, Put, Store, StoreError};

/// Why an update is not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// It does not continue what is known.
    #[error("revision {found} came where revision {expected} was next")]
    Gap {
        /// What came.
        found: u64,
        /// What was next.
        expected: u64,
    },
    /// Changes do not hash to their leaf.
    #[error("the changes of revision {0} are not those of its leaf")]
    Changes(u64),
    /// Leaves do not hash to the record.
    #[error("the leaves are not those of the policy's record")]
    Log,
    /// The record is of another policy.
    #[error("the record is that of another policy")]
    OtherPolicy,
    /// The hub's engine is not ours.
    #[error(
        "the policy is decided by engine version {found}, this program has {}; upgrade it",
        policy::ENGINE_VERSION
    )]
    Engine {
        /// The policy's.
        found: u32,
    },
    /// The history refuses the change.
    #[error("the changes cannot be followed: {0}")]
    History(String),
}

/// A secret for the tables of names: whoever writes relationships cannot choose names that collide.
fn hash_key() -> HashKey {
    let mut key = HashKey::default();
    for half in key.chunks_mut(8) {
        let random = RandomState::new().build_hasher().finish();
        half.copy_from_slice(&random.to_le_bytes());
    }
    key
}

/// A proven record with the height after which it stood, and the time of the header that proved it.
#[derive(Clone, PartialEq, Eq, Message)]
struct Stored {
    #[prost(bytes = "vec", tag = "1")]
    record: Vec<u8>,
    #[prost(uint64, tag = "2")]
    height: u64,
    #[prost(int64, tag = "3")]
    header_seconds: i64,
    #[prost(uint32, tag = "4")]
    header_nanos: u32,
}

/// What was proven last.
struct Proven {
    record: PolicyRecord,
    /// The height after which the record stood.
    height: u64,
    /// The time of the block after that, whose header proves it.
    header_time: Timestamp,
}

/// A leaf with its changes.
#[derive(Clone, PartialEq, Eq, Message)]
struct Kept {
    #[prost(bytes = "vec", tag = "1")]
    leaf: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    changes: Vec<Vec<u8>>,
}

/// One policy, as far as it is proven.
pub struct Replica {
    id: PolicyId,
    chain: ChainId,
    /// Shared with long questions: a change made meanwhile is made to a copy.
    history: Arc<History>,
    collections: Collections,
    schemas: BTreeMap<Cid, Schemas>,
    range: CompactRange,
    /// None before the first proof.
    proven: Option<Proven>,
    /// What was applied and not yet handed out to be written, after an update that failed midway.
    unsaved: Vec<Put>,
    /// Changes that a restart would have to apply again: those since the last snapshot.
    changes_since_snapshot: u64,
}

impl Replica {
    /// An empty replica.
    #[must_use]
    pub fn new(id: PolicyId, chain: ChainId) -> Self {
        Self {
            id,
            chain,
            history: Arc::new(History::keyed(hash_key())),
            collections: Collections::default(),
            schemas: BTreeMap::new(),
            range: CompactRange::default(),
            proven: None,
            unsaved: Vec::new(),
            changes_since_snapshot: 0,
        }
    }

    /// A replica as a snapshot left it, before anything after that is proven again.
    fn of_snapshot(id: PolicyId, chain: ChainId, snapshot: Snapshot) -> Self {
        let mut replica = Self::new(id, chain);
        replica.collections = Collections::of(&snapshot.history, &replica.chain, &id);
        for (resource, name, record) in snapshot.history.collection_versions() {
            replica.define(resource.as_str(), name.as_str(), record);
        }
        replica.history = Arc::new(snapshot.history);
        replica.range = snapshot.range;
        replica
    }

    /// Loads what the store holds, and verifies it again: from the snapshot on if there is one that
    /// leads to what was proven, else from the beginning.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Log`] when it does not hold together.
    pub fn restore(
        id: PolicyId,
        chain: ChainId,
        store: &Store,
        snapshot: Option<Snapshot>,
    ) -> Result<Self, StoreError> {
        let Some(bytes) = store.get(Column::Meta, &meta::policy(id.as_bytes()))? else {
            return Ok(Self::new(id, chain));
        };
        let proven: Stored = decode(Column::Meta, &bytes)?;
        if let Some(snapshot) = snapshot {
            let replica = Self::of_snapshot(id, chain.clone(), snapshot);
            match replica.follow_store(&proven, store) {
                Err(StoreError::Log(reason)) => {
                    tracing::warn!(policy = %id, reason, "the snapshot does not lead to what was proven; the replica is made anew from the log");
                }
                replica => return replica,
            }
        }
        Self::new(id, chain).follow_store(&proven, store)
    }

    /// Applies the kept revisions that follow what is here, up to what was proven.
    fn follow_store(mut self, proven: &Stored, store: &Store) -> Result<Self, StoreError> {
        let wrong = || StoreError::Record(Column::Meta.name());
        let record = PolicyRecord::from_bytes(&proven.record).map_err(|_| wrong())?;
        let revisions = kept_revisions(&self.id, self.range.size()..record.log.size(), store)?;
        let header_time =
            Timestamp::new(proven.header_seconds, proven.header_nanos).map_err(|_| wrong())?;
        let update = Update {
            record,
            height: proven.height,
            header_time,
            revisions,
        };
        let id = self.id;
        self.apply(&update).map_err(|error| {
            tracing::error!(%error, policy = %id, "the stored replica does not verify");
            StoreError::Log("the replica of a policy does not verify")
        })?;
        if self.proven.is_none() {
            return Err(StoreError::Log("the replica of a policy misses revisions"));
        }
        Ok(self)
    }

    /// What a restart would begin with, if making it anew is worth it: `None` while it would save the
    /// work of fewer than `least` changes.
    pub(crate) fn snapshot_due(&self, least: u64) -> Option<Parts> {
        (self.changes_since_snapshot >= least.max(1)).then(|| Parts {
            history: self.history.clone(),
            range: self.range.clone(),
            changes: self.changes_since_snapshot,
        })
    }

    /// A snapshot with that many of the changes is on disk.
    pub(crate) fn snapshot_kept(&mut self, changes: u64) {
        self.changes_since_snapshot = self.changes_since_snapshot.saturating_sub(changes);
    }

    /// Verifies and applies an update. A first part of the missing revisions is taken, but proves
    /// no new height until the rest has come.
    ///
    /// # Errors
    /// [`ReplicaError`]; nothing is applied from the first wrong revision on.
    pub fn apply(&mut self, update: &Update) -> Result<Vec<Put>, ReplicaError> {
        if update.record.id != self.id {
            return Err(ReplicaError::OtherPolicy);
        }
        if !knows_engine(update.record.engine_version) {
            return Err(ReplicaError::Engine {
                found: update.record.engine_version,
            });
        }
        let mut range = self.range.clone();
        for revision in &update.revisions {
            let expected = range.size();
            if revision.leaf.revision != expected || revision.leaf.policy != self.id {
                return Err(ReplicaError::Gap {
                    found: revision.leaf.revision,
                    expected,
                });
            }
            if changes_root(&revision.changes) != revision.leaf.changes_root
                || revision.changes.len() as u64 != revision.leaf.changes_count
            {
                return Err(ReplicaError::Changes(expected));
            }
            range
                .append_leaf_hash(revision.leaf.leaf_hash(), &mut |_, _, _| {})
                .map_err(|_| ReplicaError::Log)?;
        }
        let whole = range.size() == update.record.log.size();
        if whole && range != update.record.log {
            return Err(ReplicaError::Log);
        }
        if range.size() > update.record.log.size() {
            return Err(ReplicaError::Log);
        }
        if !whole {
            // Without the record's root over them the new leaves prove nothing; they are taken
            // only once the rest has come, so the caller must ask for more in one update.
            return Err(ReplicaError::Gap {
                found: range.size(),
                expected: update.record.log.size(),
            });
        }
        for revision in &update.revisions {
            let changes: Vec<policy::Change> =
                revision.changes.iter().map(Change::to_policy).collect();
            Arc::make_mut(&mut self.history)
                .apply(revision.leaf.to_revision(), &changes)
                .map_err(|error| ReplicaError::History(error.to_string()))?;
            self.range
                .append_leaf_hash(revision.leaf.leaf_hash(), &mut |_, _, _| {})
                .map_err(|_| ReplicaError::Log)?;
            self.define_all(&changes);
            self.changes_since_snapshot += changes.len() as u64;
            let kept = Kept {
                leaf: revision.leaf.to_bytes(),
                changes: revision
                    .changes
                    .iter()
                    .map(hub_types::Record::to_bytes)
                    .collect(),
            };
            let key = keys::policy_leaf(self.id.as_bytes(), revision.leaf.revision).to_vec();
            self.unsaved
                .push((Column::Policies, key, Some(kept.encode_to_vec())));
        }
        let mut puts = std::mem::take(&mut self.unsaved);
        let newer = self
            .proven
            .as_ref()
            .is_none_or(|proven| update.height > proven.height);
        if newer {
            self.proven = Some(Proven {
                record: update.record.clone(),
                height: update.height,
                header_time: update.header_time,
            });
            let proven = Stored {
                record: update.record.to_bytes(),
                height: update.height,
                header_seconds: update.header_time.seconds(),
                header_nanos: update.header_time.nanos(),
            };
            puts.push((
                Column::Meta,
                meta::policy(self.id.as_bytes()),
                Some(proven.encode_to_vec()),
            ));
        }
        Ok(puts)
    }

    /// Takes the collections that changes defined, which the history has by now.
    fn define_all(&mut self, changes: &[policy::Change]) {
        let mut any = false;
        for change in changes {
            if let policy::Change::CollectionDefined {
                resource,
                name,
                record,
            } = change
            {
                any = true;
                self.define(resource.as_str(), name.as_str(), record);
            }
        }
        if any {
            self.collections = Collections::of(&self.history, &self.chain, &self.id);
        }
    }

    fn define(&mut self, resource: &str, name: &str, record: &policy::CollectionRecord) {
        let id = *self.id.as_bytes();
        let Ok(preimage) = CollectionPreimage::new(self.chain.clone(), id, resource, name) else {
            return;
        };
        // A schema that does not read here reads nowhere; its documents have no fields then.
        let schema = Schema::decode(&record.schema).or_else(|error| {
            tracing::warn!(%error, resource, name, "the hub records a schema that does not read");
            let field = Field {
                kind: FieldKind::Register,
                permission: None,
            };
            Schema::new(
                [("unreadable".to_owned(), field)].into(),
                Permissions::default(),
            )
        });
        if let Ok(schema) = schema {
            let versions = self.schemas.entry(*preimage.id().cid()).or_default();
            versions.insert(u64::from(record.version), schema);
        }
    }

    /// All that the policy ever held.
    pub(crate) fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// The history, if somebody else reads it as well: then a change would be made to a copy.
    pub(crate) fn shared_history(&self) -> Option<Arc<History>> {
        (Arc::strong_count(&self.history) > 1).then(|| self.history.clone())
    }

    /// Goes on with a copy of the history.
    pub(crate) fn take_copy(&mut self, copy: History) {
        self.history = Arc::new(copy);
    }

    /// The schema versions of a collection.
    #[must_use]
    pub fn schemas(&self, collection: &Cid) -> Option<&Schemas> {
        self.schemas.get(collection)
    }

    /// The policy's id.
    #[must_use]
    pub fn id(&self) -> &PolicyId {
        &self.id
    }

    /// The next revision to ask for.
    #[must_use]
    pub fn next_revision(&self) -> u64 {
        self.range.size()
    }

    /// The record as last proven.
    #[must_use]
    pub fn record(&self) -> Option<&PolicyRecord> {
        self.proven.as_ref().map(|proven| &proven.record)
    }

    /// The highest height that this replica is proven for; 0 before the first proof.
    #[must_use]
    pub fn proven_height(&self) -> u64 {
        self.proven.as_ref().map_or(0, |proven| proven.height)
    }

    /// The revision in force after `height`.
    #[must_use]
    pub fn revision_after(&self, height: u64) -> Option<u64> {
        self.history.revision_at_height(height)
    }

    /// The time of the block after the proven height: what is asked now is asked at this time.
    #[must_use]
    pub fn header_time(&self) -> Option<Timestamp> {
        self.proven.as_ref().map(|proven| proven.header_time)
    }

    /// The policy's bound on staleness.
    #[must_use]
    pub fn max_staleness_seconds(&self) -> u64 {
        self.record()
            .map_or(0, |record| record.max_staleness_seconds)
    }

    /// The collections.
    #[must_use]
    pub fn collections(&self) -> &Collections {
        &self.collections
    }

    /// What verdicts and checks read, with the times of blocks that are known beside the policy's own.
    #[must_use]
    pub fn authority<'a>(&'a self, times: &'a BlockTimes) -> PolicyAuthority<'a> {
        let anchor_lag = self.record().map_or(0, |record| record.anchor_lag);
        PolicyAuthority::new(
            &self.history,
            &self.collections,
            anchor_lag,
            self.proven_height(),
            self.header_time().map(Timestamp::to_policy),
            times,
        )
    }

    /// The leaves and changes as they were proven, for a bundle.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn revisions(id: &PolicyId, size: u64, store: &Store) -> Result<Vec<Revision>, StoreError> {
        kept_revisions(id, 0..size, store)
    }
}

/// Kept revisions of a range; fewer where the store has fewer.
fn kept_revisions(
    id: &PolicyId,
    range: Range<u64>,
    store: &Store,
) -> Result<Vec<Revision>, StoreError> {
    let mut revisions = Vec::new();
    let from = keys::policy_leaf(id.as_bytes(), range.start);
    let most = range.end.saturating_sub(range.start);
    store.scan(Column::Policies, id.as_bytes(), &from, |_, value| {
        if revisions.len() as u64 == most {
            return Ok(false);
        }
        let wrong = || StoreError::Record(Column::Policies.name());
        let kept: Kept = decode(Column::Policies, value)?;
        revisions.push(Revision {
            leaf: PolicyLeaf::from_bytes(&kept.leaf).map_err(|_| wrong())?,
            changes: kept
                .changes
                .iter()
                .map(|change| Change::from_bytes(change).map_err(|_| wrong()))
                .collect::<Result<_, StoreError>>()?,
        });
        Ok::<bool, StoreError>(true)
    })?;
    Ok(revisions)
}
