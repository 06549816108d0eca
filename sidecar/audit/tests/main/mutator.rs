//! With any byte changed the answer is no, and names the first thing that is wrong.

use std::collections::BTreeMap;

use audit::bundle::verify;
use audit::mutate::{each, Effort};

use hub_light::TrustPoint;

use crate::fixture::story::story;
use crate::times::{usual_with_decisions, NEEDED};

fn all_refused(trust: TrustPoint, file: &[u8], effort: Effort) -> BTreeMap<&'static str, u64> {
    verify(file, trust).expect("the bundle verifies as it is");
    let mut accepted = Vec::new();
    let mut named: BTreeMap<&'static str, u64> = BTreeMap::new();
    each(
        file,
        effort,
        &mut |what, mutated| match verify(mutated, trust) {
            Ok(_) => accepted.push(what.to_string()),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                *named.entry(error.section.name()).or_default() += 1;
            }
        },
    );
    let tried: u64 = named.values().sum();
    println!(
        "{tried} mutations of {} bytes refused, by section: {named:?}",
        file.len()
    );
    assert!(tried > 1_000, "too few mutations to mean anything: {tried}");
    assert!(
        accepted.is_empty(),
        "{} accepted: {accepted:#?}",
        accepted.len()
    );
    named
}

/// Every field of the first and last item of everything; every 97th byte. `make soak` does all:
/// `HOLDFAST_SOAK=1`.
fn effort() -> Effort {
    match std::env::var_os("HOLDFAST_SOAK") {
        Some(_) => Effort::ALL,
        None => Effort {
            stride: 97,
            repeated: 1,
        },
    }
}

#[test]
fn every_mutation_of_a_whole_bundle_is_refused_by_name() {
    let story = story(10);
    let file = story
        .whole()
        .encode_sealed(&story.operator)
        .expect("a bundle");
    let named = all_refused(story.trust(), &file, effort());
    // Each section refuses something itself, not only the checksum or the seal.
    for section in audit::bundle::Section::ALL {
        assert!(named.contains_key(section.name()), "{section}: {named:?}");
    }
}

#[test]
fn every_mutation_of_a_part_is_refused_by_name() {
    let story = story(10);
    let file = story
        .part()
        .encode_sealed(&story.operator)
        .expect("a bundle");
    all_refused(story.trust(), &file, effort());
}

/// With the headers of blocks whose times verdicts hang on.
#[test]
fn every_mutation_of_a_bundle_with_times_is_refused_by_name() {
    let story = usual_with_decisions();
    let file = story
        .trail(&NEEDED)
        .encode_sealed(&story.operator)
        .expect("a bundle");
    let named = all_refused(story.trust(), &file, effort());
    assert!(named["policy"] > 300, "{named:?}");
}

#[test]
fn garbage_is_refused() {
    let trust = story(10).trust();
    for file in [
        &b""[..],
        b"holdfast trail 1\n",
        b"holdfast trail 2\n",
        &[0xff; 100],
    ] {
        assert!(verify(file, trust).is_err());
    }
}
