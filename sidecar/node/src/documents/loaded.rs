//! One document in memory: its DAG, the standing of each commit, and what counts.
//!
//! A verdict is computed from the commits, the attestations and the replica, never remembered as
//! truth (Invariant 4): what is kept is how far it was computed, and that a settled commit stays
//! settled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use audit::authority::PolicyAuthority;
use audit::verdict::{
    admit, counts, decide, may_attest, soundness, Attestation, Authority as _, Claim,
    DocumentClaim, ParentClaim, Soundness, Standing, Verdict,
};
use crdt::{
    materialize, Cid, Commit, Dag, Disclosure, DocumentId, DocumentPreimage, DocumentState, Error,
    HeaderBlock, Schemas,
};
use hub_types::PolicyId;
use identity::{Did, Signature};
use policy::{Actor, Time};

use crate::store::keys::Digest;
use crate::store::records::{decode, digest, digests, Blocks, CommitRecord, DocumentRecord};
use crate::store::{Column, Store, StoreError};

use super::{attested, Use};

/// What is known of one commit's standing.
struct Entry {
    claim: Claim,
    standing: Standing,
    settled: Option<Verdict>,
}

/// At which state of the world the verdicts were computed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Judged {
    revision: u64,
    height: u64,
    commits: usize,
    attestations: usize,
    /// Of how many blocks the times were known.
    times: usize,
}

/// A document with everything that its state depends on.
pub struct Loaded {
    /// What its id proves.
    pub claim: DocumentClaim,
    /// Its policy.
    pub policy: PolicyId,
    /// Its commits.
    pub dag: Dag,
    entries: HashMap<Cid, Entry>,
    attestations: BTreeMap<Cid, BTreeSet<Attestation>>,
    attestations_count: usize,
    verdicts: HashMap<Cid, Verdict>,
    judged: Option<Judged>,
    /// From when on a verdict may be another one with time alone.
    until: Option<Time>,
    state: Option<Arc<DocumentState>>,
}

fn wrong(column: Column) -> StoreError {
    StoreError::Record(column.name())
}

/// The facts that a document's record proves.
///
/// # Errors
/// [`StoreError::Record`] when the preimage in it does not read.
pub fn claim_of(record: &DocumentRecord) -> Result<DocumentClaim, StoreError> {
    DocumentPreimage::decode(&record.preimage)
        .ok()
        .and_then(|preimage| DocumentClaim::of(&preimage).ok())
        .ok_or_else(|| wrong(Column::Documents))
}

/// A commit of the store, whose signature was verified when it was kept.
///
/// # Errors
/// [`StoreError::Record`].
pub fn commit_of(blocks: &Blocks) -> Result<(Commit, Disclosure), StoreError> {
    let wrong = || wrong(Column::Blocks);
    let block = HeaderBlock::decode(blocks.header.clone()).map_err(|_| wrong())?;
    let signature = Signature::from_slice(&blocks.signature).map_err(|_| wrong())?;
    let commit = Commit::trusted(block, signature);
    let body = match &blocks.body {
        None => Disclosure::Absent,
        Some(body) => commit.open_body(body).map_err(|_| wrong())?,
    };
    Ok((commit, body))
}

/// The author of a commit that is kept.
///
/// # Errors
/// [`StoreError::Record`] where its block is missing or does not read.
pub fn author_of(store: &Store, commit: &Digest) -> Result<Did, StoreError> {
    let blocks = store.blocks(commit)?.ok_or_else(|| wrong(Column::Blocks))?;
    let block = HeaderBlock::decode(blocks.header).map_err(|_| wrong(Column::Blocks))?;
    Ok(block.header().author.clone())
}

impl Loaded {
    /// An empty document that [`Loaded::sync`] fills.
    ///
    /// # Errors
    /// [`StoreError::Record`].
    pub fn new(record: &DocumentRecord) -> Result<Self, StoreError> {
        let claim = claim_of(record)?;
        let policy = PolicyId::new(digest(Column::Documents, &record.policy)?);
        Ok(Self {
            dag: Dag::new(DocumentId(claim.id)),
            claim,
            policy,
            entries: HashMap::new(),
            attestations: BTreeMap::new(),
            attestations_count: 0,
            verdicts: HashMap::new(),
            judged: None,
            until: None,
            state: None,
        })
    }

    /// Brings in whatever the store has and this has not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sync(&mut self, record: &DocumentRecord, store: &Store) -> Result<(), StoreError> {
        let document = *self.claim.id.digest();
        if self.dag.is_empty() {
            self.insert_all(&document, store)?;
        } else if (self.dag.len() as u64) < record.commits {
            self.insert_new(&document, record, store)?;
        }
        Ok(())
    }

    fn insert_all(&mut self, document: &Digest, store: &Store) -> Result<(), StoreError> {
        let mut commits: Vec<(u64, Digest)> = Vec::new();
        store.scan(Column::Commits, document, &[], |key, value| {
            let commit = crate::store::keys::second(key).ok_or_else(|| wrong(Column::Commits))?;
            let record: CommitRecord = decode(Column::Commits, value)?;
            commits.push((record.dag_height, commit));
            Ok::<bool, StoreError>(true)
        })?;
        commits.sort_unstable();
        for (_, commit) in commits {
            self.insert(&commit, store)?;
        }
        let mut attestations = Vec::new();
        store.scan(Column::Attestations, document, &[], |key, value| {
            let commit =
                crate::store::keys::second(key).ok_or_else(|| wrong(Column::Attestations))?;
            attestations.push((
                Cid::from_digest(commit),
                attested::decode_kept(value)?.facts,
            ));
            Ok::<bool, StoreError>(true)
        })?;
        for (commit, attestation) in attestations {
            self.attest(commit, attestation);
        }
        Ok(())
    }

    /// Walks down from the tips until it meets what is known.
    fn insert_new(
        &mut self,
        document: &Digest,
        record: &DocumentRecord,
        store: &Store,
    ) -> Result<(), StoreError> {
        let mut open = digests(Column::Documents, &record.tips)?;
        let mut found: BTreeSet<(u64, Digest)> = BTreeSet::new();
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        while let Some(commit) = open.pop() {
            if self.dag.contains(&Cid::from_digest(commit)) || !seen.insert(commit) {
                continue;
            }
            let kept = store
                .commit(document, &commit)?
                .ok_or(StoreError::Log("a commit that a tip follows is missing"))?;
            open.extend(digests(Column::Commits, &kept.parents)?);
            found.insert((kept.dag_height, commit));
        }
        for (_, commit) in found {
            self.insert(&commit, store)?;
        }
        Ok(())
    }

    fn insert(&mut self, commit: &Digest, store: &Store) -> Result<(), StoreError> {
        let blocks = store.blocks(commit)?.ok_or_else(|| wrong(Column::Blocks))?;
        let (commit, body) = commit_of(&blocks)?;
        self.dag
            .insert(commit, body)
            .map_err(|_| wrong(Column::Commits))?;
        Ok(())
    }

    /// Takes a body that came after its header.
    pub fn disclose(&mut self, commit: &Cid, body: Disclosure) {
        if self.dag.disclose(commit, body).is_ok() {
            self.state = None;
        }
    }

    /// Takes an attestation that was verified.
    pub fn attest(&mut self, commit: Cid, attestation: Attestation) {
        if self
            .attestations
            .entry(commit)
            .or_default()
            .insert(attestation)
        {
            self.attestations_count += 1;
        }
    }

    /// Computes the verdict of every commit.
    pub fn judge(&mut self, authority: &PolicyAuthority<'_>, chain: &str) {
        let height = authority.proven_height();
        let now = Judged {
            revision: authority.revision_after(height).unwrap_or(0),
            // An attestation may wait for its height; without any, only revisions matter.
            height: if self.attestations.is_empty() {
                0
            } else {
                height
            },
            commits: self.dag.len(),
            attestations: self.attestations_count,
            times: authority.times(),
        };
        // The header's time is that of the block after the proven height: what ends at it or before
        // may have ended at that height, too.
        let passed = authority.header().is_some_and(|header| {
            let until = self.until;
            until.is_some_and(|until| until <= header.time)
        });
        if self.judged == Some(now) && !passed {
            return;
        }
        self.admit_new(authority, chain);
        let inherited = self.inherited();
        let none = Vec::new();
        let mut verdicts = HashMap::with_capacity(self.entries.len());
        for (cid, entry) in &mut self.entries {
            if let Some(verdict) = &entry.settled {
                verdicts.insert(*cid, verdict.clone());
                continue;
            }
            entry.standing.advance(&entry.claim, authority);
            let attestations = inherited.get(cid).unwrap_or(&none);
            let verdict = decide(&entry.claim, &entry.standing, attestations, authority);
            if verdict.is_final() {
                entry.settled = Some(verdict.clone());
            }
            verdicts.insert(*cid, verdict);
        }
        let open = self
            .entries
            .values()
            .filter(|entry| entry.settled.is_none());
        self.until = open.filter_map(|entry| entry.standing.until()).min();
        if self.verdicts != verdicts {
            let counting = |verdicts: &HashMap<Cid, Verdict>| -> BTreeSet<Cid> {
                verdicts
                    .iter()
                    .filter(|(_, v)| v.counts())
                    .map(|(cid, _)| *cid)
                    .collect()
            };
            if counting(&self.verdicts) != counting(&verdicts) {
                self.state = None;
            }
            self.verdicts = verdicts;
        }
        self.judged = Some(now);
    }

    /// Gives every commit that has none its claim and standing. All were admitted when they were
    /// kept, and admission depends on nothing that can change.
    fn admit_new(&mut self, authority: &PolicyAuthority<'_>, chain: &str) {
        if self.entries.len() == self.dag.len() {
            return;
        }
        let before = self.entries.len();
        for commit in self.dag.topological() {
            if self.entries.contains_key(commit.cid()) {
                continue;
            }
            let Ok(claim) = Claim::of(commit, &self.claim) else {
                continue;
            };
            let parents: Vec<(Cid, Option<ParentClaim>)> = commit
                .header()
                .parents
                .iter()
                .map(|parent| {
                    let known = self.dag.get(parent);
                    (
                        *parent,
                        known.map(|known| ParentClaim::of(known.header(), &self.claim)),
                    )
                })
                .collect();
            match admit(&claim, &parents, chain, authority) {
                Ok(standing) => {
                    let entry = Entry {
                        claim,
                        standing,
                        settled: None,
                    };
                    self.entries.insert(*commit.cid(), entry);
                }
                // It will be told when the block's time is proven again.
                Err(Verdict::Defer(_)) => {}
                Err(verdict) => {
                    tracing::error!(commit = %commit.cid(), verdict = verdict.name(), "a kept commit is not admitted; it does not count");
                }
            }
        }
        // A new commit may carry attestations to its ancestors, and changes the state.
        if self.entries.len() > before {
            self.state = None;
        }
    }

    /// For each commit the attestations of it and of all its descendants.
    fn inherited(&self) -> HashMap<Cid, Vec<Attestation>> {
        let mut sets: HashMap<Cid, BTreeSet<Attestation>> = HashMap::new();
        if self.attestations.is_empty() {
            return HashMap::new();
        }
        for commit in self.dag.topological().into_iter().rev() {
            let mut own = sets.remove(commit.cid()).unwrap_or_default();
            let header = commit.header();
            let (cited, author) = (header.authority.height, header.author.as_str());
            let of_commit = self.attestations(commit.cid());
            own.extend(
                of_commit
                    .filter(|attestation| may_attest(cited, author, attestation))
                    .cloned(),
            );
            if own.is_empty() {
                continue;
            }
            for parent in &commit.header().parents {
                sets.entry(*parent).or_default().extend(own.iter().cloned());
            }
            sets.insert(*commit.cid(), own);
        }
        sets.into_iter()
            .map(|(cid, set)| (cid, set.into_iter().collect()))
            .collect()
    }

    /// The verdict of a commit, as of the last [`Loaded::judge`].
    #[must_use]
    pub fn verdict(&self, commit: &Cid) -> Option<&Verdict> {
        self.verdicts.get(commit)
    }

    /// Whether a commit counts, as of the last [`Loaded::judge`].
    #[must_use]
    pub fn counts(&self, commit: &Cid) -> bool {
        self.verdicts.get(commit).is_some_and(Verdict::counts)
    }

    /// What an attestation by this sidecar's operator would do for a commit, as of the last
    /// [`Loaded::judge`].
    pub(crate) fn use_of(
        &self,
        commit: &Cid,
        facts: &Attestation,
        authority: &PolicyAuthority<'_>,
        proven: u64,
    ) -> Use {
        let Some(entry) = self.entries.get(commit) else {
            return Use::None;
        };
        let settled = entry.settled.is_some();
        if settled {
            return Use::None;
        }
        let author = entry.claim.author.as_str();
        let standing = soundness(&entry.claim.document, facts, authority);
        if may_attest(entry.claim.height, author, facts) && standing != Soundness::Unsound {
            // Where it cannot be told yet, it waits where it is kept.
            return Use::Settles;
        }
        // The same leaf at the height proven now, anchored in the next block: would that count?
        let Some(revision) = authority.revision_after(proven) else {
            return Use::None;
        };
        let again = Attestation {
            height: proven,
            revision,
            anchor_height: proven + 1,
            operator: facts.operator.clone(),
        };
        match self.verdicts.get(commit) {
            Some(Verdict::Provisional { .. }) if counts(&entry.claim, &again, authority) => {
                Use::TooLate
            }
            _ => Use::None,
        }
    }

    /// Whether `new` counts for a commit and `old`, of the same log, never will or was seen later;
    /// none where that hangs on the time of a block that is not proven yet.
    pub(crate) fn is_better(
        &self,
        commit: &Cid,
        new: &Attestation,
        old: Option<&Attestation>,
        authority: &PolicyAuthority<'_>,
    ) -> Option<bool> {
        let Some(entry) = self.entries.get(commit) else {
            return Some(old.is_none());
        };
        let author = entry.claim.author.as_str();
        let standing = |attestation: &Attestation| {
            let may = may_attest(entry.claim.height, author, attestation);
            let standing = soundness(&entry.claim.document, attestation, authority);
            match may {
                true => standing,
                false => Soundness::Unsound,
            }
        };
        let new_stands = standing(new);
        let Some(old) = old else {
            // The first of its log is kept, whatever it proves.
            return (new_stands != Soundness::Unknown).then_some(true);
        };
        let earlier = new.height < old.height;
        match (new_stands, standing(old)) {
            (Soundness::Unsound, _) => Some(false),
            (Soundness::Sound, Soundness::Unsound) => Some(true),
            (_, Soundness::Sound) if !earlier => Some(false),
            (Soundness::Sound, _) if earlier => Some(true),
            _ => None,
        }
    }

    /// The commits that are late, as of the last [`Loaded::judge`], with their authors.
    pub(crate) fn late(&self) -> BTreeMap<Cid, Actor> {
        let late = self.verdicts.iter().filter_map(|(cid, verdict)| {
            let entry = self.entries.get(cid)?;
            let author = || (*cid, entry.claim.author.clone());
            matches!(verdict, Verdict::Late { .. }).then(author)
        });
        late.collect()
    }

    /// The heads that count: what is shown, offered and written upon.
    #[must_use]
    pub fn heads(&self) -> Vec<Cid> {
        self.dag.counting_heads(&|commit| self.counts(commit))
    }

    /// The attestations known for a commit itself.
    pub fn attestations(&self, commit: &Cid) -> impl Iterator<Item = &Attestation> {
        self.attestations.get(commit).into_iter().flatten()
    }

    /// The state at all that counts.
    ///
    /// # Errors
    /// [`Error::MissingSchema`].
    pub fn state(&mut self, schemas: &Schemas) -> Result<Arc<DocumentState>, Error> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        let state = materialize(&self.dag, None, &|commit| self.counts(commit), schemas)?;
        let state = Arc::new(state);
        self.state = Some(state.clone());
        Ok(state)
    }

    /// The state as of `heads`.
    ///
    /// # Errors
    /// [`Error::UnknownCommit`], [`Error::MissingSchema`].
    pub fn state_at(&self, heads: &[Cid], schemas: &Schemas) -> Result<DocumentState, Error> {
        materialize(
            &self.dag,
            Some(heads),
            &|commit| self.counts(commit),
            schemas,
        )
    }
}
