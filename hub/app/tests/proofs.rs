//! What the application proves, verified by hub-light under headers of the solo engine.

use hub_light::{
    AnchorProof, BlockInclusion, ChangesPage, CheckEvidence, Follower, PolicyProof, StateProof,
    TrustPoint, Verifier,
};
use hub_types::{
    audit::OpenLog, auth, document::Document, policy::keys as policy_keys, Height, LogId, Message,
    PolicyId, Timestamp,
};
use policy::Context;
use policy::{Actor, Decision, Name, Question};
use wire::light::{QueryBlockInclusionRequest, QueryStateRequest, QueryStateResponse};
use wire::policy::{
    QueryChangesRequest, QueryCheckPermissionRequest, QueryCheckPermissionResponse,
};

use crate::support::{
    chain, light_block, person, register, relate, response, Chain, GENESIS_SECONDS,
};

const STATE: &str = "/holdfast.light.v1.Query/State";

fn state_proof(world: &Chain, key: &[u8], height: u64) -> StateProof {
    let request = QueryStateRequest {
        key: key.to_vec(),
        prove: true,
        ..Default::default()
    };
    let answer: QueryStateResponse = world.query(STATE, &request, height).unwrap();
    StateProof::from_wire(&answer.state_proof.unwrap()).unwrap()
}

#[test]
fn present_and_absent_keys_are_proven_at_every_height() {
    let mut world = Chain::new(5);
    for round in 0..6 {
        let message = crate::support::send(&world.people[0], &world.people[1], round + 1);
        world.done(0, message);
    }
    let newest = world.height();
    let absent = auth::keys::account(&person(identity::KeyKind::Ed25519, 500).address);
    let present = auth::keys::account(&world.people[0].address);
    for height in 1..newest {
        let trusted = world.trusted(height + 1);
        let account: auth::Account = state_proof(&world, &present, height)
            .verify_record(&trusted, &present)
            .unwrap()
            .unwrap();
        assert_eq!(account.sequence, height);
        let proof = state_proof(&world, &absent, height);
        assert_eq!(proof.verify(&trusted, &absent).unwrap(), None);
        // Under another header, or for another key, nothing verifies.
        let other = world.trusted(if height == 1 { 3 } else { height });
        assert!(proof.verify(&other, &absent).is_err());
        assert!(proof.verify(&trusted, &present).is_err());
    }
}

#[test]
fn one_header_proves_all_earlier_ones() {
    let mut world = Chain::new(1);
    for _ in 0..20 {
        world.block(vec![]);
    }
    let newest = world.height();
    let trusted = world.trusted(newest);
    for height in 1..newest {
        let request = QueryBlockInclusionRequest {
            height,
            at_height: newest - 1,
        };
        let answer: wire::light::QueryBlockInclusionResponse = world
            .query("/holdfast.light.v1.Query/BlockInclusion", &request, 0)
            .unwrap();
        let proof = BlockInclusion::from_wire(&answer.proof.unwrap()).unwrap();
        let point = proof.verify(&trusted).unwrap();
        assert_eq!(point, world.trusted(height).point());
    }
    let request = QueryBlockInclusionRequest {
        height: newest,
        at_height: newest - 1,
    };
    let path = "/holdfast.light.v1.Query/BlockInclusion";
    let missing = world.query::<_, wire::light::QueryBlockInclusionResponse>(path, &request, 0);
    assert!(missing.unwrap_err().contains("NotFound"));
}

#[test]
fn the_light_client_follows_the_solo_engine() {
    let mut world = Chain::new(1);
    for _ in 0..10 {
        world.block(vec![]);
    }
    let first = light_block(&world.engine, 1);
    let point = TrustPoint {
        height: Height(1),
        hash: first.hash(),
    };
    let start = Verifier::start(point, first).unwrap();
    let verifier = Verifier::default();
    let now = Timestamp::new(GENESIS_SECONDS + 60, 0).unwrap();
    for height in [2, 5, 10] {
        let block = light_block(&world.engine, height);
        let verified = verifier.verify(&start, block, now).unwrap();
        assert_eq!(verified.trusted().height, Height(height));
    }
}

fn page(world: &Chain, policy: PolicyId, from: u64, limit: u32, height: u64) -> ChangesPage {
    let request = QueryChangesRequest {
        policy: policy.to_vec(),
        from,
        limit,
    };
    let answer: wire::policy::QueryChangesResponse = world
        .query("/holdfast.policy.v1.Query/Changes", &request, height)
        .unwrap();
    ChangesPage::from_wire(&answer).unwrap()
}

/// A plant where person 1 works at cell 1 and person 2 is banned.
fn plant(world: &mut Chain) -> PolicyId {
    let policy = world.plant(0);
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    for (relation, who) in [("operator", 1), ("operator", 2), ("banned", 2)] {
        let set = vec![format!("cell:1#{relation}@{}", world.people[who].did)];
        let message = relate(&world.people[0], policy, &set, &[]);
        world.done(0, message);
    }
    world.block(vec![]);
    policy
}

#[test]
fn a_follower_knows_that_it_misses_nothing() {
    let mut world = Chain::new(3);
    let policy = plant(&mut world);
    let newest = world.height();
    let trusted = world.trusted(newest);
    let mut follower = Follower::new(policy);
    let first = page(&world, policy, 0, 2, newest - 1);
    let progress = follower.apply(&trusted, &first).unwrap();
    assert!(!progress.complete);
    let rest = page(&world, policy, 2, 0, newest - 1);
    let progress = follower.apply(&trusted, &rest).unwrap();
    assert!(progress.complete);
    assert_eq!(follower.next_revision(), 5);
    // A page that leaves one out does not verify.
    let mut follower = Follower::new(policy);
    assert!(follower
        .apply(&trusted, &page(&world, policy, 1, 0, newest - 1))
        .is_err());
}

fn ask(
    world: &Chain,
    policy: PolicyId,
    question: &Question,
    documents: &[Document],
    revision: Option<u64>,
) -> QueryCheckPermissionResponse {
    let policy::Subject::Actor(actor) = &question.subject else {
        panic!("an actor asks")
    };
    let request = QueryCheckPermissionRequest {
        policy: policy.to_vec(),
        object: Some(wire::policy::Object {
            resource: question.object.resource().to_owned(),
            id: question.object.id().to_owned(),
        }),
        permission: question.permission.clone(),
        actor: actor.as_str().to_owned(),
        revision,
        prove: true,
        documents: documents.iter().map(Document::to_wire).collect(),
        context: String::new(),
    };
    let height = world.height() - 1;
    world
        .query(
            "/holdfast.policy.v1.Query/CheckPermission",
            &request,
            height,
        )
        .unwrap()
}

fn question(world: &Chain, who: usize, permission: &str, object: &str) -> Question {
    let actor = Actor::new(world.people[who].did.as_str()).unwrap();
    Question::new(object.parse().unwrap(), permission, actor)
}

/// Asks, verifies the evidence, and gives what it says.
fn proven(
    world: &Chain,
    policy: PolicyId,
    question: &Question,
    documents: &[Document],
    revision: Option<u64>,
) -> Decision {
    let answer = ask(world, policy, question, documents, revision);
    let evidence = CheckEvidence::from_wire(&answer.evidence.unwrap()).unwrap();
    let trusted = world.trusted(answer.height + 1);
    let none = Context::default();
    let checked = evidence.verify(&trusted, &policy, question, &none).unwrap();
    let decision = match answer.decision {
        1 => Decision::Allow,
        2 => Decision::Deny,
        3 => Decision::Conditional,
        other => panic!("decision {other}"),
    };
    assert_eq!(checked.answer.decision, decision, "the replay agrees");
    assert_eq!(checked.root.revision, answer.revision);
    // The same evidence says nothing about another policy.
    let other = evidence.verify(&trusted, &PolicyId::new([9; 32]), question, &none);
    assert!(other.is_err());
    decision
}

#[test]
fn allow_and_deny_are_proven_now_and_at_earlier_revisions() {
    let mut world = Chain::new(4);
    let policy = plant(&mut world);
    let work = |world: &Chain, who| question(world, who, "work", "cell:1");
    assert_eq!(
        proven(&world, policy, &work(&world, 1), &[], None),
        Decision::Allow
    );
    assert_eq!(
        proven(&world, policy, &work(&world, 2), &[], None),
        Decision::Deny
    );
    assert_eq!(
        proven(&world, policy, &work(&world, 3), &[], None),
        Decision::Deny
    );
    // Revisions: 0 created, 1 registered, 2 operator 1, 3 operator 2, 4 banned 2.
    let earlier = |who, revision| proven(&world, policy, &work(&world, who), &[], Some(revision));
    assert_eq!(earlier(2, 3), Decision::Allow);
    assert_eq!(earlier(2, 2), Decision::Deny);
    assert_eq!(earlier(1, 1), Decision::Deny);
}

#[test]
fn documents_that_nobody_registered_are_checked_from_their_preimage() {
    let mut world = Chain::new(4);
    let policy = plant(&mut world);
    let message = crate::policies::define_batches(&world.people[0], policy, b"\xa0");
    world.done(0, message);
    world.block(vec![]);
    let document = Document {
        resource: Name::new("batch").unwrap(),
        collection: Name::new("batches").unwrap(),
        scope: "cell:1".parse().unwrap(),
        author: world.people[3].did.clone(),
        nonce: [8; 16],
    };
    let object = document.object(&chain(), &policy).unwrap().to_string();
    let documents = [document];
    let decide = |who, permission| {
        let question = question(&world, who, permission, &object);
        proven(&world, policy, &question, &documents, None)
    };
    assert_eq!(decide(1, "edit"), Decision::Allow, "works at the scope");
    assert_eq!(decide(2, "edit"), Decision::Deny, "banned there");
    assert_eq!(decide(3, "edit"), Decision::Allow, "the author owns it");
    assert_eq!(
        decide(3, "create"),
        Decision::Deny,
        "ownership never permits creation"
    );
    assert_eq!(decide(1, "create"), Decision::Allow);
}

#[test]
fn evidence_with_any_byte_changed_says_nothing() {
    let mut world = Chain::new(3);
    let policy = plant(&mut world);
    let question = question(&world, 2, "work", "cell:1");
    let answer = ask(&world, policy, &question, &[], None);
    let trusted = world.trusted(answer.height + 1);
    let bytes = CheckEvidence::from_wire(&answer.evidence.unwrap())
        .unwrap()
        .to_bytes();
    let mut refused = 0;
    for index in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[index] ^= 0x10;
        let verified = CheckEvidence::from_bytes(&changed).and_then(|evidence| {
            evidence.verify(&trusted, &policy, &question, &Context::default())
        });
        assert!(verified.is_err(), "byte {index}");
        refused += 1;
    }
    assert!(refused > 100);
}

#[test]
fn collections_objects_and_logs_are_proven() {
    let mut world = Chain::new(3);
    let policy = plant(&mut world);
    let open = Message::OpenLog(OpenLog {
        creator: world.people[1].address,
        policy,
        anchoring: None,
    });
    let answer: wire::audit::MsgOpenLogResponse = response(&world.done(1, open));
    let log = LogId::from_slice(&answer.log).unwrap();
    let mut leaves = merkle::MemoryLog::new();
    leaves.append(b"one").unwrap();
    let anchor = Message::Anchor(hub_types::audit::Anchor {
        creator: world.people[1].address,
        log,
        old_size: 0,
        size: 1,
        root: leaves.root(),
        heads_root: [1; 32],
        consistency: vec![],
    });
    world.done(1, anchor);
    world.block(vec![]);
    let height = world.height() - 1;
    let trusted = world.trusted(height + 1);

    let request = wire::audit::QueryAnchorProofRequest {
        log: log.to_vec(),
        index: 0,
    };
    let answer: wire::audit::QueryAnchorProofResponse = world
        .query("/holdfast.audit.v1.Query/AnchorProof", &request, height)
        .unwrap();
    let proof = AnchorProof::from_wire(&answer.proof.unwrap()).unwrap();
    proof.verify(&trusted, &log).unwrap();

    let request = wire::audit::QueryLogsRequest {
        policy: policy.to_vec(),
        ..Default::default()
    };
    let answer: wire::audit::QueryLogsResponse = world
        .query("/holdfast.audit.v1.Query/Logs", &request, height)
        .unwrap();
    let proof = StateProof::from_wire(&answer.proof.unwrap()).unwrap();
    let key = hub_types::audit::keys::policy_logs(&policy);
    let logs: hub_types::audit::PolicyLogs = proof.verify_record(&trusted, &key).unwrap().unwrap();
    let root = merkle::root_of(answer.records.iter().map(|record| record.id.clone()));
    assert_eq!(logs.logs.root(), root, "these are all logs");

    for (object, present) in [("1", true), ("2", false)] {
        let request = wire::policy::QueryObjectRequest {
            policy: policy.to_vec(),
            object: Some(wire::policy::Object {
                resource: "cell".to_owned(),
                id: object.to_owned(),
            }),
            prove: true,
        };
        let answer: wire::policy::QueryObjectResponse = world
            .query("/holdfast.policy.v1.Query/Object", &request, height)
            .unwrap();
        let proof = PolicyProof::from_wire(&answer.proof.unwrap()).unwrap();
        let key = policy::keys::object_key("cell", object);
        let (root, value) = proof.verify(&trusted, &policy, &key).unwrap();
        assert_eq!(value.map(<[u8]>::to_vec), answer.record);
        assert_eq!(value.is_some(), present);
        assert_eq!(root.revision, answer.revision);
    }
    let policies: wire::policy::QueryPoliciesResponse = world
        .query(
            "/holdfast.policy.v1.Query/Policies",
            &wire::policy::QueryPoliciesRequest::default(),
            0,
        )
        .unwrap();
    assert_eq!(policies.records.len(), 1);
}

#[test]
fn a_proof_names_both_heights() {
    let mut world = Chain::new(1);
    world.block(vec![]);
    world.block(vec![]);
    let key = policy_keys::policy(&PolicyId::new([1; 32]));
    let proof = state_proof(&world, &key, 1);
    let early = proof.verify(&world.trusted(1), &key);
    assert!(early.is_err(), "the header before does not hold this state");
    assert_eq!(proof.verify(&world.trusted(2), &key).unwrap(), None);
}
