//! Commits from peers: verified, judged, then kept, made to wait, or refused.
//!
//! Bytes and signatures are checked here, authority by `audit::verdict` under the proven replica.
//! A refused commit leaves a leaf in the log and is offered to nobody; a late one is kept, with the
//! leaf that says so, within its author's quota, and offered only as an ancestor of what counts.
//! Attestations that came with the commits are heard first: what they settle was never late.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

use audit::content::Origin;
use audit::verdict::{admit, decide, Attestation, Claim, DeferReason, RejectReason, Verdict};
use crdt::{Cid, Commit, Disclosure, HeaderBlock};
use hub_types::PolicyId;
use identity::Signature;
use prost::Message as _;

use super::heard::{Attested, Heard};
use super::late::{late_key, LateRoom, LATE_MARGIN};
use super::pending::Waits;
use super::place::Place;
use super::write::{outcome, Judged};
use super::{could_not_tell, locked, Documents, InFlight, Rejection};
use crate::authority::{CouldNotTell, Reading};
use crate::failure::Failure;
use crate::leaves;
use crate::limits::{AUTHOR_LATE_COMMITS_MAX, DOCUMENT_COMMITS_MAX};
use crate::metrics;
use crate::network::messages::CommitBlocks;
use crate::store::keys::{self, Digest};
use crate::store::records::{decode, Blocks, DocumentRecord, PendingRecord};
use crate::store::{Acknowledgement, Column, Put, StoreError, Write};

/// Writes of one batch that are on their way to the disk, in the order of their commits. What it
/// marked as in flight is forgotten with it, however the batch ends: a failure ends it in the middle.
pub(super) struct Flight<'a> {
    in_flight: &'a Mutex<InFlight>,
    places: Vec<Place<'a>>,
    writes: Vec<Acknowledgement>,
    commits: Vec<Digest>,
    documents: Vec<Digest>,
    attested: Heard,
}

impl<'a> Flight<'a> {
    fn of(documents: &'a Documents, attested: Heard) -> Self {
        Self {
            in_flight: &documents.in_flight,
            attested,
            places: Vec::new(),
            writes: Vec::new(),
            commits: Vec::new(),
            documents: Vec::new(),
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut in_flight = locked(self.in_flight);
        for commit in &self.commits {
            in_flight.commits.remove(commit);
        }
        for document in &self.documents {
            in_flight.documents.remove(document);
        }
    }
}

/// What became of a received commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The commit, if its header could be read.
    pub commit: Option<Cid>,
    /// What became of it.
    pub outcome: metrics::Outcome,
    /// Why, as a sentence; empty when it counts.
    pub reason: String,
}

impl Received {
    /// The outcome's name, as it is told to peers.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.outcome {
            metrics::Outcome::Settled => "settled",
            metrics::Outcome::Provisional => "provisional",
            metrics::Outcome::Late => "late",
            metrics::Outcome::Defer => "defer",
            metrics::Outcome::Reject => "reject",
            metrics::Outcome::Known => "known",
            metrics::Outcome::Full => "full",
        }
    }
}

impl Documents {
    /// Takes commits of a peer, in any order; parents first is cheapest.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails; what is wrong with a commit stands in its
    /// result.
    pub async fn receive(
        &self,
        peer: &str,
        commits: Vec<CommitBlocks>,
    ) -> Result<Vec<Received>, Failure> {
        self.receive_attested(peer, commits, |_| Ok(Attested::new()))
            .await
    }

    /// As [`Documents::receive`], with the attestations that came along, of the commits whose
    /// signatures hold; they are not kept here.
    ///
    /// # Errors
    /// As [`Documents::receive`].
    pub async fn receive_attested(
        &self,
        peer: &str,
        commits: Vec<CommitBlocks>,
        attested: impl FnOnce(&BTreeSet<Digest>) -> Result<Attested, Failure>,
    ) -> Result<Vec<Received>, Failure> {
        let mut results: Vec<Option<Received>> = vec![None; commits.len()];
        let mut parsed = Vec::new();
        let mut places = Vec::new();
        for (place, blocks) in commits.into_iter().enumerate() {
            match self.parse(&blocks) {
                Ok((block, signature)) => {
                    parsed.push((block, signature));
                    places.push((place, blocks));
                }
                Err(received) => results[place] = Some(received),
            }
        }
        let verified = Commit::verify_all(&self.chain, parsed);
        let coming = verified.iter().flatten();
        let coming = coming.map(|commit| *commit.cid().digest()).collect();
        let attested = Heard::of(attested(&coming)?, verified.iter().flatten());
        let mut flight = Flight::of(self, attested);
        let mut failed = None;
        for ((place, blocks), verified) in places.into_iter().zip(verified) {
            let received = match verified {
                Ok(commit) => self.consider(peer, commit, blocks, &mut flight).await,
                Err(error) => self.unverified(peer, &blocks, &error).await,
            };
            match received {
                Ok(received) => {
                    self.metrics
                        .count_commit(metrics::Origin::Peer, received.outcome);
                    results[place] = Some(received);
                }
                Err(failure) => {
                    failed = Some(failure);
                    break;
                }
            }
        }
        // One sync serves them all; nobody is told before it.
        self.land(flight).await?;
        match failed {
            None => Ok(results.into_iter().flatten().collect()),
            Some(failure) => Err(failure),
        }
    }

    /// Waits until everything in flight is durable.
    async fn land(&self, mut flight: Flight<'_>) -> Result<(), Failure> {
        let mut first = Ok(());
        for acknowledgement in std::mem::take(&mut flight.writes) {
            let landed = acknowledgement.durable().await;
            if let (Err(error), Ok(())) = (landed, &first) {
                first = Err(error.into());
            }
        }
        first
    }

    /// Reads the header, unless the commit is known.
    fn parse(&self, blocks: &CommitBlocks) -> Result<(HeaderBlock, Signature), Received> {
        let rejected = |commit, reason: String| Received {
            commit,
            outcome: metrics::Outcome::Reject,
            reason,
        };
        let block = HeaderBlock::decode(blocks.header.clone())
            .map_err(|error| rejected(None, error.to_string()))?;
        let commit = *block.cid();
        if let Some(reason) = self.was_rejected(commit.digest()) {
            return Err(rejected(Some(commit), reason));
        }
        let signature = Signature::from_slice(&blocks.signature)
            .map_err(|error| rejected(Some(commit), error.to_string()))?;
        Ok((block, signature))
    }

    /// A commit whose signature or chain is wrong. Nobody is proven to have written it, so the
    /// quota of its leaf is the peer's.
    async fn unverified(
        &self,
        peer: &str,
        blocks: &CommitBlocks,
        error: &crdt::Error,
    ) -> Result<Received, Failure> {
        let block = HeaderBlock::decode(blocks.header.clone())
            .map_err(|error| Failure::internal(&error))?;
        let header = block.header();
        let reason = match error {
            crdt::Error::WrongChain { found, expected } => RejectReason::Chain {
                found: found.to_string(),
                expected: expected.to_string(),
            },
            _ => RejectReason::Signature,
        };
        let document = *header.document_id().cid();
        if let Some(policy) = self.policy_of_header(&block)? {
            let content = self.authority.judge(&policy, |_, reading| {
                leaves::refused(
                    block.cid(),
                    &document,
                    header.author.as_str(),
                    &reason,
                    reading,
                )
            });
            if let Ok(content) = content {
                self.log_denial(peer, &policy, content).await?;
            }
        }
        // Not remembered: the same header may come again with its right signature.
        Ok(Received {
            commit: Some(*block.cid()),
            outcome: metrics::Outcome::Reject,
            reason: error.to_string(),
        })
    }

    fn policy_of_header(&self, block: &HeaderBlock) -> Result<Option<PolicyId>, StoreError> {
        if let Some(preimage) = block.header().preimage() {
            return Ok(self.authority.policy_of(preimage.collection.cid()));
        }
        let document = block.header().document_id();
        let known = self.claim(document.cid().digest())?;
        Ok(known.map(|(_, policy)| policy))
    }

    /// Judges a verified commit, and then whatever waited for it.
    async fn consider(
        &self,
        peer: &str,
        commit: Commit,
        blocks: CommitBlocks,
        flight: &mut Flight<'_>,
    ) -> Result<Received, Failure> {
        let received = self.consider_one(peer, &commit, &blocks, flight).await?;
        if received.outcome.is_kept() {
            self.release(*commit.cid().digest(), flight).await?;
        }
        Ok(received)
    }

    /// Considers again what waited for `parent`, and what waited for that.
    async fn release(&self, parent: Digest, flight: &mut Flight<'_>) -> Result<(), Failure> {
        let mut open = VecDeque::from([parent]);
        while let Some(parent) = open.pop_front() {
            let children = locked(&self.pending).children(&parent);
            for (document, child) in children {
                if let Some(received) = self.reconsider(&document, &child, flight).await? {
                    if received.outcome.is_kept() {
                        open.push_back(child);
                    }
                }
            }
        }
        Ok(())
    }

    /// Considers again every commit that waits for the replica. Called when it advanced.
    ///
    /// # Errors
    /// [`Failure`] when the sidecar itself fails.
    pub async fn replica_advanced(&self) -> Result<(), Failure> {
        let proven = self.authority.status().borrow().height.saturating_sub(1);
        let waiting = locked(&self.pending).for_replica(proven);
        let mut flight = Flight::of(self, Heard::default());
        let mut failed = Ok(());
        for (document, commit) in waiting {
            failed = self.reconsider_all(&document, commit, &mut flight).await;
            if failed.is_err() {
                break;
            }
        }
        self.land(flight).await?;
        failed
    }

    async fn reconsider_all(
        &self,
        document: &Digest,
        commit: Digest,
        flight: &mut Flight<'_>,
    ) -> Result<(), Failure> {
        if let Some(received) = self.reconsider(document, &commit, flight).await? {
            if received.outcome.is_kept() {
                self.release(commit, flight).await?;
            }
        }
        Ok(())
    }

    async fn reconsider(
        &self,
        document: &Digest,
        commit: &Digest,
        flight: &mut Flight<'_>,
    ) -> Result<Option<Received>, Failure> {
        let Some(bytes) = self
            .store
            .get(Column::Pending, &keys::pair(document, commit))?
        else {
            locked(&self.pending).remove(commit);
            return Ok(None);
        };
        let record: PendingRecord = decode(Column::Pending, &bytes)?;
        let blocks = record.blocks.unwrap_or_default();
        // Its signature was verified before it was made to wait.
        let (kept, _) = super::commit_of(&blocks)?;
        let blocks = CommitBlocks {
            header: blocks.header,
            signature: blocks.signature,
            body: blocks.body,
        };
        Ok(Some(
            self.consider_one(&record.peer, &kept, &blocks, flight)
                .await?,
        ))
    }

    /// The copy of a commit that waits, with the peer that gave it, if it has its body.
    fn waiting_with_body(
        &self,
        commit: &Commit,
    ) -> Result<Option<(String, CommitBlocks)>, StoreError> {
        let cid = commit.cid().digest();
        if !locked(&self.pending).contains(cid) {
            return Ok(None);
        }
        let document = *commit.header().document_id().cid().digest();
        let Some(bytes) = self
            .store
            .get(Column::Pending, &keys::pair(&document, cid))?
        else {
            return Ok(None);
        };
        let record: PendingRecord = decode(Column::Pending, &bytes)?;
        let blocks = record.blocks.unwrap_or_default();
        Ok(blocks.body.is_some().then(|| {
            let blocks = CommitBlocks {
                header: blocks.header,
                signature: blocks.signature,
                body: blocks.body,
            };
            (record.peer, blocks)
        }))
    }

    async fn consider_one(
        &self,
        peer: &str,
        commit: &Commit,
        blocks: &CommitBlocks,
        flight: &mut Flight<'_>,
    ) -> Result<Received, Failure> {
        let cid = *commit.cid();
        let result = |outcome, reason: String| Received {
            commit: Some(cid),
            outcome,
            reason,
        };
        // A copy without its body takes nothing from one that waits with it.
        let waiting = match &blocks.body {
            Some(_) => None,
            None => self.waiting_with_body(commit)?,
        };
        let (peer, blocks) = match &waiting {
            Some((peer, blocks)) => (peer.as_str(), blocks),
            None => (peer, blocks),
        };
        let body = match &blocks.body {
            None => Disclosure::Absent,
            Some(bytes) => match commit.open_body(bytes) {
                Ok(body) => body,
                // The header may be right; the peer that sent these bytes is not.
                Err(error) => return Ok(result(metrics::Outcome::Reject, error.to_string())),
            },
        };
        let document = *commit.header().document_id().cid().digest();
        // In this order: what leaves the flight meanwhile is in the store by then.
        let in_flight = locked(&self.in_flight).commits.contains_key(cid.digest());
        let durable = self.store.commit(&document, cid.digest())?.is_some();
        if in_flight && !durable {
            // Another batch's. It is told as known only once it is on disk, and so is whatever was
            // handed over before this.
            self.store.submit(Write::default()).await?;
        }
        if in_flight || durable {
            self.disclose(&document, commit, blocks, body).await?;
            return Ok(result(metrics::Outcome::Known, String::new()));
        }
        let Some((claim, policy)) = self.document_of(commit)? else {
            let waits = Waits::For(commit.header().parents.clone());
            return self
                .wait(peer, commit, blocks, waits, "its document is not known yet")
                .await;
        };
        let Some(policy) = policy else {
            return self.foreign(peer, commit, blocks).await;
        };
        let claim = match Claim::of(commit, &claim) {
            Ok(claim) => claim,
            Err(error) => return Ok(result(metrics::Outcome::Reject, error.to_string())),
        };
        let parents = self.parents(commit)?;
        let of = |attested: &Attested| -> Vec<Attestation> {
            let of_commit = attested.get(cid.digest()).into_iter().flatten();
            let of_policy = of_commit.filter(|(about, _)| *about == policy);
            of_policy.map(|(_, known)| known.clone()).collect()
        };
        let (own, inherited) = (of(&flight.attested.own), of(&flight.attested.inherited));
        let judged = self.authority.judge(&policy, |authority, reading| {
            let mut late = None;
            let verdict = match admit(&claim, &parents, self.chain.as_str(), authority) {
                Ok(mut standing) => {
                    standing.advance(&claim, authority);
                    let decided = |known| decide(&claim, &standing, known, authority);
                    let may_be_late = standing.is_lost() || standing.open().is_some();
                    late = may_be_late.then(|| match decided(&own) {
                        Verdict::Settled { .. } => LateRoom::Certain,
                        _ => LateRoom::Counted,
                    });
                    decided(&inherited)
                }
                Err(verdict) => verdict,
            };
            (verdict, late, reading.clone())
        });
        let (verdict, late, reading) = match judged {
            Ok(judged) => judged,
            Err(CouldNotTell::NothingProven(_)) => {
                let why = "nothing of its policy was proven yet";
                return self
                    .wait(peer, commit, blocks, Waits::Replica(0), why)
                    .await;
            }
            Err(error) => return Err(could_not_tell(&error)),
        };
        let preimage = commit
            .header()
            .preimage()
            .map(crdt::DocumentPreimage::encode);
        let judged = Judged {
            claim,
            policy,
            verdict,
            late: late.is_some(),
            reading,
            preimage,
        };
        match &judged.verdict {
            Verdict::Reject(reason) => {
                let content = leaves::refused(
                    &cid,
                    commit.header().document_id().cid(),
                    commit.header().author.as_str(),
                    reason,
                    &judged.reading,
                );
                self.reject(commit, &reason.to_string(), None).await?;
                self.log_denial(commit.header().author.as_str(), &judged.policy, content)
                    .await?;
                Ok(result(metrics::Outcome::Reject, reason.to_string()))
            }
            Verdict::Defer(DeferReason::ParentsMissing(missing)) => {
                let waits = Waits::For(missing.clone());
                self.wait(peer, commit, blocks, waits, "parents are not known yet")
                    .await
            }
            Verdict::Defer(reason @ DeferReason::Ahead { .. }) => {
                let why = reason.to_string();
                let waits = Waits::Replica(commit.header().authority.height);
                self.wait(peer, commit, blocks, waits, &why).await
            }
            Verdict::Defer(reason @ DeferReason::BlockTime(_)) => {
                // It is looked for already; whatever comes of it is told to all that wait.
                let why = reason.to_string();
                self.wait(peer, commit, blocks, Waits::Replica(0), &why)
                    .await
            }
            Verdict::Late { lost_at } => {
                let why = format!("the author lost the permission at height {lost_at}");
                let most = AUTHOR_LATE_COMMITS_MAX;
                if self.late_of(&judged.claim.author, most)? >= most {
                    let why = format!("{why}, and the author's quota of late commits is full");
                    return self.no_room(commit, why).await;
                }
                let Some(place) = Place::take(flight.in_flight, &self.store, document)? else {
                    return self.no_room(commit, full_document()).await;
                };
                self.store_received(commit, blocks, &body, &judged, flight, place)
                    .await?;
                Ok(result(metrics::Outcome::Late, why))
            }
            Verdict::Settled { .. } | Verdict::Provisional { .. } => {
                let most = AUTHOR_LATE_COMMITS_MAX + LATE_MARGIN;
                if late == Some(LateRoom::Counted)
                    && self.late_of(&judged.claim.author, most)? >= most
                {
                    let why = "the author's quota of late commits is full, and what attests this one is not kept yet";
                    return self.no_room(commit, why.to_owned()).await;
                }
                let Some(place) = Place::take(flight.in_flight, &self.store, document)? else {
                    return self.no_room(commit, full_document()).await;
                };
                self.store_received(commit, blocks, &body, &judged, flight, place)
                    .await?;
                Ok(result(outcome(&judged.verdict), String::new()))
            }
        }
    }

    /// A commit that cannot be kept, whatever it is worth: dropped, and counted. It is no rejection
    /// and may be offered again.
    async fn no_room(&self, commit: &Commit, why: String) -> Result<Received, Failure> {
        self.metrics.peer_commits_dropped.inc();
        let waited = locked(&self.pending).remove(commit.cid().digest());
        if let Some(put) = waited {
            self.put(vec![put]).await?;
        }
        Ok(Received {
            commit: Some(*commit.cid()),
            outcome: metrics::Outcome::Full,
            reason: why,
        })
    }

    /// Plain changes of the store.
    async fn put(&self, puts: Vec<Put>) -> Result<(), StoreError> {
        let write = Write {
            puts,
            ..Write::default()
        };
        self.store.submit(write).await.map(drop)
    }

    /// A first commit of a collection that no followed policy defines: somebody's own policy, one
    /// that is not proven here yet, or one that is followed later.
    async fn foreign(
        &self,
        peer: &str,
        commit: &Commit,
        blocks: &CommitBlocks,
    ) -> Result<Received, Failure> {
        let cited = commit.header().authority;
        // Before the policies are looked at: one that is followed meanwhile ends this rejection.
        let followed = self.authority.followed();
        let mut readings = Vec::new();
        for policy in self.authority.policies().into_values() {
            match self.authority.judge(&policy, |_, reading| reading.clone()) {
                Ok(reading) => readings.push((policy, reading)),
                Err(_) => {
                    let why = "nothing of a followed policy was proven yet";
                    return self
                        .wait(peer, commit, blocks, Waits::Replica(0), why)
                        .await;
                }
            }
        }
        let ahead = |(_, reading): &(_, Reading)| cited.height > reading.height;
        if readings.iter().any(ahead) {
            let why = "its collection is not known at the height proven here";
            return self
                .wait(peer, commit, blocks, Waits::Replica(cited.height), why)
                .await;
        }
        let preimage = commit.header().preimage();
        let collection = preimage.map(|preimage| *preimage.collection.cid());
        if collection.is_some_and(|id| self.authority.policy_of(&id).is_some()) {
            // It was proven since the document's policy was looked for.
            let why = "its collection was not known until now";
            return self
                .wait(peer, commit, blocks, Waits::Replica(0), why)
                .await;
        }
        let reason = RejectReason::Collection {
            revision: cited.revision,
        };
        self.reject(commit, &reason.to_string(), Some(followed))
            .await?;
        // The log's own policy says so, where it is among them.
        let of_log = readings
            .iter()
            .find(|(policy, _)| Some(*policy) == self.log_policy);
        if let Some((policy, reading)) = of_log.or(readings.first()) {
            let header = commit.header();
            let document = *header.document_id().cid();
            let content = leaves::refused(
                commit.cid(),
                &document,
                header.author.as_str(),
                &reason,
                reading,
            );
            self.log_denial(header.author.as_str(), policy, content)
                .await?;
        }
        Ok(Received {
            commit: Some(*commit.cid()),
            outcome: metrics::Outcome::Reject,
            reason: reason.to_string(),
        })
    }

    /// Remembers a rejection and forgets what waited for the commit.
    async fn reject(
        &self,
        commit: &Commit,
        reason: &str,
        followed: Option<usize>,
    ) -> Result<(), Failure> {
        let mut puts = Vec::new();
        {
            let mut pending = locked(&self.pending);
            let mut open = vec![*commit.cid().digest()];
            while let Some(commit) = open.pop() {
                open.extend(
                    pending
                        .children(&commit)
                        .into_iter()
                        .map(|(_, child)| child),
                );
                puts.extend(pending.remove(&commit));
            }
        }
        if !puts.is_empty() {
            self.put(puts).await?;
        }
        self.remember_rejected(Rejection {
            commit: *commit.cid().digest(),
            reason: reason.to_owned(),
            followed,
        });
        Ok(())
    }

    async fn wait(
        &self,
        peer: &str,
        commit: &Commit,
        blocks: &CommitBlocks,
        waits: Waits,
        why: &str,
    ) -> Result<Received, Failure> {
        let received = Received {
            commit: Some(*commit.cid()),
            outcome: metrics::Outcome::Defer,
            reason: why.to_owned(),
        };
        let document = *commit.header().document_id().cid().digest();
        let blocks = Blocks {
            header: blocks.header.clone(),
            signature: blocks.signature.clone(),
            body: blocks.body.clone(),
        };
        let cid = *commit.cid().digest();
        let (waited, put) = {
            let mut pending = locked(&self.pending);
            let waited = pending.remove(&cid);
            let (blocks, waits) = (blocks.clone(), waits.clone());
            (waited, pending.insert(document, cid, blocks, peer, waits))
        };
        match put {
            Some(put) => {
                self.put(vec![put]).await?;
                // Whoever looked before it was on disk found nothing, and took it for gone.
                let mut pending = locked(&self.pending);
                if !pending.contains(&cid) {
                    pending.insert(document, cid, blocks, peer, waits);
                }
                Ok(received)
            }
            None => {
                if let Some(put) = waited {
                    self.put(vec![put]).await?;
                }
                let why = format!("{why}, and there is no room for it to wait");
                self.no_room(commit, why).await
            }
        }
    }

    async fn store_received<'a>(
        &self,
        commit: &Commit,
        blocks: &CommitBlocks,
        body: &Disclosure,
        judged: &Judged,
        flight: &mut Flight<'a>,
        place: Place<'a>,
    ) -> Result<(), Failure> {
        let document = *commit.header().document_id().cid().digest();
        let bytes = blocks.body.as_deref().unwrap_or_default();
        let mut write = self.kept(commit, bytes, body, judged, Origin::Peer)?;
        // Also of what came with an attestation: its room is given back when that is kept, which is
        // not certain before.
        if judged.late {
            let key = late_key(&judged.claim.author, &document, commit.cid().digest());
            write.puts.push((Column::Late, key, Some(Vec::new())));
        }
        let commit = *commit.cid().digest();
        let marks = write
            .commit
            .as_ref()
            .map(|new| (new.record.clone(), new.creates.clone()));
        // Marked only behind it: what builds on a marked commit is then written behind it as well,
        // and what is never handed over is never taken for known.
        let acknowledgement = self.store.enqueue(write).await?;
        locked(&self.pending).remove(&commit);
        flight.writes.push(acknowledgement);
        flight.places.push(place);
        if let Some((record, creates)) = marks {
            flight.commits.push(commit);
            let mut in_flight = locked(&self.in_flight);
            in_flight.commits.insert(commit, record);
            if let Some(created) = creates {
                let record = DocumentRecord {
                    policy: created.policy.to_vec(),
                    preimage: created.preimage,
                    ..DocumentRecord::default()
                };
                flight.documents.push(document);
                in_flight.documents.insert(document, record);
            }
        }
        Ok(())
    }

    /// Takes a body that came after its header was kept without it.
    async fn disclose(
        &self,
        document: &Digest,
        commit: &Commit,
        blocks: &CommitBlocks,
        body: Disclosure,
    ) -> Result<(), Failure> {
        let Some(bytes) = &blocks.body else {
            return Ok(());
        };
        let Some(mut kept) = self.store.blocks(commit.cid().digest())? else {
            return Ok(());
        };
        if kept.body.is_some() {
            return Ok(());
        }
        kept.body = Some(bytes.clone());
        let put = (
            Column::Blocks,
            commit.cid().digest().to_vec(),
            Some(kept.encode_to_vec()),
        );
        let write = Write {
            puts: vec![put],
            touched: vec![*document],
            ..Write::default()
        };
        self.store.submit(write).await?;
        if let Some(loaded) = locked(&self.cache).get(document).cloned() {
            locked(&loaded).disclose(commit.cid(), body);
        }
        Ok(())
    }
}

fn full_document() -> String {
    format!("the document has {DOCUMENT_COMMITS_MAX} commits and takes no more")
}
