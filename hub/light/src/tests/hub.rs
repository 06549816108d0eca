//! A policy with its log and trees, as the hub keeps them, and the headers over them.

use std::{format, vec, vec::Vec};

use ::policy::{gather, Actor, Circumstances, DocumentFacts, Limits, Name, Policy, Question};
use hub_types::{
    document::Document,
    policy::{self, changes_root, Change, ChangeKind, PolicyLeaf, PolicyRecord},
    Height, PolicyId, Record,
};
use identity::{AccountAddress, ChainId, Did, KeyKind, SecretKey};
use merkle::{consistency_proof, inclusion_proof, CompactRange, MemoryLog};

use super::support::{at, header_over, some_entries, Tree, CHAIN};
use crate::{
    ChangesPage, CheckEvidence, PolicyRootProof, RevisionChanges, RevisionInclusion, Trusted,
};

pub(super) const DEFINITION: &str = "
name: plant
resources:
  - name: cell
    relations:
      - name: operator
        types: [actor]
      - name: banned
        types: [actor]
    permissions:
      - name: edit
        expr: operator - banned
  - name: batch
    relations:
      - name: parent
        types: [cell]
    permissions:
      - name: edit
        expr: owner + parent->edit
      - name: create
        expr: owner + parent->edit
";

pub(super) fn did(seed: u8) -> Did {
    SecretKey::from_seed(KeyKind::Ed25519, [seed; 32])
        .unwrap()
        .did()
}

pub(super) fn actor(seed: u8) -> Actor {
    Actor::new(did(seed).as_str()).unwrap()
}

pub(super) const POLICY: PolicyId = PolicyId::new([7; 32]);

/// A policy with its log, as the hub keeps them, and the headers over them.
pub(super) struct Hub {
    pub revisions: Vec<RevisionChanges>,
    pub log: MemoryLog,
    pub trees: Vec<Tree>,
    state: u64,
}

impl Hub {
    pub(super) fn new() -> Self {
        let mut hub = Self {
            revisions: vec![],
            log: MemoryLog::new(),
            trees: vec![],
            state: 10,
        };
        hub.change(vec![ChangeKind::Created {
            definition: DEFINITION.into(),
            anchor_lag: 10,
            max_staleness_seconds: 60,
            engine_version: ::policy::ENGINE_VERSION,
        }]);
        hub.change(vec![
            ChangeKind::ObjectRegistered {
                object: "cell:1".parse().unwrap(),
                document: None,
            },
            ChangeKind::CollectionDefined {
                resource: Name::new("batch").unwrap(),
                name: Name::new("batches").unwrap(),
                record: ::policy::CollectionRecord {
                    version: 1,
                    scope_relation: Name::new("parent").unwrap(),
                    schema_cid: vec![1],
                    schema: vec![2],
                },
            },
        ]);
        hub.set(&format!("cell:1#operator@{}", did(1)));
        hub.set(&format!("cell:1#operator@{}", did(2)));
        hub.set(&format!("cell:1#banned@{}", did(2)));
        hub
    }

    pub(super) fn set(&mut self, relationship: &str) {
        self.change(vec![ChangeKind::RelationshipSet(
            relationship.parse().unwrap(),
        )]);
    }

    pub(super) fn delete(&mut self, relationship: &str) {
        self.change(vec![ChangeKind::RelationshipDeleted(
            relationship.parse().unwrap(),
        )]);
    }

    fn change(&mut self, kinds: Vec<ChangeKind>) {
        self.state += 5;
        let changes: Vec<Change> = kinds
            .into_iter()
            .map(|kind| Change {
                transaction: None,
                actor: did(9),
                kind,
            })
            .collect();
        let before = self
            .trees
            .last()
            .map(|tree| tree.entries().clone())
            .unwrap_or_default();
        let applied: Vec<_> = changes.iter().map(Change::to_policy).collect();
        let writes = ::policy::apply_all(&applied, before.clone()).unwrap();
        let mut tree = Tree::new(before);
        tree.write(writes);
        let leaf = PolicyLeaf {
            policy: POLICY,
            revision: self.log.size(),
            height: Height(self.state),
            time: at(self.state as i64),
            changes_count: changes.len() as u64,
            changes_root: changes_root(&changes),
            tree_root: tree.root(),
        };
        self.log.append(&leaf.to_bytes()).unwrap();
        self.trees.push(tree);
        self.revisions.push(RevisionChanges { leaf, changes });
    }

    fn range(&self, size: u64) -> CompactRange {
        merkle::range_at(&self.log, size).unwrap()
    }

    /// The record after the first `size` revisions.
    pub(super) fn record(&self, size: u64) -> PolicyRecord {
        let leaf = &self.revisions[size as usize - 1].leaf;
        PolicyRecord {
            id: POLICY,
            creator: did(9),
            creator_account: AccountAddress::from([1; 20]),
            log: self.range(size),
            tree_root: leaf.tree_root,
            last_height: leaf.height,
            anchor_lag: 10,
            max_staleness_seconds: 60,
            engine_version: ::policy::ENGINE_VERSION,
        }
    }

    /// The main tree after the first `size` revisions, with other things in it.
    fn main(&self, record: &PolicyRecord) -> Tree {
        let entry = (policy::keys::policy(&POLICY), record.to_bytes());
        Tree::new(some_entries(50).into_iter().chain([entry]))
    }

    pub(super) fn root_proof(&self, revision: Option<u64>) -> (Trusted, PolicyRootProof) {
        self.root_proof_of(&self.record(self.log.size()), revision)
    }

    pub(super) fn root_proof_of(
        &self,
        record: &PolicyRecord,
        revision: Option<u64>,
    ) -> (Trusted, PolicyRootProof) {
        let main = self.main(record);
        let proof = main.state_proof(self.state, &policy::keys::policy(&POLICY));
        let proof = match revision {
            None => PolicyRootProof::newest(proof),
            Some(revision) => PolicyRootProof::earlier(
                proof,
                RevisionInclusion {
                    leaf: self.revisions[revision as usize].leaf.clone(),
                    path: inclusion_proof(&self.log, revision, self.log.size()).unwrap(),
                },
            ),
        };
        (header_over(main.root(), self.state), proof)
    }

    /// Revisions `from..to` with the proof against the record after all of them.
    pub(super) fn page(&self, from: u64, to: u64) -> (Trusted, ChangesPage) {
        self.page_at(from, to, self.log.size())
    }

    pub(super) fn page_at(&self, from: u64, to: u64, size: u64) -> (Trusted, ChangesPage) {
        let main = self.main(&self.record(size));
        let consistency = consistency_proof(&self.log, to, size).unwrap_or_default();
        let page = ChangesPage {
            revisions: self.revisions[from as usize..to as usize].to_vec(),
            record: main.state_proof(self.state, &policy::keys::policy(&POLICY)),
            consistency,
        };
        (header_over(main.root(), self.state), page)
    }

    pub(super) fn evidence(
        &self,
        revision: Option<u64>,
        question: &Question,
        documents: &[Document],
    ) -> (Trusted, CheckEvidence) {
        let (trusted, root) = self.root_proof(revision);
        let tree = &self.trees[revision.map_or(self.trees.len() - 1, |revision| revision as usize)];
        let facts: Vec<DocumentFacts> = documents
            .iter()
            .map(|document| {
                document
                    .facts(&chain(), &POLICY, &Name::new("parent").unwrap())
                    .unwrap()
            })
            .map(|mut facts| {
                if question.permission == "create" && question.object == facts.object {
                    facts.owner = None;
                }
                facts
            })
            .collect();
        let compiled = Policy::parse(DEFINITION).unwrap();
        let time = revision.map_or(trusted.time, |revision| {
            self.revisions[revision as usize].leaf.time
        });
        let gathered = gather(
            &compiled,
            tree.entries(),
            question,
            &Circumstances::at(time.to_policy()),
            &facts,
            Limits::CONSENSUS,
        )
        .unwrap();
        let keys: std::collections::BTreeSet<Vec<u8>> = gathered
            .keys
            .into_iter()
            .chain(CheckEvidence::document_keys(documents))
            .collect();
        let proofs = keys.iter().map(|key| tree.prove(key).1);
        (
            trusted,
            CheckEvidence::new(root, proofs, documents.to_vec()).unwrap(),
        )
    }
}

pub(super) fn chain() -> ChainId {
    ChainId::parse(CHAIN).unwrap()
}

pub(super) fn question(object: &str, permission: &str, seed: u8) -> Question {
    Question::new(object.parse().unwrap(), permission, actor(seed))
}
