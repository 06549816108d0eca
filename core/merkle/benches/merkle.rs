//! What a log costs. Workload: a log of 2^20 leaves in memory.
//!
//! The reference is one inner node's hash in the same table: an append needs one of them on
//! average, and verifying an inclusion in this log twenty.

use divan::{black_box, Bencher};
use merkle::{
    hash_children, hash_leaf, verify_consistency, verify_inclusion, CompactRange, Hash, MemoryLog,
};
use std::sync::LazyLock;

const SIZE: u64 = 1 << 20;
const INDEX: u64 = 654_321;
const OLD: u64 = 543_210;

static LOG: LazyLock<MemoryLog> =
    LazyLock::new(|| (0..SIZE).map(|index| index.to_be_bytes()).collect());

fn main() {
    LazyLock::force(&LOG);
    divan::main();
}

#[divan::bench]
fn reference_hash_children(bencher: Bencher) {
    let (left, right) = (hash_leaf(b"left"), hash_leaf(b"right"));
    bencher.bench(|| hash_children(black_box(&left), &right));
}

#[divan::bench(args = [32, 300])]
fn reference_hash_leaf(bencher: Bencher, bytes: usize) {
    let leaf = vec![7; bytes];
    bencher.bench(|| hash_leaf(black_box(&leaf)));
}

/// A thousand leaves a sample, so that long and short carries are averaged.
#[divan::bench]
fn append_1000_leaf_hashes(bencher: Bencher) {
    let leaf = hash_leaf(b"leaf");
    bencher
        .with_inputs(|| LOG.range().clone())
        .bench_values(|mut range: CompactRange| {
            let mut last: Hash = leaf;
            for _ in 0..1000 {
                let keep = &mut |_, _, hash| last = hash;
                range
                    .append_leaf_hash(black_box(leaf), keep)
                    .expect("far from full");
            }
            last
        });
}

#[divan::bench]
fn root(bencher: Bencher) {
    let range = LOG.range();
    bencher.bench(|| black_box(range).root());
}

#[divan::bench]
fn inclusion_create(bencher: Bencher) {
    bencher.bench(|| LOG.inclusion_proof(black_box(INDEX), SIZE - 1));
}

#[divan::bench]
fn inclusion_verify(bencher: Bencher) {
    let proof = LOG.inclusion_proof(INDEX, SIZE).expect("the leaf exists");
    let (leaf, root) = (LOG.leaf_hash(INDEX).expect("the leaf exists"), LOG.root());
    bencher.bench(|| {
        verify_inclusion(black_box(&leaf), INDEX, SIZE, &proof, &root).expect("a good proof")
    });
}

#[divan::bench]
fn consistency_create(bencher: Bencher) {
    bencher.bench(|| LOG.consistency_proof(black_box(OLD), SIZE - 1));
}

#[divan::bench]
fn consistency_verify(bencher: Bencher) {
    let proof = LOG.consistency_proof(OLD, SIZE).expect("both sizes exist");
    let (old, new) = (LOG.root_at(OLD).expect("the size exists"), LOG.root());
    bencher.bench(|| {
        verify_consistency(OLD, black_box(&old), SIZE, &new, &proof).expect("a good proof")
    });
}
