//! Documents: what is kept, what counts, and the ways in and out.
//!
//! Writes come in through [`write`] (this sidecar's actors) and [`receive`] (peers); both are
//! judged by `audit::verdict` under the proven replica. Reads go out through [`read`] and
//! [`offer`] with a [`crate::guard::Permit`] (Invariant 8).

pub mod attested;
mod auditors;
mod heard;
mod late;
mod loaded;
mod offer;
mod pending;
mod place;
mod read;
mod receive;
pub mod values;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use audit::content::Content;
use audit::verdict::DocumentClaim;
use crdt::Schemas;
use hashbrown::HashMap;
use hub_types::PolicyId;
use identity::{ChainId, Did};
use policy::Context;

use crate::authority::{actor_of, Authority, CouldNotTell, Reading};
use crate::clock::Clock;
use crate::failure::{Failure, Kind};
use crate::guard::{Guard, Permit, Refusal, Sight};
use crate::leaves::{self, Asked, Denials};
use crate::limits::{PEER_REJECTED_MAX, STATE_CACHE_DOCUMENTS_MAX};
use crate::metrics::Metrics;
use crate::secrets::Keyring;
use crate::store::keys::Digest;
use crate::store::records::{CommitRecord, DocumentRecord};
use crate::store::{Column, Store, StoreError, Write};

pub(crate) use auditors::NoAudit;
pub use heard::Attested;
pub(crate) use late::late_key;
pub use loaded::{author_of, claim_of, commit_of, Loaded};
pub(crate) use offer::named;
pub use offer::Offered;
pub use pending::Pending;
pub use read::{History, HistoryEntry, Listed, View};
pub use receive::Received;
pub use write::{Intent, Prepared, Submitted};

/// What the service works with.
pub struct Parts {
    /// The disk.
    pub store: Arc<Store>,
    /// The replicas.
    pub authority: Arc<Authority>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The chain.
    pub chain: ChainId,
    /// Keys of local actors.
    pub keyring: Arc<Keyring>,
    /// Whom the sidecar acts for.
    pub operator: Did,
    /// The policy that the audit log is about.
    pub log_policy: Option<PolicyId>,
}

/// The documents of one sidecar.
pub struct Documents {
    store: Arc<Store>,
    authority: Arc<Authority>,
    guard: Guard,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    chain: ChainId,
    keyring: Arc<Keyring>,
    denials: Denials,
    cache: Mutex<HashMap<Digest, Arc<Mutex<Loaded>>>>,
    pending: Mutex<Pending>,
    in_flight: Mutex<InFlight>,
    /// Commits rejected lately, so that a peer that offers one again costs a lookup.
    rejected: Mutex<Vec<Rejection>>,
    auditors: Mutex<auditors::Auditors>,
    log_policy: Option<PolicyId>,
}

/// A commit that was rejected.
struct Rejection {
    commit: Digest,
    reason: String,
    /// For a commit that no followed policy knew: how many were followed. It is no rejection any
    /// more when another one is, which may be the commit's own.
    followed: Option<usize>,
}

/// Commits and documents that are with the writer and not yet on disk: children in the same batch
/// build on them. Whatever builds on one is written behind it, or not at all.
#[derive(Default)]
struct InFlight {
    commits: HashMap<Digest, CommitRecord>,
    documents: HashMap<Digest, DocumentRecord>,
    /// How many commits of a document have a [`place::Place`].
    places: HashMap<Digest, u64>,
}

/// A document in memory, with its record as the store has it.
type InMemory = (Arc<Mutex<Loaded>>, DocumentRecord);

/// What an attestation of this sidecar's would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It would settle the commit.
    Settles,
    /// It came under an anchor too late; a new leaf at a newer height could settle the commit.
    TooLate,
    /// Nothing: settled already, or the operator may not attest.
    None,
}

/// Rejections remembered: as many as a handful of peers may cause in a window.
const REJECTED_REMEMBERED_MAX: usize = 4 * PEER_REJECTED_MAX as usize;

/// What a trail that is refused is called: its documents have no names for a stranger.
const TRAIL: &str = "any document of the trail";

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Documents {
    /// Opens the service over what the store holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(parts: Parts) -> Result<Self, StoreError> {
        let pending = Pending::restore(&parts.store)?;
        Ok(Self {
            guard: Guard::new(parts.authority.clone(), parts.operator),
            store: parts.store,
            authority: parts.authority,
            clock: parts.clock,
            metrics: parts.metrics,
            chain: parts.chain,
            keyring: parts.keyring,
            denials: Denials::default(),
            cache: Mutex::default(),
            pending: Mutex::new(pending),
            in_flight: Mutex::default(),
            rejected: Mutex::default(),
            auditors: Mutex::default(),
            log_policy: parts.log_policy,
        })
    }

    /// The disk.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The replicas.
    #[must_use]
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// The guard.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The local actors' keys.
    #[must_use]
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// Seconds since 1970 by the wall clock.
    #[must_use]
    pub fn now_seconds(&self) -> u64 {
        self.clock.wall_ms() / 1000
    }

    /// The document in memory, brought up to what the store holds.
    fn loaded(&self, document: &Digest) -> Result<Option<InMemory>, StoreError> {
        let Some(record) = self.store.document(document)? else {
            return Ok(None);
        };
        let known = locked(&self.cache).get(document).cloned();
        let loaded = match known {
            Some(loaded) => loaded,
            None => {
                let loaded = Arc::new(Mutex::new(Loaded::new(&record)?));
                let mut cache = locked(&self.cache);
                if cache.len() >= STATE_CACHE_DOCUMENTS_MAX {
                    // Starting over is rare and costs each document one load.
                    cache.clear();
                }
                cache.entry(*document).or_insert(loaded).clone()
            }
        };
        locked(&loaded).sync(&record, &self.store)?;
        Ok(Some((loaded, record)))
    }

    /// Works on a document whose verdicts are those of this moment. `work` must ask nothing of the
    /// authority, see [`Authority::judge`].
    pub(crate) fn judged<R>(
        &self,
        document: &Digest,
        work: impl FnOnce(&mut Loaded, &Schemas, &Reading) -> R,
    ) -> Result<Option<R>, Failure> {
        let Some((loaded, _)) = self.loaded(document)? else {
            return Ok(None);
        };
        let mut loaded = locked(&loaded);
        let policy = loaded.policy;
        self.authority
            .judge_with(&policy, |replica, authority, reading| {
                loaded.judge(authority, self.chain.as_str());
                let schemas = replica.schemas(&loaded.claim.collection).cloned();
                work(&mut loaded, &schemas.unwrap_or_default(), reading)
            })
            .map(Some)
            .map_err(|error| could_not_tell(&error))
    }

    /// Brings a kept attestation into a document that is in memory.
    pub(crate) fn attest(
        &self,
        document: &Digest,
        commit: crdt::Cid,
        attestation: audit::verdict::Attestation,
    ) {
        let known = locked(&self.cache).get(document).cloned();
        if let Some(loaded) = known {
            locked(&loaded).attest(commit, attestation);
        }
    }

    /// The facts and the policy of a kept document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claim(
        &self,
        document: &Digest,
    ) -> Result<Option<(DocumentClaim, PolicyId)>, StoreError> {
        // First what is in flight: what leaves it meanwhile is in the store by then.
        let in_flight = locked(&self.in_flight).documents.get(document).cloned();
        let record = match in_flight {
            Some(record) => record,
            None => match self.store.document(document)? {
                Some(record) => record,
                None => return Ok(None),
            },
        };
        let policy = crate::store::records::digest(Column::Documents, &record.policy)?;
        Ok(Some((claim_of(&record)?, PolicyId::new(policy))))
    }

    /// What is known of a commit that is kept, or about to be.
    fn kept_commit(
        &self,
        document: &Digest,
        commit: &Digest,
    ) -> Result<Option<CommitRecord>, StoreError> {
        let in_flight = locked(&self.in_flight).commits.get(commit).cloned();
        match in_flight {
            Some(record) => Ok(Some(record)),
            None => self.store.commit(document, commit),
        }
    }

    /// Leave for `actor` to see a kept document; the decision is logged before it is told.
    ///
    /// # Errors
    /// [`Failure`]: not found, denied, could not tell.
    pub async fn permit(
        &self,
        document: &crdt::Cid,
        actor: &Did,
        sight: Sight,
        context: &Context,
        action: &'static str,
    ) -> Result<Permit, Failure> {
        let Some((claim, policy)) = self.claim(document.digest())? else {
            return Err(unknown_document(document));
        };
        let refusal = match self.guard.permit(&policy, &claim, actor, sight, context) {
            Ok(permit) => return Ok(permit),
            Err(refusal) => refusal,
        };
        Err(self.refuse(refusal, &policy, &claim, actor, action).await?)
    }

    /// Leave for a peer to see a kept document. Not logged: peers ask for everything there is, and
    /// what they may not see they are not told of. Nor are they told what cannot be told; when it
    /// can be, their cursors end ([`crate::authority::HubStatus::epoch`]), and they hear of it then.
    pub(crate) fn permit_peer(
        &self,
        document: &Digest,
        actor: &Did,
        sight: Sight,
    ) -> Result<Option<Permit>, StoreError> {
        self.permit_unlogged(document, actor, sight, &Context::default())
    }

    /// Leave to see one of many kept documents, for somebody who is not told which he may not see.
    fn permit_unlogged(
        &self,
        document: &Digest,
        actor: &Did,
        sight: Sight,
        context: &Context,
    ) -> Result<Option<Permit>, StoreError> {
        let Some((claim, policy)) = self.claim(document)? else {
            return Ok(None);
        };
        let permit = self.guard.permit(&policy, &claim, actor, sight, context);
        Ok(permit.ok())
    }

    /// Whether `new` proves more of a kept commit than `old`, of the same log: it counts, and the
    /// other one never will or was seen later. Where `old` counts for an ancestor, `new` does too.
    /// None where that hangs on the time of a block that is not proven yet: a choice made without it
    /// would hang on the order in which the two came.
    pub(crate) fn is_better(
        &self,
        document: &Digest,
        commit: &crdt::Cid,
        new: &audit::verdict::Attestation,
        old: Option<&audit::verdict::Attestation>,
    ) -> Result<Option<bool>, Failure> {
        let Some((loaded, _)) = self.loaded(document)? else {
            return Ok(Some(false));
        };
        let mut loaded = locked(&loaded);
        let policy = loaded.policy;
        self.authority
            .judge(&policy, |authority, _| {
                loaded.judge(authority, self.chain.as_str());
                loaded.is_better(commit, new, old, authority)
            })
            .map_err(|error| could_not_tell(&error))
    }

    /// What an attestation of this sidecar's would do for a commit.
    pub(crate) fn use_of(
        &self,
        document: &Digest,
        commit: &crdt::Cid,
        facts: &audit::verdict::Attestation,
    ) -> Result<Use, Failure> {
        let Some((loaded, _)) = self.loaded(document)? else {
            return Ok(Use::None);
        };
        let mut loaded = locked(&loaded);
        let policy = loaded.policy;
        self.authority
            .judge(&policy, |authority, reading| {
                loaded.judge(authority, self.chain.as_str());
                loaded.use_of(commit, facts, authority, reading.height)
            })
            .map_err(|error| could_not_tell(&error))
    }

    /// Logs anew that a commit of a peer is held, at the height proven now.
    pub(crate) async fn hold_again(
        &self,
        document: &Digest,
        commit: &crdt::Cid,
    ) -> Result<(), Failure> {
        let Some(blocks) = self.store.blocks(commit.digest())? else {
            return Ok(());
        };
        let (commit, _) = commit_of(&blocks)?;
        let Some((_, policy)) = self.claim(document)? else {
            return Ok(());
        };
        let reading = self
            .authority
            .judge(&policy, |_, reading| reading.clone())
            .map_err(|error| could_not_tell(&error))?;
        let content = leaves::held(&commit, &reading, audit::content::Origin::Peer);
        let write = Write {
            leaves: vec![leaves::draft(content)?],
            ..Write::default()
        };
        self.store.submit(write).await?;
        Ok(())
    }

    /// Logs a refusal within the quota, and makes the failure that tells it.
    pub(crate) async fn refuse(
        &self,
        refusal: Refusal,
        policy: &PolicyId,
        claim: &DocumentClaim,
        actor: &Did,
        action: &'static str,
    ) -> Result<Failure, StoreError> {
        match refusal {
            Refusal::CouldNotTell(error) => Ok(could_not_tell(&error)),
            Refusal::Denied {
                permission,
                reading,
                context,
                missing,
                until: _,
            } => {
                let reading = *reading;
                let (resource, _) = self
                    .authority
                    .collection_name(policy, &claim.collection)
                    .unwrap_or_default();
                let record = self.store.document(claim.id.digest())?;
                let asked = Asked {
                    actor: actor.as_str(),
                    resource: &resource,
                    object: claim.id.to_string(),
                    permission,
                    action,
                    document: Some(claim.id),
                    preimage: record.map(|record| record.preimage),
                    context,
                };
                let why = lacking(&missing);
                let reason = format!("no relationship gives the actor `{permission}`{why}");
                let outcome = audit::content::Outcome::Deny;
                let content =
                    leaves::decision(asked, outcome, &reason, &reading, self.now_seconds());
                self.log_denial(actor.as_str(), policy, content).await?;
                let object = claim.id.to_string();
                Ok(denied(actor, permission, &object, &missing, reading))
            }
        }
    }

    /// Logs, within the quota, that somebody was refused a trail, and makes the failure that tells
    /// it. Neither names a document: the leaf is about the object that has the policy's id, of the
    /// first resource that knows the permission. Nothing makes such an object, so nobody has the
    /// permission on it; where somebody registered it all the same and has it, his leaf is about the
    /// document of the refusal.
    pub(crate) async fn refuse_trail(
        &self,
        (claim, refusal): auditors::Refused,
        policy: &PolicyId,
        actor: &Did,
        action: &'static str,
    ) -> Result<Failure, Failure> {
        let permission = match refusal {
            Refusal::CouldNotTell(error) => return Ok(could_not_tell(&error)),
            Refusal::Denied { permission, .. } => permission,
        };
        let asked = self
            .authority
            .ask_in_general(policy, &actor_of(actor), permission);
        let (object, answer, reading) = asked.map_err(|error| could_not_tell(&error))?;
        if answer.is_allow() {
            let refusal = Refusal::Denied {
                permission,
                reading: Box::new(reading.clone()),
                context: Context::default(),
                missing: Vec::new(),
                until: None,
            };
            self.refuse(refusal, policy, &claim, actor, action).await?;
            return Ok(denied(actor, permission, TRAIL, &[], reading));
        }
        let asked = Asked {
            actor: actor.as_str(),
            resource: object.resource(),
            object: object.id().to_owned(),
            permission,
            action,
            document: None,
            preimage: None,
            context: Context::default(),
        };
        let reason = format!("no relationship gives the actor `{permission}` on any document");
        let outcome = audit::content::Outcome::Deny;
        let content = leaves::decision(asked, outcome, &reason, &reading, self.now_seconds());
        self.log_denial(actor.as_str(), policy, content).await?;
        Ok(denied(actor, permission, TRAIL, &[], reading))
    }

    /// Writes the leaf of a denial under `policy`, or counts it beyond the quota.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn log_denial(
        &self,
        actor: &str,
        policy: &PolicyId,
        content: Content,
    ) -> Result<(), StoreError> {
        self.metrics.denials.inc();
        if let Some(leaf) = self.denials.take(actor, content, self.clock.wall_ms())? {
            self.store
                .submit(Write {
                    leaves: vec![leaf.under(policy.as_bytes())],
                    ..Write::default()
                })
                .await?;
        }
        Ok(())
    }

    /// Ends the window of denials when it is over, or `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_denial_window(&self, now: bool) -> Result<(), StoreError> {
        if let Some(leaf) = self.denials.end_window(self.clock.wall_ms(), now)? {
            self.store
                .submit(Write {
                    leaves: vec![leaf],
                    ..Write::default()
                })
                .await?;
        }
        Ok(())
    }

    fn remember_rejected(&self, rejection: Rejection) {
        let mut rejected = locked(&self.rejected);
        if rejected.len() >= REJECTED_REMEMBERED_MAX {
            rejected.drain(..REJECTED_REMEMBERED_MAX / 2);
        }
        rejected.push(rejection);
    }

    fn was_rejected(&self, commit: &Digest) -> Option<String> {
        let followed = self.authority.followed();
        let rejected = locked(&self.rejected);
        rejected
            .iter()
            .rev()
            .find(|known| known.commit == *commit)
            .filter(|known| known.followed.is_none_or(|then| then == followed))
            .map(|known| known.reason.clone())
    }
}

/// The failure of a check that has no answer (Invariant 3).
#[must_use]
pub fn could_not_tell(error: &CouldNotTell) -> Failure {
    let failure = match error {
        CouldNotTell::Check(policy::CheckError::UnknownResource { .. })
        | CouldNotTell::Check(policy::CheckError::UnknownPermission { .. }) => {
            Failure::invalid(error.to_string(), "look at the policy's definition")
        }
        CouldNotTell::NotFollowed(_) => {
            Failure::not_found(error.to_string(), "follow the policy first")
        }
        _ => Failure::new(
            Kind::CouldNotTell,
            format!("could not tell: {error}"),
            "this is neither a yes nor a no; try again when the hub can be reached",
        ),
    };
    match error {
        CouldNotTell::Stale { reading, .. } => failure.at(reading.clone()),
        _ => failure,
    }
}

/// The failure of a state that cannot be made.
pub(crate) fn of_state(error: &crdt::Error) -> Failure {
    match error {
        crdt::Error::UnknownCommit { .. } => Failure::not_found(
            error.to_string(),
            "GET the document's history for its commits",
        ),
        _ => Failure::new(
            Kind::CouldNotTell,
            error.to_string(),
            "wait until the replica has the schema's revision",
        ),
    }
}

/// The failure of a document that is not kept here.
#[must_use]
pub fn unknown_document(document: &crdt::Cid) -> Failure {
    Failure::not_found(
        format!("no document {document} is kept here"),
        "check the id; a document of another sidecar arrives with the next exchange",
    )
}

/// The failure of an actor without the permission; `missing` names what conditions lack.
#[must_use]
pub fn denied(
    actor: &Did,
    permission: &str,
    object: &str,
    missing: &[String],
    reading: Reading,
) -> Failure {
    let why = lacking(missing);
    let next = match missing {
        [] => format!("ask an owner or manager for a relation that gives `{permission}`"),
        missing => format!("give `context` with values of {}", missing.join(", ")),
    };
    Failure::new(
        Kind::Denied,
        format!("{actor} has not the permission `{permission}` on {object}{why}"),
        next,
    )
    .at(reading)
}

/// Why a conditional answer is a deny for whoever needs one of two.
fn lacking(missing: &[String]) -> String {
    match missing {
        [] => String::new(),
        missing => format!(
            ": conditions that might give it lack {}",
            missing.join(", ")
        ),
    }
}
