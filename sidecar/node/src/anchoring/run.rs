//! The loop that anchors: one step at a time, each a function of disk and hub.

use std::sync::Arc;
use std::time::Duration;

use audit::content::{Content, Origin};
use audit::leaf::Disclosure;
use audit::receipt::Receipt;
use audit::verdict::Attestation;
use hub_light::AnchorProof;
use hub_types::audit::{Anchor, LogRecord};
use hub_types::{LogId, PolicyId};
use identity::{AccountAddress, Did};
use policy::Actor;
use tokio::sync::watch;

use super::fold;
use super::record::{latest, list, next_sequence, AnchorRecord, AnchorState};
use crate::attestations::Attestations;
use crate::authority::hub::{Hub, HubError};
use crate::documents::attested::Kept;
use crate::documents::{author_of, Documents, Use};
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::store::keys::{self, meta};
use crate::store::records::digests;
use crate::store::{Column, Store, StoreError, Write};

/// What the loop works with.
pub struct Parts {
    /// The disk.
    pub store: Arc<Store>,
    /// The hub.
    pub hub: Arc<dyn Hub>,
    /// The documents, whose commits are attested.
    pub documents: Arc<Documents>,
    /// Where attestations go.
    pub attestations: Arc<Attestations>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The policy that the log is about.
    pub policy: PolicyId,
    /// Whose log it is.
    pub operator: Did,
    /// Time between two anchors while the log grows.
    pub interval: Duration,
}

/// The anchoring of one log.
pub struct Anchoring {
    parts: Parts,
}

/// What one step did, and so what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is no log on the hub yet; it was asked for.
    LogOpened,
    /// An intent was persisted.
    Intended,
    /// The intent was submitted.
    Submitted,
    /// The anchor was proven, and its receipt persisted.
    Confirmed,
    /// The attestations under the anchor were made.
    Attested,
    /// Nothing is to be done.
    Idle,
    /// The log cannot be anchored any more.
    Stuck,
}

/// Why a step did not happen.
#[derive(Debug)]
pub enum StepError {
    /// The hub; tried again.
    Hub(HubError),
    /// The sidecar; it must stop.
    Store(StoreError),
}

impl From<HubError> for StepError {
    fn from(error: HubError) -> Self {
        StepError::Hub(error)
    }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        StepError::Store(error)
    }
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        StepError::Store(StoreError::Read(failure.error))
    }
}

impl Anchoring {
    /// The anchoring of one log.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Anchors until `stop` changes.
    ///
    /// # Errors
    /// [`StoreError`]; the sidecar must stop then.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut told = String::new();
        loop {
            let pause = match self.step().await {
                Ok(Step::Idle | Step::Attested) => self.parts.interval,
                Ok(Step::Stuck) => {
                    tracing::error!("the hub's record of this log contradicts the store; nothing is anchored any more: seal the log and open a new one");
                    let _ = stop.changed().await;
                    return Ok(());
                }
                Ok(_) => Duration::from_millis(1),
                Err(StepError::Store(error)) => return Err(error),
                Err(StepError::Hub(error)) => {
                    let sentence = error.to_string();
                    if told != sentence {
                        tracing::warn!(%error, "the anchor waits");
                        told = sentence;
                    }
                    self.parts.metrics.anchors_failed.inc();
                    self.parts.interval.max(Duration::from_millis(200))
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => return Ok(()),
            }
        }
    }

    /// The log's id, as soon as it is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_id(store: &Store) -> Result<Option<LogId>, StoreError> {
        store
            .get(Column::Meta, meta::LOG_ID)?
            .map(|bytes| {
                LogId::from_slice(&bytes).map_err(|_| StoreError::Record(Column::Meta.name()))
            })
            .transpose()
    }

    /// Does the next thing that is to be done.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn step(&self) -> Result<Step, StepError> {
        let Some(log) = Self::log_id(&self.parts.store)? else {
            return self.open().await;
        };
        match latest(&self.parts.store)? {
            Some(anchor) if anchor.state() == AnchorState::Pending => {
                self.bring_home(log, anchor).await
            }
            Some(anchor) if anchor.state() == AnchorState::Failed => Ok(Step::Stuck),
            Some(anchor) if !anchor.attested => self.attest(&anchor).await,
            latest => self.intend(log, latest).await,
        }
    }

    async fn open(&self) -> Result<Step, StepError> {
        let (hub, policy) = (&self.parts.hub, self.parts.policy);
        let record = match hub.open_log(policy).await? {
            Some(record) => record,
            None => {
                hub.create_log(policy).await?;
                return Ok(Step::LogOpened);
            }
        };
        if record.size > self.parts.store.log().tail.range.size() {
            tracing::error!(log = %record.id, size = record.size, "the operator's log on the hub is longer than this store's; restore the store, or seal that log");
            return Ok(Step::Stuck);
        }
        let put = (
            Column::Meta,
            meta::LOG_ID.to_vec(),
            Some(record.id.to_vec()),
        );
        self.parts
            .store
            .submit(Write {
                puts: vec![put],
                ..Write::default()
            })
            .await?;
        tracing::info!(log = %record.id, "the log is open on the hub");
        Ok(Step::LogOpened)
    }

    /// Persists the intent to anchor the log as it stands, with the heads tree under it.
    async fn intend(&self, log: LogId, latest: Option<AnchorRecord>) -> Result<Step, StepError> {
        let store = &self.parts.store;
        let snapshot = store.log();
        let (size, root) = (snapshot.tail.range.size(), snapshot.tail.range.root());
        let old_size = latest.as_ref().map_or(0, |anchor| anchor.size);
        if size == old_size {
            return Ok(Step::Idle);
        }
        let before = latest.as_ref().map(|anchor| anchor.heads_version);
        let version = before.map_or(0, |version| version + 1);
        // Seconds of work after a busy interval; requests are served meanwhile.
        let worker = store.clone();
        let heads = tokio::task::spawn_blocking(move || {
            let entries = fold::entries(&worker, before, old_size, size)?;
            worker.heads_tree().update(version, &entries)
        })
        .await
        .map_err(|error| StoreError::Read(error.to_string()))??;
        let anchor = AnchorRecord {
            sequence: next_sequence(store)?,
            log: log.to_vec(),
            old_size,
            size,
            root: root.to_vec(),
            heads_root: heads.root.to_vec(),
            heads_version: version,
            state: AnchorState::Pending.into(),
            ..AnchorRecord::default()
        };
        let mut puts = heads.puts;
        let next = keys::number(anchor.sequence + 1).to_vec();
        puts.push((Column::Meta, meta::ANCHOR_NEXT.to_vec(), Some(next)));
        puts.push(anchor.put());
        store
            .submit(Write {
                puts,
                ..Write::default()
            })
            .await?;
        Ok(Step::Intended)
    }

    /// Confirms an intent that the hub has, submits one that it has not.
    async fn bring_home(&self, log: LogId, anchor: AnchorRecord) -> Result<Step, StepError> {
        let record = self.parts.hub.log(log).await?;
        if record.size == anchor.size && record.root.as_slice() == anchor.root {
            return self.confirm(log, anchor, &record).await;
        }
        if record.size == anchor.old_size && !record.sealed {
            return self.submit(log, anchor, &record).await;
        }
        let mut anchor = anchor;
        anchor.set_state(AnchorState::Failed);
        anchor.trouble = format!(
            "the hub's record has size {}, this anchor goes from {} to {}",
            record.size, anchor.old_size, anchor.size
        );
        let write = Write {
            puts: vec![anchor.put()],
            ..Write::default()
        };
        self.parts.store.submit(write).await?;
        Ok(Step::Stuck)
    }

    async fn submit(
        &self,
        log: LogId,
        mut anchor: AnchorRecord,
        record: &LogRecord,
    ) -> Result<Step, StepError> {
        let hash = |bytes: &[u8]| {
            merkle::Hash::try_from(bytes).map_err(|_| StoreError::Record(Column::Anchors.name()))
        };
        let snapshot = self.parts.store.log();
        let consistency = if record.size == 0 {
            Vec::new()
        } else {
            merkle::consistency_proof(&snapshot, record.size, anchor.size)
                .map_err(|_| StoreError::Log("a consistency proof cannot be made"))?
        };
        let message = Anchor {
            // The one who signs puts his account here.
            creator: AccountAddress::of(self.parts.operator.public_key())
                .unwrap_or(AccountAddress::from_slice(&[0; 20]).map_err(|_| StoreError::Stopped)?),
            log,
            old_size: anchor.old_size,
            size: anchor.size,
            root: hash(&anchor.root)?,
            heads_root: hash(&anchor.heads_root)?,
            consistency,
        };
        let outcome = self.parts.hub.anchor(message).await;
        anchor.submissions += 1;
        anchor.trouble = outcome
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default();
        let write = Write {
            puts: vec![anchor.put()],
            ..Write::default()
        };
        self.parts.store.submit(write).await?;
        outcome?;
        Ok(Step::Submitted)
    }

    async fn confirm(
        &self,
        log: LogId,
        mut anchor: AnchorRecord,
        record: &LogRecord,
    ) -> Result<Step, StepError> {
        let index = record
            .anchors
            .size()
            .checked_sub(1)
            .ok_or_else(|| HubError::Unverified("an anchored log has no anchors".into()))?;
        let anchored = self.parts.hub.anchored(log, index).await?;
        let same = anchored.leaf.size == anchor.size
            && anchored.leaf.root.as_slice() == anchor.root
            && anchored.leaf.heads_root.as_slice() == anchor.heads_root;
        if !same {
            return Err(
                HubError::Unverified("the last anchor is not the one intended".into()).into(),
            );
        }
        anchor.set_state(AnchorState::Final);
        anchor.index = anchored.index;
        anchor.height = anchored.leaf.height.0;
        anchor.proof = anchored.proof.to_bytes();
        anchor.header_height = anchored.header_height;
        anchor.trouble.clear();
        let write = Write {
            puts: vec![anchor.put()],
            ..Write::default()
        };
        self.parts.store.submit(write).await?;
        self.parts.metrics.anchors_final.inc();
        self.parts.metrics.anchored_size.set(anchor.size);
        Ok(Step::Confirmed)
    }

    /// Makes a receipt for each commit of a peer that a leaf under this anchor says was held. The
    /// author's own sidecar does not attest for it, so local commits are left out; and a commit
    /// that another one of them follows is covered by that one.
    async fn attest(&self, anchor: &AnchorRecord) -> Result<Step, StepError> {
        let store = &self.parts.store;
        let log = LogId::from_slice(&anchor.log)
            .map_err(|_| StoreError::Record(Column::Anchors.name()))?;
        let proof = AnchorProof::from_bytes(&anchor.proof)
            .map_err(|_| StoreError::Record(Column::Anchors.name()))?;
        let snapshot = store.log();
        let operator = Actor::new(self.parts.operator.as_str())
            .map_err(|_| StoreError::Record(Column::Anchors.name()))?;
        for (index, document, commit) in self.held(anchor)? {
            let opening = store.leaf(index)?.opening()?;
            let Content::CommitHeld(held) = opening.content().clone() else {
                continue;
            };
            let path = merkle::inclusion_proof(&snapshot, index, anchor.size)
                .map_err(|_| StoreError::Log("an inclusion proof cannot be made"))?;
            let receipt = Receipt {
                index,
                leaf: Disclosure::Opened(Box::new(opening)),
                path,
                anchor: proof.clone(),
            };
            let facts = Attestation {
                height: held.height,
                revision: held.revision,
                anchor_height: anchor.height,
                operator: operator.clone(),
            };
            let cid = crdt::Cid::from_digest(commit);
            match self.parts.documents.use_of(&document, &cid, &facts)? {
                Use::Settles => {
                    let kept = Kept {
                        facts,
                        raw: receipt.to_bytes(),
                    };
                    self.parts
                        .attestations
                        .keep_own(document, commit, &log, kept)
                        .await?;
                }
                // The hub was out of reach for longer than `anchor_lag`: the next anchor carries
                // a newer leaf.
                Use::TooLate => self.parts.documents.hold_again(&document, &cid).await?,
                Use::None => {}
            }
        }
        let mut anchor = anchor.clone();
        anchor.attested = true;
        let write = Write {
            puts: vec![anchor.put()],
            ..Write::default()
        };
        store.submit(write).await?;
        Ok(Step::Attested)
    }

    /// Index, document and commit of the leaves to attest.
    #[allow(
        clippy::type_complexity,
        reason = "three names of one leaf, used once above"
    )]
    fn held(
        &self,
        anchor: &AnchorRecord,
    ) -> Result<Vec<(u64, keys::Digest, keys::Digest)>, StoreError> {
        let store = &self.parts.store;
        let mut held = Vec::new();
        let mut followed = std::collections::BTreeSet::new();
        for index in anchor.old_size..anchor.size {
            let opening = store.leaf(index)?.opening()?;
            let Content::CommitHeld(content) = opening.content() else {
                continue;
            };
            if content.origin != Origin::Peer {
                continue;
            }
            let (document, commit) = (*content.document.digest(), *content.commit.digest());
            // A leaf about the operator's own commit attests nothing, so it speaks for no ancestor.
            if author_of(store, &commit)? == self.parts.operator {
                continue;
            }
            if let Some(record) = store.commit(&document, &commit)? {
                followed.extend(digests(Column::Commits, &record.parents)?);
            }
            held.push((index, document, commit));
        }
        held.retain(|(_, _, commit)| !followed.contains(commit));
        Ok(held)
    }

    /// The anchors that became final, from `from` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list(&self, from: u64, limit: usize) -> Result<Vec<AnchorRecord>, StoreError> {
        list(&self.parts.store, from, limit)
    }
}
