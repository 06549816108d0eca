//! The bounds and rules of the format: what obeys them is taken, what just breaks them is not.

use crdt::{
    codec::{Data, Writer},
    limits::{
        BODY_BYTES_MAX, HEADER_BYTES_MAX, OPERATIONS_MAX, PARENTS_MAX, PERMISSIONS_MAX,
        VALUE_BYTES_MAX,
    },
    Body, Cid, Commit, DocumentPreimage, DocumentRef, Error, Float, Header, HeaderBlock,
    HeaderParts, Operation, Schema, Scope, Value,
};
use identity::{ChainId, Signature};

use crate::world::{add, author, chain, increment, preimage, rollback, schema, set, World, SCHEMA};

fn first() -> (World, Commit) {
    let mut world = World::new();
    let cid = world.commit(0, &[], vec![increment(1)]);
    let commit = world.dag.get(&cid).unwrap().clone();
    (world, commit)
}

fn cids(count: usize) -> Vec<Cid> {
    let mut cids: Vec<Cid> = (0..count)
        .map(|number| Cid::of(&number.to_be_bytes()))
        .collect();
    cids.sort();
    cids
}

/// Breaks one rule of a header and says what comes of it.
fn refused(alter: impl FnOnce(&mut HeaderParts)) -> Error {
    let (mut world, commit) = first();
    let prepared = world
        .draft(1, &[*commit.cid()], vec![increment(1)])
        .prepare(schema())
        .unwrap();
    let mut parts = HeaderParts::clone(prepared.header.header());
    alter(&mut parts);
    Header::new(parts).unwrap_err()
}

#[test]
fn a_header_obeys_its_rules() {
    assert_eq!(refused(|it| it.parents.clear()), Error::FirstCommit);
    assert_eq!(refused(|it| it.height = 1), Error::FirstCommit);
    assert_eq!(refused(|it| it.height = 0), Error::FirstCommit);
    assert_eq!(
        refused(|it| it.document = DocumentRef::First(preimage(1, 1))),
        Error::FirstCommit
    );
    assert!(matches!(
        refused(|it| it.document = DocumentRef::First(preimage(0, 1))),
        Error::NotTheCreator { .. }
    ));
    assert_eq!(
        refused(|it| it.permissions = vec!["create".into()]),
        Error::CreatePermission
    );
    assert!(matches!(
        refused(|it| it.permissions.clear()),
        Error::Empty { .. }
    ));
    assert!(matches!(
        refused(|it| it.permissions = vec!["update".into(), "delete".into()]),
        Error::NotSorted { .. }
    ));
    assert!(matches!(
        refused(|it| it.permissions = vec!["a b".into()]),
        Error::Name { .. }
    ));
    assert!(matches!(
        refused(|it| it.parents = cids(2).into_iter().rev().collect()),
        Error::NotSorted { .. }
    ));
    assert!(matches!(
        refused(|it| it.parents = cids(PARENTS_MAX + 1)),
        Error::TooLarge { .. }
    ));
    assert!(matches!(
        refused(|it| it.body_bytes = BODY_BYTES_MAX as u64 + 1),
        Error::TooLarge { .. }
    ));
}

#[test]
fn everything_at_its_maximum_fits_into_a_header() {
    let (mut world, commit) = first();
    let prepared = world
        .draft(3, &[*commit.cid()], vec![increment(1)])
        .prepare(schema())
        .unwrap();
    let mut parts = HeaderParts::clone(prepared.header.header());
    parts.parents = cids(PARENTS_MAX);
    parts.permissions = (0..PERMISSIONS_MAX)
        .map(|number| format!("{number:a>64x}"))
        .collect();
    parts.permissions.sort();
    parts.chain = ChainId::parse(&"c".repeat(50)).unwrap();
    parts.height = u64::MAX;
    parts.schema_version = u64::MAX;
    parts.claimed_time_ms = u64::MAX;
    parts.authority.height = u64::MAX;
    parts.authority.revision = u64::MAX;
    parts.body_bytes = BODY_BYTES_MAX as u64;
    let later = Header::new(parts)
        .unwrap()
        .into_block()
        .unwrap()
        .bytes()
        .len();
    // A first commit has a preimage instead of parents and link.
    let scope = Scope::new(&"r".repeat(64), &"i".repeat(256)).unwrap();
    let preimage = DocumentPreimage {
        scope,
        ..preimage(3, 1)
    };
    let largest = later + preimage.encode().len();
    // The number that the documentation of the bound names.
    assert_eq!(largest, 4_545);
    assert!(largest <= HEADER_BYTES_MAX);
}

#[test]
fn a_body_obeys_its_rules() {
    let salt = [1; 16];
    assert!(matches!(
        Body::clear(salt, vec![]),
        Err(Error::Empty { .. })
    ));
    let many = vec![increment(1); OPERATIONS_MAX];
    let body = Body::clear(salt, many.clone())
        .unwrap()
        .into_block()
        .unwrap();
    assert_eq!(
        Body::decode(body.bytes()).unwrap().operations(),
        Some(many.as_slice())
    );
    assert!(matches!(
        Body::clear(salt, vec![increment(1); OPERATIONS_MAX + 1]),
        Err(Error::TooLarge { .. })
    ));
    let long = "v".repeat(VALUE_BYTES_MAX);
    let body = Body::clear(salt, vec![set("title", long.as_str())])
        .unwrap()
        .into_block()
        .unwrap();
    assert!(Body::decode(body.bytes()).is_ok());
    let longer = long.clone() + "v";
    assert!(matches!(
        Body::clear(salt, vec![set("title", longer.as_str())]),
        Err(Error::TooLarge { .. })
    ));
    let whole = Body::clear(salt, vec![set("title", long.as_str()); 5]).unwrap();
    assert!(matches!(whole.into_block(), Err(Error::TooLarge { .. })));
    for field in ["", "a\nb", "f".repeat(65).as_str()] {
        let error = Body::clear(salt, vec![set(field, 1)]).unwrap_err();
        assert!(matches!(error, Error::FieldName { .. }), "{error}");
    }
    assert!(matches!(
        Body::clear(salt, vec![Operation::Rollback { target: vec![] }]),
        Err(Error::Empty { .. })
    ));
    let mut reversed = cids(2);
    reversed.reverse();
    assert!(matches!(
        Body::clear(salt, vec![Operation::Rollback { target: reversed }]),
        Err(Error::NotSorted { .. })
    ));
    assert!(Body::clear(salt, vec![rollback(&cids(64))]).is_ok());
    assert!(Body::clear(salt, vec![rollback(&cids(65))]).is_err());
}

#[test]
fn bodies_of_different_content_have_the_same_size() {
    let size = |operations| {
        Body::clear([1; 16], operations)
            .unwrap()
            .into_block()
            .unwrap()
            .bytes()
            .len()
    };
    assert_eq!(
        size(vec![set("title", "yes")]),
        size(vec![set("title", "no, never")])
    );
    assert_eq!(
        size(vec![increment(1)]),
        size(vec![set("title", 1), add(2), increment(3)])
    );
    assert_ne!(size(vec![increment(1)]), size(vec![increment(1); 100]));
}

#[test]
fn floats_are_bits_and_what_has_no_canonical_form_is_refused() {
    for float in [0.0_f64, -1.5, f64::MIN_POSITIVE, f64::MAX] {
        let value = Value::Float(Float::from_bits(float.to_bits()).unwrap());
        let body = Body::clear([1; 16], vec![set("title", value.clone())]).unwrap();
        let block = body.clone().into_block().unwrap();
        assert_eq!(Body::decode(block.bytes()), Ok(body));
    }
    for float in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0] {
        assert_eq!(
            Float::from_bits(float.to_bits()),
            Err(Error::NotANumber),
            "{float}"
        );
    }
}

#[test]
fn a_signature_is_for_one_header_one_author_and_one_chain() {
    let (_, commit) = first();
    let block = || HeaderBlock::decode(commit.header_bytes().to_vec()).unwrap();
    assert_eq!(
        block().verify(&chain(), *commit.signature()),
        Ok(commit.clone())
    );
    let other = ChainId::parse("plant-2").unwrap();
    let wrong = Error::WrongChain {
        expected: other.clone(),
        found: chain(),
    };
    assert_eq!(block().verify(&other, *commit.signature()), Err(wrong));
    let by_another = author(1).sign_commit(&chain(), block().bytes());
    let for_another_chain = author(0).sign_commit(&other, block().bytes());
    let as_command = author(0).sign_command(&chain(), block().bytes());
    let of_nothing = Signature::from([0; 64]);
    for signature in [by_another, for_another_chain, as_command, of_nothing] {
        let result = block().verify(&chain(), signature);
        assert!(matches!(result, Err(Error::Signature { .. })), "{result:?}");
    }
}

#[test]
fn a_batch_says_what_each_one_says() {
    let (mut world, commit) = first();
    let mut blocks = Vec::new();
    for by in 0..4 {
        let draft = world.draft(by, &[*commit.cid()], vec![increment(1)]);
        let (good, _) = draft.prepare(schema()).unwrap().sign(author(by)).unwrap();
        let block = HeaderBlock::decode(good.header_bytes().to_vec()).unwrap();
        let wrong = author(by + 1).sign_commit(&chain(), good.header_bytes());
        blocks.push((block.clone(), *good.signature()));
        blocks.push((block, wrong));
    }
    for (expected, chain) in [(true, chain()), (false, ChainId::parse("plant-2").unwrap())] {
        let results = Commit::verify_all(&chain, blocks.clone());
        for (number, (result, (block, signature))) in results.iter().zip(&blocks).enumerate() {
            assert_eq!(*result, block.clone().verify(&chain, *signature));
            assert_eq!(result.is_ok(), expected && number % 2 == 0);
        }
    }
}

#[test]
fn only_the_author_signs_a_draft_and_a_signature_from_elsewhere_is_verified() {
    let (mut world, commit) = first();
    let prepared = world
        .draft(1, &[*commit.cid()], vec![increment(1)])
        .prepare(schema())
        .unwrap();
    assert!(matches!(
        prepared.clone().sign(author(0)),
        Err(Error::WrongKey { .. })
    ));
    let signature = author(1).sign_commit(&chain(), prepared.header.bytes());
    assert!(prepared.clone().attach(signature).is_ok());
    let wrong = author(0).sign_commit(&chain(), prepared.header.bytes());
    assert!(matches!(
        prepared.attach(wrong),
        Err(Error::Signature { .. })
    ));
}

/// Sets an entry of a map at the path `keys`, keeping keys in order.
fn replaced(block: &[u8], key: &str, value: Data) -> Vec<u8> {
    let Data::Map(mut entries) = Data::decode(block).unwrap() else {
        panic!("a map")
    };
    match entries.iter_mut().find(|(found, _)| found == key) {
        Some((_, found)) => *found = value,
        None => {
            entries.push((key.into(), value));
            entries.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        }
    }
    Data::Map(entries).encode()
}

#[test]
fn a_later_version_is_refused_by_name() {
    let (_, commit) = first();
    let later = replaced(commit.header_bytes(), "version", Data::Unsigned(2));
    let strange = replaced(&later, "weather", Data::Text("fine".into()));
    for block in [later, strange] {
        let error = HeaderBlock::decode(block).unwrap_err();
        assert_eq!(
            error,
            Error::UnknownVersion {
                block: "commit header",
                version: 2
            }
        );
        assert!(error.to_string().contains("upgrade"), "{error}");
    }
    let added = replaced(commit.header_bytes(), "weather", Data::Text("fine".into()));
    assert!(matches!(
        HeaderBlock::decode(added),
        Err(Error::Block { .. })
    ));
}

#[test]
fn unknown_operations_and_envelopes_are_refused_by_name() {
    let content = |operation: Data| {
        let operations = Data::List(vec![operation]);
        Data::Map(vec![
            ("padding".into(), Data::Bytes(vec![0; 200])),
            ("operations".into(), operations),
        ])
    };
    let body = |kind: &str, content: Data| {
        let salt = ("salt".to_owned(), Data::Bytes(vec![0; 16]));
        Data::Map(vec![salt, (kind.into(), content)]).encode()
    };
    let splice = Data::Map(vec![("splice".into(), Data::Map(vec![]))]);
    let error = Body::decode(&body("clear", content(splice.clone()))).unwrap_err();
    assert_eq!(
        error,
        Error::UnknownOperation {
            kind: "splice".into()
        }
    );
    let error = Body::decode(&body("wrapped", content(splice))).unwrap_err();
    assert_eq!(
        error,
        Error::UnknownEnvelope {
            kind: "wrapped".into()
        }
    );
    // Right in each item, and still not how it would be written: the padding is of another size.
    let delete = Data::Map(vec![("delete".into(), Data::Map(vec![]))]);
    let error = Body::decode(&body("clear", content(delete))).unwrap_err();
    assert!(error.to_string().contains("canonical form"), "{error}");
}

#[test]
fn a_body_belongs_to_its_header() {
    let (world, commit) = first();
    let body = &world.bodies[commit.cid()];
    assert_eq!(
        commit.open_body(body.bytes()),
        Ok(crate::world::opened(body))
    );
    let mut longer = body.bytes().to_vec();
    longer.push(0);
    let mut other = body.bytes().to_vec();
    other[10] ^= 1;
    for wrong in [longer, other, Vec::new()] {
        let error = commit.open_body(&wrong).unwrap_err();
        assert_eq!(
            error,
            Error::WrongBody {
                commit: *commit.cid()
            }
        );
    }
}

#[test]
fn schemas_have_one_canonical_form_from_json_and_back() {
    let schema = Schema::from_json(SCHEMA).unwrap();
    assert_eq!(Schema::decode(&schema.encode()), Ok(schema.clone()));
    assert_eq!(Schema::from_json(&schema.to_json()), Ok(schema.clone()));
    assert_eq!(schema.cid(), Cid::of(&schema.encode()));
    for (wrong, says) in [
        ("{}", "missing field `fields`"),
        (r#"{"fields": {}}"#, "empty"),
        (
            r#"{"fields": {"a": {"kind": "list"}}}"#,
            "unknown variant `list`",
        ),
        (
            r#"{"fields": {"a": {"kind": "set", "colour": 1}}}"#,
            "unknown field `colour`",
        ),
        (
            r#"{"fields": {"a": {"kind": "set", "permission": "a b"}}}"#,
            "no name of a permission",
        ),
        (
            r#"{"fields": {"a": {"kind": "set", "permission": "create"}}}"#,
            "first commit",
        ),
        (
            r#"{"fields": {"a": {"kind": "set"}}, "permissions": {"update": "create"}}"#,
            "first commit",
        ),
        ("[", "EOF"),
    ] {
        let error = Schema::from_json(wrong).unwrap_err().to_string();
        assert!(error.contains(says), "{wrong}: {error}");
    }
}

#[test]
fn a_schema_may_grow_but_its_fields_keep_their_kinds() {
    let one = Schema::from_json(SCHEMA).unwrap();
    let grown = Schema::from_json(
        r#"{"fields": {"title": {"kind": "register", "permission": "rename"}, "new": {"kind": "set"}}}"#,
    )
    .unwrap();
    assert_eq!(grown.check_follows(&one), Ok(()));
    let changed = Schema::from_json(r#"{"fields": {"title": {"kind": "counter"}}}"#).unwrap();
    let error = changed.check_follows(&one).unwrap_err().to_string();
    assert_eq!(
        error,
        "field \"title\" was a register and cannot become a counter: give the new field a new name"
    );
}

#[test]
fn preimages_decode_to_what_they_were() {
    let preimage = preimage(2, 9);
    assert_eq!(
        DocumentPreimage::decode(&preimage.encode()),
        Ok(preimage.clone())
    );
    let collection = crdt::CollectionPreimage::new(chain(), [7; 32], "batch", "batches").unwrap();
    assert_eq!(
        crdt::CollectionPreimage::decode(&collection.encode()),
        Ok(collection.clone())
    );
    let mut trailing = preimage.encode();
    trailing.push(0);
    assert!(DocumentPreimage::decode(&trailing).is_err());
    // Ids differ in each part.
    let other = crdt::CollectionPreimage::new(chain(), [8; 32], "batch", "batches").unwrap();
    assert_ne!(collection.id(), other.id());
    assert_ne!(preimage.id(), crate::world::preimage(2, 8).id());
    assert_ne!(preimage.id(), crate::world::preimage(1, 9).id());
    let mut writer = Writer::new();
    writer.null();
    assert!(DocumentPreimage::decode(&writer.into_bytes()).is_err());
}
