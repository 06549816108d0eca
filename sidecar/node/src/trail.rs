//! The auditor's file: everything between two anchors, under one header (`docs/spec/bundle.md`).
//!
//! What the auditor may not see stays in it as a link: every leaf is there by index, and the
//! chains of the documents are whole, whoever asks (DESIGN §8). The file is verified here before it
//! is handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use audit::bundle::{
    verify, CommitBlocks, HeadsProof, Trail, VerifyError, WitnessAnchor, WitnessLeaf, WitnessLog,
    Wrong,
};
use audit::content::Content;
use audit::heads::DocumentHeads;
use audit::leaf::{Disclosure, Opening};
use audit::receipt::Receipt;
use audit::times::Wanted;
use audit::verdict::DocumentClaim;
use crdt::{Cid, DocumentPreimage};
use hub_light::{EarlierBlocks, TrustPoint};
use hub_types::audit::AnchorLeaf;
use hub_types::{Height, LogId, PolicyId, Record as _};
use identity::{ChainId, Did, SecretKey};
use merkle::{CompactRange, MemoryLog};
use prost::Message as _;
use tokio::sync::Semaphore;

use crate::anchoring::{newest_final, with_index, Anchoring};
use crate::authority::hub::{Hub, HubError, TrailState};
use crate::authority::{Authority, CouldNotTell, Replica};
use crate::documents::{attested, could_not_tell, Documents, NoAudit};
use crate::failure::{Failure, Kind};
use crate::guard::{Permit, Refusal, Sight};
use crate::limits::TRAIL_LEAVES_MAX;
use crate::store::keys::{self, Digest};
use crate::store::records::{decode, CommitRecord};
use crate::store::{Column, Store, StoreError};

/// How long to wait until the replica has the revisions of the header that the bundle is under.
const REPLICA_WAIT: Duration = Duration::from_secs(10);

/// What an auditor asks for.
#[derive(Clone, Debug)]
pub struct TrailRequest {
    /// Who asks.
    pub auditor: Did,
    /// Number of the first anchor on the hub; none for the log's beginning.
    pub from_anchor: Option<u64>,
    /// Number of the last anchor on the hub; none for the newest.
    pub to_anchor: Option<u64>,
    /// Height of the header that the bundle is to be under; none for the newest.
    pub height: Option<u64>,
}

/// A bundle with the point that it is verified under.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// `HEIGHT:HASH`.
    pub trust: String,
}

/// What bundles are made of.
pub struct Parts {
    /// The documents.
    pub documents: Arc<Documents>,
    /// The replicas.
    pub authority: Arc<Authority>,
    /// The hub.
    pub hub: Arc<dyn Hub>,
    /// The chain.
    pub chain: ChainId,
    /// The policy that the log is about.
    pub policy: PolicyId,
    /// Who seals what is handed out: the operator where his key is here, else the sidecar.
    pub issuer: Arc<SecretKey>,
}

/// Makes bundles, one at a time: one may take 256 MiB and all that a core can do.
pub struct Exporter {
    documents: Arc<Documents>,
    authority: Arc<Authority>,
    hub: Arc<dyn Hub>,
    chain: ChainId,
    policy: PolicyId,
    issuer: Arc<SecretKey>,
    place: Arc<Semaphore>,
    /// Who asks whether he may have one waits here; the first time that may take a while.
    asking: Arc<Semaphore>,
    /// So few wait: each holds one of the places of the whole interface.
    waiting: Arc<Semaphore>,
}

/// What the log and the disk say of a range, as far as the auditor may see it.
struct Chosen {
    leaves: Vec<Leaf>,
    shown: BTreeMap<Digest, Shown>,
    receipts: BTreeMap<LogId, Vec<Receipt>>,
    /// The first document that is not shown, and why.
    refused: Option<(DocumentClaim, Refusal)>,
}

/// A leaf with what the store remembers beside it.
struct Leaf {
    opening: Opening,
    policy: Option<Vec<u8>>,
}

fn of_hub(error: &HubError) -> Failure {
    Failure::new(
        Kind::CouldNotTell,
        format!("the hub's part of the trail cannot be proven: {error}"),
        "try again when the hub can be reached",
    )
}

/// One document of a bundle.
struct Shown {
    bodies: bool,
    commits: Vec<(Digest, CommitRecord)>,
}

/// How many ask at a time whether they may have a trail; all but one of them wait.
const ASKING_MAX: usize = 8;

/// What is asked of a denied trail, in the words of the log.
const ACTION: &str = "trail.export";

/// How often a bundle is given the times of blocks that it lacks. What it lacks after one round was
/// hidden behind that; a chain of them is as long as a writer's grants that ended and began again.
const TIMES_ROUNDS_MAX: usize = 16;

/// What came of sealing a bundle.
enum Made {
    /// It verifies.
    Whole(Exported),
    /// Its verdicts hang on the times of blocks that it does not prove, beside those of these heights.
    Lacking(Box<Trail>, BTreeSet<u64>, Vec<Wanted>),
}

/// Whether somebody still waits for what is being made. Work on another thread does not end with
/// the request that it is for; it looks here between two steps.
struct Asker(Weak<()>);

impl Asker {
    /// As long as `asker` is not dropped.
    fn of(asker: &Arc<()>) -> Self {
        Self(Arc::downgrade(asker))
    }

    /// An error, which nobody reads, once nobody waits.
    fn still(&self) -> Result<(), Failure> {
        match self.0.strong_count() {
            0 => Err(Failure::new(
                Kind::CouldNotTell,
                "nobody waits for the trail any more",
                "ask again",
            )),
            _ => Ok(()),
        }
    }
}

/// Runs what keeps a core busy beside what serves requests.
async fn beside<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Failure> + Send + 'static,
) -> Result<R, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::internal(&error))?
}

impl Exporter {
    /// An exporter that is making nothing.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            documents: parts.documents,
            authority: parts.authority,
            hub: parts.hub,
            chain: parts.chain,
            policy: parts.policy,
            issuer: parts.issuer,
            place: Arc::new(Semaphore::new(1)),
            asking: Arc::new(Semaphore::new(1)),
            waiting: Arc::new(Semaphore::new(ASKING_MAX)),
        }
    }

    /// The bundle that `request` asks for. Who may see nothing of it is told so before anything is
    /// read or fetched for him.
    ///
    /// # Errors
    /// [`Failure`]: nothing anchored, nothing that the auditor may see, another bundle being made,
    /// the hub out of reach.
    pub async fn export(self: &Arc<Self>, request: &TrailRequest) -> Result<Exported, Failure> {
        self.ask(&request.auditor).await?;
        let place = self.place.clone().try_acquire_owned().map_err(|_| {
            Failure::new(
                Kind::TooMany,
                "another trail is being made",
                "try again when it is done",
            )
        })?;
        let store = self.documents.store().clone();
        let log = Anchoring::log_id(&store)?.ok_or_else(no_anchor)?;
        let first_look = self
            .hub
            .trail(self.policy, log, Vec::new(), request.height)
            .await
            .map_err(|error| of_hub(&error))?;
        // The hub may have an anchor already whose proof is still on its way to this store.
        let newest = newest_final(&store)?.ok_or_else(no_anchor)?.index;
        let known = first_look.anchors.len().min(newest as usize + 1);
        let range = Range::of(request, &first_look.anchors[..known])?;
        // Dropped with this future, when the request has ended in whatever way.
        let asker = Arc::new(());
        let (exporter, auditor) = (self.clone(), request.auditor.clone());
        let wanted = Asker::of(&asker);
        let (place, range, mut chosen) = beside(move || {
            // Both here and below the place is kept until the work has ended, however that is.
            let chosen = exporter.choose(&auditor, &range, &log, &wanted)?;
            Ok((place, range, chosen))
        })
        .await?;
        let hidden = range.end > range.start && chosen.shown.is_empty();
        if hidden && !self.documents.guard().is_operator(&request.auditor) {
            return Err(match chosen.refused.take() {
                Some(refused) => self.refuse(refused, &request.auditor).await?,
                None => Failure::new(
                    Kind::Denied,
                    format!(
                        "{} has not the permission `audit` on any document of the trail",
                        request.auditor
                    ),
                    "ask the owner of the scope for a relation that gives `audit`",
                ),
            });
        }
        let state = self
            .hub
            .trail(
                self.policy,
                log,
                chosen.receipts.keys().copied().collect(),
                request.height,
            )
            .await
            .map_err(|error| of_hub(&error))?;
        self.wait_for(state.policy.log.size()).await?;
        let (exporter, auditor) = (self.clone(), request.auditor.clone());
        let wanted = Asker::of(&asker);
        let (mut place, mut made) = beside(move || {
            let trail = exporter.trail(&state, &range, chosen, &auditor)?;
            Ok((place, exporter.make(trail, BTreeSet::new(), &wanted)?))
        })
        .await?;
        for _ in 0..TIMES_ROUNDS_MAX {
            let (trail, mut heights, lacks) = match made {
                Made::Whole(exported) => return Ok(exported),
                Made::Lacking(trail, heights, lacks) => (trail, heights, lacks),
            };
            // What is in it already answered other questions.
            heights.extend(self.times_of(&lacks).await?);
            let times = self.earlier(&heights, trail.header.height()).await?;
            let exporter = self.clone();
            let wanted = Asker::of(&asker);
            (place, made) = beside(move || {
                let trail = Trail {
                    times: Some(times),
                    ..*trail
                };
                Ok((place, exporter.make(trail, heights, &wanted)?))
            })
            .await?;
        }
        drop(place);
        Err(Failure::internal(
            &"the trail wants more times of blocks whenever it gets some",
        ))
    }

    /// The blocks whose times a bundle lacks, once they are known here.
    async fn times_of(&self, lacks: &[Wanted]) -> Result<BTreeSet<u64>, Failure> {
        let mut status = self.authority.status();
        let found = async {
            loop {
                status.borrow_and_update();
                if let Some(heights) = self.authority.heights_of(lacks) {
                    return Some(heights);
                }
                status.changed().await.ok()?;
            }
        };
        let found = tokio::time::timeout(REPLICA_WAIT, found).await;
        found.ok().flatten().ok_or_else(|| {
            Failure::new(
                Kind::CouldNotTell,
                "the times of blocks that verdicts hang on are not proven yet",
                "try again in a moment",
            )
        })
    }

    async fn earlier(
        &self,
        heights: &BTreeSet<u64>,
        under: Height,
    ) -> Result<EarlierBlocks, Failure> {
        let heights = heights.iter().copied().collect();
        let blocks = self.hub.earlier_blocks(heights, under.0).await;
        blocks.map_err(|error| of_hub(&error))
    }

    /// Refuses whoever may see no part of the trail.
    async fn ask(self: &Arc<Self>, auditor: &Did) -> Result<(), Failure> {
        if self.documents.guard().is_operator(auditor) {
            return Ok(());
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| {
            Failure::new(Kind::TooMany, "many ask for trails", "try again in a while")
        })?;
        let asking = self.asking.clone().acquire_owned().await;
        let asking = asking.map_err(|error| Failure::internal(&error))?;
        let (exporter, asked) = (self.clone(), auditor.clone());
        let refused = beside(move || {
            // Kept to the end of this, also when nobody waits for it any more.
            let _asking = asking;
            exporter.documents.audit_refusal(&exporter.policy, &asked)
        })
        .await?;
        match refused {
            None => Ok(()),
            Some(NoAudit::Refused(refused)) => Err(self.refuse(*refused, auditor).await?),
            Some(NoAudit::NoDocument) => Err(Failure::new(
                Kind::Denied,
                format!("{auditor} has not the permission `audit`: there is no document here to have it on"),
                "ask again when there is one",
            )),
        }
    }

    async fn refuse(
        &self,
        refused: (DocumentClaim, Refusal),
        auditor: &Did,
    ) -> Result<Failure, Failure> {
        let documents = &self.documents;
        let refused = documents.refuse_trail(refused, &self.policy, auditor, ACTION);
        refused.await
    }

    /// Seals the bundle, and verifies it. `heights` are those of the blocks whose times are in it.
    fn make(&self, trail: Trail, heights: BTreeSet<u64>, wanted: &Asker) -> Result<Made, Failure> {
        wanted.still()?;
        let bytes = trail.encode_sealed(&self.issuer).map_err(|error| {
            Failure::new(Kind::TooLarge, error.to_string(), "ask for fewer anchors")
        })?;
        let point = TrustPoint {
            height: trail.header.height(),
            hash: trail.header.hash(),
        };
        wanted.still()?;
        // Whoever hands out a proof that does not hold harms himself most.
        match verify(&bytes, point) {
            Ok(_) => Ok(Made::Whole(Exported {
                bytes,
                trust: point.to_string(),
            })),
            Err(VerifyError {
                wrong: Wrong::BlockTimes(lacks),
                ..
            }) => Ok(Made::Lacking(Box::new(trail), heights, lacks)),
            Err(error) => Err(Failure::internal(&error)),
        }
    }

    /// Reads the leaves of a range, and what the auditor may see about them.
    fn choose(
        &self,
        auditor: &Did,
        range: &Range,
        log: &LogId,
        wanted: &Asker,
    ) -> Result<Chosen, Failure> {
        let store = self.documents.store();
        let leaves = leaves(store, range.start, range.end, wanted)?;
        let (shown, refused) = self.shown(&leaves, auditor, range, wanted)?;
        wanted.still()?;
        let receipts = self.witness_logs(store, &shown, log)?;
        Ok(Chosen {
            leaves,
            shown,
            receipts,
            refused,
        })
    }

    /// The documents of the leaves that the auditor may see, each with all its commits; and the
    /// first that he may not see.
    #[allow(clippy::type_complexity, reason = "two parts of one `Chosen`")]
    fn shown(
        &self,
        leaves: &[Leaf],
        auditor: &Did,
        range: &Range,
        wanted: &Asker,
    ) -> Result<(BTreeMap<Digest, Shown>, Option<(DocumentClaim, Refusal)>), Failure> {
        let documents: BTreeSet<Digest> = leaves
            .iter()
            .filter_map(|leaf| Some(*leaf.opening.content().document()?.digest()))
            .collect();
        let store = self.documents.store();
        let mut shown = BTreeMap::new();
        let mut refused = None;
        for document in documents {
            wanted.still()?;
            let Some((claim, policy)) = self.documents.claim(&document)? else {
                continue;
            };
            if policy != self.policy {
                continue;
            }
            let permit = match self.documents.guard().audit(&policy, &claim, auditor) {
                Ok(permit) => permit,
                // A trail from which everything is left out would look like one that hides nothing.
                Err(Refusal::CouldNotTell(stale @ CouldNotTell::Stale { .. })) => {
                    return Err(could_not_tell(&stale));
                }
                Err(refusal) => {
                    refused.get_or_insert((claim, refusal));
                    continue;
                }
            };
            let bodies = self
                .documents
                .permit_peer(&document, auditor, Sight::Bodies)?
                .is_some();
            let commits = commits(store, &permit, range.end)?;
            if !commits.is_empty() {
                shown.insert(document, Shown { bodies, commits });
            }
        }
        Ok((shown, refused))
    }

    /// The receipts for the commits shown, by log; for leaves before the range, this log's own.
    #[allow(clippy::type_complexity, reason = "receipts by log, used twice below")]
    fn witness_logs(
        &self,
        store: &Store,
        shown: &BTreeMap<Digest, Shown>,
        own: &LogId,
    ) -> Result<BTreeMap<LogId, Vec<Receipt>>, Failure> {
        let mut receipts: BTreeMap<LogId, Vec<Receipt>> = BTreeMap::new();
        for (document, of_document) in shown {
            let commits: BTreeSet<Digest> = of_document
                .commits
                .iter()
                .map(|(commit, _)| *commit)
                .collect();
            let mut found = Vec::new();
            store.scan(Column::Attestations, document, &[], |key, value| {
                let commit =
                    keys::second(key).ok_or(StoreError::Record(Column::Attestations.name()))?;
                if commits.contains(&commit) {
                    found.push(attested::decode_kept(value)?.raw);
                }
                Ok::<bool, StoreError>(true)
            })?;
            for raw in found {
                let Ok(receipt) = Receipt::from_bytes(&raw) else {
                    continue;
                };
                let log = receipt
                    .anchor
                    .to_wire()
                    .leaf
                    .map(|leaf| leaf.log)
                    .unwrap_or_default();
                let Ok(log) = LogId::from_slice(&log) else {
                    continue;
                };
                // This log's own leaves stand in the bundle themselves.
                if log != *own {
                    receipts.entry(log).or_default().push(receipt);
                }
            }
        }
        Ok(receipts)
    }

    /// Waits until the replica knows `size` revisions.
    async fn wait_for(&self, size: u64) -> Result<(), Failure> {
        let known = || {
            let replica = self.authority.replica(&self.policy)?;
            let replica = replica
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            Some(replica.next_revision())
        };
        let mut status = self.authority.status();
        let wait = async {
            while known().is_some_and(|known| known < size) {
                if status.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(REPLICA_WAIT, wait).await.map_err(|_| {
            Failure::new(
                Kind::CouldNotTell,
                "the replica has not all revisions of the policy yet",
                "try again in a moment",
            )
        })
    }

    fn trail(
        &self,
        state: &TrailState,
        range: &Range,
        chosen: Chosen,
        auditor: &Did,
    ) -> Result<Trail, Failure> {
        let store = self.documents.store();
        let shown = &chosen.shown;
        let mut anchors_log = MemoryLog::new();
        for anchor in &state.anchors {
            anchors_log
                .append(&anchor.to_bytes())
                .map_err(|error| Failure::internal(&error))?;
        }
        let size = state.anchors.len() as u64;
        let merkle = |error: merkle::MerkleError| Failure::internal(&error);
        let snapshot = store.log();
        let range_at = |size| -> Result<CompactRange, Failure> {
            merkle::range_at(&snapshot, size)
                .map_err(|_| StoreError::Log("a range of it cannot be made").into())
        };
        let revisions = Replica::revisions(&self.policy, state.policy.log.size(), store)?;
        let mut all_witnesses = self.witnesses(state, &chosen.receipts)?;
        all_witnesses.extend(self.own_before(store, state, range, shown, &anchors_log)?);
        Ok(Trail {
            chain: self.chain.clone(),
            policy: self.policy,
            log: state.log.id,
            header: state.header.clone(),
            policy_record: state.policy_record.clone(),
            revisions,
            times: None,
            log_record: state.log_record.clone(),
            from_anchor: range.from,
            anchors_before: match range.from {
                None => CompactRange::default(),
                Some(from) => merkle::range_at(&anchors_log, from)
                    .map_err(|_| Failure::internal(&"the anchors' range cannot be made"))?,
            },
            anchors: state.anchors[range.from.unwrap_or(0) as usize..=range.to as usize].to_vec(),
            anchors_consistency: anchors_log
                .consistency_proof(range.to + 1, size)
                .map_err(merkle)?,
            leaves_before: if range.start == 0 {
                CompactRange::default()
            } else {
                range_at(range.start)?
            },
            leaves: chosen
                .leaves
                .into_iter()
                .map(|leaf| self.disclose(leaf, shown, auditor))
                .collect(),
            commits: self.commit_blocks(store, shown)?,
            heads: self.heads(store, range.to, shown)?,
            witnesses: all_witnesses,
        })
    }

    /// How much of a leaf the auditor sees.
    fn disclose(&self, leaf: Leaf, shown: &BTreeMap<Digest, Shown>, auditor: &Did) -> Disclosure {
        let opening = leaf.opening;
        let sees_some = !shown.is_empty() || self.documents.guard().is_operator(auditor);
        let ours = leaf.policy.as_deref() == Some(self.policy.as_bytes().as_slice());
        let may = match opening.content() {
            content if content.document().is_some() => content
                .document()
                .is_some_and(|document| shown.contains_key(document.digest())),
            // A denial of this trail names no document.
            Content::Decision(decision) if ours && decision.action == ACTION => sees_some,
            // Of a document that is not kept the scope alone can say who may audit it.
            Content::Decision(decision) => decision
                .preimage
                .as_ref()
                .and_then(|preimage| DocumentPreimage::decode(&preimage.0).ok())
                .and_then(|preimage| DocumentClaim::of(&preimage).ok())
                .map_or(self.documents.guard().is_operator(auditor), |claim| {
                    self.documents
                        .guard()
                        .audit(&self.policy, &claim, auditor)
                        .is_ok()
                }),
            // Refusals and counts of denials name no document's data; who may audit a part of the
            // trail sees that they happened. A refusal under another policy names revisions that
            // are none of this one's.
            Content::CommitRefused(_) => ours && sees_some,
            _ => sees_some,
        };
        match may {
            true => Disclosure::Opened(Box::new(opening)),
            false => Disclosure::Linked(opening.link()),
        }
    }

    fn commit_blocks(
        &self,
        store: &Store,
        shown: &BTreeMap<Digest, Shown>,
    ) -> Result<Vec<CommitBlocks>, Failure> {
        let mut blocks = Vec::new();
        for of_document in shown.values() {
            for (commit, _) in &of_document.commits {
                let kept = store
                    .blocks(commit)?
                    .ok_or(StoreError::Record(Column::Blocks.name()))?;
                blocks.push(CommitBlocks {
                    header: kept.header,
                    signature: kept.signature,
                    body: kept.body.filter(|_| of_document.bodies),
                });
            }
        }
        Ok(blocks)
    }

    /// The entries of the documents in the heads tree of the last anchor.
    fn heads(
        &self,
        store: &Store,
        to: u64,
        shown: &BTreeMap<Digest, Shown>,
    ) -> Result<Vec<HeadsProof>, Failure> {
        let version = with_index(store, to)?.ok_or_else(no_anchor)?.heads_version;
        let tree = store.heads_tree();
        let mut heads = Vec::new();
        for document in shown.keys() {
            let document = Cid::from_digest(*document);
            let (value, proof) = tree.prove(version, DocumentHeads::key(&document))?;
            let value = value.ok_or(StoreError::Record(Column::HeadsValues.name()))?;
            heads.push(HeadsProof {
                document,
                value,
                ics23: proof.encode_to_vec(),
            });
        }
        Ok(heads)
    }

    /// Other operators' receipts, each anchor proven in the record under the bundle's header.
    fn witnesses(
        &self,
        state: &TrailState,
        receipts: &BTreeMap<LogId, Vec<Receipt>>,
    ) -> Result<Vec<WitnessLog>, Failure> {
        let mut logs = Vec::new();
        for (log, record, anchors) in &state.witnesses {
            let mut tree = MemoryLog::new();
            for anchor in anchors {
                tree.append(&anchor.to_bytes())
                    .map_err(|error| Failure::internal(&error))?;
            }
            let mut by_anchor: BTreeMap<u64, BTreeMap<u64, WitnessLeaf>> = BTreeMap::new();
            let mut seen = BTreeSet::new();
            for receipt in receipts.get(log).into_iter().flatten() {
                let index = receipt.anchor.to_wire().index;
                if index < anchors.len() as u64 && seen.insert(receipt.index) {
                    let leaf = WitnessLeaf {
                        index: receipt.index,
                        leaf: receipt.leaf.clone(),
                        path: receipt.path.clone(),
                    };
                    by_anchor
                        .entry(index)
                        .or_default()
                        .insert(receipt.index, leaf);
                }
            }
            if !by_anchor.is_empty() {
                let anchors = witness_anchors(by_anchor, anchors, &tree)?;
                logs.push(WitnessLog {
                    log: *log,
                    record: record.clone(),
                    anchors,
                });
            }
        }
        Ok(logs)
    }

    /// This log's leaves from before the range, for the commits that it builds on.
    fn own_before(
        &self,
        store: &Store,
        state: &TrailState,
        range: &Range,
        shown: &BTreeMap<Digest, Shown>,
        tree: &MemoryLog,
    ) -> Result<Option<WitnessLog>, Failure> {
        let snapshot = store.log();
        let mut by_anchor: BTreeMap<u64, BTreeMap<u64, WitnessLeaf>> = BTreeMap::new();
        let commits = shown.values().flat_map(|of_document| &of_document.commits);
        for (_, record) in commits.filter(|(_, record)| record.leaf < range.start) {
            let covering = state
                .anchors
                .iter()
                .position(|anchor| anchor.size > record.leaf);
            let Some(covering) = covering else { continue };
            let size = state.anchors[covering].size;
            let path = merkle::inclusion_proof(&snapshot, record.leaf, size)
                .map_err(|_| StoreError::Log("an inclusion proof cannot be made"))?;
            let leaf = WitnessLeaf {
                index: record.leaf,
                leaf: Disclosure::Opened(Box::new(store.leaf(record.leaf)?.opening()?)),
                path,
            };
            by_anchor
                .entry(covering as u64)
                .or_default()
                .insert(record.leaf, leaf);
        }
        if by_anchor.is_empty() {
            return Ok(None);
        }
        let anchors = witness_anchors(by_anchor, &state.anchors, tree)?;
        Ok(Some(WitnessLog {
            log: state.log.id,
            record: state.log_record.clone(),
            anchors,
        }))
    }
}

fn witness_anchors(
    by_anchor: BTreeMap<u64, BTreeMap<u64, WitnessLeaf>>,
    anchors: &[AnchorLeaf],
    tree: &MemoryLog,
) -> Result<Vec<WitnessAnchor>, Failure> {
    by_anchor
        .into_iter()
        .map(|(index, leaves)| {
            Ok(WitnessAnchor {
                index,
                anchor: anchors[index as usize].clone(),
                path: tree
                    .inclusion_proof(index, tree.size())
                    .map_err(|error| Failure::internal(&error))?,
                leaves: leaves.into_values().collect(),
            })
        })
        .collect()
}

fn no_anchor() -> Failure {
    Failure::new(
        Kind::Conflict,
        "the audit log has no final anchor yet",
        "wait until GET /v1/anchors shows one, and check that anchoring is configured",
    )
}

/// Which part of the log a bundle covers.
struct Range {
    from: Option<u64>,
    to: u64,
    start: u64,
    end: u64,
}

impl Range {
    fn of(request: &TrailRequest, anchors: &[AnchorLeaf]) -> Result<Self, Failure> {
        let newest = (anchors.len() as u64)
            .checked_sub(1)
            .ok_or_else(no_anchor)?;
        let to = request.to_anchor.unwrap_or(newest);
        let from = request.from_anchor;
        if to > newest || from.is_some_and(|from| from > to) {
            return Err(Failure::invalid(
                format!("the log has anchors 0 to {newest}"),
                "name a first anchor that is not behind the last one",
            ));
        }
        let start = from.map_or(0, |from| anchors[from as usize].size);
        let end = anchors[to as usize].size;
        if end - start > TRAIL_LEAVES_MAX {
            return Err(Failure::new(
                Kind::TooLarge,
                format!(
                    "{} leaves stand between the anchors, at most {TRAIL_LEAVES_MAX} fit",
                    end - start
                ),
                "ask for fewer anchors at once",
            ));
        }
        Ok(Self {
            from,
            to,
            start,
            end,
        })
    }
}

fn leaves(store: &Store, start: u64, end: u64, wanted: &Asker) -> Result<Vec<Leaf>, Failure> {
    (start..end)
        .map(|index| {
            wanted.still()?;
            let record = store.leaf(index)?;
            Ok(Leaf {
                opening: record.opening()?,
                policy: record.policy,
            })
        })
        .collect()
}

/// The commits of a document whose leaves stand before `end`.
fn commits(
    store: &Store,
    permit: &Permit,
    end: u64,
) -> Result<Vec<(Digest, CommitRecord)>, StoreError> {
    let mut commits = Vec::new();
    store.scan(
        Column::Commits,
        permit.document().digest(),
        &[],
        |key, value| {
            let commit = keys::second(key).ok_or(StoreError::Record(Column::Commits.name()))?;
            let record: CommitRecord = decode(Column::Commits, value)?;
            if record.leaf < end {
                commits.push((commit, record));
            }
            Ok::<bool, StoreError>(true)
        },
    )?;
    Ok(commits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_wanted_as_long_as_its_asker_is_there() {
        let asker = Arc::new(());
        let wanted = Asker::of(&asker);
        assert!(wanted.still().is_ok());
        drop(asker);
        assert!(wanted.still().is_err());
    }
}
