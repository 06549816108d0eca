//! A hub in memory: real records, real trees, real proofs, headers signed by one validator, blocks
//! by hand.
//!
//! What the sidecar verifies (changes under their leaf, leaves under the record, receipts under
//! an app hash) verifies here as well; that headers follow each other is taken on trust, which
//! `tests/hubd.rs` does not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use hub_light::{
    forge, AnchorProof, BlockInclusion, EarlierBlocks, LightBlock, RevisionChanges, StateProof,
    Trusted,
};
use hub_types::audit::{keys as audit_keys, Anchor, AnchorLeaf, LogRecord};
use hub_types::blocks::{keys as block_keys, BlockLeaf, BlockLog};
use hub_types::policy::{
    changes_root, keys as policy_keys, Change, ChangeKind, PolicyLeaf, PolicyRecord,
};
use hub_types::{BlockHash, Height, LogId, PolicyId, Record, Timestamp};
use identity::{AccountAddress, ChainId, Did};
use jmt::mock::MockTreeStore;
use jmt::{JellyfishMerkleTree, KeyHash};
use merkle::{CompactRange, MemoryLog};
use node::authority::hub::{Anchored, Hub, HubError, Tip, TrailState, Update};
use policy::{CollectionRecord, Name, ObjectRef, Relationship, Subject, ENGINE_VERSION};
use sha2::Sha256;

pub const PLANT: &str = include_str!("../../../../../localnet/assets/plant.yaml");
pub const SCHEMA: &str = include_str!("../../../../../localnet/assets/batch.json");

/// Block times of this hub: one second a block from here.
pub const GENESIS_SECONDS: i64 = 1_800_000_000;

/// One policy's history.
#[derive(Default)]
struct Followed {
    revisions: Vec<RevisionChanges>,
    range: CompactRange,
}

struct State {
    chain: ChainId,
    height: u64,
    /// Blocks from the second on, each by the hash of its header.
    blocks: MemoryLog,
    policies: BTreeMap<PolicyId, Followed>,
    policy_records: BTreeMap<PolicyId, PolicyRecord>,
    logs: BTreeMap<LogId, (LogRecord, MemoryLog, Vec<AnchorLeaf>)>,
    /// Roots of the main tree by height, and the records as they were then.
    roots: Vec<[u8; 32]>,
    records: Vec<BTreeMap<PolicyId, PolicyRecord>>,
    log_records: Vec<BTreeMap<LogId, LogRecord>>,
    tree: MockTreeStore,
}

/// The hub.
pub struct FakeHub {
    pub chain: ChainId,
    pub policy: PolicyId,
    creator: Did,
    operator: Did,
    state: Arc<Mutex<State>>,
    /// Nobody answers.
    pub down: AtomicBool,
    /// The next so many anchors are recorded, but their senders never hear of it.
    pub deaf: AtomicU32,
    /// Anchors that were recorded.
    pub anchors: Arc<AtomicU32>,
    /// How often a trail's proofs were asked for.
    pub trails: Arc<AtomicU32>,
    /// While somebody holds this for writing, trails wait.
    pub trails_held: Arc<tokio::sync::RwLock<()>>,
    /// How often a header was asked for over this uplink.
    pub headers: AtomicU32,
    /// Every header is at hand.
    pub knows_headers: AtomicBool,
    /// While somebody holds this for writing, headers that are asked for over this uplink wait.
    pub headers_held: Arc<tokio::sync::RwLock<()>>,
    /// Headers do not come over this uplink, though all else does.
    pub headers_cut: AtomicBool,
}

impl FakeHub {
    /// A hub with the policy `plant`, or another of its shape, and the collection `batches`, at height 2.
    pub fn new(creator: &Did, operator: &Did, definition: &str) -> Self {
        let chain = ChainId::parse("plant-test-1").unwrap();
        let policy = PolicyId::derive(&chain, creator, 0, 0);
        let hub = Self {
            chain: chain.clone(),
            policy,
            creator: creator.clone(),
            operator: operator.clone(),
            state: Arc::new(Mutex::new(State {
                chain,
                height: 0,
                blocks: MemoryLog::new(),
                policies: BTreeMap::new(),
                policy_records: BTreeMap::new(),
                logs: BTreeMap::new(),
                roots: Vec::new(),
                records: Vec::new(),
                log_records: Vec::new(),
                tree: MockTreeStore::default(),
            })),
            down: AtomicBool::new(false),
            deaf: AtomicU32::new(0),
            anchors: Arc::default(),
            trails: Arc::default(),
            trails_held: Arc::default(),
            headers: AtomicU32::new(0),
            knows_headers: AtomicBool::new(false),
            headers_held: Arc::default(),
            headers_cut: AtomicBool::new(false),
        };
        hub.block(&[]);
        hub.found(&hub.policy, definition);
        hub
    }

    /// One more policy like the first, with nobody in it yet.
    pub fn second(&self) -> PolicyId {
        self.second_as(PLANT)
    }

    /// One more policy of that definition.
    pub fn second_as(&self, definition: &str) -> PolicyId {
        let policy = PolicyId::derive(&self.chain, &self.creator, 1, 0);
        self.found(&policy, definition);
        policy
    }

    fn found(&self, policy: &PolicyId, definition: &str) {
        let schema = crdt::Schema::from_json(SCHEMA).unwrap();
        self.block_of(
            policy,
            &[
                ChangeKind::Created {
                    definition: definition.into(),
                    anchor_lag: 50,
                    max_staleness_seconds: 600,
                    engine_version: ENGINE_VERSION,
                },
                ChangeKind::CollectionDefined {
                    resource: Name::new("batch").unwrap(),
                    name: Name::new("batches").unwrap(),
                    record: CollectionRecord {
                        version: 1,
                        scope_relation: Name::new("parent").unwrap(),
                        schema_cid: schema.cid().to_bytes().to_vec(),
                        schema: schema.encode(),
                    },
                },
                Self::registered("cell:1"),
            ],
        );
        self.block(&[]);
    }

    /// The registration of an object by the policy's creator.
    pub fn registered(object: &str) -> ChangeKind {
        let (resource, id) = object.split_once(':').unwrap();
        ChangeKind::ObjectRegistered {
            object: ObjectRef::new(resource, id).unwrap(),
            document: None,
        }
    }

    /// The same hub for another sidecar's operator.
    pub fn seen_by(&self, operator: &Did) -> Self {
        Self {
            chain: self.chain.clone(),
            policy: self.policy,
            creator: self.creator.clone(),
            operator: operator.clone(),
            state: self.state.clone(),
            down: AtomicBool::new(false),
            deaf: AtomicU32::new(0),
            anchors: self.anchors.clone(),
            trails: self.trails.clone(),
            trails_held: self.trails_held.clone(),
            headers: AtomicU32::new(0),
            knows_headers: AtomicBool::new(false),
            headers_held: Arc::default(),
            headers_cut: AtomicBool::new(false),
        }
    }

    pub fn height(&self) -> u64 {
        self.state.lock().unwrap().height
    }

    /// The relationship `resource:id#relation@did`.
    pub fn relationship(object: &str, relation: &str, actor: &Did) -> Relationship {
        let (resource, id) = object.split_once(':').unwrap();
        Relationship::new(
            ObjectRef::new(resource, id).unwrap(),
            Name::new(relation).unwrap(),
            Subject::Actor(node::authority::actor_of(actor)),
        )
    }

    /// Grants in one block, and seals it with another, so that it can be proven.
    pub fn grant(&self, object: &str, relation: &str, actor: &Did) {
        self.block(&[ChangeKind::RelationshipSet(Self::relationship(
            object, relation, actor,
        ))]);
        self.block(&[]);
    }

    /// Takes a grant back, likewise.
    pub fn revoke(&self, object: &str, relation: &str, actor: &Did) {
        self.block(&[ChangeKind::RelationshipDeleted(Self::relationship(
            object, relation, actor,
        ))]);
        self.block(&[]);
    }

    /// As [`FakeHub::grant`], in another policy.
    pub fn grant_in(&self, policy: &PolicyId, object: &str, relation: &str, actor: &Did) {
        let set = ChangeKind::RelationshipSet(Self::relationship(object, relation, actor));
        self.block_of(policy, &[set]);
        self.block(&[]);
    }

    /// Makes one block with these changes of the first policy.
    pub fn block(&self, changes: &[ChangeKind]) -> u64 {
        self.block_of(&self.policy, changes)
    }

    fn block_of(&self, policy: &PolicyId, changes: &[ChangeKind]) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.height += 1;
        let height = state.height;
        if !changes.is_empty() {
            let changes: Vec<Change> = changes
                .iter()
                .map(|kind| Change {
                    transaction: None,
                    actor: self.creator.clone(),
                    kind: kind.clone(),
                })
                .collect();
            let followed = state.policies.entry(*policy).or_default();
            let leaf = PolicyLeaf {
                policy: *policy,
                revision: followed.range.size(),
                height: Height(height),
                time: time(height),
                changes_count: changes.len() as u64,
                changes_root: changes_root(&changes),
                tree_root: [7; 32],
            };
            followed
                .range
                .append_leaf_hash(leaf.leaf_hash(), &mut |_, _, _| {})
                .unwrap();
            let log = followed.range.clone();
            followed.revisions.push(RevisionChanges { leaf, changes });
            let record = PolicyRecord {
                id: *policy,
                creator: self.creator.clone(),
                creator_account: AccountAddress::of(self.creator.public_key()).unwrap(),
                log,
                tree_root: [7; 32],
                last_height: Height(height),
                anchor_lag: 50,
                max_staleness_seconds: 600,
                engine_version: ENGINE_VERSION,
            };
            state.policy_records.insert(*policy, record);
        }
        state.seal();
        height
    }

    fn up(&self) -> Result<(), HubError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(HubError::Unreachable("the uplink is cut".into())),
            false => Ok(()),
        }
    }

    fn record_anchor(&self, anchor: &Anchor) -> Result<(), HubError> {
        let refused = |message: &str| HubError::Refused {
            code: 84,
            message: message.into(),
        };
        let mut state = self.state.lock().unwrap();
        state.height += 1;
        let height = state.height;
        let (record, log, leaves) = state
            .logs
            .get_mut(&anchor.log)
            .ok_or(HubError::Absent("log"))?;
        if record.size != anchor.old_size || anchor.size <= record.size {
            state.seal();
            return Err(refused("old size"));
        }
        if record.size > 0 {
            merkle::verify_consistency(
                record.size,
                &record.root,
                anchor.size,
                &anchor.root,
                &anchor.consistency,
            )
            .map_err(|_| refused("a fork"))?;
        }
        let leaf = AnchorLeaf {
            log: anchor.log,
            height: Height(height),
            time: time(height),
            size: anchor.size,
            root: anchor.root,
            heads_root: anchor.heads_root,
        };
        log.append(&leaf.to_bytes()).unwrap();
        leaves.push(leaf);
        record.size = anchor.size;
        record.root = anchor.root;
        record.heads_root = anchor.heads_root;
        record.anchors = log.range().clone();
        record.last_anchor_height = Height(height);
        state.seal();
        drop(state);
        self.anchors.fetch_add(1, Ordering::SeqCst);
        self.block(&[]);
        Ok(())
    }
}

/// The time of a block.
pub fn time(height: u64) -> Timestamp {
    Timestamp::new(GENESIS_SECONDS + height as i64, 0).unwrap()
}

impl State {
    /// Computes the tree after the block, and remembers everything as it stands.
    fn seal(&mut self) {
        let version = self.height - 1;
        if let Some(trusted) = self.header(&self.chain, self.height) {
            let leaf = BlockLeaf {
                height: trusted.height,
                hash: hub_light::block_hash(&self.forged(&self.chain, &trusted)),
            };
            self.blocks.append(&leaf.to_bytes()).unwrap();
        }
        let mut set = vec![(
            KeyHash::with::<Sha256>(b"height"),
            Some(version.to_be_bytes().to_vec()),
        )];
        let mut put = |tree: &MockTreeStore, key: Vec<u8>, value: Vec<u8>| {
            let hash = KeyHash::with::<Sha256>(&key);
            tree.put_key_preimage(hash, &key);
            set.push((hash, Some(value)));
        };
        for record in self.policy_records.values() {
            put(
                &self.tree,
                policy_keys::policy(&record.id),
                record.to_bytes(),
            );
        }
        for (id, (record, _, _)) in &self.logs {
            put(&self.tree, audit_keys::log(id), record.to_bytes());
        }
        let blocks = BlockLog {
            initial_height: Height(2),
            blocks: self.blocks.range().clone(),
        };
        put(&self.tree, block_keys::block_log(), blocks.to_bytes());
        self.tree
            .put_key_preimage(KeyHash::with::<Sha256>(b"height"), &b"height".to_vec());
        let tree = JellyfishMerkleTree::<_, Sha256>::new(&self.tree);
        let (root, batch) = tree.put_value_set(set, version).unwrap();
        use jmt::storage::TreeWriter as _;
        self.tree.write_node_batch(&batch.node_batch).unwrap();
        self.roots.push(root.0);
        self.records.push(self.policy_records.clone());
        let logs = self
            .logs
            .iter()
            .map(|(id, (record, _, _))| (*id, record.clone()))
            .collect();
        self.log_records.push(logs);
    }

    /// The header of block `height`, whose app hash is the root after the block before.
    fn header(&self, chain: &ChainId, height: u64) -> Option<Trusted> {
        let app_hash = *self
            .roots
            .get(usize::try_from(height).ok()?.checked_sub(2)?)?;
        (height <= self.height).then(|| Trusted {
            chain_id: chain.clone(),
            height: Height(height),
            time: time(height),
            hash: BlockHash::new([height as u8; 32]),
            app_hash,
            validators_hash: BlockHash::new([1; 32]),
            next_validators_hash: BlockHash::new([1; 32]),
        })
    }

    /// That header, as the one validator makes it.
    fn forged(&self, chain: &ChainId, trusted: &Trusted) -> tendermint::block::Header {
        let validator = forge::Validator::new([1; 32], 10);
        let set = forge::validator_set(std::slice::from_ref(&validator));
        let time = tendermint::Time::from_unix_timestamp(trusted.time.seconds(), 0).unwrap();
        forge::header(forge::HeaderParts {
            chain_id: chain.as_str().parse().unwrap(),
            app_version: 1,
            height: tendermint::block::Height::try_from(trusted.height.0).unwrap(),
            time,
            last_block_id: None,
            last_commit_hash: tendermint::Hash::Sha256(merkle::EMPTY_ROOT),
            data_hash: forge::data_hash([]),
            validators_hash: forge::validators_hash(&set),
            next_validators_hash: forge::validators_hash(&set),
            consensus_hash: forge::consensus_hash(1 << 20, -1),
            app_hash: trusted.app_hash.to_vec(),
            last_results_hash: forge::results_hash([]),
            proposer_address: validator.address(),
        })
    }

    /// That header, signed by the one validator.
    fn signed(&self, chain: &ChainId, trusted: &Trusted) -> LightBlock {
        let validator = forge::Validator::new([1; 32], 10);
        let set = forge::validator_set(std::slice::from_ref(&validator));
        let header = self.forged(chain, trusted);
        let (chain_id, time) = (header.chain_id.clone(), header.time);
        let block_id = forge::block_id(&header, b"block");
        let signers = std::slice::from_ref(&validator);
        let commit = forge::commit(&chain_id, header.height, block_id, &set, signers, time);
        let signed = forge::signed_header(header, commit);
        LightBlock::new(signed, set.validators(), None).unwrap()
    }

    fn proof(&self, height: u64, key: Vec<u8>) -> StateProof {
        let tree = JellyfishMerkleTree::<_, Sha256>::new(&self.tree);
        let (value, proof) = tree.get_with_ics23_proof(key.clone(), height - 1).unwrap();
        StateProof::new(Height(height), key, value, proof)
    }
}

impl Hub for FakeHub {
    fn tip(&self) -> BoxFuture<'_, Result<Tip, HubError>> {
        Box::pin(async move {
            self.up()?;
            let height = self.height();
            Ok(Tip {
                height,
                time: time(height),
            })
        })
    }

    fn policy(&self, policy: PolicyId, from: u64) -> BoxFuture<'_, Result<Update, HubError>> {
        Box::pin(async move {
            self.up()?;
            let state = self.state.lock().unwrap();
            let height = state.height - 1;
            let record = state.records[height as usize - 1]
                .get(&policy)
                .cloned()
                .ok_or(HubError::Absent("policy"))?;
            let revisions = state.policies[&policy].revisions
                [from as usize..record.log.size() as usize]
                .to_vec();
            Ok(Update {
                record,
                height,
                header_time: time(height + 1),
                revisions,
            })
        })
    }

    fn open_log(&self, _: PolicyId) -> BoxFuture<'_, Result<Option<LogRecord>, HubError>> {
        Box::pin(async move {
            self.up()?;
            let state = self.state.lock().unwrap();
            let logs = &state.log_records[state.height as usize - 2];
            Ok(logs
                .values()
                .find(|record| record.operator == self.operator)
                .cloned())
        })
    }

    fn create_log(&self, policy: PolicyId) -> BoxFuture<'_, Result<(), HubError>> {
        Box::pin(async move {
            self.up()?;
            let id = LogId::derive(&self.chain, &self.operator, 0, 0);
            let operator = self.operator.clone();
            let record = LogRecord::open(id, operator.clone(), policy, operator);
            let entry = (record, MemoryLog::new(), Vec::new());
            self.state.lock().unwrap().logs.insert(id, entry);
            self.block(&[]);
            self.block(&[]);
            Ok(())
        })
    }

    fn log(&self, log: LogId) -> BoxFuture<'_, Result<LogRecord, HubError>> {
        Box::pin(async move {
            self.up()?;
            let state = self.state.lock().unwrap();
            let logs = &state.log_records[state.height as usize - 2];
            logs.get(&log).cloned().ok_or(HubError::Absent("log"))
        })
    }

    fn anchor(&self, anchor: Anchor) -> BoxFuture<'_, Result<(), HubError>> {
        Box::pin(async move {
            self.up()?;
            self.record_anchor(&anchor)?;
            let deaf = self.deaf.load(Ordering::SeqCst);
            if deaf > 0 {
                self.deaf.store(deaf - 1, Ordering::SeqCst);
                return Err(HubError::Unreachable("the answer was lost".into()));
            }
            Ok(())
        })
    }

    fn anchored(&self, log: LogId, index: u64) -> BoxFuture<'_, Result<Anchored, HubError>> {
        Box::pin(async move {
            self.up()?;
            let state = self.state.lock().unwrap();
            let height = state.height - 1;
            let (_, tree, leaves) = state.logs.get(&log).ok_or(HubError::Absent("log"))?;
            let size = state.log_records[height as usize - 1][&log].anchors.size();
            let leaf = leaves[index as usize].clone();
            let path = tree.inclusion_proof(index, size).unwrap();
            let record = state.proof(height, audit_keys::log(&log));
            Ok(Anchored {
                index,
                leaf: leaf.clone(),
                proof: AnchorProof::new(record, index, leaf, path),
                header_height: height + 1,
            })
        })
    }

    fn at_hand(&self, height: u64) -> Option<Trusted> {
        let state = self.state.lock().unwrap();
        let known = self.knows_headers.load(Ordering::SeqCst);
        known.then(|| state.header(&self.chain, height)).flatten()
    }

    fn header(&self, height: u64) -> BoxFuture<'_, Result<Trusted, HubError>> {
        Box::pin(async move {
            self.headers.fetch_add(1, Ordering::SeqCst);
            drop(self.headers_held.read().await);
            if self.headers_cut.load(Ordering::SeqCst) {
                return Err(HubError::Unreachable("headers do not come through".into()));
            }
            self.up()?;
            let state = self.state.lock().unwrap();
            state
                .header(&self.chain, height)
                .ok_or_else(|| HubError::Unreachable("no such header yet".into()))
        })
    }

    fn trail(
        &self,
        policy: PolicyId,
        log: LogId,
        witnesses: Vec<LogId>,
        height: Option<u64>,
    ) -> BoxFuture<'_, Result<TrailState, HubError>> {
        Box::pin(async move {
            self.up()?;
            self.trails.fetch_add(1, Ordering::SeqCst);
            drop(self.trails_held.read().await);
            let state = self.state.lock().unwrap();
            let height = height.unwrap_or(state.height);
            let under = height as usize - 2;
            let trusted = state
                .header(&self.chain, height)
                .ok_or(HubError::Absent("such header"))?;
            let header = state.signed(&self.chain, &trusted);
            let of_log = |log: &LogId| {
                let record = state.log_records[under].get(log);
                let record = record.cloned().ok_or(HubError::Absent("log"))?;
                let anchors = state.logs[log].2[..record.anchors.size() as usize].to_vec();
                Ok((
                    record,
                    state.proof(height - 1, audit_keys::log(log)),
                    anchors,
                ))
            };
            let (record, log_record, anchors) = of_log(&log)?;
            let witnesses = witnesses
                .into_iter()
                .map(|witness| {
                    of_log(&witness).map(|(_, proof, anchors)| (witness, proof, anchors))
                })
                .collect::<Result<_, HubError>>()?;
            Ok(TrailState {
                height,
                hash: *header.hash().as_bytes(),
                header,
                policy_record: state.proof(height - 1, policy_keys::policy(&policy)),
                policy: state.records[under]
                    .get(&policy)
                    .cloned()
                    .ok_or(HubError::Absent("policy"))?,
                log_record,
                log: record,
                anchors,
                witnesses,
            })
        })
    }

    fn earlier_blocks(
        &self,
        heights: Vec<u64>,
        under: u64,
    ) -> BoxFuture<'_, Result<EarlierBlocks, HubError>> {
        Box::pin(async move {
            self.up()?;
            let state = self.state.lock().unwrap();
            let record = state.proof(under - 1, block_keys::block_log());
            let size = under - 2;
            let blocks = heights.into_iter().map(|height| {
                let trusted = state.header(&self.chain, height).unwrap();
                let header = state.forged(&self.chain, &trusted);
                let leaf = BlockLeaf {
                    height: Height(height),
                    hash: hub_light::block_hash(&header),
                };
                let path = state.blocks.inclusion_proof(height - 2, size).unwrap();
                (header, BlockInclusion::new(record.clone(), leaf, path))
            });
            EarlierBlocks::new(blocks).ok_or(HubError::Absent("such blocks"))
        })
    }

    fn account(&self) -> Option<String> {
        None
    }
}
