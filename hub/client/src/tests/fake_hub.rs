//! A hub in memory: forged headers over real trees, so that honest answers verify and a change of
//! any of them does not.

use std::collections::BTreeMap;

use hub_light::forge::{self, Validator};
use hub_light::{
    BlockInclusion, ChangesPage, CheckEvidence, PolicyProof, PolicyRootProof, RevisionChanges,
    RevisionInclusion, StateProof, TreeProof,
};
use hub_types::audit::{keys as audit_keys, AnchorLeaf, LogRecord, PolicyLogs};
use hub_types::auth::{keys as auth_keys, Account, Params};
use hub_types::blocks::{keys as block_keys, BlockLeaf, BlockLog};
use hub_types::policy::{
    changes_root, keys as policy_keys, Change, ChangeKind, PolicyLeaf, PolicyRecord,
};
use hub_types::{Amount, BlockHash, Height, LogId, PolicyId, Record, Timestamp};
use identity::{AccountAddress, ChainId, KeyKind, SecretKey};
use merkle::{CompactRange, MemoryLog};
use policy::{Actor, Circumstances, Decision, ObjectRef, Question};
use tendermint::block::signed_header::SignedHeader;
use tendermint::Hash;
use tendermint_proto::v0_38::abci::ExecTxResult;
use wire::policy::Decision as WireDecision;

use super::trees::Tree;

/// The block time of height 0.
pub(crate) const GENESIS_SECONDS: i64 = 1_790_000_000;

pub(crate) const DEFINITION: &str = "\
name: plant
resources:
  cell:
    relations:
      operator:
        types: [actor]
      banned:
        types: [actor]
    permissions:
      update:
        expr: operator - banned
";

/// What one block held.
#[derive(Clone, Default)]
pub(crate) struct Contents {
    pub(crate) txs: Vec<Vec<u8>>,
    pub(crate) results: Vec<ExecTxResult>,
}

/// The hub.
pub(crate) struct FakeHub {
    pub(crate) chain: ChainId,
    pub(crate) headers: Vec<SignedHeader>,
    pub(crate) sets: Vec<Vec<Validator>>,
    pub(crate) contents: Vec<Contents>,
    main: Tree,
    blocks: MemoryLog,
    block_log: CompactRange,
    pub(crate) policy: PolicyId,
    policy_tree: Tree,
    revisions: Vec<RevisionChanges>,
    policy_log: MemoryLog,
    records: Vec<Option<PolicyRecord>>,
    pub(crate) log: LogId,
    anchors: Vec<AnchorLeaf>,
    anchor_log: MemoryLog,
}

pub(crate) fn key_of(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyKind::Ed25519, [seed; 32]).unwrap()
}

pub(crate) fn alice() -> SecretKey {
    key_of(1)
}

pub(crate) fn validators(seeds: std::ops::Range<u8>) -> Vec<Validator> {
    seeds.map(|seed| Validator::new([seed; 32], 10)).collect()
}

/// What a node that knows it all says to a permission check.
pub(crate) struct Answered {
    pub(crate) decision: WireDecision,
    pub(crate) revision: u64,
    pub(crate) time: policy::Time,
    pub(crate) evidence: CheckEvidence,
}

fn time_of(height: u64) -> Timestamp {
    Timestamp::new(GENESIS_SECONDS + i64::try_from(height).unwrap(), 0).unwrap()
}

fn tendermint_time(height: u64) -> tendermint::Time {
    hub_light::to_tendermint_time(time_of(height)).unwrap()
}

impl FakeHub {
    /// A hub of `heights` blocks, whose validators change bit by bit.
    pub(crate) fn new(heights: u64) -> Self {
        Self::of("plant-1", heights, |height| {
            // One of four is replaced every 4 blocks.
            let shift = u8::try_from(height / 4).unwrap();
            validators(10 + shift..14 + shift)
        })
    }

    /// A hub with these validators at each height.
    pub(crate) fn of(chain: &str, heights: u64, sets: impl Fn(u64) -> Vec<Validator>) -> Self {
        let chain = ChainId::parse(chain).unwrap();
        let mut hub = Self {
            policy: PolicyId::derive(&chain, &alice().did(), 0, 0),
            log: LogId::derive(&chain, &alice().did(), 1, 0),
            chain,
            headers: Vec::new(),
            sets: (0..=heights + 1).map(sets).collect(),
            contents: vec![Contents::default()],
            main: Tree::default(),
            blocks: MemoryLog::new(),
            block_log: CompactRange::new(),
            policy_tree: Tree::default(),
            revisions: Vec::new(),
            policy_log: MemoryLog::new(),
            records: Vec::new(),
            anchors: Vec::new(),
            anchor_log: MemoryLog::new(),
        };
        hub.genesis();
        for height in 1..=heights {
            hub.block(height);
        }
        hub
    }

    pub(crate) fn newest(&self) -> u64 {
        self.headers.len() as u64
    }

    pub(crate) fn now(&self) -> Timestamp {
        time_of(self.newest() + 2)
    }

    pub(crate) fn header(&self, height: u64) -> Option<&SignedHeader> {
        self.headers
            .get(usize::try_from(height.checked_sub(1)?).unwrap())
    }

    pub(crate) fn hash(&self, height: u64) -> BlockHash {
        hub_light::block_hash(&self.header(height).unwrap().header)
    }

    fn genesis(&mut self) {
        let address = AccountAddress::of(alice().public_key()).unwrap();
        let mut account = Account::new(address, 7);
        account.balance = Amount(1_000_000);
        account.sequence = 3;
        let writes = [
            (auth_keys::params(), Some(Params::default().to_bytes())),
            (auth_keys::account(&address), Some(account.to_bytes())),
        ];
        self.main.commit(BTreeMap::from(writes));
        self.records.push(None);
    }

    /// What blocks do: 2 creates the policy, 3 registers a cell, 4 to 6 change its operators,
    /// 7 opens the log, 8 and on anchor it; 5 holds three transactions, of which one failed.
    fn block(&mut self, height: u64) {
        let contents = match height {
            5 => Contents {
                txs: (0..3_u8).map(|n| vec![n; 40]).collect(),
                results: (0..3_u32)
                    .map(|code| ExecTxResult {
                        code: if code == 1 { 52 } else { 0 },
                        gas_wanted: 100,
                        gas_used: 90,
                        log: "words".into(),
                        ..ExecTxResult::default()
                    })
                    .collect(),
            },
            _ => Contents::default(),
        };
        let header = self.forge_header(height, &contents);
        self.headers.push(header);
        self.contents.push(contents);
        let leaf = BlockLeaf {
            height: Height(height),
            hash: self.hash(height),
        };
        self.blocks.append(&leaf.to_bytes()).unwrap();
        self.block_log
            .append(&leaf.to_bytes(), &mut |_, _, _| {})
            .unwrap();
        let log = BlockLog {
            initial_height: Height(1),
            blocks: self.block_log.clone(),
        };
        let mut writes = BTreeMap::from([(block_keys::block_log(), Some(log.to_bytes()))]);
        let mut record = self.records.last().cloned().flatten();
        if let Some(change) = self.change_at(height) {
            let changed = self.revise(height, vec![change]);
            writes.insert(policy_keys::policy(&self.policy), Some(changed.to_bytes()));
            record = Some(changed);
        }
        self.records.push(record);
        self.audit(height, &mut writes);
        self.main.commit(writes);
    }

    fn change_at(&self, height: u64) -> Option<Change> {
        let operator = |seed: u8| {
            format!("cell:1#operator@{}", key_of(seed).did())
                .parse()
                .unwrap()
        };
        let kind = match height {
            2 => ChangeKind::Created {
                definition: DEFINITION.to_owned(),
                anchor_lag: 10,
                max_staleness_seconds: 60,
                engine_version: policy::ENGINE_VERSION,
            },
            3 => ChangeKind::ObjectRegistered {
                object: "cell:1".parse().unwrap(),
                document: None,
            },
            4 => ChangeKind::RelationshipSet(operator(4)),
            5 => ChangeKind::RelationshipSet(operator(2)),
            6 => ChangeKind::RelationshipDeleted(operator(4)),
            _ => return None,
        };
        Some(Change {
            transaction: None,
            actor: alice().did(),
            kind,
        })
    }

    fn revise(&mut self, height: u64, changes: Vec<Change>) -> PolicyRecord {
        let revision = self.revisions.len() as u64;
        let before = match revision {
            0 => BTreeMap::new(),
            after => self.policy_tree.entries(after - 1),
        };
        let kinds: Vec<policy::Change> = changes.iter().map(Change::to_policy).collect();
        let writes = policy::apply_all(&kinds, &before).unwrap();
        let tree_root = self.policy_tree.commit(writes.into_iter().collect());
        let leaf = PolicyLeaf {
            policy: self.policy,
            revision,
            height: Height(height),
            time: time_of(height),
            changes_count: changes.len() as u64,
            changes_root: changes_root(&changes),
            tree_root,
        };
        self.policy_log.append_leaf_hash(leaf.leaf_hash()).unwrap();
        self.revisions.push(RevisionChanges { leaf, changes });
        PolicyRecord {
            id: self.policy,
            creator: alice().did(),
            creator_account: AccountAddress::of(alice().public_key()).unwrap(),
            log: self.policy_log.range().clone(),
            tree_root,
            last_height: Height(height),
            anchor_lag: 10,
            max_staleness_seconds: 60,
            engine_version: policy::ENGINE_VERSION,
        }
    }

    fn audit(&mut self, height: u64, writes: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
        if height < 7 {
            return;
        }
        let mut record = LogRecord::open(self.log, alice().did(), self.policy, alice().did());
        if height == 7 {
            let mut logs = PolicyLogs::default();
            logs.logs
                .append(self.log.as_bytes(), &mut |_, _, _| {})
                .unwrap();
            writes.insert(audit_keys::policy_logs(&self.policy), Some(logs.to_bytes()));
        } else {
            let leaf = AnchorLeaf {
                log: self.log,
                height: Height(height),
                time: time_of(height),
                size: height * 10,
                root: [u8::try_from(height).unwrap(); 32],
                heads_root: [1; 32],
            };
            self.anchor_log.append(&leaf.to_bytes()).unwrap();
            (record.size, record.root, record.heads_root) = (leaf.size, leaf.root, leaf.heads_root);
            record.anchors = self.anchor_log.range().clone();
            record.last_anchor_height = Height(height);
            self.anchors.push(leaf);
        }
        writes.insert(audit_keys::log(&self.log), Some(record.to_bytes()));
    }

    fn forge_header(&self, height: u64, contents: &Contents) -> SignedHeader {
        let set = |height: u64| forge::validator_set(&self.sets[usize::try_from(height).unwrap()]);
        let (now, next) = (set(height), set(height + 1));
        let before = self.header(height - 1);
        let app_hash = self.root(height - 1);
        let results = &self.contents.last().unwrap().results;
        let chain_id: tendermint::chain::Id = self.chain.as_str().parse().unwrap();
        let parts = forge::HeaderParts {
            chain_id: chain_id.clone(),
            app_version: 0,
            height: height.try_into().unwrap(),
            time: tendermint_time(height),
            last_block_id: before.map(|before| before.commit.block_id),
            last_commit_hash: before.map_or(Hash::Sha256(merkle::EMPTY_ROOT), |before| {
                forge::last_commit_hash(&before.commit)
            }),
            data_hash: forge::data_hash(contents.txs.iter().map(Vec::as_slice)),
            validators_hash: now.hash(),
            next_validators_hash: next.hash(),
            consensus_hash: forge::consensus_hash(1 << 20, -1),
            app_hash: app_hash.to_vec(),
            last_results_hash: forge::results_hash(results),
            proposer_address: now.validators()[0].address,
        };
        let header = forge::header(parts);
        let id = forge::block_id(&header, b"block");
        let signers = &self.sets[usize::try_from(height).unwrap()];
        let commit = forge::commit(
            &chain_id,
            header.height,
            id,
            &now,
            signers,
            tendermint_time(height),
        );
        forge::signed_header(header, commit)
    }

    /// A commit for the header at `height` by other signers than all.
    pub(crate) fn signed_by(&self, height: u64, signers: &[Validator]) -> SignedHeader {
        let header = self.header(height).unwrap().header.clone();
        let set = forge::validator_set(&self.sets[usize::try_from(height).unwrap()]);
        let id = forge::block_id(&header, b"block");
        let commit = forge::commit(
            &header.chain_id,
            header.height,
            id,
            &set,
            signers,
            tendermint_time(height),
        );
        forge::signed_header(header, commit)
    }

    fn root(&self, version: u64) -> [u8; 32] {
        // The tree keeps its roots by version, and version h is the state after block h.
        self.main.root(version)
    }

    // Honest answers, for the state after block `state`.

    pub(crate) fn state_proof(&self, key: &[u8], state: u64) -> StateProof {
        let (value, proof) = self.main.prove(key, state);
        StateProof::new(Height(state), key.to_vec(), value, proof)
    }

    fn revision_at(&self, state: u64) -> u64 {
        let record = self.records[usize::try_from(state).unwrap()]
            .as_ref()
            .unwrap();
        record.latest_revision().unwrap()
    }

    pub(crate) fn root_proof(&self, state: u64, revision: Option<u64>) -> PolicyRootProof {
        let record = self.state_proof(&policy_keys::policy(&self.policy), state);
        let newest = self.revision_at(state);
        match revision.filter(|revision| *revision != newest) {
            None => PolicyRootProof::newest(record),
            Some(revision) => PolicyRootProof::earlier(
                record,
                RevisionInclusion {
                    leaf: self.revisions[usize::try_from(revision).unwrap()]
                        .leaf
                        .clone(),
                    path: self
                        .policy_log
                        .inclusion_proof(revision, newest + 1)
                        .unwrap(),
                },
            ),
        }
    }

    pub(crate) fn policy_proof(&self, key: &[u8], state: u64) -> (Option<Vec<u8>>, PolicyProof) {
        let (value, proof) = self.policy_tree.prove(key, self.revision_at(state));
        let entry = TreeProof::new(key.to_vec(), value.clone(), proof);
        (value, PolicyProof::new(self.root_proof(state, None), entry))
    }

    pub(crate) fn evidence(
        &self,
        object: &ObjectRef,
        permission: &str,
        actor: &str,
        state: u64,
        revision: Option<u64>,
    ) -> Answered {
        let newest = self.revision_at(state);
        let revision = revision.unwrap_or(newest);
        let time = match revision == newest {
            true => time_of(state + 1),
            false => self.revisions[usize::try_from(revision).unwrap()].leaf.time,
        };
        let time = time.to_policy();
        let entries = self.policy_tree.entries(revision);
        let compiled = policy::Policy::parse(DEFINITION).unwrap();
        let question = Question::new(object.clone(), permission, Actor::new(actor).unwrap());
        let gathered = policy::gather(
            &compiled,
            &entries,
            &question,
            &Circumstances::at(time),
            &[],
            policy::Limits::CONSENSUS,
        )
        .unwrap();
        let proofs = gathered
            .keys
            .iter()
            .map(|key| self.policy_tree.prove(key, revision).1);
        let evidence =
            CheckEvidence::new(self.root_proof(state, Some(revision)), proofs, Vec::new()).unwrap();
        Answered {
            decision: match gathered.answer.decision {
                Decision::Allow => WireDecision::Allow,
                Decision::Deny => WireDecision::Deny,
                Decision::Conditional => WireDecision::Conditional,
            },
            revision,
            time,
            evidence,
        }
    }

    /// At most two revisions a page, so that pages are needed.
    pub(crate) fn changes(&self, from: u64, state: u64) -> ChangesPage {
        let count = self.revision_at(state) + 1;
        let end = (from + 2).min(count);
        let range = usize::try_from(from).unwrap()..usize::try_from(end).unwrap();
        let consistency = match end < count {
            true => self.policy_log.consistency_proof(end, count).unwrap(),
            false => Vec::new(),
        };
        ChangesPage {
            revisions: self.revisions[range].to_vec(),
            record: self.state_proof(&policy_keys::policy(&self.policy), state),
            consistency,
        }
    }

    pub(crate) fn block_inclusion(&self, height: u64, state: u64) -> BlockInclusion {
        let leaf = BlockLeaf {
            height: Height(height),
            hash: self.hash(height),
        };
        let path = self.blocks.inclusion_proof(height - 1, state).unwrap();
        BlockInclusion::new(
            self.state_proof(&block_keys::block_log(), state),
            leaf,
            path,
        )
    }

    /// At most two anchors a page.
    pub(crate) fn anchors(&self, from: u64, state: u64) -> wire::audit::QueryAnchorsResponse {
        let count = self
            .anchors
            .iter()
            .filter(|each| each.height.0 <= state)
            .count() as u64;
        let end = (from + 2).min(count);
        let range = usize::try_from(from).unwrap()..usize::try_from(end).unwrap();
        let consistency = match end < count {
            true => self.anchor_log.consistency_proof(end, count).unwrap(),
            false => Vec::new(),
        };
        wire::audit::QueryAnchorsResponse {
            anchors: self.anchors[range].iter().map(Record::to_wire).collect(),
            record: Some(
                self.state_proof(&audit_keys::log(&self.log), state)
                    .to_wire(),
            ),
            consistency: consistency.iter().map(|hash| hash.to_vec()).collect(),
        }
    }

    pub(crate) fn logs(&self, state: u64) -> wire::audit::QueryLogsResponse {
        let record = self.main.get(&audit_keys::log(&self.log), state);
        wire::audit::QueryLogsResponse {
            height: state,
            records: record
                .iter()
                .map(|bytes| LogRecord::from_bytes(bytes).unwrap().to_wire())
                .collect(),
            proof: None,
        }
    }

    pub(crate) fn value(&self, key: &[u8], state: u64) -> Option<Vec<u8>> {
        self.main.get(key, state)
    }
}
