//! Histories of policies in memory, for the gRPC service of permission questions: lookups need
//! both directions of the graph and every revision, which the trees on disk do not have.
//!
//! They are built from the node's own log of revisions when a policy is first asked about, brought
//! up to the newest block when one is asked again, and given up, longest unused first, when all of
//! them take too much memory. Nothing of consensus reads them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hub_ask::{Reading, Source, Unanswered};
use hub_types::policy::{keys, Change, PolicyLeaf, PolicyRecord};
use hub_types::{PolicyId, Record, RecordError};
use policy::{HashKey, History, Time};
use prost::Message;
use wire::policy::Revision;

use crate::chain::hub::Hub;
use crate::policy::revision_key;
use crate::query::QueryContext;
use crate::store::Column;

/// Bytes that all histories may take together before one is given up. A million relationships with
/// their names are some 150 MB.
const BYTES_MAX: usize = 1 << 30;

/// One policy's.
struct Kept {
    state: RwLock<State>,
    /// When it was last asked, as a count of questions.
    used: AtomicU64,
}

struct State {
    history: Arc<History>,
    /// What is read of it; `None` before it was ever built.
    reading: Option<Reading>,
}

/// All of them.
pub struct Histories {
    hub: Arc<Hub>,
    key: HashKey,
    kept: Mutex<BTreeMap<PolicyId, Arc<Kept>>>,
    questions: AtomicU64,
}

fn healed<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

impl Histories {
    /// None yet.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(hub: Arc<Hub>) -> anyhow::Result<Histories> {
        let mut key = HashKey::default();
        getrandom::fill(&mut key)
            .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
        Ok(Histories {
            hub,
            key,
            kept: Mutex::default(),
            questions: AtomicU64::default(),
        })
    }

    fn find(&self, policy: &PolicyId) -> Option<Arc<Kept>> {
        let kept = healed(self.kept.lock()).get(policy).cloned()?;
        let now = self.questions.fetch_add(1, Ordering::Relaxed);
        kept.used.store(now, Ordering::Relaxed);
        Some(kept)
    }

    fn find_or_make(&self, policy: &PolicyId) -> Arc<Kept> {
        self.find(policy).unwrap_or_else(|| {
            let empty = || {
                Arc::new(Kept {
                    state: RwLock::new(State {
                        history: Arc::new(History::keyed(self.key)),
                        reading: None,
                    }),
                    used: AtomicU64::new(self.questions.fetch_add(1, Ordering::Relaxed)),
                })
            };
            healed(self.kept.lock())
                .entry(*policy)
                .or_insert_with(empty)
                .clone()
        })
    }

    /// Gives up the longest unused ones until the rest takes no more than [`BYTES_MAX`]; never the
    /// one that was used last.
    fn make_room(&self) {
        let mut kept = healed(self.kept.lock());
        let mut sizes: Vec<(u64, PolicyId, usize)> = kept
            .iter()
            .filter_map(|(id, one)| {
                // One that is being built is in use.
                let bytes = one.state.try_read().ok()?.history.memory().all_bytes();
                Some((one.used.load(Ordering::Relaxed), *id, bytes))
            })
            .collect();
        sizes.sort_unstable();
        let mut all: usize = sizes.iter().map(|(.., bytes)| bytes).sum();
        sizes.pop();
        for (_, id, bytes) in sizes {
            if all <= BYTES_MAX {
                return;
            }
            kept.remove(&id);
            all -= bytes;
        }
    }

    /// The height whose state is on disk.
    fn committed_height(&self) -> u64 {
        let committed = self.hub.store().committed();
        committed.map_or(0, |committed| committed.height)
    }

    /// Follows the log of revisions to the newest block.
    fn follow(&self, policy: &PolicyId, state: &mut State) -> Result<(), Unanswered> {
        let context = QueryContext::new(&self.hub, 0).map_err(node)?;
        if state
            .reading
            .is_some_and(|reading| reading.height >= context.height)
        {
            return Ok(());
        }
        let record: PolicyRecord = context
            .record(&keys::policy(policy))
            .map_err(node)?
            .ok_or_else(|| Unanswered::NoPolicy(policy.to_string()))?;
        let newest = record
            .latest_revision()
            .ok_or_else(|| Unanswered::NoPolicy(policy.to_string()))?;
        let next = state
            .history
            .latest()
            .map_or(0, |latest| latest.revision + 1);
        if next <= newest {
            let history = Arc::make_mut(&mut state.history);
            for revision in next..=newest {
                let stored = context
                    .view
                    .side(Column::Revisions, &revision_key(policy, revision))
                    .map_err(node)?
                    .ok_or_else(|| node(format!("revision {revision} is missing")))?;
                apply(history, &stored)?;
            }
        }
        let (seconds, nanos) = context
            .view
            .committed()
            .map_or((0, 0), |committed| committed.time);
        state.reading = Some(Reading {
            revision: newest,
            height: context.height,
            time: Time::new(seconds, nanos).unwrap_or_default(),
            offline: false,
            age_seconds: 0,
        });
        Ok(())
    }
}

fn node(error: impl ToString) -> Unanswered {
    Unanswered::Node(error.to_string())
}

fn apply(history: &mut History, stored: &[u8]) -> Result<(), Unanswered> {
    let stored = Revision::decode(stored).map_err(node)?;
    let leaf = stored.leaf.ok_or_else(|| node("a revision has no leaf"))?;
    let leaf = PolicyLeaf::from_wire(leaf).map_err(node)?;
    let changes = stored
        .changes
        .into_iter()
        .map(|change| Ok(Change::from_wire(change)?.to_policy()))
        .collect::<Result<Vec<_>, RecordError>>()
        .map_err(node)?;
    history.apply(leaf.to_revision(), &changes).map_err(node)
}

impl Source for Histories {
    fn ask<T>(
        &self,
        policy: &PolicyId,
        ask: impl FnOnce(&History, &Reading) -> T,
    ) -> Result<T, Unanswered> {
        let kept = self.find(policy).ok_or(Unanswered::Later)?;
        let state = kept.state.try_read().map_err(|_| Unanswered::Later)?;
        let reading = state
            .reading
            .filter(|reading| reading.height >= self.committed_height())
            .ok_or(Unanswered::Later)?;
        Ok(ask(&state.history, &reading))
    }

    fn take(&self, policy: &PolicyId) -> Result<(Arc<History>, Reading), Unanswered> {
        let kept = self.find_or_make(policy);
        let (taken, is_new) = {
            let mut state = healed(kept.state.write());
            let before = state.history.latest();
            let followed = self.follow(policy, &mut state);
            if let Err(error) = followed {
                // Nothing half-applied is asked: the next question builds it anew.
                healed(self.kept.lock()).remove(policy);
                return Err(error);
            }
            let reading = state.reading.ok_or(Unanswered::Later)?;
            let is_new = before != state.history.latest();
            ((state.history.clone(), reading), is_new)
        };
        if is_new {
            self.make_room();
        }
        Ok(taken)
    }
}
