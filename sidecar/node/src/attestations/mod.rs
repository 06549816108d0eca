//! Attestations: receipts that say that somebody's sidecar held a commit in time.
//!
//! A receipt is verified under the header that it names, which the light client verifies. With the
//! header at hand that is done at once; for any other header the receipt waits ([`waiting`]), and is
//! proven beside the exchange with peers, which never waits for the hub ([`Attestations::run`]).
//! What is verified is kept, settles what it covers, and is handed on. Of one log one receipt is kept
//! for each commit: the one that proves most.

mod headers;
mod waiting;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit::content::Content;
use audit::receipt::{Receipt, RECEIPT_BYTES_MAX};
use audit::verdict::may_attest;
use hub_light::Trusted;
use hub_types::{LogId, PolicyId};
use tokio::sync::{watch, Notify};

use crate::authority::hub::{Hub, HubError};
use crate::documents::attested::{decode_kept, encode_kept, Kept};
use crate::documents::{author_of, late_key, locked, Attested, Documents};
use crate::failure::Failure;
use crate::limits::PEER_WAITING_RECEIPTS_MAX;
use crate::metrics::Metrics;
use crate::store::keys::{self, Digest};
use crate::store::records::FeedRecord;
use crate::store::{Column, Expected, Put, StoreError, Write};
use headers::{Ask, Headers, Look, Pass};
use waiting::{Awaits, Waiting};

/// New attestations remembered until they are announced.
const NEW_MAX: usize = 4096;

/// Time between two passes over what waits, while headers are still to be asked for.
const PASS_PAUSE: Duration = Duration::from_millis(100);

/// Longest time for which a peer's next attestations are not asked for because so many of its last
/// ones still wait for headers.
const ROOM_WAIT: Duration = Duration::from_secs(5);

/// The service.
pub struct Attestations {
    documents: Arc<Documents>,
    hub: Arc<dyn Hub>,
    metrics: Arc<Metrics>,
    headers: Mutex<Headers>,
    waiting: Mutex<Waiting>,
    /// Receipts came, or the replica moved.
    wake: Notify,
    /// Whether the replica moved, so that all that waits is looked at.
    moved: AtomicBool,
    new: Mutex<Vec<(Digest, Vec<u8>)>>,
}

/// A receipt that was verified under its header.
pub struct Proven {
    document: Digest,
    commit: Digest,
    log: LogId,
    policy: PolicyId,
    kept: Kept,
}

/// Receipts of a peer that were looked at with what is at hand.
#[derive(Default)]
pub struct Looked {
    proven: Vec<Proven>,
    waiting: Vec<waiting::Receipt>,
}

impl Looked {
    /// Those that are verified already, as commits are judged by them.
    #[must_use]
    pub fn attested(&self) -> Attested {
        let mut attested = Attested::new();
        for proven in &self.proven {
            let of_commit = attested.entry(proven.commit).or_default();
            of_commit.push((proven.policy, proven.kept.facts.clone()));
        }
        attested
    }
}

/// A receipt that reads, about a commit that is kept or `coming`. Nothing of it is proven.
struct Candidate {
    receipt: Receipt,
    document: Digest,
    commit: Digest,
    log: LogId,
    header: u64,
    coming: bool,
}

/// What came of asking for a header.
enum Fetched {
    /// It is verified.
    Verified(Box<Trusted>),
    /// It is not asked for in this pass.
    HeldBack,
    /// It was not to be had, or is not asked for until the hub is heard of again.
    Failed,
}

/// What a receipt is, before its header is looked for.
enum Read {
    /// To be verified.
    Candidate(Box<Candidate>),
    /// About a commit that is not here, or under a header yet to come.
    Later,
    /// Known, or wrong, and of no use.
    Dropped,
}

impl Attestations {
    /// The service over these documents.
    #[must_use]
    pub fn new(documents: Arc<Documents>, hub: Arc<dyn Hub>, metrics: Arc<Metrics>) -> Self {
        Self {
            documents,
            hub,
            metrics,
            headers: Mutex::default(),
            waiting: Mutex::default(),
            wake: Notify::new(),
            moved: AtomicBool::new(false),
            new: Mutex::default(),
        }
    }

    /// Takes receipts of a peer, in any order. While many of the peer's still wait for headers and
    /// the hub is in reach, this takes a while, so that none must be dropped for want of room.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails; wrong receipts are dropped.
    pub async fn receive(&self, peer: &str, receipts: Vec<Vec<u8>>) -> Result<(), Failure> {
        let looked = self.look(peer, receipts, &BTreeSet::new())?;
        self.settle(peer, looked).await?;
        let until = tokio::time::Instant::now() + ROOM_WAIT;
        while locked(&self.waiting).for_headers(peer) > PEER_WAITING_RECEIPTS_MAX / 2
            && self.hub_look().1
            && tokio::time::Instant::now() < until
        {
            tokio::time::sleep(PASS_PAUSE).await;
        }
        Ok(())
    }

    /// Verifies, with the headers at hand, receipts of a peer about commits that are kept, or among
    /// those that are `coming` with them. Asks the hub for nothing: the others wait.
    ///
    /// # Errors
    /// As [`Attestations::receive`].
    pub fn look(
        &self,
        peer: &str,
        receipts: Vec<Vec<u8>>,
        coming: &BTreeSet<Digest>,
    ) -> Result<Looked, Failure> {
        let mut looked = Looked::default();
        for raw in receipts {
            let awaits = match self.read(&raw, coming)? {
                Read::Dropped => continue,
                Read::Later => Awaits::Commit,
                Read::Candidate(candidate) => match self.at_hand(candidate.header) {
                    Some(trusted) => {
                        looked.proven.extend(verified(*candidate, &raw, &trusted));
                        continue;
                    }
                    None if candidate.coming => Awaits::HeaderAhead,
                    None => Awaits::Header,
                },
            };
            looked.waiting.push(waiting::Receipt {
                peer: peer.to_owned(),
                raw,
                tries: 0,
                awaits,
            });
        }
        Ok(looked)
    }

    /// Keeps verified receipts whose commits are kept by now, each if it proves more than the one
    /// that is kept of the same log. The others wait.
    ///
    /// # Errors
    /// As [`Attestations::receive`].
    pub async fn settle(&self, peer: &str, looked: Looked) -> Result<(), Failure> {
        for one in looked.proven {
            self.settle_one(peer, one, 0).await?;
        }
        // Only now: what is proven beside this finds its commits.
        for receipt in looked.waiting {
            self.wait(receipt);
        }
        if locked(&self.waiting).counts().0 > 0 {
            self.wake.notify_one();
        }
        Ok(())
    }

    async fn settle_one(&self, peer: &str, one: Proven, tries: u32) -> Result<(), Failure> {
        let Some(record) = self.documents.store().commit(&one.document, &one.commit)? else {
            self.wait(waiting::Receipt {
                peer: peer.to_owned(),
                raw: one.kept.raw,
                tries,
                awaits: Awaits::Commit,
            });
            return Ok(());
        };
        let of_policy = self.documents.claim(&one.document)?;
        let ours = of_policy.is_some_and(|(_, policy)| policy == one.policy);
        let author = author_of(self.documents.store(), &one.commit)?;
        if !ours || !may_attest(record.height, author.as_str(), &one.kept.facts) {
            return Ok(());
        }
        let waits = self
            .keep(one.document, one.commit, &one.log, one.kept)
            .await?;
        if let Some(kept) = waits {
            self.wait(waiting::Receipt {
                peer: peer.to_owned(),
                raw: kept.raw,
                tries,
                awaits: Awaits::Commit,
            });
        }
        Ok(())
    }

    /// Keeps what this sidecar itself attests: where it cannot be told yet what that proves, it is kept
    /// all the same, unless one of the log is kept already.
    ///
    /// # Errors
    /// As [`Attestations::receive`].
    pub async fn keep_own(
        &self,
        document: Digest,
        commit: Digest,
        log: &LogId,
        kept: Kept,
    ) -> Result<(), Failure> {
        let Some(kept) = self.keep(document, commit, log, kept).await? else {
            return Ok(());
        };
        let key = keys::triple(&document, &commit, log.as_bytes()).to_vec();
        if self.replace(None, &key, document, &kept).await? {
            let cid = crdt::Cid::from_digest(commit);
            self.documents.attest(&document, cid, kept.facts);
        }
        Ok(())
    }

    fn wait(&self, receipt: waiting::Receipt) {
        if !locked(&self.waiting).push(receipt) {
            self.metrics.peer_commits_dropped.inc();
        }
    }

    /// The replica moved: all that waits is looked at again.
    pub fn moved(&self) {
        self.moved.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Proves what waits, until `stop` changes: here headers are asked for, and nothing else waits
    /// for them.
    ///
    /// # Errors
    /// Never; the signature is that of a task of the sidecar.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut more = false;
        loop {
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(PASS_PAUSE), if more => {}
                _ = stop.changed() => return Ok(()),
            }
            let moved = self.moved.swap(false, Ordering::SeqCst);
            tokio::select! {
                done = self.try_waiting(moved, moved || more) => match done {
                    Ok(held_back) => more = held_back,
                    // Tried again with the next block.
                    Err(failure) => {
                        tracing::warn!(%failure, "waiting attestations could not be looked at");
                    }
                },
                _ = stop.changed() => return Ok(()),
            }
        }
    }

    /// Tries what came since the last pass, and all that waits if `all`. Says whether a receipt was
    /// held back because its peer had its headers of this pass.
    async fn try_waiting(&self, moved: bool, all: bool) -> Result<bool, Failure> {
        let (fresh, tried) = locked(&self.waiting).counts();
        let mut pass = Pass::default();
        let mut held_back = false;
        let mut failed = Ok(());
        for place in 0..fresh + if all { tried } else { 0 } {
            let receipt = match place < fresh {
                true => locked(&self.waiting).pop_fresh(),
                false => locked(&self.waiting).pop_tried(),
            };
            let Some(receipt) = receipt else { continue };
            let again = receipt.clone();
            match self.try_one(&mut pass, receipt, moved).await {
                Ok(held) => held_back |= held,
                // The sidecar failed, not the receipt: it waits on, and so do the others.
                Err(failure) => {
                    self.wait(waiting::Receipt {
                        tries: again.tries.max(1),
                        ..again
                    });
                    failed = Err(failure);
                }
            }
        }
        failed.map(|()| held_back)
    }

    /// Tries one receipt; says whether it was held back.
    async fn try_one(
        &self,
        pass: &mut Pass,
        mut receipt: waiting::Receipt,
        moved: bool,
    ) -> Result<bool, Failure> {
        // A try counts when the replica has moved; but what was tried once is fresh no more.
        let tries = receipt.tries.saturating_add(u32::from(moved)).max(1);
        let none = BTreeSet::new();
        let ahead = receipt.awaits == Awaits::HeaderAhead;
        let candidate = match self.read_if(&receipt.raw, &none, ahead)? {
            Read::Dropped => return Ok(false),
            Read::Later => {
                (receipt.tries, receipt.awaits) = (tries, Awaits::Commit);
                self.wait(receipt);
                return Ok(false);
            }
            Read::Candidate(candidate) => *candidate,
        };
        let (trusted, fetched) = match self.at_hand(candidate.header) {
            Some(trusted) => (trusted, false),
            None => match self.fetch(pass, &receipt.peer, candidate.header).await {
                Fetched::Verified(trusted) => (*trusted, true),
                // It has not been tried: nothing was asked for it.
                Fetched::HeldBack => {
                    receipt.tries = receipt.tries.max(1);
                    self.wait(receipt);
                    return Ok(true);
                }
                Fetched::Failed => {
                    receipt.tries = tries;
                    self.wait(receipt);
                    return Ok(false);
                }
            },
        };
        match verified(candidate, &receipt.raw, &trusted) {
            Some(proven) => self.settle_one(&receipt.peer, proven, tries).await?,
            None if fetched => locked(&self.headers).in_vain(&receipt.peer),
            None => {}
        }
        Ok(false)
    }

    /// The hub as it was last heard of.
    fn hub_look(&self) -> Look {
        let status = self.documents.authority().status();
        let status = status.borrow();
        (status.height, status.trouble.is_none())
    }

    fn at_hand(&self, height: u64) -> Option<Trusted> {
        let known = locked(&self.headers).known(height);
        known.or_else(|| self.hub.at_hand(height))
    }

    async fn fetch(&self, pass: &mut Pass, peer: &str, height: u64) -> Fetched {
        let look = self.hub_look();
        match locked(&self.headers).may_ask(pass, peer, height, look) {
            Ask::Yes => {}
            Ask::HeldBack => return Fetched::HeldBack,
            Ask::No => return Fetched::Failed,
        }
        match self.hub.header(height).await {
            Ok(trusted) => {
                locked(&self.headers).learn(&trusted);
                Fetched::Verified(Box::new(trusted))
            }
            // What a node says that lies is no reason to drop what a peer sent.
            Err(error) => {
                tracing::debug!(%error, height, "an attestation's header is not verified");
                let unreachable = matches!(error, HubError::Unreachable(_));
                let look = self.hub_look();
                locked(&self.headers).failed(pass, peer, height, look, unreachable);
                Fetched::Failed
            }
        }
    }

    /// What was kept since the last call, by document.
    #[must_use]
    pub fn take_new(&self) -> Vec<(Digest, Vec<u8>)> {
        std::mem::take(&mut *locked(&self.new))
    }

    fn read(&self, raw: &[u8], coming: &BTreeSet<Digest>) -> Result<Read, Failure> {
        self.read_if(raw, coming, false)
    }

    /// Reads a receipt. One about a commit that is not here is for later, unless it is `coming` or
    /// was, so that its header is wanted `ahead` of it.
    fn read_if(&self, raw: &[u8], coming: &BTreeSet<Digest>, ahead: bool) -> Result<Read, Failure> {
        if raw.len() > RECEIPT_BYTES_MAX {
            return Ok(Read::Dropped);
        }
        let Ok(receipt) = Receipt::from_bytes(raw) else {
            return Ok(Read::Dropped);
        };
        let Some(Content::CommitHeld(held)) =
            receipt.leaf.opening().map(|opening| opening.content())
        else {
            return Ok(Read::Dropped);
        };
        let Some(log) = log_of(&receipt) else {
            return Ok(Read::Dropped);
        };
        let (document, commit) = (*held.document.digest(), *held.commit.digest());
        let store = self.documents.store();
        let key = keys::triple(&document, &commit, log.as_bytes());
        if let Some(bytes) = store.get(Column::Attestations, &key)? {
            if decode_kept(&bytes)?.raw == raw {
                return Ok(Read::Dropped);
            }
        }
        let here = store.commit(&document, &commit)?.is_some();
        let coming = !here && coming.contains(&commit);
        if !here && !coming && !ahead {
            return Ok(Read::Later);
        }
        let header = receipt.anchor.record().header_height().0;
        // The hub is asked for no header that is yet to come: any number may stand there.
        if header > self.hub_look().0 {
            return Ok(Read::Later);
        }
        Ok(Read::Candidate(Box::new(Candidate {
            receipt,
            document,
            commit,
            log,
            header,
            coming,
        })))
    }

    /// Keeps a verified attestation, and lets peers know, unless the one that is kept of the same
    /// log is as good. Gives it back where that cannot be told yet, for want of a block's time.
    async fn keep(
        &self,
        document: Digest,
        commit: Digest,
        log: &LogId,
        kept: Kept,
    ) -> Result<Option<Kept>, Failure> {
        let key = keys::triple(&document, &commit, log.as_bytes()).to_vec();
        let cid = crdt::Cid::from_digest(commit);
        let store = self.documents.store();
        let judged = || {
            let documents = &self.documents;
            documents.judged(&document, |loaded, _, _| (loaded.heads(), loaded.late()))
        };
        let before = loop {
            let stands = store.get(Column::Attestations, &key)?;
            let old = stands.as_deref().map(decode_kept).transpose()?;
            let old = old.map(|old| old.facts);
            let better = self
                .documents
                .is_better(&document, &cid, &kept.facts, old.as_ref())?;
            match (better, old) {
                (None, _) => return Ok(Some(kept)),
                (Some(false), Some(old)) => {
                    // Whoever wrote it may have been ended before it told the memory.
                    self.documents.attest(&document, cid, old);
                    return Ok(None);
                }
                (Some(false), None) => return Ok(None),
                (Some(true), _) => {}
            }
            let before = judged()?;
            if self.replace(stands, &key, document, &kept).await? {
                break before;
            }
            // Another one of the same log was written meanwhile: is this one better than that?
        };
        self.documents.attest(&document, cid, kept.facts);
        let after = judged()?;
        if before == after {
            return Ok(None);
        }
        // A late commit counts now; peers that were told other heads are told again, and it takes
        // no more room among its author's late ones.
        let (_, late) = before.unwrap_or_default();
        let (_, still_late) = after.unwrap_or_default();
        let settled = late.iter().filter(|(cid, _)| !still_late.contains_key(cid));
        let puts: Vec<Put> = settled
            .map(|(cid, author)| {
                let key = late_key(author, &document, cid.digest());
                (Column::Late, key, None)
            })
            .collect();
        let write = Write {
            touched: vec![document],
            puts,
            ..Write::default()
        };
        store.submit(write).await?;
        Ok(None)
    }

    /// Writes an attestation in the place of `stands`; says whether that still stood there. What is
    /// compared is compared by the one writer: two tasks that read at the same time cannot both be
    /// right, and the worse of two receipts is never the last.
    async fn replace(
        &self,
        stands: Option<Vec<u8>>,
        key: &[u8],
        document: Digest,
        kept: &Kept,
    ) -> Result<bool, Failure> {
        let feed = FeedRecord {
            document: document.to_vec(),
            commit: key[32..64].to_vec(),
            log: key[64..].to_vec(),
        };
        let put = (Column::Attestations, key.to_vec(), Some(encode_kept(kept)));
        let write = Write {
            puts: vec![put],
            attestations: vec![feed],
            expects: Some(Expected {
                column: Column::Attestations,
                key: key.to_vec(),
                value: stands,
            }),
            ..Write::default()
        };
        {
            // Before the write, so that whoever is told of the change finds it.
            let mut new = locked(&self.new);
            if new.len() < NEW_MAX {
                new.push((document, kept.raw.clone()));
            }
        }
        let written = self.documents.store().submit(write).await?;
        if written.known {
            locked(&self.new).retain(|(_, raw)| *raw != kept.raw);
        }
        Ok(!written.known)
    }
}

/// The log that a receipt is about.
fn log_of(receipt: &Receipt) -> Option<LogId> {
    LogId::from_slice(&receipt.anchor.to_wire().leaf?.log).ok()
}

/// What a candidate proves under its header; nothing if it does not verify.
fn verified(candidate: Candidate, raw: &[u8], trusted: &Trusted) -> Option<Proven> {
    let Candidate {
        receipt,
        document,
        commit,
        log,
        ..
    } = candidate;
    let proven = receipt.verify(trusted, &log).and_then(|received| {
        let policy = received.anchored.record.policy;
        let (_, facts) = receipt.attestation(trusted, &log, &policy)?;
        Ok((policy, facts))
    });
    match proven {
        Ok((policy, facts)) => Some(Proven {
            document,
            commit,
            log,
            policy,
            kept: Kept {
                facts,
                raw: raw.to_vec(),
            },
        }),
        Err(error) => {
            let commit = crdt::Cid::from_digest(commit);
            tracing::warn!(%error, %commit, "an attestation does not verify");
            None
        }
    }
}
