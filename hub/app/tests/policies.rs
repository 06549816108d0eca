//! The modules policy and audit: authority, preconditions, documents, anchors.

use hub_app::chain::transaction::SignatureCheck;
use hub_types::{
    audit::{Anchor, OpenLog},
    document::Document,
    policy::{CreatePolicy, DefineCollection, Precondition, RegisterObject, SetRelationships},
    Code, LogId, Message, PolicyId,
};
use merkle::MemoryLog;
use policy::Name;
use sha2::{Digest, Sha256};
use tendermint_proto::v0_38::abci::ExecTxResult;

use crate::support::{chain, person, register, relate, response, Chain, Person};

fn code(result: &ExecTxResult) -> Code {
    Code::from_number(result.code).unwrap()
}

/// The CIDv1 (DAG-CBOR, SHA-256) of a block.
fn cid(block: &[u8]) -> Vec<u8> {
    let mut out = vec![0x01, 0x71, 0x12, 0x20];
    out.extend_from_slice(&Sha256::digest(block));
    out
}

pub fn define_batches(who: &Person, policy: PolicyId, schema: &[u8]) -> Message {
    Message::DefineCollection(DefineCollection {
        creator: who.address,
        policy,
        resource: Name::new("batch").unwrap(),
        name: Name::new("batches").unwrap(),
        scope_relation: Name::new("parent").unwrap(),
        schema_cid: cid(schema),
        schema: schema.to_vec(),
    })
}

#[test]
fn only_who_manages_a_relation_changes_it() {
    let mut world = Chain::new(4);
    let policy = world.plant(0);
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    let (boss, worker) = (world.people[1].did.clone(), world.people[2].did.clone());

    // Not registered, not permitted, not admitted.
    let set = vec![format!("cell:9#operator@{worker}")];
    let message = relate(&world.people[0], policy, &set, &[]);
    assert_eq!(code(&world.refused(0, message)), Code::NotRegistered);
    let set = vec![format!("cell:1#operator@{worker}")];
    let message = relate(&world.people[1], policy, &set, &[]);
    assert_eq!(code(&world.refused(1, message)), Code::NotPermitted);
    let nonsense = vec!["cell:1#operator@cell:1".to_owned()];
    let message = relate(&world.people[0], policy, &nonsense, &[]);
    assert_eq!(code(&world.refused(0, message)), Code::Relationship);

    // The owner makes a supervisor, who manages operators, and nothing else.
    let supervisor = vec![format!("cell:1#supervisor@{boss}")];
    let message = relate(&world.people[0], policy, &supervisor, &[]);
    world.done(0, message);
    let message = relate(&world.people[1], policy, &set, &[]);
    let answer: wire::policy::MsgSetRelationshipsResponse = response(&world.done(1, message));
    assert_eq!((answer.changed, answer.revision), (1, 3));
    let message = relate(&world.people[1], policy, &supervisor, &[]);
    assert_eq!(code(&world.refused(1, message)), Code::NotPermitted);

    // Again: nothing changes, and the revision stays.
    let message = relate(&world.people[1], policy, &set, &[]);
    let answer: wire::policy::MsgSetRelationshipsResponse = response(&world.done(1, message));
    assert_eq!((answer.changed, answer.revision), (0, 3));

    // One that is not permitted takes the whole batch with it.
    let batch = vec![
        format!("cell:1#operator@{}", world.people[3].did),
        format!("cell:1#supervisor@{}", world.people[3].did),
    ];
    let message = relate(&world.people[1], policy, &batch, &[]);
    assert_eq!(code(&world.refused(1, message)), Code::NotPermitted);
    let message = relate(&world.people[1], policy, &[], &batch[..1]);
    let answer: wire::policy::MsgSetRelationshipsResponse = response(&world.done(1, message));
    assert_eq!(answer.changed, 0, "the first of the batch was not kept");
}

#[test]
fn preconditions_are_asked_of_the_state_before() {
    let mut world = Chain::new(2);
    let policy = world.plant(0);
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    let worker = format!("cell:1#operator@{}", world.people[1].did);
    let mut attempt = |preconditions: Vec<Precondition>| {
        let message = Message::SetRelationships(SetRelationships {
            creator: world.people[0].address,
            policy,
            set: vec![worker.parse().unwrap()],
            delete: vec![],
            preconditions,
        });
        let tx = world.sign(0, vec![message]);
        world.block(vec![tx]).remove(0).code
    };
    let relationship = || worker.parse().unwrap();
    let refused = Code::Precondition.number();
    assert_eq!(
        attempt(vec![Precondition::Present(relationship())]),
        refused
    );
    assert_eq!(attempt(vec![Precondition::Revision(0)]), refused);
    assert_eq!(
        attempt(vec![
            Precondition::Absent(relationship()),
            Precondition::Revision(1)
        ]),
        0
    );
    assert_eq!(attempt(vec![Precondition::Absent(relationship())]), refused);
    assert_eq!(attempt(vec![Precondition::Present(relationship())]), 0);
}

#[test]
fn bad_policies_and_collections_are_refused_by_name() {
    let mut world = Chain::new(2);
    let bad = Message::CreatePolicy(CreatePolicy {
        creator: world.people[0].address,
        definition: "resources:\n- name: a\n  permissions:\n  - name: p\n    expr: nobody\n"
            .to_owned(),
        anchor_lag: 1,
        max_staleness_seconds: 1,
    });
    let result = world.refused(0, bad);
    assert_eq!(code(&result), Code::Definition);
    assert!(result.log.contains("nobody"), "{}", result.log);

    let policy = world.plant(0);
    let message = define_batches(&world.people[1], policy, b"\xa0");
    assert_eq!(code(&world.refused(1, message)), Code::NotPermitted);
    let Message::DefineCollection(mut define) = define_batches(&world.people[0], policy, b"\xa0")
    else {
        unreachable!()
    };
    define.scope_relation = Name::new("editor").unwrap();
    let result = world.refused(0, Message::DefineCollection(define.clone()));
    assert_eq!(code(&result), Code::Collection);
    define.resource = Name::new("machine").unwrap();
    let result = world.refused(0, Message::DefineCollection(define));
    assert_eq!(code(&result), Code::UnknownResource);

    let version = |result: &ExecTxResult| {
        let response: wire::policy::MsgDefineCollectionResponse = response(result);
        response.schema_version
    };
    let first = define_batches(&world.people[0], policy, b"\xa0");
    assert_eq!(version(&world.done(0, first.clone())), 1);
    assert_eq!(version(&world.done(0, first)), 1, "the same schema again");
    let second = define_batches(&world.people[0], policy, b"\xa1\x61a\x01");
    assert_eq!(version(&world.done(0, second)), 2);
    let unknown = register(&world.people[0], PolicyId::new([3; 32]), "cell:1");
    assert_eq!(code(&world.refused(0, unknown)), Code::UnknownPolicy);
}

#[test]
fn a_document_is_registered_by_its_author_alone() {
    let mut world = Chain::new(3);
    let policy = world.plant(0);
    let message = define_batches(&world.people[0], policy, b"\xa0");
    world.done(0, message);
    let document = Document {
        resource: Name::new("batch").unwrap(),
        collection: Name::new("batches").unwrap(),
        scope: "cell:1".parse().unwrap(),
        author: world.people[1].did.clone(),
        nonce: [4; 16],
    };
    let object = document.object(&chain(), &policy).unwrap();
    let attempt = |who: &Person, document: &Document, object: &policy::ObjectRef| {
        Message::RegisterObject(RegisterObject {
            creator: who.address,
            policy,
            object: object.clone(),
            document: Some(document.clone()),
        })
    };
    let message = attempt(&world.people[2], &document, &object);
    assert_eq!(code(&world.refused(2, message)), Code::NotAuthor);
    let mut other = document.clone();
    other.nonce = [5; 16];
    let message = attempt(&world.people[1], &other, &object);
    assert_eq!(code(&world.refused(1, message)), Code::DocumentId);
    let mut nowhere = document.clone();
    nowhere.collection = Name::new("nothing").unwrap();
    let nowhere_object = nowhere.object(&chain(), &policy).unwrap();
    let message = attempt(&world.people[1], &nowhere, &nowhere_object);
    assert_eq!(code(&world.refused(1, message)), Code::UnknownCollection);
    // Without the preimage nobody registers an id that looks like a document's: refused at once.
    let bare = register(&world.people[2], policy, &object.to_string());
    let tx = world.sign(2, vec![bare]);
    let checked = world.hub.check(&tx, SignatureCheck::Verify).unwrap();
    assert_eq!(checked.code, Some(Code::Message), "{}", checked.log);
    world.give_back(2);

    // Registering is creating, which takes the permission on the scope.
    let message = attempt(&world.people[1], &document, &object);
    assert_eq!(code(&world.refused(1, message)), Code::NotPermitted);
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    let set = vec![format!("cell:1#operator@{}", world.people[1].did)];
    let message = relate(&world.people[0], policy, &set, &[]);
    world.done(0, message);
    let message = attempt(&world.people[1], &document, &object);
    world.done(1, message);
    let message = attempt(&world.people[1], &document, &object);
    assert_eq!(code(&world.refused(1, message)), Code::AlreadyRegistered);
    // The owner gives the document away to an editor; a stranger does not.
    let set = vec![format!("{object}#editor@{}", world.people[2].did)];
    let message = relate(&world.people[2], policy, &set, &[]);
    assert_eq!(code(&world.refused(2, message)), Code::NotPermitted);
    let message = relate(&world.people[1], policy, &set, &[]);
    world.done(1, message);
}

/// The hub knows the preimage of the document that is registered, and of no other: where creation
/// hangs on what another one's says, nobody can tell.
#[test]
fn a_document_within_a_document_is_not_registered_in_ignorance() {
    const NESTED: &str = "
resources:
- name: batch
  relations:
  - name: parent
    types: [batch, cell]
  permissions:
  - name: create
    expr: parent->create
- name: cell
  relations:
  - name: parent
    types: [cell]
  - name: banned
    types: [actor]
  permissions:
  - name: create
    expr: parent - banned
";
    let mut world = Chain::new(2);
    let create = Message::CreatePolicy(CreatePolicy {
        creator: world.people[0].address,
        definition: NESTED.to_owned(),
        anchor_lag: 1,
        max_staleness_seconds: 1,
    });
    let created: wire::policy::MsgCreatePolicyResponse = response(&world.done(0, create));
    let policy = PolicyId::from_slice(&created.policy).unwrap();
    let message = define_batches(&world.people[0], policy, b"\xa0");
    world.done(0, message);
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    let within = |author: &Person, scope: &policy::ObjectRef| {
        let document = Document {
            resource: Name::new("batch").unwrap(),
            collection: Name::new("batches").unwrap(),
            scope: scope.clone(),
            author: author.did.clone(),
            nonce: [4; 16],
        };
        let object = document.object(&chain(), &policy).unwrap();
        let message = Message::RegisterObject(RegisterObject {
            creator: author.address,
            policy,
            object: object.clone(),
            document: Some(document),
        });
        (object, message)
    };
    let (outer, message) = within(&world.people[0], &"cell:1".parse().unwrap());
    world.done(0, message);
    let (_, message) = within(&world.people[1], &outer);
    let result = world.refused(1, message);
    assert_eq!(code(&result), Code::Undecided, "{}", result.log);
    // The chain goes on: it was a refusal, and no failure of the node. And who owns the outer one
    // stands in its record.
    let (_, message) = within(&world.people[0], &outer);
    world.done(0, message);
}

/// A document's scope stands in its preimage alone, and a message that sets relationships carries
/// none: whoever the scope takes a right from must not have it because the hub does not see that.
#[test]
fn management_that_hangs_on_a_documents_scope_is_undecided() {
    const GATED: &str = "
resources:
- name: batch
  relations:
  - name: parent
    types: [cell]
  - name: member
    types: [actor]
  - name: editor
    types: [actor]
  - name: steward
    types: [actor, batch->allowed]
    manages: [editor]
  permissions:
  - name: create
    expr: parent->create
  - name: allowed
    expr: member - parent->banned
- name: cell
  relations:
  - name: banned
    types: [actor]
  - name: operator
    types: [actor]
  - name: steward
    types: [actor, batch->allowed]
    manages: [operator]
  permissions:
  - name: create
";
    let mut world = Chain::new(4);
    let create = Message::CreatePolicy(CreatePolicy {
        creator: world.people[0].address,
        definition: GATED.to_owned(),
        anchor_lag: 1,
        max_staleness_seconds: 1,
    });
    let created: wire::policy::MsgCreatePolicyResponse = response(&world.done(0, create));
    let policy = PolicyId::from_slice(&created.policy).unwrap();
    let message = define_batches(&world.people[0], policy, b"\xa0");
    world.done(0, message);
    for cell in ["cell:1", "cell:2"] {
        let message = register(&world.people[0], policy, cell);
        world.done(0, message);
    }
    let document = |nonce: u8, author: &Person| Document {
        resource: Name::new("batch").unwrap(),
        collection: Name::new("batches").unwrap(),
        scope: "cell:1".parse().unwrap(),
        author: author.did.clone(),
        nonce: [nonce; 16],
    };
    let registered = document(1, &world.people[0]);
    let batch = registered.object(&chain(), &policy).unwrap();
    let message = Message::RegisterObject(RegisterObject {
        creator: world.people[0].address,
        policy,
        object: batch.clone(),
        document: Some(registered),
    });
    world.done(0, message);
    // Registered by nobody: its author, the third person, owns it, and only the preimage says so.
    let bare = document(2, &world.people[2]);
    let bare = bare.object(&chain(), &policy).unwrap();
    let did = |world: &Chain, at: usize| world.people[at].did.clone();
    let set = vec![
        format!("cell:1#banned@{}", did(&world, 1)),
        format!("{batch}#member@{}", did(&world, 1)),
        format!("{batch}#member@{}", did(&world, 3)),
        format!("{batch}#steward@{batch}#allowed"),
        format!("cell:2#steward@{batch}#allowed"),
        format!("cell:2#steward@{bare}#allowed"),
        format!("cell:1#steward@{}", did(&world, 3)),
    ];
    let message = relate(&world.people[0], policy, &set, &[]);
    world.done(0, message);

    let mut attempt = |at: usize, object: &str, relation: &str| {
        let set = vec![format!("{object}#{relation}@{}", world.people[2].did)];
        let message = relate(&world.people[at], policy, &set, &[]);
        let tx = world.sign(at, vec![message]);
        let result = world.block(vec![tx]).remove(0);
        (result.code != 0).then(|| code(&result))
    };
    let batch = batch.to_string();
    // The scope's ban takes their right from the second person, through another object's record and
    // through the document's own.
    assert_eq!(attempt(1, "cell:2", "operator"), Some(Code::Undecided));
    assert_eq!(attempt(1, &batch, "editor"), Some(Code::Undecided));
    // An author who only a preimage names may be the one who is asked about.
    assert_eq!(attempt(2, "cell:2", "operator"), Some(Code::Undecided));
    // What hangs on no preimage is as it was: the owner's own, a steward in person, and no right
    // where not even a member's stands.
    assert_eq!(attempt(0, &batch, "editor"), None);
    assert_eq!(attempt(0, "cell:2", "operator"), None);
    assert_eq!(attempt(3, "cell:1", "operator"), None);
    assert_eq!(attempt(2, &batch, "editor"), Some(Code::NotPermitted));
}

/// Whether a node has the policy compiled is its own business, so a message pays for it each time.
#[test]
fn a_message_pays_for_the_bytes_of_its_policy_and_of_the_records_that_it_reads() {
    let mut world = Chain::new(1);
    let mut create = |definition: String| {
        let message = Message::CreatePolicy(CreatePolicy {
            creator: world.people[0].address,
            definition,
            anchor_lag: 1,
            max_staleness_seconds: 1,
        });
        let created: wire::policy::MsgCreatePolicyResponse = response(&world.done(0, message));
        PolicyId::from_slice(&created.policy).unwrap()
    };
    let small = create(crate::support::PLANT.to_owned());
    let large = create(format!(
        "{}# {}\n",
        crate::support::PLANT,
        "x".repeat(40_000)
    ));
    let mut used = |policy| {
        let message = register(&world.people[0], policy, "cell:1");
        world.done(0, message).gas_used
    };
    let (small_used, large_used) = (used(small), used(large));
    let schedule = hub_types::GasSchedule::V1;
    let a_byte = schedule.per_definition_byte + schedule.per_byte_read;
    assert_eq!(large_used - small_used, 40_003 * a_byte as i64);

    // The same change beside another's subjects: their bytes are read, made and written.
    let operators: Vec<String> = (0..60)
        .map(|number| {
            let did = person(identity::KeyKind::Ed25519, 1_000 + number).did;
            format!("cell:1#operator@{did}")
        })
        .collect();
    let message = relate(&world.people[0], small, &operators[..1], &[]);
    let alone = world.done(0, message).gas_used;
    let message = relate(&world.people[0], small, &operators[1..59], &[]);
    world.done(0, message);
    let message = relate(&world.people[0], small, &operators[59..], &[]);
    let crowded = world.done(0, message).gas_used;
    let bytes = 59 * operators[0].trim_start_matches("cell:1#operator@").len() as u64;
    // Read by the check and by the change, made by the change, written once.
    let least = bytes * (3 * schedule.per_byte_read + schedule.per_record_byte);
    assert!(crowded - alone > least as i64, "{crowded} {alone} {least}");
}

#[test]
fn a_relation_outgrows_its_record_and_comes_back() {
    let mut world = Chain::new(1);
    let policy = world.plant(0);
    let message = register(&world.people[0], policy, "cell:1");
    world.done(0, message);
    let all: Vec<String> = (0..300)
        .map(|number| {
            let did = person(identity::KeyKind::Ed25519, 1_000 + number).did;
            format!("cell:1#operator@{did}")
        })
        .collect();
    for batch in all.chunks(100) {
        let message = relate(&world.people[0], policy, batch, &[]);
        let answer: wire::policy::MsgSetRelationshipsResponse = response(&world.done(0, message));
        assert_eq!(answer.changed, 100);
    }
    for batch in all[..290].chunks(145) {
        let message = relate(&world.people[0], policy, &[], batch);
        let answer: wire::policy::MsgSetRelationshipsResponse = response(&world.done(0, message));
        assert_eq!(answer.changed, 145);
    }
    let message = relate(&world.people[0], policy, &all[280..], &[]);
    let answer: wire::policy::MsgSetRelationshipsResponse = response(&world.done(0, message));
    assert_eq!(answer.changed, 10, "ten are still there, ten are new again");
}

#[test]
fn anchors_grow_and_a_fork_is_refused_with_its_own_code() {
    let mut world = Chain::new(3);
    let policy = world.plant(0);
    let open = |who: &Person, anchoring: Option<&Person>| {
        Message::OpenLog(OpenLog {
            creator: who.address,
            policy,
            anchoring: anchoring.map(|person| person.did.clone()),
        })
    };
    let message = open(&world.people[1], Some(&world.people[2]));
    let answer: wire::audit::MsgOpenLogResponse = response(&world.done(1, message));
    let log = LogId::from_slice(&answer.log).unwrap();
    let message = open(&world.people[1], None);
    assert_eq!(code(&world.refused(1, message)), Code::LogAlreadyOpen);

    let mut leaves = MemoryLog::new();
    for leaf in ["a", "b", "c", "d", "e", "f", "g"] {
        leaves.append(leaf.as_bytes()).unwrap();
    }
    let mut fork = MemoryLog::new();
    for leaf in ["a", "x", "c", "d", "e", "f", "g"] {
        fork.append(leaf.as_bytes()).unwrap();
    }
    let anchor = |who: &Person, leaves: &MemoryLog, old_size: u64, size: u64| {
        let consistency = match old_size {
            0 => Vec::new(),
            old => leaves.consistency_proof(old, size).unwrap(),
        };
        Message::Anchor(Anchor {
            creator: who.address,
            log,
            old_size,
            size,
            root: leaves.root_at(size).unwrap(),
            heads_root: [size as u8; 32],
            consistency,
        })
    };
    let message = anchor(&world.people[1], &leaves, 0, 3);
    assert_eq!(code(&world.refused(1, message)), Code::NotAnchoringKey);
    let message = anchor(&world.people[2], &leaves, 0, 3);
    let answer: wire::audit::MsgAnchorResponse = response(&world.done(2, message));
    assert_eq!(answer.index, 0);
    for (leaves, old, new, expected) in [
        (&fork, 3, 7, Code::AnchorInconsistent),
        (&fork, 3, 3, Code::AnchorInconsistent),
        (&leaves, 3, 3, Code::AnchorNotGrown),
        (&leaves, 2, 7, Code::AnchorOldSize),
        (&leaves, 0, 7, Code::AnchorOldSize),
    ] {
        let message = anchor(&world.people[2], leaves, old, new);
        let result = world.refused(2, message);
        assert_eq!(code(&result), expected, "{old} to {new}");
    }
    let message = anchor(&world.people[2], &leaves, 3, 7);
    let answer: wire::audit::MsgAnchorResponse = response(&world.done(2, message));
    assert_eq!(answer.index, 1);
}

#[test]
fn a_block_that_changes_a_policy_twice_adds_one_revision() {
    let mut world = Chain::new(3);
    let policy = world.plant(0);
    let cells: Vec<Message> = (1..=3)
        .map(|number| register(&world.people[0], policy, &format!("cell:{number}")))
        .collect();
    let first = world.sign(0, cells);
    let message = register(&world.people[1], policy, "cell:4");
    let second = world.sign(1, vec![message]);
    let results = world.block(vec![first, second]);
    assert!(results.iter().all(|result| result.code == 0));
    let request = wire::policy::QueryChangesRequest {
        policy: policy.to_vec(),
        from: 0,
        limit: 0,
    };
    let answer: wire::policy::QueryChangesResponse = world
        .query("/holdfast.policy.v1.Query/Changes", &request, 0)
        .unwrap();
    let counts: Vec<u64> = answer
        .revisions
        .iter()
        .map(|revision| revision.leaf.as_ref().unwrap().changes_count)
        .collect();
    assert_eq!(counts, [1, 4]);
}
