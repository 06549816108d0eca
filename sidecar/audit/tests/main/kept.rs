//! Old bundles must verify for ever: each is kept with the trust point that it verifies under.
//!
//! `HOLDFAST_BLESS=1` writes those anew that this version of the engine makes. Only a new version of the
//! format, or of the engine, may need that, and then the old file stays beside the new one.

use std::path::PathBuf;

use audit::bundle::{stated_header, verify};
use audit::report::Report;
use hub_light::TrustPoint;

use crate::times::{usual_with_decisions, NEEDED};

fn path(name: &str) -> PathBuf {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    PathBuf::from(folder).join("tests/vectors").join(name)
}

fn kept(name: &str) -> (Vec<u8>, TrustPoint) {
    let file = std::fs::read(path(&format!("{name}.hold"))).expect("the kept bundle");
    let trust = std::fs::read_to_string(path(&format!("{name}.trust"))).expect("its trust point");
    let trust = trust.trim().parse().expect("HEIGHT:HASH");
    assert_eq!(stated_header(&file), Ok(trust));
    (file, trust)
}

fn verified(name: &str) -> Report {
    let (file, trust) = kept(name);
    verify(&file, trust).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn verdicts(report: &Report) -> Vec<&'static str> {
    let commits = &report.documents[0].commits;
    commits.iter().map(|commit| commit.verdict).collect()
}

/// Made before there were terms, and times of decisions.
#[test]
fn bundle_of_engine_version_1_still_verifies() {
    let report = verified("trail");
    assert_eq!(report.policy.engine_version, 1);
    assert_eq!(
        verdicts(&report),
        ["settled", "settled", "settled", "settled", "late"]
    );
    assert_eq!(report.populations.decisions_replayed, 3);
}

/// With a writer whose permission ends by time, one whose begins, headers that tell when, and decisions
/// that state time and context.
#[test]
fn bundle_of_engine_version_2_with_times_still_verifies() {
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        let story = usual_with_decisions();
        let file = story.trail(&NEEDED).encode_sealed(&story.operator);
        std::fs::write(path("times.hold"), file.expect("a bundle")).expect("written");
        let trust = format!("{}\n", story.trust());
        std::fs::write(path("times.trust"), trust).expect("written");
    }
    let report = verified("times");
    assert_eq!(report.policy.engine_version, 2);
    let mut found = verdicts(&report);
    // The order of commits beside each other is that of their CIDs.
    found.sort_unstable();
    assert_eq!(
        found,
        ["late", "provisional", "settled", "settled", "settled"]
    );
    let outcomes: Vec<(&str, &str)> = report
        .decisions
        .iter()
        .map(|one| (one.outcome, one.replay))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("allow", "replayed"),
            ("deny", "replayed"),
            ("allow", "replayed"),
            ("deny", "replayed"),
            ("could-not-tell", "not contradicted"),
        ]
    );
}
