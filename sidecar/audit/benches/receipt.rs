//! Aims of issue 3: a receipt with its state proof in at most 2.5 kB, verified in at most 0.5 ms.
//! Reference in the same run: the light block that it hangs on, four validators of which three
//! signed, and a whole bundle of thirteen leaves and five commits.

#[path = "../tests/main/fixture/mod.rs"]
#[allow(dead_code, reason = "the tests need more of it than the benches")]
mod fixture;

use audit::receipt::Receipt;
use divan::{black_box, Bencher};
use hub_light::Verifier;

use fixture::story::{story, Story};

fn main() {
    let story = story(100_000);
    let size = receipt(&story).to_bytes().len();
    println!("receipt under a state of 100,000 keys: {size} bytes (aim: 2,560)");
    divan::main();
}

fn receipt(story: &Story) -> Receipt {
    Receipt {
        index: 3,
        leaf: story.a.opened(3),
        path: story
            .a
            .log
            .inclusion_proof(3, story.a.anchors[1].size)
            .expect("a path"),
        anchor: story.anchor_proof(1),
    }
}

/// Decode and verify under a header that is trusted already.
#[divan::bench]
fn receipt_read_and_verified(bencher: Bencher<'_, '_>) {
    let story = story(100_000);
    let block = Verifier::start(story.trust(), story.hub.block.clone()).expect("a trusted block");
    let bytes = receipt(&story).to_bytes();
    bencher.bench_local(|| {
        let receipt = Receipt::from_bytes(black_box(&bytes)).expect("a receipt");
        receipt
            .attestation(block.trusted(), &story.a.id, &story.policy)
            .expect("an attestation")
    });
}

/// Reference: the header itself, from its bytes.
#[divan::bench]
fn reference_light_block_of_four_validators(bencher: Bencher<'_, '_>) {
    let story = story(1_000);
    let bytes = story.hub.block.to_bytes();
    bencher.bench_local(|| {
        let block = hub_light::LightBlock::from_bytes(black_box(&bytes)).expect("a light block");
        Verifier::start(story.trust(), block).expect("a trusted block")
    });
}

/// A whole bundle: 13 leaves, 5 commits, 4 revisions, one witness.
#[divan::bench]
fn bundle_of_thirteen_leaves(bencher: Bencher<'_, '_>) {
    let story = story(1_000);
    let bytes = story
        .whole()
        .encode_sealed(&story.operator)
        .expect("a bundle");
    bencher.bench_local(|| {
        audit::bundle::verify(black_box(&bytes), story.trust()).expect("it verifies")
    });
}
