//! The vectors of docs/spec/commit.md: written once, checked in, and verified ever after.
//!
//! `HOLDFAST_WRITE_VECTORS=1 cargo test -p crdt vectors` writes them anew, which is right only
//! together with a new format version.

use std::{fs, path::PathBuf};

use crdt::{
    encode_heads, Body, Cid, CollectionPreimage, Commit, DocumentPreimage, DocumentState, Header,
    HeaderBlock, HeaderParts, Operation, Schema, Sealed, Value,
};
use identity::Signature;
use serde_json::{json, Value as Json};

use crate::world::{
    add, author, chain, increment, named, preimage, remove, rollback, schema, schemas, set, World,
    SCHEMA,
};

fn folder() -> PathBuf {
    PathBuf::from(format!(
        "{}/tests/vectors",
        std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")
    ))
}

fn bytes(json: &Json) -> Vec<u8> {
    hex::decode(json.as_str().unwrap()).unwrap()
}

/// The checked-in file must be what this build makes; with the variable set it is written.
fn checked(name: &str, made: Json) -> Json {
    let path = folder().join(name);
    if std::env::var_os("HOLDFAST_WRITE_VECTORS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let kept: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(kept, made, "{name} is not what this build makes");
    kept
}

#[test]
fn ids() {
    let collection = CollectionPreimage::new(chain(), [7; 32], "batch", "batches").unwrap();
    let documents: Vec<Json> = (0..4_u8)
        .map(|number| {
            let preimage = preimage(number, number);
            json!({
                "collection": preimage.collection.to_string(),
                "scope": {"resource": "cell", "id": "1"},
                "author": preimage.author.as_str(),
                "nonce": hex::encode(preimage.nonce),
                "block": hex::encode(preimage.encode()),
                "id": preimage.id().to_string(),
            })
        })
        .collect();
    let made = json!({
        "collection": {
            "chain": chain().as_str(),
            "policy": hex::encode([7; 32]),
            "resource": "batch",
            "name": "batches",
            "block": hex::encode(collection.encode()),
            "id": collection.id().to_string(),
        },
        "documents": documents,
        "schema": {
            "json": serde_json::from_str::<Json>(SCHEMA).unwrap(),
            "block": hex::encode(schema().encode()),
            "cid": schema().cid().to_string(),
        },
        "heads": {
            "heads": [Cid::of(b"a").to_string(), Cid::of(b"b").to_string()],
            "bytes": hex::encode(encode_heads(&[Cid::of(b"a"), Cid::of(b"b")])),
        },
    });
    let kept = checked("ids.json", made);
    let read = CollectionPreimage::decode(&bytes(&kept["collection"]["block"])).unwrap();
    assert_eq!(read.id().to_string(), kept["collection"]["id"]);
    for document in kept["documents"].as_array().unwrap() {
        let read = DocumentPreimage::decode(&bytes(&document["block"])).unwrap();
        assert_eq!(read.id().to_string(), document["id"]);
        assert_eq!(read.author.as_str(), document["author"]);
    }
    let read = Schema::decode(&bytes(&kept["schema"]["block"])).unwrap();
    assert_eq!(
        read,
        Schema::from_json(&kept["schema"]["json"].to_string()).unwrap()
    );
    assert_eq!(read.cid().to_string(), kept["schema"]["cid"]);
}

/// A history with every kind of operation and value, a diamond and a rollback.
fn history() -> (World, Vec<Cid>) {
    let mut world = World::new();
    let float = crdt::Float::from_bits(21.5_f64.to_bits()).unwrap();
    let first = world.commit(
        0,
        &[],
        vec![
            set("title", "Café 12"),
            set("note", Value::Null),
            increment(480),
            add(Value::Bytes(vec![0, 255])),
            add("red"),
        ],
    );
    let left = world.commit(
        1,
        &[first],
        vec![set("note", true), increment(-12), add(Value::Float(float))],
    );
    let right = world.commit(
        2,
        &[first],
        vec![remove(&[named(first, 4)]), set("approved", i64::MIN)],
    );
    let merge = world.commit(
        3,
        &[left, right],
        vec![set("title", i64::MAX), Operation::Delete],
    );
    let back = world.commit(0, &[merge], vec![rollback(&[left, right]), increment(1)]);
    (world, vec![first, left, right, merge, back])
}

#[test]
fn commits() {
    let (world, cids) = history();
    let commits: Vec<Json> = cids
        .iter()
        .map(|cid| {
            let commit = world.dag.get(cid).unwrap();
            let header = commit.header();
            json!({
                "cid": cid.to_string(),
                "author": header.author.as_str(),
                "height": header.height,
                "permissions": header.permissions.clone(),
                "header": hex::encode(commit.header_bytes()),
                "signature": hex::encode(commit.signature().as_bytes()),
                "body": hex::encode(world.bodies[cid].bytes()),
                "state": hex::encode(
                    crdt::materialize(&world.dag, Some(&[*cid]), &|_| true, &schemas())
                        .unwrap()
                        .encode(),
                ),
            })
        })
        .collect();
    let seeds: Vec<Json> = (0..4_u8)
        .map(|number| {
            let key = author(number);
            json!({
                "kind": format!("{:?}", key.kind()).to_lowercase(),
                "seed": hex::encode(key.seed()),
                "did": key.did().as_str(),
            })
        })
        .collect();
    let made = json!({
        "chain": chain().as_str(),
        "document": world.document().to_string(),
        "schema": hex::encode(schema().encode()),
        "keys": seeds,
        "commits": commits,
    });
    let kept = checked("commits.json", made);

    // Read anew from the file alone.
    let chain = identity::ChainId::parse(kept["chain"].as_str().unwrap()).unwrap();
    let schemas = crdt::Schemas::from_iter([(1, Schema::decode(&bytes(&kept["schema"])).unwrap())]);
    let mut dag = crdt::Dag::new(kept["document"].as_str().unwrap().parse().unwrap());
    for vector in kept["commits"].as_array().unwrap() {
        let signature = Signature::from_slice(&bytes(&vector["signature"])).unwrap();
        let commit = Commit::decode(&chain, bytes(&vector["header"]), signature).unwrap();
        let cid = *commit.cid();
        assert_eq!(cid.to_string(), vector["cid"]);
        let body = commit.open_body(&bytes(&vector["body"])).unwrap();
        dag.insert(commit, body).unwrap();
        let state = crdt::materialize(&dag, Some(&[cid]), &|_| true, &schemas).unwrap();
        assert_eq!(hex::encode(state.encode()), vector["state"]);
        assert_eq!(DocumentState::decode(&bytes(&vector["state"])), Ok(state));
    }
}

#[test]
fn sealed() {
    let sealed = Sealed {
        algorithm: "xchacha20poly1305".into(),
        epoch: 3,
        nonce: vec![0x24; 24],
        key_commitment: [0x32; 32],
        ciphertext: vec![0xcc; 272],
    };
    let body = Body::sealed([5; 16], sealed).unwrap().into_block().unwrap();
    let content = crdt::encode_content(&[set("title", "secret"), increment(1)]);
    let made = json!({
        "content_of_set_title_secret_and_increment_parts_by_1": hex::encode(content),
        "body": hex::encode(body.bytes()),
        "cid": body.cid().to_string(),
    });
    let kept = checked("sealed.json", made);
    assert!(Body::decode(&bytes(&kept["body"]))
        .unwrap()
        .operations()
        .is_none());
}

/// Headers and bodies that must be refused, each with the reason.
#[test]
fn refused() {
    let (world, cids) = history();
    let commit = world.dag.get(&cids[3]).unwrap();
    let good = commit.header_bytes().to_vec();
    let body = world.bodies[&cids[3]].bytes().to_vec();
    let find = |block: &[u8], part: &[u8]| {
        block
            .windows(part.len())
            .position(|window| window == part)
            .unwrap()
    };
    let swapped = |block: &[u8], from: &[u8], to: &[u8]| {
        let at = find(block, from);
        [&block[..at], to, &block[at + from.len()..]].concat()
    };
    let mut parents = commit.header().parents.clone();
    parents.reverse();
    let reversed = {
        let link = |cid: &Cid| [&[0xd8, 0x2a, 0x58, 0x25, 0x00], &cid.to_bytes()[..]].concat();
        let from = [link(&parents[1]), link(&parents[0])].concat();
        let to = [link(&parents[0]), link(&parents[1])].concat();
        swapped(&good, &from, &to)
    };
    let headers = [
        ("a byte too many", [&good[..], &[0]].concat()),
        ("a byte too few", good[..good.len() - 1].to_vec()),
        ("an indefinite map", [&[0xbf], &good[1..], &[0xff]].concat()),
        (
            "version 2",
            swapped(&good, b"\x67version\x01", b"\x67version\x02"),
        ),
        (
            "version in a long form",
            swapped(&good, b"\x67version\x01", b"\x67version\x18\x01"),
        ),
        (
            "another key in its place",
            swapped(&good, b"\x66height\x03", b"\x66zeight\x03"),
        ),
        ("parents out of order", reversed),
        (
            "height 1 with parents",
            swapped(&good, b"\x66height\x03", b"\x66height\x01"),
        ),
        (
            "permissions out of order",
            swapped(&good, b"\x66delete\x66update", b"\x66update\x66delete"),
        ),
        (
            "a permission twice",
            swapped(&good, b"\x66delete\x66update", b"\x66update\x66update"),
        ),
        (
            "create in a later commit",
            swapped(&good, b"\x66delete", b"\x66create"),
        ),
        (
            "a DID that is none",
            swapped(&good, b"did:key:z", b"did:kez:z"),
        ),
    ];
    let bodies = [
        ("a byte too many", [&body[..], &[0]].concat()),
        ("padding that is not zero", {
            let at = find(&body, b"\x67padding") + 12;
            let mut body = body.clone();
            body[at] = 1;
            body
        }),
        (
            "an unknown operation",
            swapped(&body, b"\x66delete", b"\x66delite"),
        ),
        (
            "an unknown envelope",
            swapped(&body, b"\x65clear", b"\x65cloar"),
        ),
        ("a salt of 15 bytes", {
            let at = find(&body, b"\x64salt\x50");
            let mut body = body.clone();
            body[at + 5] = 0x4f;
            body.remove(at + 6);
            body
        }),
    ];
    let case = |(name, block): &(&str, Vec<u8>), error: String| json!({"name": name, "block": hex::encode(block), "error": error});
    let headers: Vec<Json> = headers
        .iter()
        .map(|it| {
            case(
                it,
                HeaderBlock::decode(it.1.clone()).unwrap_err().to_string(),
            )
        })
        .collect();
    let bodies: Vec<Json> = bodies
        .iter()
        .map(|it| case(it, Body::decode(&it.1).unwrap_err().to_string()))
        .collect();
    checked(
        "refused.json",
        json!({"headers": headers, "bodies": bodies}),
    );
}

/// The header of a first commit signed by every kind of key keeps its name whatever the signature.
#[test]
fn a_name_does_not_depend_on_the_signature() {
    let (world, cids) = history();
    let commit = world.dag.get(&cids[1]).unwrap();
    let header = Header::new(HeaderParts::clone(commit.header())).unwrap();
    assert_eq!(header.into_block().unwrap().cid(), commit.cid());
}
