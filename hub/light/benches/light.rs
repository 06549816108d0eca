//! What a client pays for trust: a header of four validators, a proof of one of ten thousand keys,
//! and both together, beside one bare ed25519 verification as the reference.
//!
//! `cargo bench -p hub-light`. The aim of DESIGN and issue 3: header and proof in 0.4 ms.

use core::time::Duration;

use divan::{black_box, Bencher};
use hub_light::{
    forge::{self, HeaderParts, Validator},
    proof, to_tendermint_time, LightBlock, Options, StateProof, TrustPoint, VerifiedBlock,
    Verifier,
};
use hub_types::{Height, Timestamp};
use jmt::{mock::MockTreeStore, KeyHash, Sha256Jmt};
use sha2::Sha256;
use tendermint::Hash;

fn main() {
    divan::main();
}

const ENTRIES: u32 = 10_000;

fn key(index: u32) -> Vec<u8> {
    format!("account {index}").into_bytes()
}

/// The store of a tree of [`ENTRIES`] accounts of about 100 bytes, and its root.
fn tree() -> (MockTreeStore, [u8; 32]) {
    let store = MockTreeStore::new(true);
    let entries = (0..ENTRIES).map(|index| {
        let hash = KeyHash::with::<Sha256>(key(index));
        store.put_key_preimage(hash, &key(index));
        (hash, Some(vec![index as u8 | 1; 100]))
    });
    let (root, batch) = Sha256Jmt::new(&store)
        .put_value_set(entries.collect::<Vec<_>>(), 1)
        .expect("a tree");
    store
        .write_tree_update_batch(batch)
        .expect("a store in memory");
    (store, root.0)
}

fn state_proof(store: &MockTreeStore, key: Vec<u8>) -> StateProof {
    let (value, proof) = Sha256Jmt::new(store)
        .get_with_ics23_proof(key.clone(), 1)
        .expect("a proof");
    StateProof::new(Height(9), key, value, proof)
}

fn at(height: u64) -> Timestamp {
    Timestamp::new(1_700_000_000 + height as i64, 0).expect("a time")
}

fn validators() -> Vec<Validator> {
    (1..=4).map(|seed| Validator::new([seed; 32], 10)).collect()
}

fn block(height: u64, app_hash: [u8; 32]) -> LightBlock {
    let set = forge::validator_set(&validators());
    let none = Hash::Sha256(merkle::EMPTY_ROOT);
    let time = to_tendermint_time(at(height)).expect("a time");
    let header = forge::header(HeaderParts {
        chain_id: "bench-1".parse().expect("a chain id"),
        app_version: 1,
        height: height.try_into().expect("a height"),
        time,
        last_block_id: None,
        last_commit_hash: none,
        data_hash: none,
        validators_hash: set.hash(),
        next_validators_hash: set.hash(),
        consensus_hash: forge::consensus_hash(1, 1),
        app_hash: app_hash.to_vec(),
        last_results_hash: none,
        proposer_address: set.validators()[0].address,
    });
    let id = forge::block_id(&header, b"block");
    let commit = forge::commit(
        &header.chain_id,
        header.height,
        id,
        &set,
        &validators(),
        time,
    );
    let infos: Vec<_> = validators().iter().map(Validator::info).collect();
    LightBlock::new(forge::signed_header(header, commit), &infos, None).expect("a light block")
}

fn start(block: LightBlock) -> VerifiedBlock {
    let point = TrustPoint {
        height: block.height(),
        hash: block.hash(),
    };
    Verifier::start(point, block).expect("an honest block")
}

fn verifier() -> Verifier {
    Verifier::new(Options {
        trusting_period: Duration::from_secs(1_000),
        clock_drift: Duration::from_secs(10),
    })
}

#[divan::bench]
fn reference_one_ed25519_verification(bencher: Bencher) {
    let key = identity::SecretKey::from_seed(identity::KeyKind::Ed25519, [1; 32]).expect("a key");
    let signature = key.sign_transaction(b"message").expect("a transaction");
    bencher.bench(|| {
        key.public_key()
            .verify_transaction(black_box(b"message"), &signature)
    });
}

#[divan::bench]
fn header_of_four_validators_next_to_the_trusted_one(bencher: Bencher) {
    let (trusted, next) = (start(block(9, [1; 32])), block(10, [2; 32]));
    bencher.with_inputs(|| next.clone()).bench_values(|next| {
        verifier()
            .verify(&trusted, next, at(11))
            .expect("it verifies")
    });
}

#[divan::bench]
fn header_of_four_validators_skipped_to(bencher: Bencher) {
    let (trusted, next) = (start(block(9, [1; 32])), block(100, [2; 32]));
    bencher.with_inputs(|| next.clone()).bench_values(|next| {
        verifier()
            .verify(&trusted, next, at(101))
            .expect("it verifies")
    });
}

#[divan::bench]
fn presence_of_one_of_ten_thousand_keys(bencher: Bencher) {
    let (store, root) = tree();
    let trusted = start(block(10, root));
    let bytes = state_proof(&store, key(77)).to_bytes();
    bencher.bench(|| {
        let proof = StateProof::from_bytes(black_box(&bytes)).expect("a proof");
        proof
            .verify(trusted.trusted(), &key(77))
            .expect("it verifies")
            .is_some()
    });
}

#[divan::bench]
fn absence_among_ten_thousand_keys(bencher: Bencher) {
    let (store, root) = tree();
    let trusted = start(block(10, root));
    let bytes = state_proof(&store, key(ENTRIES)).to_bytes();
    bencher.bench(|| {
        let proof = StateProof::from_bytes(black_box(&bytes)).expect("a proof");
        proof
            .verify(trusted.trusted(), &key(ENTRIES))
            .expect("it verifies")
            .is_none()
    });
}

#[divan::bench]
fn header_and_presence_together_from_bytes(bencher: Bencher) {
    let (store, root) = tree();
    let trusted = start(block(9, [1; 32]));
    let header = block(10, root).to_bytes();
    let proof = state_proof(&store, key(77)).to_bytes();
    bencher.bench(|| {
        let block = LightBlock::from_bytes(black_box(&header)).expect("a light block");
        let verified = verifier()
            .verify(&trusted, block, at(11))
            .expect("it verifies");
        let proof = StateProof::from_bytes(black_box(&proof)).expect("a proof");
        proof
            .verify(verified.trusted(), &key(77))
            .expect("it verifies")
            .is_some()
    });
}

#[divan::bench]
fn batch_of_forty_keys(bencher: Bencher) {
    let (store, root) = tree();
    let tree = Sha256Jmt::new(&store);
    let proofs = (0..40).map(|index| {
        tree.get_with_ics23_proof(key(index * 7), 1)
            .expect("a proof")
            .1
    });
    let bytes = proof::compress(proofs).expect("a batch");
    let spec = hub_light::jmt_spec();
    bencher.bench(|| {
        proof::verify_compressed(&spec, &root, black_box(&bytes), "a key").expect("it verifies")
    });
}
