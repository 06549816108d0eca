//! Who may do what: a replica of the followed policies, proven block by block.
//!
//! Every answer carries the revision and height that it rests on, whether the hub is out of reach,
//! and for how long (Invariant 3). Offline the replica goes on answering at its last proven
//! revision until the policy's `max_staleness`, on a clock that never goes back; from then on the
//! answer is "could not tell".
//!
//! Verdicts on commits do not ask how fresh the replica is: they are a function of blocks known and
//! hub state, and wait where that is missing (Invariant 4).

mod client;
pub mod hub;
mod poll;
mod questions;
mod replica;
mod snapshot;
mod times;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use audit::authority::PolicyAuthority;
use audit::times::{Block, Wanted};
use audit::verdict::{Authority as _, DocumentClaim, Permission};
use hub_types::{PolicyId, Timestamp};
use identity::{ChainId, Did};
use policy::Context;
use policy::{
    check, Actor, Answer, CheckError, Circumstances, Limits, ObjectRef, Question, Time,
    ENGINE_VERSION,
};
use serde::{Serialize, Serializer};
use tokio::sync::watch;

pub use client::LightHub;
pub use poll::{run, Follow};
pub use replica::{Replica, ReplicaError};

use snapshot::Snapshot;
use times::Times;

use crate::clock::{Clock, Freshness};
use crate::metrics::Metrics;
use crate::store::keys::meta;
use crate::store::records::{decode, ClockRecord};
use crate::store::{Column, Store, StoreError};

/// The state of the hub that an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// The policy's id.
    pub policy: String,
    /// The revision in force after `height`.
    pub revision: u64,
    /// The highest height whose state was proven.
    pub height: u64,
    /// The time of the block after it, whose header proves that state: the time at which expiries and
    /// conditions are asked. Never the machine's clock: what ends by time ends with a block.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// Whether the hub is out of reach at the moment.
    pub offline: bool,
    /// Seconds since the last verified block.
    pub age_seconds: u64,
    /// Version of the policy engine.
    pub engine: u32,
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

impl Reading {
    /// How somebody asks on this reading, giving this to conditions.
    #[must_use]
    pub fn circumstances(&self, context: &Context) -> Circumstances {
        Circumstances {
            time: self.time.to_policy(),
            context: context.clone(),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CouldNotTell {
    /// The policy is not followed.
    #[error("the policy {0} is not followed here; add it to [policies] in config.toml")]
    NotFollowed(String),
    /// Nothing of the policy was proven yet.
    #[error("nothing of the policy {0} was proven yet; wait until the hub can be reached")]
    NothingProven(String),
    /// The replica is too old.
    #[error("the last verified block is {age_seconds} seconds old, more than the {max_staleness_seconds} that the policy allows; wait until the hub can be reached")]
    Stale {
        /// Its age.
        age_seconds: u64,
        /// The policy's bound.
        max_staleness_seconds: u64,
        /// What would have been answered from.
        reading: Reading,
    },
    /// The engine has no answer.
    #[error("{0}")]
    Check(#[from] CheckError),
    /// The document's collection is not known at the revision.
    #[error("the document's collection is not defined in the policy as proven here")]
    Collection,
}

/// How fresh the hub is seen, for whoever watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubStatus {
    /// Height of the last verified header.
    pub height: u64,
    /// Whether the last attempt failed, and why.
    pub trouble: Option<String>,
    /// Counts what may change what peers may see: changes of followed policies, moments at which a
    /// permission may have begun by time, and each end of a time in which nothing could be told.
    pub epoch: u64,
    /// Of how many blocks verdicts know the times.
    pub times: usize,
}

/// The replicas of all followed policies.
pub struct Authority {
    chain: ChainId,
    replicas: RwLock<BTreeMap<PolicyId, Arc<RwLock<Replica>>>>,
    aliases: RwLock<BTreeMap<String, PolicyId>>,
    fresh: RwLock<Freshness>,
    times: Times,
    /// Where snapshots of replicas lie.
    snapshots: PathBuf,
    /// The first moment at which somebody who was denied may be permitted, without a new revision.
    begins: Mutex<Option<Time>>,
    status: watch::Sender<HubStatus>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

/// A DID as the policy engine takes it.
///
/// # Panics
/// Never: a did:key has at most 57 bytes of visible ASCII without the signs that an actor may not
/// have.
#[must_use]
pub fn actor_of(did: &Did) -> Actor {
    Actor::new(did.as_str()).expect("a did:key is a valid actor")
}

/// A stale replica's answer could harm; a poisoned lock only means that a reader panicked.
fn healed<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

impl Authority {
    /// Loads what was proven before; `snapshots` is the folder of what makes that fast.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; a replica that does not hold together is
    /// [`StoreError::Log`].
    pub fn restore(
        chain: ChainId,
        policies: &BTreeMap<String, [u8; 32]>,
        store: &Store,
        snapshots: &Path,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let fresh = match store.get(Column::Meta, meta::CLOCK)? {
            // Never verified: as old as can be, so that nothing is answered before the first block.
            None => Freshness::restored(clock.as_ref(), 0, u64::MAX),
            Some(bytes) => {
                let record: ClockRecord = decode(Column::Meta, &bytes)?;
                Freshness::restored(clock.as_ref(), record.verified_ms, record.highest_ms)
            }
        };
        let authority = Self {
            chain,
            replicas: RwLock::default(),
            aliases: RwLock::default(),
            fresh: RwLock::new(fresh),
            times: Times::restore(store)?,
            snapshots: snapshots.to_owned(),
            begins: Mutex::default(),
            status: watch::channel(HubStatus::default()).0,
            clock,
            metrics,
        };
        for (alias, id) in policies {
            authority.follow(alias, PolicyId::new(*id), store)?;
        }
        Ok(authority)
    }

    /// Follows one more policy, from what the store holds of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn follow(&self, alias: &str, id: PolicyId, store: &Store) -> Result<(), StoreError> {
        let mut replicas = healed(self.replicas.write());
        if let Entry::Vacant(vacant) = replicas.entry(id) {
            let snapshot = Snapshot::read(&self.snapshots, &id);
            let replica = Replica::restore(id, self.chain.clone(), store, snapshot)?;
            vacant.insert(Arc::new(RwLock::new(replica)));
        }
        healed(self.aliases.write()).insert(alias.to_owned(), id);
        Ok(())
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// How many policies are followed. Only grows.
    #[must_use]
    pub fn followed(&self) -> usize {
        healed(self.replicas.read()).len()
    }

    /// The followed policies by alias.
    #[must_use]
    pub fn policies(&self) -> BTreeMap<String, PolicyId> {
        healed(self.aliases.read()).clone()
    }

    /// The policy of that alias, or of that id in hex.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<PolicyId> {
        if let Some(id) = healed(self.aliases.read()).get(name) {
            return Some(*id);
        }
        let id = PolicyId::parse(name).ok()?;
        healed(self.replicas.read()).contains_key(&id).then_some(id)
    }

    fn followed_replica(&self, policy: &PolicyId) -> Result<Arc<RwLock<Replica>>, CouldNotTell> {
        self.replica(policy)
            .ok_or_else(|| CouldNotTell::NotFollowed(policy.to_string()))
    }

    pub(crate) fn replica(&self, policy: &PolicyId) -> Option<Arc<RwLock<Replica>>> {
        healed(self.replicas.read()).get(policy).cloned()
    }

    /// The followed policy that defined `collection`, as proven so far.
    #[must_use]
    pub fn policy_of(&self, collection: &crdt::Cid) -> Option<PolicyId> {
        let replicas = healed(self.replicas.read());
        replicas
            .iter()
            .find(|(_, replica)| {
                healed(replica.read())
                    .collections()
                    .get(collection)
                    .is_some()
            })
            .map(|(id, _)| *id)
    }

    /// The schema versions of a collection.
    #[must_use]
    pub fn schemas(&self, policy: &PolicyId, collection: &crdt::Cid) -> crdt::Schemas {
        let Some(replica) = self.replica(policy) else {
            return crdt::Schemas::new();
        };
        let replica = healed(replica.read());
        replica.schemas(collection).cloned().unwrap_or_default()
    }

    /// Resource and name of a collection.
    #[must_use]
    pub fn collection_name(
        &self,
        policy: &PolicyId,
        collection: &crdt::Cid,
    ) -> Option<(String, String)> {
        let replica = self.replica(policy)?;
        let replica = healed(replica.read());
        let (resource, name) = replica.collections().get(collection)?;
        Some((resource.as_str().to_owned(), name.as_str().to_owned()))
    }

    /// The ids of the policy's collections with that name, or that `resource/name`.
    #[must_use]
    pub fn collections_named(&self, policy: &PolicyId, name: &str) -> Vec<crdt::Cid> {
        let Some(replica) = self.replica(policy) else {
            return Vec::new();
        };
        let replica = healed(replica.read());
        let times = self.times.known();
        let authority = replica.authority(&times);
        let view = authority
            .revision_after(authority.proven_height())
            .and_then(|revision| authority.view(revision));
        let Some(view) = view else { return Vec::new() };
        view.collections()
            .filter(|(resource, found, _)| {
                found.as_str() == name || format!("{resource}/{found}") == name
            })
            .filter_map(|(resource, found, _)| {
                let id = *policy.as_bytes();
                let (resource, found) = (resource.as_str(), found.as_str());
                crdt::CollectionPreimage::new(self.chain.clone(), id, resource, found).ok()
            })
            .map(|preimage| *preimage.id().cid())
            .collect()
    }

    /// Tells when a followed policy changed, the height rose or the hub went away.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<HubStatus> {
        self.status.subscribe()
    }

    pub(crate) fn tell(&self, change: impl FnOnce(&mut HubStatus)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
        let status = self.status.borrow();
        self.metrics.hub_height.set(status.height);
        self.metrics
            .hub_offline
            .set(i64::from(status.trouble.is_some()));
    }

    /// A block was verified whose time is `block_ms`.
    pub(crate) fn verified(&self, block_ms: u64) {
        let before = self.age();
        let now = self.clock.wall_ms();
        // A node that hands out old blocks one by one gains no freshness by it.
        *healed(self.fresh.write()) =
            Freshness::restored(self.clock.as_ref(), block_ms.min(now), now);
        let after = self.age();
        let told_again = healed(self.replicas.read()).values().any(|replica| {
            let most = Duration::from_secs(healed(replica.read()).max_staleness_seconds());
            before > most && after <= most
        });
        if told_again {
            // What was held back from peers meanwhile lies before their cursors. Only now, when it
            // can be told: a question in between gets a cursor that ends here.
            self.tell(|status| status.epoch += 1);
        }
    }

    /// Age of the last verified block.
    #[must_use]
    pub fn age(&self) -> Duration {
        healed(self.fresh.read()).age(self.clock.as_ref())
    }

    /// Reads one policy for a verdict, whatever its age. `read` must ask nothing of this authority
    /// again: a reader that waits for a second lock behind a writer would never get it.
    ///
    /// # Errors
    /// [`CouldNotTell::NotFollowed`], [`CouldNotTell::NothingProven`].
    pub fn judge<R>(
        &self,
        policy: &PolicyId,
        read: impl FnOnce(&PolicyAuthority<'_>, &Reading) -> R,
    ) -> Result<R, CouldNotTell> {
        self.judge_with(policy, |_, authority, reading| read(authority, reading))
    }

    /// As [`Authority::judge`], with the replica itself.
    pub(crate) fn judge_with<R>(
        &self,
        policy: &PolicyId,
        read: impl FnOnce(&Replica, &PolicyAuthority<'_>, &Reading) -> R,
    ) -> Result<R, CouldNotTell> {
        let replica = self.followed_replica(policy)?;
        let replica = healed(replica.read());
        let reading = self.proven_reading(&replica)?;
        let times = self.times.known();
        let authority = replica.authority(&times);
        let read = read(&replica, &authority, &reading);
        self.times.want(authority.wanted());
        Ok(read)
    }

    /// Reads one policy for an answer to somebody who asks now.
    ///
    /// # Errors
    /// As [`Authority::judge`], and [`CouldNotTell::Stale`].
    pub fn answer<R>(
        &self,
        policy: &PolicyId,
        read: impl FnOnce(&PolicyAuthority<'_>, &Reading) -> R,
    ) -> Result<R, CouldNotTell> {
        let replica = self.followed_replica(policy)?;
        let replica = healed(replica.read());
        let reading = self.fresh_reading(&replica)?;
        let times = self.times.known();
        let authority = replica.authority(&times);
        let read = read(&authority, &reading);
        self.times.want(authority.wanted());
        Ok(read)
    }

    /// What an answer to somebody who asks now rests on.
    fn fresh_reading(&self, replica: &Replica) -> Result<Reading, CouldNotTell> {
        let reading = self.proven_reading(replica)?;
        let max_staleness_seconds = replica.max_staleness_seconds();
        if self.age() > Duration::from_secs(max_staleness_seconds) {
            self.metrics.stale_answers.inc();
            return Err(CouldNotTell::Stale {
                age_seconds: reading.age_seconds,
                max_staleness_seconds,
                reading,
            });
        }
        Ok(reading)
    }

    /// What a verdict rests on, however old it is.
    fn proven_reading(&self, replica: &Replica) -> Result<Reading, CouldNotTell> {
        let height = replica.proven_height();
        let state = replica.revision_after(height).zip(replica.header_time());
        let (revision, time) =
            state.ok_or_else(|| CouldNotTell::NothingProven(replica.id().to_string()))?;
        Ok(Reading {
            policy: replica.id().to_string(),
            revision,
            height,
            time,
            offline: self.status.borrow().trouble.is_some(),
            age_seconds: self.age().as_secs(),
            engine: ENGINE_VERSION,
        })
    }

    /// Whether an actor has a permission on a document, and what the answer rests on. Asked at the
    /// time of the newest verified header.
    ///
    /// # Errors
    /// [`CouldNotTell`].
    pub fn ask_document(
        &self,
        policy: &PolicyId,
        document: &DocumentClaim,
        actor: &Did,
        permission: &str,
        context: &Context,
    ) -> Result<(Answer, Reading), CouldNotTell> {
        self.metrics.checks.inc();
        let actor = actor_of(actor);
        let (answer, reading) = self.answer(policy, |authority, reading| {
            let question = Permission {
                document,
                actor: &actor,
                permission,
                creating: false,
            };
            let circumstances = reading.circumstances(context);
            let answer = authority.ask(reading.revision, &question, &circumstances);
            (answer, reading.clone())
        })?;
        let answer = answer.ok_or(CouldNotTell::Collection)??;
        self.may_begin(&answer);
        Ok((answer, reading))
    }

    /// Whether an actor has a permission on an object of the hub, as [`Authority::ask_document`].
    ///
    /// # Errors
    /// [`CouldNotTell`].
    pub fn ask_object(
        &self,
        policy: &PolicyId,
        object: ObjectRef,
        actor: &Actor,
        permission: &str,
        context: &Context,
    ) -> Result<(Answer, Reading), CouldNotTell> {
        self.metrics.checks.inc();
        let question = Question::new(object, permission, actor.clone());
        let (answer, reading) = self.answer(policy, |authority, reading| {
            let circumstances = reading.circumstances(context);
            let answer = authority
                .view(reading.revision)
                .map(|view| check(&view, &question, &circumstances, Limits::CONSENSUS));
            (answer, reading.clone())
        })?;
        let answer = answer.ok_or_else(|| CouldNotTell::NothingProven(policy.to_string()))??;
        Ok((answer, reading))
    }

    /// Remembers when a deny may end by time: what peers were not told of before must then be told.
    fn may_begin(&self, answer: &Answer) {
        let Some(until) = answer.stands_until.filter(|_| !answer.is_allow()) else {
            return;
        };
        let mut begins = self.begins.lock().unwrap_or_else(PoisonError::into_inner);
        *begins = Some(begins.map_or(until, |begins| begins.min(until)));
    }

    /// A header with this time was verified; whether a deny may have ended by it.
    pub(crate) fn has_begun(&self, time: Timestamp) -> bool {
        let mut begins = self.begins.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = begins.is_some_and(|begins| begins <= time.to_policy());
        if begun {
            *begins = None;
        }
        begun
    }

    /// The heights of the blocks that answer what a bundle wants, if all are known here. What is not is
    /// looked for, and [`HubStatus::times`] tells when it is found.
    pub(crate) fn heights_of(&self, wanted: &[Wanted]) -> Option<BTreeSet<u64>> {
        self.times.heights(wanted)
    }

    /// Asks for the time of a block.
    pub(crate) fn want_time(&self, height: u64) {
        self.times.want([Wanted::At(height)].into());
    }

    /// Blocks around a moment that made revisions: their times are proven with them.
    pub(crate) fn revisions_near(&self, moment: Time) -> Vec<Block> {
        let replicas: Vec<_> = healed(self.replicas.read()).values().cloned().collect();
        let around = |replica: Arc<RwLock<Replica>>| {
            let replica = healed(replica.read());
            let history = replica.history();
            let last = history.revision_at_time(moment);
            let next = last.map_or(0, |last| last.saturating_add(1));
            let both = [last, Some(next)].into_iter().flatten();
            let made = both.filter_map(|revision| history.revision(revision));
            made.map(|made| Block {
                height: made.height,
                time: made.time(),
            })
            .collect::<Vec<_>>()
        };
        replicas.into_iter().flat_map(around).collect()
    }

    /// The highest block at or below `height` whose header was verified in this run: what a writer may
    /// cite beside the blocks that made revisions.
    pub(crate) fn seen_at_or_below(&self, height: u64) -> Option<Block> {
        self.times.seen_at_or_below(height)
    }

    /// Whether `actor` has `permission` on the object that stands for all of a policy's: the one
    /// with the policy's id, of the first resource that knows the permission. It is asked where a
    /// refusal is to name nothing in particular.
    ///
    /// # Errors
    /// [`CouldNotTell`].
    pub fn ask_in_general(
        &self,
        policy: &PolicyId,
        actor: &Actor,
        permission: &str,
    ) -> Result<(ObjectRef, Answer, Reading), CouldNotTell> {
        let object = self.answer(policy, |authority, reading| {
            let definition = authority.view(reading.revision)?.definition();
            let resource = definition.resources().find(|resource| {
                let mut known = definition.permissions(resource);
                known.any(|known| known == permission)
            })?;
            ObjectRef::new(resource, &policy.to_string()).ok()
        })?;
        let object = object.ok_or(CouldNotTell::Collection)?;
        let none = Context::default();
        let (answer, reading) =
            self.ask_object(policy, object.clone(), actor, permission, &none)?;
        Ok((object, answer, reading))
    }
}
