//! What a signature costs. Workload: transactions of 300 bytes, each by another key.
//!
//! References: `sha256_300_bytes` in the same table shows the machine; the batch of 64 is
//! printed for each signature (items a second), to be set against `verify/Ed25519`.

use divan::{black_box, counter::ItemsCount, Bencher};
use identity::{hash, Batch, Did, KeyKind, PublicKey, SecretKey, Signature, Statement};

const KINDS: [KeyKind; 3] = KeyKind::ALL;

fn main() {
    divan::main();
}

fn key(kind: KeyKind, n: u8) -> SecretKey {
    SecretKey::from_seed(kind, [n; 32]).expect("small scalars are in range")
}

fn signed(kind: KeyKind, n: u8) -> (PublicKey, Vec<u8>, Signature) {
    let sign_doc = [&[0x0a][..], &[n; 299]].concat();
    let key = key(kind, n);
    let signature = key.sign_transaction(&sign_doc).expect("starts with a body");
    (*key.public_key(), sign_doc, signature)
}

#[divan::bench]
fn sha256_300_bytes(bencher: Bencher) {
    let payload = [7; 300];
    bencher.bench(|| hash("holdfast/bench/1", &[black_box(&payload)]));
}

#[divan::bench(args = KINDS)]
fn sign(bencher: Bencher, kind: KeyKind) {
    let (key, sign_doc) = (key(kind, 1), [0x0a; 300]);
    bencher
        .counter(ItemsCount::new(1u32))
        .bench(|| key.sign_transaction(black_box(&sign_doc)));
}

#[divan::bench(args = KINDS)]
fn verify(bencher: Bencher, kind: KeyKind) {
    let (key, sign_doc, signature) = signed(kind, 1);
    bencher
        .counter(ItemsCount::new(1u32))
        .bench(|| key.verify_transaction(black_box(&sign_doc), &signature));
}

#[divan::bench(args = [1, 8, 64, 256])]
fn verify_batch_ed25519(bencher: Bencher, size: u32) {
    let all: Vec<_> = (0..size)
        .map(|n| signed(KeyKind::Ed25519, n as u8))
        .collect();
    bencher.counter(ItemsCount::new(size)).bench(|| {
        let mut batch = Batch::new();
        for (key, sign_doc, signature) in black_box(&all) {
            let statement = Statement::transaction(sign_doc).expect("starts with a body");
            batch.push(key, statement, signature);
        }
        assert!(batch.verify().iter().all(Result::is_ok));
    });
}

#[divan::bench(args = KINDS)]
fn parse_key(bencher: Bencher, kind: KeyKind) {
    let bytes = key(kind, 1).public_key().as_bytes().to_vec();
    bencher.bench(|| PublicKey::from_bytes(kind, black_box(&bytes)));
}

#[divan::bench(args = KINDS)]
fn parse_did(bencher: Bencher, kind: KeyKind) {
    let did = key(kind, 1).did();
    bencher.bench(|| Did::parse(black_box(did.as_str())));
}
