//! Policies under a header: entries, checks, revisions, anchors and earlier blocks.

use std::{collections::BTreeMap, format, string::String, vec, vec::Vec};

use ::policy::{
    gather, keys as tree_keys, Actor, Decision, DocumentFacts, Limits, Name, Policy, Question,
};
use hub_types::{
    audit::{self, AnchorLeaf, LogRecord},
    blocks::{self, BlockLeaf, BlockLog},
    document::Document,
    policy::{self, changes_root, Change, ChangeKind, PolicyLeaf, PolicyRecord},
    Height, LogId, PolicyId, Record,
};
use identity::{AccountAddress, ChainId, Did, KeyKind, SecretKey};
use merkle::{consistency_proof, inclusion_proof, CompactRange, MemoryLog};

use super::support::{at, header_over, some_entries, validators, Block, Tree, CHAIN};
use crate::{
    AnchorProof, BlockInclusion, ChangesPage, CheckEvidence, Follower, LightError, PolicyProof,
    PolicyRootProof, RevisionChanges, RevisionInclusion, Trusted,
};

const DEFINITION: &str = "
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

fn actor(seed: u8) -> Actor {
    Actor::new(did(seed).as_str()).unwrap()
}

pub(super) const POLICY: PolicyId = PolicyId::new([7; 32]);

/// A policy with its log, as the hub keeps them, and the headers over them.
pub(super) struct Hub {
    pub revisions: Vec<RevisionChanges>,
    pub log: MemoryLog,
    trees: Vec<Tree>,
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
    fn record(&self, size: u64) -> PolicyRecord {
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

    fn root_proof(&self, revision: Option<u64>) -> (Trusted, PolicyRootProof) {
        self.root_proof_of(&self.record(self.log.size()), revision)
    }

    fn root_proof_of(
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

    fn page_at(&self, from: u64, to: u64, size: u64) -> (Trusted, ChangesPage) {
        let main = self.main(&self.record(size));
        let consistency = consistency_proof(&self.log, to, size).unwrap_or_default();
        let page = ChangesPage {
            revisions: self.revisions[from as usize..to as usize].to_vec(),
            record: main.state_proof(self.state, &policy::keys::policy(&POLICY)),
            consistency,
        };
        (header_over(main.root(), self.state), page)
    }

    fn evidence(
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
        let gathered = gather(
            &compiled,
            tree.entries(),
            question,
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

fn chain() -> ChainId {
    ChainId::parse(CHAIN).unwrap()
}

fn question(object: &str, permission: &str, seed: u8) -> Question {
    Question::new(object.parse().unwrap(), permission, actor(seed))
}

#[test]
fn an_entry_is_proven_in_two_steps() {
    let hub = Hub::new();
    let (trusted, root) = hub.root_proof(None);
    let tree = hub.trees.last().unwrap();
    let key = tree_keys::definition_key();
    let proof = PolicyProof::new(root, tree.tree_proof(&key));
    let (proven, value) = proof.verify(&trusted, &POLICY, &key).unwrap();
    assert_eq!(value, Some(DEFINITION.as_bytes()));
    assert_eq!((proven.revision, proven.state_height), (4, Height(35)));
    let again = PolicyProof::from_bytes(&proof.to_bytes()).unwrap();
    assert_eq!(again, proof);
    let absent = tree_keys::object_key("cell", "2");
    let proof = PolicyProof::new(proof.root().clone(), tree.tree_proof(&absent));
    assert_eq!(proof.verify(&trusted, &POLICY, &absent).unwrap().1, None);

    // The tree of an earlier revision is not that of the newest.
    let stale = PolicyProof::new(proof.root().clone(), hub.trees[1].tree_proof(&key));
    assert!(matches!(
        stale.verify(&trusted, &POLICY, &key),
        Err(LightError::Root { .. })
    ));
    let other = PolicyId::new([8; 32]);
    assert!(matches!(
        proof.verify(&trusted, &other, &absent),
        Err(LightError::Key { .. })
    ));
}

#[test]
fn an_earlier_revision_is_under_the_same_header() {
    let hub = Hub::new();
    for revision in 0..5u64 {
        let (trusted, proof) = hub.root_proof(Some(revision));
        let root = proof.verify(&trusted, &POLICY).unwrap();
        assert_eq!(root.revision, revision);
        assert_eq!(root.tree_root, hub.trees[revision as usize].root());
        assert_eq!(root.height, hub.revisions[revision as usize].leaf.height);
    }
    let (trusted, proof) = hub.root_proof(Some(2));
    let mut wire = proof.to_wire();
    let leaf = wire.earlier.as_mut().unwrap().leaf.as_mut().unwrap();
    leaf.tree_root = vec![1; 32];
    let lie = PolicyRootProof::from_wire(&wire).unwrap();
    assert!(matches!(
        lie.verify(&trusted, &POLICY),
        Err(LightError::Path { .. })
    ));
    let leaf = wire.earlier.as_mut().unwrap().leaf.as_mut().unwrap();
    leaf.policy = vec![1; 32];
    let lie = PolicyRootProof::from_wire(&wire).unwrap();
    assert!(matches!(
        lie.verify(&trusted, &POLICY),
        Err(LightError::Leaf { .. })
    ));
}

#[test]
fn allow_and_deny_are_replayed_from_evidence() {
    let hub = Hub::new();
    for (seed, revision, expected) in [
        (1, None, Decision::Allow),
        (2, None, Decision::Deny),
        (3, None, Decision::Deny),
        (9, None, Decision::Allow),
        (2, Some(3), Decision::Allow),
        (2, Some(2), Decision::Deny),
        (1, Some(1), Decision::Deny),
    ] {
        let question = question("cell:1", "edit", seed);
        let (trusted, evidence) = hub.evidence(revision, &question, &[]);
        let bytes = evidence.to_bytes();
        let evidence = CheckEvidence::from_bytes(&bytes).unwrap();
        let checked = evidence.verify(&trusted, &POLICY, &question).unwrap();
        assert_eq!(checked.answer.decision, expected, "{seed} {revision:?}");
        assert_eq!(checked.root.revision, revision.unwrap_or(4));
    }
}

fn document(author: u8) -> Document {
    Document {
        resource: Name::new("batch").unwrap(),
        collection: Name::new("batches").unwrap(),
        scope: "cell:1".parse().unwrap(),
        author: did(author),
        nonce: [3; 16],
    }
}

#[test]
fn documents_get_owner_and_scope_from_their_preimage() {
    let hub = Hub::new();
    let check = |author: u8, permission: &str, seed: u8, expected: Decision| {
        let document = document(author);
        let object = document.object(&chain(), &POLICY).unwrap();
        let question = Question::new(object, permission, actor(seed));
        let (trusted, evidence) = hub.evidence(None, &question, &[document]);
        let checked = evidence.verify(&trusted, &POLICY, &question).unwrap();
        assert_eq!(
            checked.answer.decision, expected,
            "{author} {permission} {seed}"
        );
    };
    check(5, "edit", 5, Decision::Allow);
    check(5, "edit", 1, Decision::Allow);
    check(5, "edit", 6, Decision::Deny);
    check(5, "create", 5, Decision::Deny);
    check(1, "create", 1, Decision::Allow);
}

#[test]
fn a_document_needs_the_record_of_its_collection() {
    let hub = Hub::new();
    let document = document(5);
    let object = document.object(&chain(), &POLICY).unwrap();
    let question = Question::new(object, "edit", actor(5));
    let (trusted, evidence) = hub.evidence(None, &question, &[document.clone()]);
    let mut wire = evidence.to_wire();
    wire.documents[0].collection = "others".into();
    let lie = CheckEvidence::from_wire(&wire).unwrap();
    assert_eq!(
        lie.verify(&trusted, &POLICY, &question),
        Err(LightError::NoCollection)
    );
    // Another author's preimage is another document, and the question is about this one.
    let mut wire = evidence.to_wire();
    wire.documents[0].author = String::from(did(6).as_str());
    let lie = CheckEvidence::from_wire(&wire).unwrap();
    assert_ne!(
        lie.verify(&trusted, &POLICY, &question)
            .map(|checked| checked.answer.decision),
        Ok(Decision::Allow)
    );
    wire.documents = vec![document.to_wire(); 257];
    assert!(matches!(
        CheckEvidence::from_wire(&wire),
        Err(LightError::TooMany { .. })
    ));
}

#[test]
fn evidence_for_one_question_is_not_for_another() {
    let hub = Hub::new();
    let (trusted, evidence) = hub.evidence(None, &question("cell:1", "edit", 1), &[]);
    let other = question("cell:2", "edit", 1);
    assert!(matches!(
        evidence.verify(&trusted, &POLICY, &other),
        Err(LightError::Replay(_))
    ));
}

#[test]
fn an_unknown_engine_is_refused_by_name() {
    let hub = Hub::new();
    let asked = question("cell:1", "edit", 1);
    let (_, evidence) = hub.evidence(None, &asked, &[]);
    let record = PolicyRecord {
        engine_version: 99,
        ..hub.record(5)
    };
    let (trusted, root) = hub.root_proof_of(&record, None);
    let mut wire = evidence.to_wire();
    wire.root = Some(root.to_wire());
    let evidence = CheckEvidence::from_wire(&wire).unwrap();
    assert_eq!(
        evidence.verify(&trusted, &POLICY, &asked),
        Err(LightError::EngineVersion {
            found: 99,
            known: ::policy::ENGINE_VERSION
        })
    );
}

#[test]
fn no_changed_byte_of_evidence_gives_an_answer_unnoticed() {
    let hub = Hub::new();
    for (seed, revision) in [(1, None), (2, None), (2, Some(3))] {
        let question = question("cell:1", "edit", seed);
        let (trusted, evidence) = hub.evidence(revision, &question, &[]);
        let good = evidence.to_bytes();
        let read = |bytes: &[u8]| {
            CheckEvidence::from_bytes(bytes)
                .and_then(|evidence| evidence.verify(&trusted, &POLICY, &question))
        };
        let expected = read(&good).unwrap();
        let mut refused = 0;
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            match read(&bytes) {
                Err(_) => refused += 1,
                // A neighbour of an absent key may be named differently and prove the same.
                Ok(checked) => assert_eq!(checked.answer.decision, expected.answer.decision),
            }
            assert!(read(&good[..at]).is_err(), "cut at {at}");
        }
        assert!(
            refused * 100 > good.len() * 95,
            "{refused} of {}",
            good.len()
        );
    }
}

#[test]
fn a_follower_knows_that_it_misses_nothing() {
    let mut hub = Hub::new();
    let mut follower = Follower::new(POLICY);
    let (trusted, page) = hub.page(0, 2);
    let progress = follower.apply(&trusted, &page).unwrap();
    assert!(!progress.complete);
    assert_eq!(follower.next_revision(), 2);
    let (trusted, page) = hub.page(2, 5);
    assert!(follower.apply(&trusted, &page).unwrap().complete);
    let asked = question("cell:1", "edit", 2);
    let decision = |follower: &Follower, revision: u64| {
        let view = follower.history().at(revision).unwrap();
        ::policy::check(&view, &asked, Limits::CONSENSUS)
            .unwrap()
            .decision
    };
    let decisions: Vec<_> = (1..5)
        .map(|revision| decision(&follower, revision))
        .collect();
    assert_eq!(
        decisions,
        [
            Decision::Deny,
            Decision::Deny,
            Decision::Allow,
            Decision::Deny
        ]
    );

    // Nothing new is proven as well, and a deletion follows.
    let (trusted, page) = hub.page(5, 5);
    assert!(follower.apply(&trusted, &page).unwrap().complete);
    hub.delete(&format!("cell:1#banned@{}", did(2)));
    let (trusted, page) = hub.page(5, 5);
    assert!(
        !follower.apply(&trusted, &page).unwrap().complete,
        "one more is known to exist"
    );
    let (trusted, page) = hub.page(5, 6);
    let bytes = wire::canonical::encode(&page.to_wire());
    let page = ChangesPage::from_bytes(&bytes).unwrap();
    assert!(follower.apply(&trusted, &page).unwrap().complete);
    assert_eq!(decision(&follower, 5), Decision::Allow);
}

#[test]
fn lies_to_a_follower_are_named_and_change_nothing() {
    let mut hub = Hub::new();
    hub.set(&format!("cell:1#operator@{}", did(4)));
    let mut follower = Follower::new(POLICY);
    let (trusted, first) = hub.page(0, 3);
    follower.apply(&trusted, &first).unwrap();
    let (trusted, good) = hub.page(3, 5);
    let refused = |follower: &mut Follower, page: &ChangesPage| {
        let before = follower.log().clone();
        let error = follower.apply(&trusted, page).unwrap_err();
        assert_eq!(follower.log(), &before);
        assert_eq!(
            follower.history().latest().map(|latest| latest.revision),
            Some(2)
        );
        error
    };
    let change = |change: &dyn Fn(&mut ChangesPage)| {
        let mut page = good.clone();
        change(&mut page);
        page
    };
    let page = change(&|page| drop(page.revisions.remove(0)));
    assert_eq!(
        refused(&mut follower, &page),
        LightError::Revision {
            expected: 3,
            found: 4
        }
    );
    let page = change(&|page| page.revisions[0].changes.clear());
    assert_eq!(
        refused(&mut follower, &page),
        LightError::Changes { revision: 3 }
    );
    let page = change(&|page| page.revisions[0].changes[0].actor = did(5));
    assert_eq!(
        refused(&mut follower, &page),
        LightError::Changes { revision: 3 }
    );
    let page = change(&|page| page.revisions[0].leaf.policy = PolicyId::new([8; 32]));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Leaf { .. }
    ));
    let page = change(&|page| page.revisions[1].leaf.height = Height(1));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Leaf { .. }
    ));
    let page = change(&|page| page.revisions[1].leaf.tree_root = [1; 32]);
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    // A consistent invention: changes and leaf fit each other, the record does not have them.
    let page = change(&|page| {
        let one = &mut page.revisions[1];
        one.changes[0].actor = did(5);
        one.leaf.changes_root = changes_root(&one.changes);
    });
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    let page = change(&|page| drop(page.consistency.pop()));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    let page = change(&|page| page.consistency.push([0; 32]));
    assert!(matches!(
        refused(&mut follower, &page),
        LightError::Path { .. }
    ));
    assert!(follower.apply(&trusted, &good).is_ok());
    // An old record: fewer revisions than are known.
    let (old, page) = hub.page_at(0, 0, 2);
    assert_eq!(
        follower.apply(&old, &page).unwrap_err(),
        LightError::Older { known: 5, found: 2 }
    );
    // A policy that does not exist.
    let tree = Tree::new(some_entries(9));
    let key = policy::keys::policy(&POLICY);
    let page = ChangesPage {
        revisions: vec![],
        record: tree.state_proof(50, &key),
        consistency: vec![],
    };
    let error = follower
        .apply(&header_over(tree.root(), 50), &page)
        .unwrap_err();
    assert_eq!(error, LightError::Absent { what: "the policy" });
    let mut fresh = Follower::new(POLICY);
    let (trusted, nothing) = hub.page(0, 0);
    assert_eq!(
        fresh.apply(&trusted, &nothing).unwrap_err(),
        LightError::Revision {
            expected: 0,
            found: 6
        }
    );
}

fn anchors() -> (Trusted, Vec<AnchorProof>) {
    let log = LogId::new([3; 32]);
    let mut leaves = MemoryLog::new();
    let mut record = LogRecord::open(log, did(1), POLICY, did(1));
    let anchors: Vec<AnchorLeaf> = (0..5u8)
        .map(|index| AnchorLeaf {
            log,
            height: Height(20 + u64::from(index)),
            time: at(i64::from(index)),
            size: u64::from(index) * 10,
            root: [index; 32],
            heads_root: [index; 32],
        })
        .collect();
    for anchor in &anchors {
        leaves.append(&anchor.to_bytes()).unwrap();
        record
            .anchors
            .append(&anchor.to_bytes(), &mut |_, _, _| {})
            .unwrap();
    }
    let key = audit::keys::log(&log);
    let tree = Tree::new(
        some_entries(20)
            .into_iter()
            .chain([(key.clone(), record.to_bytes())]),
    );
    let proofs = anchors
        .into_iter()
        .enumerate()
        .map(|(index, leaf)| {
            let path = inclusion_proof(&leaves, index as u64, 5).unwrap();
            AnchorProof::new(tree.state_proof(30, &key), index as u64, leaf, path)
        })
        .collect();
    (header_over(tree.root(), 30), proofs)
}

#[test]
fn every_anchor_is_under_one_header() {
    let (trusted, proofs) = anchors();
    let log = LogId::new([3; 32]);
    for (index, proof) in proofs.iter().enumerate() {
        let again = AnchorProof::from_bytes(&proof.to_bytes()).unwrap();
        let anchored = again.verify(&trusted, &log).unwrap();
        assert_eq!(
            (anchored.index, anchored.leaf.size),
            (index as u64, index as u64 * 10)
        );
    }
    let good = proofs[2].to_bytes();
    let read = |bytes: &[u8]| {
        AnchorProof::from_bytes(bytes).and_then(|proof| proof.verify(&trusted, &log))
    };
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(read(&bytes).is_err(), "byte {at}");
        assert!(read(&good[..at]).is_err(), "cut at {at}");
    }
    let other = LogId::new([4; 32]);
    assert!(matches!(
        proofs[0].verify(&trusted, &other),
        Err(LightError::Key { .. })
    ));
    assert!(good.len() < 2_500, "{} bytes", good.len());
}

#[test]
fn every_earlier_block_is_under_one_header() {
    let set = validators(1..=4);
    let old: Vec<_> = (1..=20)
        .map(|height| Block::new(height, &set).light())
        .collect();
    let mut log = BlockLog::new(Height(1));
    let mut leaves = MemoryLog::new();
    for block in &old {
        let leaf = BlockLeaf {
            height: block.height(),
            hash: block.hash(),
        };
        leaves.append(&leaf.to_bytes()).unwrap();
        log.blocks
            .append(&leaf.to_bytes(), &mut |_, _, _| {})
            .unwrap();
    }
    let key = blocks::keys::block_log();
    let tree = Tree::new(
        some_entries(20)
            .into_iter()
            .chain([(key.clone(), log.to_bytes())]),
    );
    let trusted = header_over(tree.root(), 20);
    let proof = |index: usize| {
        let leaf = BlockLeaf {
            height: old[index].height(),
            hash: old[index].hash(),
        };
        let path = inclusion_proof(&leaves, index as u64, 20).unwrap();
        BlockInclusion::new(tree.state_proof(20, &key), leaf, path)
    };
    for (index, block) in old.iter().enumerate() {
        let proof = BlockInclusion::from_bytes(&proof(index).to_bytes()).unwrap();
        let header = &block.signed_header().header;
        let earlier = proof.verify_header(&trusted, header).unwrap();
        assert_eq!(earlier.app_hash, [index as u8 + 1; 32]);
    }
    let wrong = &old[4].signed_header().header;
    assert!(matches!(
        proof(3).verify_header(&trusted, wrong),
        Err(LightError::Height { .. })
    ));
    let mut forged = old[3].signed_header().header.clone();
    forged.app_hash = vec![9; 32].try_into().unwrap();
    assert!(matches!(
        proof(3).verify_header(&trusted, &forged),
        Err(LightError::TrustPointHash { .. })
    ));
    let mut wire = proof(3).to_wire();
    wire.leaf.as_mut().unwrap().height = 21;
    let lie = BlockInclusion::from_wire(&wire).unwrap();
    assert!(matches!(lie.verify(&trusted), Err(LightError::Leaf { .. })));
    wire.leaf.as_mut().unwrap().height = 5;
    let lie = BlockInclusion::from_wire(&wire).unwrap();
    assert!(matches!(lie.verify(&trusted), Err(LightError::Path { .. })));
}

#[test]
fn what_a_history_answers_the_tree_proves() {
    let hub = Hub::new();
    let mut follower = Follower::new(POLICY);
    let (trusted, page) = hub.page(0, 5);
    follower.apply(&trusted, &page).unwrap();
    let mut seen = BTreeMap::new();
    for revision in 1..5u64 {
        let view = follower.history().at(revision).unwrap();
        for seed in [1, 2, 3, 9] {
            let asked = question("cell:1", "edit", seed);
            let answer = ::policy::check(&view, &asked, Limits::CONSENSUS)
                .unwrap()
                .decision;
            let (trusted, evidence) = hub.evidence(Some(revision), &asked, &[]);
            let checked = evidence.verify(&trusted, &POLICY, &asked).unwrap();
            assert_eq!(checked.answer.decision, answer, "{revision} {seed}");
            *seen.entry(answer.clone() as u8).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 2, "both answers occurred");
}
