//! Authors, a schema, and a document that grows.

use std::{collections::BTreeMap, sync::OnceLock};

use crdt::{
    Authority, BodyBlock, Cid, CollectionId, CollectionPreimage, Commit, Dag, Disclosure,
    DocumentId, DocumentPreimage, DocumentRef, DocumentState, Draft, Operation, OperationName,
    Schema, Schemas, Scope, Value,
};
use identity::{ChainId, KeyKind, SecretKey};

pub const SCHEMA: &str = r#"{
    "fields": {
        "title": {"kind": "register"},
        "note": {"kind": "register"},
        "approved": {"kind": "register", "permission": "approve"},
        "parts": {"kind": "counter"},
        "tags": {"kind": "set"}
    }
}"#;

pub fn chain() -> ChainId {
    ChainId::parse("plant-1").unwrap()
}

pub fn schema() -> &'static Schema {
    static PARSED: OnceLock<Schema> = OnceLock::new();
    PARSED.get_or_init(|| Schema::from_json(SCHEMA).unwrap())
}

pub fn schemas() -> Schemas {
    Schemas::from_iter([(1, schema().clone())])
}

/// Three authors with keys of different kinds.
pub fn author(number: u8) -> &'static SecretKey {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let kinds = [
            KeyKind::Ed25519,
            KeyKind::Ed25519,
            KeyKind::Secp256k1,
            KeyKind::P256,
        ];
        let seeds = kinds.into_iter().zip(1_u8..);
        seeds
            .map(|(kind, seed)| SecretKey::from_seed(kind, [seed; 32]).unwrap())
            .collect()
    });
    &keys[usize::from(number) % keys.len()]
}

pub fn collection() -> CollectionId {
    CollectionPreimage::new(chain(), [7; 32], "batch", "batches")
        .unwrap()
        .id()
}

pub fn preimage(number: u8, nonce: u8) -> DocumentPreimage {
    DocumentPreimage {
        collection: collection(),
        scope: Scope::new("cell", "1").unwrap(),
        author: author(number).did(),
        nonce: [nonce; 16],
    }
}

/// A document and all its commits, with their bodies.
pub struct World {
    pub preimage: DocumentPreimage,
    pub dag: Dag,
    pub bodies: BTreeMap<Cid, BodyBlock>,
    salt: u8,
}

impl World {
    pub fn new() -> Self {
        let preimage = preimage(0, 1);
        Self {
            dag: Dag::new(preimage.id()),
            preimage,
            bodies: BTreeMap::new(),
            salt: 0,
        }
    }

    pub fn document(&self) -> DocumentId {
        self.preimage.id()
    }

    /// A draft of a commit by `by` after `parents`.
    pub fn draft(&mut self, by: u8, parents: &[Cid], operations: Vec<Operation>) -> Draft {
        self.salt = self.salt.wrapping_add(1);
        let heights = parents
            .iter()
            .map(|parent| (*parent, self.dag.get(parent).unwrap().header().height));
        Draft {
            chain: chain(),
            document: match parents {
                [] => DocumentRef::First(self.preimage.clone()),
                _ => DocumentRef::Known(self.document()),
            },
            schema_version: 1,
            parents: heights.collect(),
            author: author(by).did(),
            claimed_time_ms: 1_700_000_000_000 + u64::from(self.salt),
            authority: Authority {
                revision: 3,
                height: 40,
            },
            salt: [self.salt; 16],
            operations,
        }
    }

    /// Commits and inserts.
    pub fn commit(&mut self, by: u8, parents: &[Cid], operations: Vec<Operation>) -> Cid {
        let (commit, body) = self
            .draft(by, parents, operations)
            .prepare(schema())
            .unwrap()
            .sign(author(by))
            .unwrap();
        self.insert(commit, body)
    }

    pub fn insert(&mut self, commit: Commit, body: BodyBlock) -> Cid {
        let cid = *commit.cid();
        let opened = commit.open_body(body.bytes()).unwrap();
        let inserted = self.dag.insert(commit, opened).unwrap();
        assert_eq!(inserted.added, [cid]);
        self.bodies.insert(cid, body);
        cid
    }

    pub fn heads(&self) -> Vec<Cid> {
        self.dag.heads().copied().collect()
    }

    /// The state if all commits count.
    pub fn state(&self) -> DocumentState {
        crdt::materialize(&self.dag, None, &|_| true, &schemas()).unwrap()
    }

    /// The state if all commits but `not` count.
    pub fn state_without(&self, not: &[Cid]) -> DocumentState {
        crdt::materialize(&self.dag, None, &|cid| !not.contains(cid), &schemas()).unwrap()
    }
}

pub fn opened(body: &BodyBlock) -> Disclosure {
    Disclosure::Open(std::sync::Arc::new(body.body().clone()))
}

pub fn set(field: &str, value: impl Into<Value>) -> Operation {
    Operation::Set {
        field: field.into(),
        value: value.into(),
    }
}

pub fn increment(by: i64) -> Operation {
    Operation::Increment {
        field: "parts".into(),
        by,
    }
}

pub fn add(value: impl Into<Value>) -> Operation {
    Operation::Add {
        field: "tags".into(),
        value: value.into(),
    }
}

pub fn remove(adds: &[OperationName]) -> Operation {
    let mut adds = adds.to_vec();
    adds.sort();
    adds.dedup();
    Operation::Remove {
        field: "tags".into(),
        adds,
    }
}

pub fn rollback(target: &[Cid]) -> Operation {
    let mut target = target.to_vec();
    target.sort();
    target.dedup();
    Operation::Rollback { target }
}

pub fn named(commit: Cid, index: u32) -> OperationName {
    OperationName { commit, index }
}

pub fn total(state: &DocumentState) -> i128 {
    state.counter("parts").map_or(0, |counter| counter.total())
}

pub fn tags(state: &DocumentState) -> Vec<Value> {
    state.set("tags").map_or(Vec::new(), |set| {
        set.elements().into_keys().cloned().collect()
    })
}
