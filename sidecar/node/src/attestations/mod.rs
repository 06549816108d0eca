//! Attestations: receipts that say that somebody's sidecar held a commit in time.
//!
//! A receipt is verified under the header that it names, which the light client verifies; until the
//! replica has come that far, or while the hub is out of reach, it waits ([`waiting`]). What is
//! verified is kept, settles what it covers, and is handed on. Of one log one receipt is kept for
//! each commit: the one that proves most.

mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use audit::content::Content;
use audit::receipt::{Receipt, RECEIPT_BYTES_MAX};
use audit::verdict::may_attest;
use hub_light::Trusted;
use hub_types::{LogId, PolicyId};

use crate::authority::hub::{Hub, HubError};
use crate::documents::attested::{decode_kept, encode_kept, Kept};
use crate::documents::{late_key, locked, Attested, Documents};
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::store::keys::{self, Digest};
use crate::store::records::FeedRecord;
use crate::store::{Column, Expected, Put, Write};
use waiting::Waiting;

/// Headers remembered: the receipts of one anchor share one.
const HEADERS_MAX: usize = 256;

/// New attestations remembered until they are announced.
const NEW_MAX: usize = 4096;

/// The service.
pub struct Attestations {
    documents: Arc<Documents>,
    hub: Arc<dyn Hub>,
    metrics: Arc<Metrics>,
    headers: Mutex<BTreeMap<u64, Trusted>>,
    waiting: Mutex<Waiting>,
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

/// What became of one receipt.
enum Tried {
    /// It verifies.
    Proven(Box<Proven>),
    /// To be tried again.
    Later,
    /// To be tried again when the hub can be reached.
    Unreachable,
    /// Known, or wrong, and of no use.
    Dropped,
}

/// The verified receipts, as commits are judged by them.
#[must_use]
pub fn attested(proven: &[Proven]) -> Attested {
    let mut attested = Attested::new();
    for proven in proven {
        let of_commit = attested.entry(proven.commit).or_default();
        of_commit.push((proven.policy, proven.kept.facts.clone()));
    }
    attested
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
            new: Mutex::default(),
        }
    }

    /// Takes receipts of a peer, in any order.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails; wrong receipts are dropped.
    pub async fn receive(&self, peer: &str, receipts: Vec<Vec<u8>>) -> Result<(), Failure> {
        let proven = self.prove(peer, receipts, &BTreeSet::new()).await?;
        self.settle(peer, proven).await
    }

    /// Verifies receipts of a peer about commits that are kept, or among those that are `coming`
    /// with them. The others wait.
    ///
    /// # Errors
    /// As [`Attestations::receive`].
    pub async fn prove(
        &self,
        peer: &str,
        receipts: Vec<Vec<u8>>,
        coming: &BTreeSet<Digest>,
    ) -> Result<Vec<Proven>, Failure> {
        let mut proven = Vec::new();
        for raw in receipts {
            if raw.len() > RECEIPT_BYTES_MAX {
                continue;
            }
            match self.try_one(&raw, coming).await? {
                Tried::Proven(one) => proven.push(*one),
                Tried::Later | Tried::Unreachable => self.wait(peer, raw, 0),
                Tried::Dropped => {}
            }
        }
        Ok(proven)
    }

    /// Keeps verified receipts whose commits are kept by now, each if it proves more than the one
    /// that is kept of the same log. The others wait.
    ///
    /// # Errors
    /// As [`Attestations::receive`].
    pub async fn settle(&self, peer: &str, proven: Vec<Proven>) -> Result<(), Failure> {
        let store = self.documents.store();
        for one in proven {
            let Some(record) = store.commit(&one.document, &one.commit)? else {
                self.wait(peer, one.kept.raw, 0);
                continue;
            };
            let of_policy = self.documents.claim(&one.document)?;
            let ours = of_policy.is_some_and(|(_, policy)| policy == one.policy);
            if !ours || !may_attest(record.height, &one.kept.facts) {
                continue;
            }
            self.keep(one.document, one.commit, &one.log, one.kept)
                .await?;
        }
        Ok(())
    }

    fn wait(&self, peer: &str, raw: Vec<u8>, tries: u32) {
        let receipt = waiting::Receipt {
            peer: peer.to_owned(),
            raw,
            tries,
        };
        if !locked(&self.waiting).push(receipt) {
            self.metrics.peer_commits_dropped.inc();
        }
    }

    /// Tries again what waits. Called when the replica advanced.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails.
    pub async fn try_waiting(&self) -> Result<(), Failure> {
        let waiting = locked(&self.waiting).len();
        let mut reachable = true;
        for _ in 0..waiting {
            let Some(receipt) = locked(&self.waiting).pop() else {
                break;
            };
            if !reachable {
                // One answer is enough: the others are not asked for one by one.
                self.wait(&receipt.peer, receipt.raw, receipt.tries);
                continue;
            }
            match self.try_one(&receipt.raw, &BTreeSet::new()).await? {
                Tried::Proven(proven) => self.settle(&receipt.peer, vec![*proven]).await?,
                Tried::Later => self.wait(&receipt.peer, receipt.raw, receipt.tries + 1),
                Tried::Unreachable => {
                    reachable = false;
                    self.wait(&receipt.peer, receipt.raw, receipt.tries + 1);
                }
                Tried::Dropped => {}
            }
        }
        Ok(())
    }

    /// What was kept since the last call, by document.
    #[must_use]
    pub fn take_new(&self) -> Vec<(Digest, Vec<u8>)> {
        std::mem::take(&mut *locked(&self.new))
    }

    async fn try_one(&self, raw: &[u8], coming: &BTreeSet<Digest>) -> Result<Tried, Failure> {
        let Ok(receipt) = Receipt::from_bytes(raw) else {
            return Ok(Tried::Dropped);
        };
        let Some(Content::CommitHeld(held)) =
            receipt.leaf.opening().map(|opening| opening.content())
        else {
            return Ok(Tried::Dropped);
        };
        let Some(log) = log_of(&receipt) else {
            return Ok(Tried::Dropped);
        };
        let (document, commit) = (*held.document.digest(), *held.commit.digest());
        let store = self.documents.store();
        let key = keys::triple(&document, &commit, log.as_bytes());
        let known = match store.get(Column::Attestations, &key)? {
            Some(bytes) => decode_kept(&bytes)?.raw == raw,
            None => false,
        };
        if known {
            return Ok(Tried::Dropped);
        }
        if store.commit(&document, &commit)?.is_none() && !coming.contains(&commit) {
            return Ok(Tried::Later);
        }
        let header = receipt.anchor.record().header_height().0;
        // The hub is asked for no header that is yet to come: any number may stand there.
        if header > self.documents.authority().status().borrow().height {
            return Ok(Tried::Later);
        }
        let trusted = match self.header(header).await {
            Ok(trusted) => trusted,
            Err(HubError::Unreachable(_)) => return Ok(Tried::Unreachable),
            // What a node says that lies is no reason to drop what a peer sent.
            Err(error) => {
                tracing::debug!(%error, header, "an attestation's header is not verified");
                return Ok(Tried::Later);
            }
        };
        let proven = receipt.verify(&trusted, &log).and_then(|received| {
            let policy = received.anchored.record.policy;
            let (_, facts) = receipt.attestation(&trusted, &log, &policy)?;
            Ok((policy, facts))
        });
        match proven {
            Ok((policy, facts)) => Ok(Tried::Proven(Box::new(Proven {
                document,
                commit,
                log,
                policy,
                kept: Kept {
                    facts,
                    raw: raw.to_vec(),
                },
            }))),
            Err(error) => {
                tracing::warn!(%error, commit = %held.commit, "an attestation does not verify");
                Ok(Tried::Dropped)
            }
        }
    }

    async fn header(&self, height: u64) -> Result<Trusted, HubError> {
        if let Some(trusted) = locked(&self.headers).get(&height) {
            return Ok(trusted.clone());
        }
        let trusted = self.hub.header(height).await?;
        let mut headers = locked(&self.headers);
        headers.insert(height, trusted.clone());
        while headers.len() > HEADERS_MAX {
            headers.pop_first();
        }
        Ok(trusted)
    }

    /// Keeps a verified attestation, and lets peers know, unless the one that is kept of the same
    /// log is as good.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails.
    pub async fn keep(
        &self,
        document: Digest,
        commit: Digest,
        log: &LogId,
        kept: Kept,
    ) -> Result<(), Failure> {
        let key = keys::triple(&document, &commit, log.as_bytes()).to_vec();
        let cid = crdt::Cid::from_digest(commit);
        let store = self.documents.store();
        let judged = || {
            let documents = &self.documents;
            documents.judged(&document, |loaded, _, _| (loaded.heads(), loaded.late()))
        };
        let before = loop {
            let stands = store.get(Column::Attestations, &key)?;
            if let Some(bytes) = &stands {
                let old = decode_kept(bytes)?.facts;
                let better = self
                    .documents
                    .is_better(&document, &cid, &kept.facts, &old)?;
                if !better {
                    // Whoever wrote it may have been ended before it told the memory.
                    self.documents.attest(&document, cid, old);
                    return Ok(());
                }
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
            return Ok(());
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
        Ok(())
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
