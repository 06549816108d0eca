//! Every reader over bytes that somebody broke on purpose: what cargo-fuzz runs (`policy/fuzz`), over
//! seeded mutations of its examples.

use std::path::PathBuf;

use policy::{
    keys::SubjectKind, Actor, CollectionRecord, Context, History, Members, Name, ObjectRecord,
    Page, Policy, RelationRecord, Relationship, Subject, SubjectList, Terms,
};

use crate::mutate::mutate;
use crate::random::{rounds, seed, Random};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
}

/// What stands in a target's folder, and what only the crate itself can write.
fn examples(name: &str) -> Vec<Vec<u8>> {
    let mut all = made(name);
    let folder = match name {
        "test_file" => folder().join("tests/runs"),
        name => folder().join("fuzz/examples").join(name),
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.push(std::fs::read(path).unwrap());
        }
    }
    assert!(!all.is_empty(), "{name} has no example");
    all
}

const TERMS: &str = "document:1#reader@user:a with c {\"x\":[1,\"y\"],\"z\":1.5} and expiration 2027-01-01T00:00:00Z";

fn made(name: &str) -> Vec<Vec<u8>> {
    let relationship: Relationship = TERMS.parse().unwrap();
    let holder = |text: &str| (text.parse::<Subject>().unwrap(), Terms::NONE);
    match name {
        "terms" => vec![relationship.terms.to_bytes(), Terms::NONE.to_bytes()],
        "context_bytes" => {
            let context = Context::from_json("{\"a\":{\"b\":[true,null,-1]},\"c\":\"d\"}").unwrap();
            vec![context.encode()]
        }
        "collection_record" => vec![CollectionRecord {
            version: 2,
            scope_relation: Name::new("parent").unwrap(),
            schema_cid: b"cid".to_vec(),
            schema: b"{}".to_vec(),
        }
        .to_bytes()],
        "page" => {
            let page = Page {
                until: Some(b"did:z".to_vec()),
                holders: vec![holder("did:a"), holder("did:b")],
            };
            let mut bytes = vec![0];
            bytes.extend(page.to_bytes(SubjectKind::Direct));
            vec![bytes]
        }
        "object_record" => {
            let mut record = ObjectRecord::new(Actor::new("did:x:owner").unwrap());
            let held = (relationship.subject.clone(), relationship.terms);
            let relation = RelationRecord {
                direct: Members::Inline(SubjectList::of(SubjectKind::Direct, &[holder("did:a")])),
                sets: Members::Inline(SubjectList::of(SubjectKind::Sets, &[held])),
            };
            record
                .relations
                .push((Name::new("reader").unwrap(), relation));
            vec![record.to_bytes()]
        }
        "snapshot" => {
            let policy = std::fs::read_to_string(folder().join("tests/runs/clinic/lists.yaml"));
            let policy = Policy::parse(&policy.unwrap()).unwrap();
            let facts = [
                "document:1#reader@group:staff#member",
                "document:1#reader@did:key:zCid with office_hours {\"zone\":\"ward\"}",
                "group:staff#member@did:key:zAnn",
            ];
            let facts = facts.map(|fact| fact.parse::<Relationship>().unwrap());
            vec![History::of(policy, &facts).unwrap().to_snapshot()]
        }
        _ => vec![],
    }
}

/// Cut, double, swap and replace bytes; texts also by characters.
fn broken(random: &mut Random, example: &[u8]) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(example) {
        if random.chance(80) {
            return mutate(random, text).into_bytes();
        }
    }
    let mut bytes = example.to_vec();
    for _ in 0..1 + random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let to = at + random.below(bytes.len() - at).min(16);
        match random.below(6) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.insert(at, random.next() as u8),
            3 => drop(bytes.drain(at..to)),
            4 => {
                let part = bytes[at..to].to_vec();
                let into = random.below(bytes.len());
                bytes.splice(into..into, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

#[test]
fn no_reader_panics_or_hangs() {
    let first = seed();
    for (name, target) in targets::TARGETS {
        let examples = examples(name);
        for example in &examples {
            target(example);
        }
        for round in 0..rounds(200) {
            let seed = first.wrapping_add(round);
            let mut random = Random::new(seed);
            let example = random.pick(&examples).clone();
            let bytes = broken(&mut random, &example);
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(
                outcome.is_ok(),
                "HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1 {name}: {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
    println!(
        "{} readers, {} mutations each",
        targets::TARGETS.len(),
        rounds(200)
    );
}

/// The examples reach what they are examples of: a target that refuses its own example tests nothing.
#[test]
fn every_target_has_its_file_and_examples_that_are_read() {
    let of = |name: &str| examples(name).into_iter().next().unwrap();
    let text = |name: &str| String::from_utf8(of(name)).unwrap();
    for (name, _) in targets::TARGETS {
        let file = folder().join(format!("fuzz/fuzz_targets/{name}.rs"));
        let file = std::fs::read_to_string(file).unwrap();
        assert!(
            file.contains(&format!("policy_fuzz::{name}(data)")),
            "{name}"
        );
    }
    Policy::parse(&text("policy")).unwrap();
    policy::Theorems::parse(&text("theorems")).unwrap();
    policy::RelationshipList::parse(&text("relationships")).unwrap();
    policy::openfga::parse_store(&text("openfga_store")).unwrap();
    policy::openfga::parse_module_list(&text("openfga_modules")).unwrap();
    policy::openfga::parse_tuples(&text("openfga_tuples"), policy::openfga::TupleFormat::Csv)
        .unwrap();
    for model in [
        policy::openfga::parse_dsl(&text("openfga_dsl")),
        policy::openfga::parse_json(&text("openfga_json")),
    ] {
        policy::openfga::import(&model.unwrap(), None).unwrap();
    }
    let options = policy::spicedb::ImportOptions {
        name: "",
        actor: None,
    };
    policy::spicedb::import(&text("spicedb_schema"), &options).unwrap();
    policy::spicedb::Relationship::parse(&text("spicedb_relationship")).unwrap();
    policy::spicedb::ValidationFile::parse(&text("spicedb_file")).unwrap();
    History::from_snapshot(&of("snapshot")).unwrap();
    ObjectRecord::from_bytes(&of("object_record")).unwrap();
    Page::from_bytes(&of("page")[1..], SubjectKind::Direct, b"").unwrap();
}
