//! Attestations: receipts that say that somebody's sidecar held a commit in time.
//!
//! A receipt is verified under the header that it names, which the light client verifies; while the
//! hub is out of reach it waits here, within a bound. What is verified is kept, settles what it
//! covers, and is handed on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use audit::content::Content;
use audit::receipt::{Receipt, RECEIPT_BYTES_MAX};
use hub_light::Trusted;
use hub_types::LogId;

use crate::authority::hub::{Hub, HubError};
use crate::documents::attested::{encode_kept, Kept};
use crate::documents::{locked, Documents};
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::store::keys::{self, Digest};
use crate::store::records::FeedRecord;
use crate::store::{Column, Write};

/// Receipts that wait for their header or their commit: 8,192 of 2.5 kB are 20 MB.
const WAITING_MAX: usize = 8192;

/// Times that a waiting receipt is tried before it is dropped. A peer hands it out again with the
/// commit it is about.
const TRIES_MAX: u32 = 600;

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
    waiting: Mutex<VecDeque<(Vec<u8>, u32)>>,
    new: Mutex<Vec<(Digest, Vec<u8>)>>,
}

/// What became of one receipt.
enum Taken {
    /// Kept now, or before.
    Kept,
    /// To be tried again.
    Later,
    /// Wrong, or about nothing that is kept here.
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
            new: Mutex::default(),
        }
    }

    /// Takes receipts of a peer, in any order.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails; wrong receipts are dropped.
    pub async fn receive(&self, receipts: Vec<Vec<u8>>) -> Result<(), Failure> {
        for raw in receipts {
            if raw.len() > RECEIPT_BYTES_MAX {
                continue;
            }
            if let Taken::Later = self.take(&raw).await? {
                self.wait(raw, 0);
            }
        }
        Ok(())
    }

    fn wait(&self, raw: Vec<u8>, tries: u32) {
        let mut waiting = locked(&self.waiting);
        if tries < TRIES_MAX && waiting.len() < WAITING_MAX {
            waiting.push_back((raw, tries));
        } else {
            self.metrics.peer_commits_dropped.inc();
        }
    }

    /// Tries again what waits. Called when the replica advanced.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails.
    pub async fn try_waiting(&self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut *locked(&self.waiting));
        for (raw, tries) in waiting {
            if let Taken::Later = self.take(&raw).await? {
                self.wait(raw, tries + 1);
            }
        }
        Ok(())
    }

    /// What was kept since the last call, by document.
    #[must_use]
    pub fn take_new(&self) -> Vec<(Digest, Vec<u8>)> {
        std::mem::take(&mut *locked(&self.new))
    }

    async fn take(&self, raw: &[u8]) -> Result<Taken, Failure> {
        let Ok(receipt) = Receipt::from_bytes(raw) else {
            return Ok(Taken::Dropped);
        };
        let Some(Content::CommitHeld(held)) =
            receipt.leaf.opening().map(|opening| opening.content())
        else {
            return Ok(Taken::Dropped);
        };
        let Some(log) = log_of(&receipt) else {
            return Ok(Taken::Dropped);
        };
        let (document, commit) = (*held.document.digest(), *held.commit.digest());
        let store = self.documents.store();
        let key = keys::triple(&document, &commit, log.as_bytes());
        if store.get(Column::Attestations, &key)?.is_some() {
            return Ok(Taken::Kept);
        }
        if store.commit(&document, &commit)?.is_none() {
            return Ok(Taken::Later);
        }
        let Some((_, policy)) = self.documents.claim(&document)? else {
            return Ok(Taken::Later);
        };
        let header = receipt.anchor.record().header_height().0;
        let trusted = match self.header(header).await {
            Ok(trusted) => trusted,
            Err(HubError::Unreachable(_)) => return Ok(Taken::Later),
            Err(error) => {
                tracing::debug!(%error, header, "an attestation's header is not verified");
                return Ok(Taken::Later);
            }
        };
        match receipt.attestation(&trusted, &log, &policy) {
            Ok((_, facts)) => {
                self.keep(
                    document,
                    commit,
                    &log,
                    Kept {
                        facts,
                        raw: raw.to_vec(),
                    },
                )
                .await?;
                Ok(Taken::Kept)
            }
            Err(error) => {
                tracing::warn!(%error, commit = %held.commit, "an attestation does not verify");
                Ok(Taken::Dropped)
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

    /// Keeps a verified attestation, and lets peers know.
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
        let before = self
            .documents
            .judged(&document, |loaded, _, _| loaded.heads())?;
        let feed = FeedRecord {
            document: document.to_vec(),
            commit: commit.to_vec(),
            log: log.as_bytes().to_vec(),
        };
        let key = keys::triple(&document, &commit, log.as_bytes()).to_vec();
        let write = Write {
            puts: vec![(Column::Attestations, key, Some(encode_kept(&kept)))],
            attestations: vec![feed],
            ..Write::default()
        };
        {
            // Before the write, so that whoever is told of the change finds it.
            let mut new = locked(&self.new);
            if new.len() < NEW_MAX {
                new.push((document, kept.raw));
            }
        }
        let store = self.documents.store();
        store.submit(write).await?;
        let commit = crdt::Cid::from_digest(commit);
        self.documents.attest(&document, commit, kept.facts);
        let after = self
            .documents
            .judged(&document, |loaded, _, _| loaded.heads())?;
        if before != after {
            // A late commit counts now; peers that were told other heads are told again.
            store
                .submit(Write {
                    touched: vec![document],
                    ..Write::default()
                })
                .await?;
        }
        Ok(())
    }
}

/// The log that a receipt is about.
fn log_of(receipt: &Receipt) -> Option<LogId> {
    LogId::from_slice(&receipt.anchor.to_wire().leaf?.log).ok()
}
