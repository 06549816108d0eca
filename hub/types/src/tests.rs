//! Bytes that are consensus: keys, records and leaves, against a published table.

use std::{boxed::Box, collections::BTreeSet, format, string::String, vec, vec::Vec};

use identity::{AccountAddress, ChainId, Did, KeyKind, SecretKey};
use merkle::CompactRange;

use crate::{
    audit::{self, AnchorLeaf, LogRecord, OpenLogRecord, PolicyLogs},
    auth::{self, Account, AccountCounter, Params},
    bank::{self, Supply},
    blocks::{self, BlockLeaf, BlockLog},
    document::Document,
    policy::{self, Change, ChangeKind, PolicyLeaf, PolicyRecord},
    Amount, BlockHash, Genesis, GenesisAccount, GenesisError, Height, LogId, PolicyId, Record,
    RecordError, Timestamp, TransactionHash,
};

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyKind::Ed25519, [seed; 32]).unwrap()
}

fn did(seed: u8) -> Did {
    key(seed).did()
}

fn address(seed: u8) -> AccountAddress {
    AccountAddress::of(key(seed).public_key()).unwrap()
}

fn range(leaves: u8) -> CompactRange {
    let mut range = CompactRange::new();
    for leaf in 0..leaves {
        range.append(&[leaf], &mut |_, _, _| {}).unwrap();
    }
    range
}

fn name(text: &str) -> ::policy::Name {
    ::policy::Name::new(text).unwrap()
}

fn time() -> Timestamp {
    Timestamp::new(1_700_000_000, 5).unwrap()
}

fn document() -> Document {
    Document {
        resource: name("batch"),
        collection: name("batches"),
        scope: "cell:1".parse().unwrap(),
        author: did(1),
        nonce: [4; 16],
    }
}

fn changes() -> Vec<Change> {
    let relationship: ::policy::Relationship = "cell:1#operator@did:key:z6Mk".parse().unwrap();
    [
        ChangeKind::Created {
            definition: "name: x".into(),
            anchor_lag: 10,
            max_staleness_seconds: 60,
            engine_version: 1,
        },
        ChangeKind::CollectionDefined {
            resource: name("batch"),
            name: name("batches"),
            record: ::policy::CollectionRecord {
                version: 1,
                scope_relation: name("parent"),
                schema_cid: vec![1, 2],
                schema: vec![0xa0],
            },
        },
        ChangeKind::RelationshipSet(relationship.clone()),
        ChangeKind::RelationshipDeleted(relationship),
        ChangeKind::ObjectRegistered {
            object: "cell:1".parse().unwrap(),
            document: None,
        },
        ChangeKind::ObjectRegistered {
            object: document()
                .object(&chain(), &PolicyId::new([1; 32]))
                .unwrap(),
            document: Some(document()),
        },
    ]
    .into_iter()
    .map(|kind| Change {
        transaction: Some(TransactionHash::new([6; 32])),
        actor: did(1),
        kind,
    })
    .collect()
}

/// Since engine version 2.
fn change_with_terms() -> Change {
    let relationship: ::policy::Relationship = "cell:1#operator@user:*".parse().unwrap();
    let terms = ::policy::Terms {
        condition: Some(Box::new(::policy::ConditionUse {
            name: name("office_hours"),
            context: ::policy::Context::default(),
        })),
        expires: Some(time().to_policy()),
    };
    Change {
        transaction: None,
        actor: did(1),
        kind: ChangeKind::RelationshipSet(relationship.on(terms)),
    }
}

fn chain() -> ChainId {
    ChainId::parse("plant-1").unwrap()
}

/// Reads back, refuses every cut and every byte behind, and adds a line to the table.
fn check<R: Record + PartialEq + core::fmt::Debug>(table: &mut String, name: &str, record: &R) {
    let bytes = record.to_bytes();
    assert!(
        !bytes.is_empty(),
        "{name}: ICS-23 cannot prove an empty value"
    );
    assert!(bytes.len() <= R::BYTES_MAX, "{name}: {} bytes", bytes.len());
    assert_eq!(&R::from_bytes(&bytes).unwrap(), record, "{name}");
    for end in 0..bytes.len() {
        // A cut may leave another record, but never this one.
        assert_ne!(
            R::from_bytes(&bytes[..end]).as_ref(),
            Ok(record),
            "{name} cut at {end}"
        );
    }
    let padded = [&bytes[..], &[0xf8, 0x07, 1]].concat();
    assert!(
        matches!(R::from_bytes(&padded), Err(RecordError::Encoding { .. })),
        "{name}"
    );
    *table += &format!("{name} {}\n", hex::encode(bytes));
}

#[test]
fn records_and_leaves_are_as_they_were_published() {
    let mut table = String::new();
    let account = Account {
        address: address(1),
        public_key: Some(key(1).public_key().encoded()),
        number: 3,
        sequence: 9,
        balance: Amount(1_000),
    };
    check(&mut table, "account", &account);
    check(&mut table, "new account", &Account::new(address(2), 0));
    check(&mut table, "account counter", &AccountCounter { next: 4 });
    check(&mut table, "params", &Params::default());
    check(&mut table, "supply", &Supply { total: Amount(5) });
    check(
        &mut table,
        "block log",
        &BlockLog {
            initial_height: Height(1),
            blocks: range(5),
        },
    );
    check(
        &mut table,
        "block leaf",
        &BlockLeaf {
            height: Height(7),
            hash: BlockHash::new([8; 32]),
        },
    );
    let record = PolicyRecord {
        id: PolicyId::new([1; 32]),
        creator: did(1),
        creator_account: address(1),
        log: range(3),
        tree_root: [2; 32],
        last_height: Height(40),
        anchor_lag: 10,
        max_staleness_seconds: 60,
        engine_version: 1,
    };
    check(&mut table, "policy", &record);
    let leaf = PolicyLeaf {
        policy: PolicyId::new([1; 32]),
        revision: 0,
        height: Height(40),
        time: time(),
        changes_count: 2,
        changes_root: policy::changes_root(&changes()),
        tree_root: [2; 32],
    };
    check(&mut table, "policy leaf", &leaf);
    for (index, change) in changes().iter().enumerate() {
        check(&mut table, &format!("change {index}"), change);
    }
    check(&mut table, "change with terms", &change_with_terms());
    let mut log = LogRecord::open(LogId::new([3; 32]), did(1), PolicyId::new([1; 32]), did(2));
    check(&mut table, "open audit log", &log);
    log.anchors = range(2);
    log.size = 12;
    log.sealed = true;
    check(&mut table, "audit log", &log);
    let anchor = AnchorLeaf {
        log: LogId::new([3; 32]),
        height: Height(41),
        time: time(),
        size: 12,
        root: [4; 32],
        heads_root: [5; 32],
    };
    check(&mut table, "anchor leaf", &anchor);
    check(
        &mut table,
        "open log",
        &OpenLogRecord {
            log: LogId::new([3; 32]),
        },
    );
    check(&mut table, "policy logs", &PolicyLogs { logs: range(1) });

    for (name, key) in keys() {
        table += &format!("key {name} {}\n", hex::encode(key));
    }
    let id = document().id(&chain(), &PolicyId::new([1; 32]));
    table += &format!("document {id}\n");
    table += &format!("policy id {}\n", PolicyId::derive(&chain(), &did(1), 9, 0));
    table += &format!("log id {}\n", LogId::derive(&chain(), &did(1), 9, 0));

    let published = include_str!("../tests/state.txt");
    assert!(
        table == published,
        "keys, records and leaves are consensus; tests/state.txt would have to become:\n{table}"
    );
}

fn keys() -> Vec<(&'static str, Vec<u8>)> {
    let (policy, log) = (PolicyId::new([1; 32]), LogId::new([3; 32]));
    vec![
        ("blocks", blocks::keys::block_log()),
        ("account", auth::keys::account(&address(1))),
        ("account counter", auth::keys::counter()),
        ("params", auth::keys::params()),
        ("supply", bank::keys::supply()),
        ("policy", policy::keys::policy(&policy)),
        ("audit log", audit::keys::log(&log)),
        ("open log", audit::keys::open_log(&policy, &did(1))),
        ("policy logs", audit::keys::policy_logs(&policy)),
        ("fees", auth::keys::account(&auth::keys::fee_collector())),
    ]
}

#[test]
fn no_two_things_have_one_key_and_none_begins_another() {
    let keys: BTreeSet<Vec<u8>> = keys().into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys.len(), 10);
    for one in &keys {
        for other in &keys {
            assert!(one == other || !other.starts_with(one));
        }
    }
}

#[test]
fn wrong_fields_of_records_are_named() {
    let good = LogRecord::open(LogId::new([3; 32]), did(1), PolicyId::new([1; 32]), did(2));
    let check = |change: &dyn Fn(&mut wire::audit::LogRecord), expected: &str| {
        let mut wire = good.to_wire();
        change(&mut wire);
        match LogRecord::from_wire(wire) {
            Err(RecordError::Invalid { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    };
    check(&|wire| wire.id.push(0), "id");
    check(&|wire| wire.operator.push('x'), "operator");
    check(&|wire| wire.policy.clear(), "policy");
    check(&|wire| wire.anchoring.clear(), "anchoring");
    check(&|wire| wire.root.clear(), "root");
    check(&|wire| wire.heads_root.push(0), "heads_root");
    check(&|wire| wire.anchors = None, "anchors");
    check(&|wire| wire.anchors.as_mut().unwrap().size = 1, "anchors");
    check(
        &|wire| wire.anchors.as_mut().unwrap().size = u64::MAX,
        "anchors",
    );
}

#[test]
fn fees_are_rounded_up() {
    let params = Params {
        price_per_million_gas: Amount(10),
        ..Params::default()
    };
    assert_eq!(params.fee_min(1), Amount(1));
    assert_eq!(params.fee_min(100_000), Amount(1));
    assert_eq!(params.fee_min(100_001), Amount(2));
    assert_eq!(params.fee_min(u64::MAX), Amount(184_467_440_737_096));
}

fn genesis() -> Genesis {
    Genesis::new(vec![
        GenesisAccount {
            address: address(1),
            balance: Amount(7),
        },
        GenesisAccount {
            address: address(2),
            balance: Amount(0),
        },
    ])
}

#[test]
fn a_genesis_is_read_as_it_was_written() {
    let json = genesis().to_json().unwrap();
    assert_eq!(Genesis::from_json(json.as_bytes()).unwrap(), genesis());
    assert_eq!(genesis().supply().unwrap(), Amount(7));
}

#[test]
fn a_wrong_genesis_is_refused_by_name() {
    let json = genesis().to_json().unwrap();
    let first = address(1).to_string();
    let refused = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        Genesis::from_json(json.replace(from, to).as_bytes()).unwrap_err()
    };
    use std::string::ToString;
    assert!(matches!(
        refused("\"7\"", "\"0\""),
        GenesisError::NobodyPays
    ));
    assert!(matches!(
        refused("\"7\"", "\"07\""),
        GenesisError::Quantity(_)
    ));
    assert!(matches!(refused("\"7\"", "7"), GenesisError::Json(_)));
    assert!(matches!(
        refused(&first, &address(2).to_string()),
        GenesisError::Duplicate { .. }
    ));
    assert!(matches!(
        refused(&first, "hold1"),
        GenesisError::Address { index: 0, .. }
    ));
    assert!(matches!(
        refused("\"0\"", "\"18446744073709551615\""),
        GenesisError::Supply
    ));
    for limit in ["0", "3000000001"] {
        assert!(matches!(
            refused("tx_gas_max\": 250000000", &format!("tx_gas_max\": {limit}")),
            GenesisError::Params { .. }
        ));
    }
    assert!(matches!(
        refused("engine_version\": 2", "engine_version\": 1"),
        GenesisError::Version {
            what: "policy engine",
            found: 1,
            known: 2
        }
    ));
    assert!(matches!(
        refused("\"accounts\"", "\"acounts\""),
        GenesisError::Json(_)
    ));
}

#[test]
fn a_message_costs_what_the_schedule_says() {
    let schedule = crate::GasSchedule::of_version(1).unwrap();
    assert_eq!(
        schedule.transaction(300, KeyKind::Ed25519),
        3_000 + 29_000 + 3_000 + 25_000
    );
    assert_eq!(
        schedule.transaction(300, KeyKind::Secp256k1),
        3_000 + 80_000 + 3_000 + 25_000
    );
    assert_eq!(schedule.transaction(usize::MAX, KeyKind::Ed25519), u64::MAX);
    assert!(crate::GasSchedule::of_version(2).is_none());
}
