//! What one commit costs. Workload: a form with four fields, three registers and a counter, as in
//! the issue's table; ed25519. Run with `cargo bench -p crdt`.
//!
//! The reference in the same run is `sign_bare`/`verify_bare`: one signature over as many bytes,
//! below which no format can go.

use crdt::{
    materialize, Authority, BodyBlock, Cid, CollectionId, Commit, Dag, Disclosure,
    DocumentPreimage, DocumentRef, DocumentState, Draft, HeaderBlock, Operation, Schema, Schemas,
    Scope, Value,
};
use divan::{black_box, counter::ItemsCount, Bencher};
use identity::{ChainId, KeyKind, SecretKey};

fn main() {
    divan::main();
}

struct Form {
    chain: ChainId,
    key: SecretKey,
    schema: Schema,
    schemas: Schemas,
    preimage: DocumentPreimage,
}

impl Form {
    fn new() -> Self {
        let key = SecretKey::from_seed(KeyKind::Ed25519, [1; 32]).expect("a seed of 32 bytes");
        let fields = r#"{"fields": {"product": {"kind": "register"}, "line": {"kind": "register"},
            "checked": {"kind": "register"}, "parts": {"kind": "counter"}}}"#;
        let schema = Schema::from_json(fields).expect("a schema");
        Self {
            chain: ChainId::parse("plant-1").expect("a chain id"),
            schemas: Schemas::from_iter([(1, schema.clone())]),
            schema,
            preimage: DocumentPreimage {
                collection: CollectionId(Cid::of(b"collection")),
                scope: Scope::new("cell", "1").expect("a scope"),
                author: key.did(),
                nonce: [3; 16],
            },
            key,
        }
    }

    fn draft(&self, parents: Vec<(Cid, u64)>, number: u64) -> Draft {
        Draft {
            chain: self.chain.clone(),
            document: match parents.as_slice() {
                [] => DocumentRef::First(self.preimage.clone()),
                _ => DocumentRef::Known(self.preimage.id()),
            },
            schema_version: 1,
            parents,
            author: self.preimage.author.clone(),
            claimed_time_ms: 1_700_000_000_000 + number,
            authority: Authority {
                revision: 3,
                height: 40,
            },
            salt: [number as u8; 16],
            operations: vec![
                set("product", Value::Text("valve housing".into())),
                set("line", Value::Integer(number as i64)),
                set("checked", Value::Boolean(true)),
                Operation::Increment {
                    field: "parts".into(),
                    by: 1,
                },
            ],
        }
    }

    fn commit(&self, parents: Vec<(Cid, u64)>, number: u64) -> (Commit, BodyBlock) {
        let prepared = self
            .draft(parents, number)
            .prepare(&self.schema)
            .expect("fits");
        prepared.sign(&self.key).expect("the author's key")
    }

    /// A document with `count` commits; every tenth is made beside its predecessor.
    fn dag(&self, count: u64) -> Dag {
        let mut dag = Dag::new(self.preimage.id());
        for number in 0..count {
            let parents: Vec<(Cid, u64)> = match number % 10 {
                9 => {
                    let head = dag
                        .heads()
                        .next()
                        .and_then(|head| dag.get(head))
                        .expect("a head");
                    let before = head.header().parents[0];
                    vec![(before, head.header().height - 1)]
                }
                _ => dag
                    .heads()
                    .filter_map(|head| dag.get(head))
                    .map(|head| (*head.cid(), head.header().height))
                    .collect(),
            };
            let (commit, body) = self.commit(parents, number);
            let body = commit.open_body(body.bytes()).expect("its body");
            dag.insert(commit, body).expect("in order");
        }
        dag
    }
}

fn set(field: &str, value: Value) -> Operation {
    Operation::Set {
        field: field.into(),
        value,
    }
}

fn opened(commit: &Commit, body: &BodyBlock) -> Disclosure {
    commit.open_body(body.bytes()).expect("its body")
}

#[divan::bench]
fn sign_bare(bencher: Bencher) {
    let form = Form::new();
    let (commit, _) = form.commit(Vec::new(), 1);
    bencher.bench(|| {
        form.key
            .sign_commit(&form.chain, black_box(commit.header_bytes()))
    });
}

#[divan::bench]
fn create_four_fields_sign_and_encode(bencher: Bencher) {
    let form = Form::new();
    bencher
        .with_inputs(|| form.draft(Vec::new(), 1))
        .bench_values(|draft| {
            draft
                .prepare(&form.schema)
                .and_then(|prepared| prepared.sign(&form.key))
        });
}

#[divan::bench]
fn create_four_fields_without_the_signature(bencher: Bencher) {
    let form = Form::new();
    let draft = || form.draft(Vec::new(), 1);
    bencher
        .with_inputs(draft)
        .bench_values(|draft| draft.prepare(&form.schema));
}

#[divan::bench]
fn verify_bare(bencher: Bencher) {
    let form = Form::new();
    let (commit, _) = form.commit(Vec::new(), 1);
    let key = form.key.public_key();
    bencher.bench(|| {
        key.verify_commit(
            &form.chain,
            black_box(commit.header_bytes()),
            commit.signature(),
        )
    });
}

#[divan::bench]
fn decode_and_verify(bencher: Bencher) {
    let form = Form::new();
    let (commit, body) = form.commit(Vec::new(), 1);
    bencher
        .with_inputs(|| commit.header_bytes().to_vec())
        .bench_values(|header| {
            let commit = Commit::decode(&form.chain, header, *commit.signature())?;
            commit.open_body(body.bytes())
        });
}

#[divan::bench]
fn decode_only(bencher: Bencher) {
    let form = Form::new();
    let (commit, body) = form.commit(Vec::new(), 1);
    bencher
        .with_inputs(|| commit.header_bytes().to_vec())
        .bench_values(|header| {
            let block = HeaderBlock::decode(header)?;
            block.header().open_body(block.cid(), body.bytes())
        });
}

#[divan::bench]
fn verify_64_in_a_batch(bencher: Bencher) {
    let form = Form::new();
    let blocks: Vec<_> = (0..64)
        .map(|number| {
            let (commit, _) = form.commit(Vec::new(), number);
            let block = HeaderBlock::decode(commit.header_bytes().to_vec()).expect("a header");
            (block, *commit.signature())
        })
        .collect();
    bencher
        .counter(ItemsCount::new(64_usize))
        .with_inputs(|| blocks.clone())
        .bench_values(|blocks| Commit::verify_all(&form.chain, blocks));
}

#[divan::bench]
fn append_first_commit_and_encode_state(bencher: Bencher) {
    let form = Form::new();
    let (commit, body) = form.commit(Vec::new(), 1);
    let body = opened(&commit, &body);
    bencher.bench(|| {
        let mut state = DocumentState::new(form.preimage.id());
        state
            .append(&commit, &body, &form.schemas)
            .map(|applied| (applied, state.encode()))
    });
}

#[divan::bench]
fn append_one_more(bencher: Bencher) {
    let form = Form::new();
    let dag = form.dag(1000);
    let state = materialize(&dag, None, &|_| true, &form.schemas).expect("a state");
    let parents = dag.heads().filter_map(|head| dag.get(head));
    let parents = parents
        .map(|head| (*head.cid(), head.header().height))
        .collect();
    let (commit, body) = form.commit(parents, 7);
    let body = opened(&commit, &body);
    bencher
        .with_inputs(|| state.clone())
        .bench_values(|mut state| {
            state
                .append(&commit, &body, &form.schemas)
                .map(|applied| (applied, state))
        });
}

#[divan::bench(args = [1_000, 10_000])]
fn materialize_commits(bencher: Bencher, count: u64) {
    let form = Form::new();
    let dag = form.dag(count);
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| materialize(black_box(&dag), None, &|_| true, &form.schemas));
}

#[divan::bench(args = [1_000])]
fn insert_commits(bencher: Bencher, count: u64) {
    let form = Form::new();
    let dag = form.dag(count);
    let commits: Vec<Commit> = dag.topological().into_iter().cloned().collect();
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut dag = Dag::new(form.preimage.id());
        for commit in &commits {
            dag.insert(commit.clone(), Disclosure::Absent)
                .expect("in order");
        }
        dag
    });
}
