//! A bundle of the story verifies, says what happened, and refuses what did not.

use audit::bundle::{verify, Section, Trail, Wrong};


use crate::fixture::story::{story, Story};

fn bytes(trail: &Trail) -> Vec<u8> {
    trail.encode().expect("a bundle")
}

fn verified(story: &Story, trail: &Trail) -> audit::report::Report {
    verify(&bytes(trail), story.trust()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(story: &Story, trail: &Trail) -> (Section, Wrong) {
    let error = verify(&bytes(trail), story.trust()).expect_err("the bundle must be refused");
    (error.section, error.wrong)
}

#[test]
fn story_is_told_whole() {
    let story = story(50);
    let report = verified(&story, &story.whole());
    println!("{}", report.to_text());
    let verdicts: Vec<&str> = report.documents[0].commits.iter().map(|commit| commit.verdict).collect();
    assert_eq!(verdicts, ["settled", "settled", "settled", "settled", "late"]);
}
