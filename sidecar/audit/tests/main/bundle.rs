//! A bundle of the story verifies, says what happened, and refuses what did not.

use audit::bundle::{stated_header, verify, Section, Trail, Wrong};
use audit::leaf::Disclosure;
use audit::report::Report;
use hub_light::TrustPoint;
use hub_types::{BlockHash, Height};

use crate::fixture::story::{lying, story, Lie, Story};

fn bytes(trail: &Trail) -> Vec<u8> {
    trail.encode().expect("a bundle")
}

fn verified(story: &Story, trail: &Trail) -> Report {
    verify(&bytes(trail), story.trust()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(story: &Story, trail: &Trail) -> (Section, Option<u64>, Wrong) {
    let error = verify(&bytes(trail), story.trust()).expect_err("the bundle must be refused");
    (error.section, error.item, error.wrong)
}

fn verdicts(report: &Report) -> Vec<&'static str> {
    let commits = &report.documents[0].commits;
    // By DAG height: the first, two beside each other, the merge, and Bob's late one.
    assert_eq!(commits.len(), 5);
    commits.iter().map(|commit| commit.verdict).collect()
}

#[test]
fn story_is_told_whole() {
    let story = story(50);
    let report = verified(&story, &story.whole());
    assert_eq!(
        verdicts(&report),
        ["settled", "settled", "settled", "settled", "late"]
    );
    let document = &report.documents[0];
    let state = document.state.as_ref().expect("every body is disclosed");
    // Bob's late "scrap" does not count; the counter is exact over the fork.
    assert_eq!(state["product"], "axle B");
    assert_eq!(state["pieces"], 21);
    assert_eq!(state["defects"], serde_json::json!(["scratch"]));
    assert_eq!(
        document.commits[4].operations.as_deref(),
        Some(&["set product".to_string()][..])
    );

    let counted = &report.populations;
    assert_eq!(
        (counted.revisions, counted.anchors, counted.leaves),
        (4, 4, 13)
    );
    assert_eq!(
        (
            counted.leaves_opened,
            counted.leaves_linked,
            counted.leaves_closed
        ),
        (11, 1, 1)
    );
    assert_eq!((counted.commits, counted.bodies), (5, 5));
    // B saw Alice's three commits; A saw Bob's two, one of them too late to matter.
    assert_eq!(counted.attestations, 5);
    assert_eq!(
        (counted.decisions_replayed, counted.decisions_undecided),
        (3, 1)
    );
    assert_eq!(counted.denials_overflowed, 17);
    assert_eq!((document.leaves, document.leaves_here), (8, 8));
    assert_eq!((document.leaves_opened, document.leaves_linked), (7, 1));
    assert_eq!(counted.decisions_too_old, 0);
    assert_eq!(report.header.signed_power, 30);
    assert_eq!(report.refusals.len(), 1);

    let text = report.to_text();
    for said in [
        "none is missing from 0 to 12",
        "30 of 40 voting power",
        "not sealed",
        "late",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
    assert_eq!(json["populations"]["leaves"], 13);
}

#[test]
fn part_between_two_anchors_gives_the_same_verdicts() {
    let story = story(50);
    let report = verified(&story, &story.part());
    assert_eq!(
        verdicts(&report),
        ["settled", "settled", "settled", "settled", "late"]
    );
    assert_eq!(report.populations.leaves, 6);
    assert_eq!(report.documents[0].leaves, 8);
    assert_eq!(report.documents[0].leaves_here, 3);
    assert_eq!(report.log.from.as_ref().map(|from| from.size), Some(7));
}

#[test]
fn verdicts_stand_without_bodies() {
    let story = story(10);
    let mut trail = story.whole();
    trail.commits[3].body = None;
    let report = verified(&story, &trail);
    assert_eq!(
        verdicts(&report),
        ["settled", "settled", "settled", "settled", "late"]
    );
    assert_eq!(report.documents[0].state, None);
    assert!(report.documents[0]
        .state_missing
        .as_ref()
        .is_some_and(|why| why.contains("1 of 5 bodies")));
}

#[test]
fn sidecar_does_not_attest_what_was_written_through_it() {
    let story = story(10);
    let mut trail = story.whole();
    trail.witnesses.clear();
    let report = verified(&story, &trail);
    let mut found = verdicts(&report);
    // The order of the fork's two commits is that of their CIDs.
    found[1..3].sort_unstable();
    // Alice's are written through A and seen by nobody else here; Bob's was seen by A.
    assert_eq!(
        found,
        ["settled", "provisional", "settled", "provisional", "late"]
    );
}

#[test]
fn what_was_seen_before_the_cited_height_attests_nothing_to_ancestors_either() {
    let story = lying(Lie::SeenBeforeCited);
    let mut trail = story.whole();
    // Only B's word for the merge, at a height that its parents cite and the merge does not.
    trail.witnesses[0].anchors.remove(0);
    let mut found = verdicts(&verified(&story, &trail));
    found[1..3].sort_unstable();
    assert_eq!(
        found,
        ["settled", "provisional", "settled", "provisional", "late"]
    );
}

#[test]
fn seal_keeps_together_what_its_issuer_showed() {
    let story = story(10);
    let sealed = story
        .whole()
        .encode_sealed(&story.operator)
        .expect("a bundle");
    let report = verify(&sealed, story.trust()).expect("it verifies");
    assert_eq!(report.log.issuer.as_ref(), Some(&report.log.operator));
    assert!(report.to_text().contains("sealed by the log's operator"));
    assert_eq!(stated_header(&sealed), Ok(story.trust()));

    // Somebody drops a body and hands it on under the same seal.
    let mut smaller = story.whole();
    smaller.commits[0].body = None;
    let other = smaller.encode_sealed(&story.operator).expect("a bundle");
    let [seal_of_one, seal_of_other] = [&sealed, &other]
        .map(|file| audit::bundle::container::split(file).expect("a container")[8].to_vec());
    let at = other.len() - 32 - seal_of_other.len();
    let transplanted = [&other[..at], &seal_of_one, &[0; 32]].concat();
    let transplanted = with_checksum(transplanted);
    let error = verify(&transplanted, story.trust()).expect_err("the seal is another's");
    assert_eq!(error.section, Section::Seal);
}

fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    use sha2::Digest;
    let end = file.len() - 32;
    let checksum = sha2::Sha256::digest(&file[..end]);
    file[end..].copy_from_slice(&checksum);
    file
}

#[test]
fn another_header_than_the_trusted_one_is_refused() {
    let story = story(10);
    let file = bytes(&story.whole());
    let TrustPoint { height, hash } = story.trust();
    let later = TrustPoint {
        height: Height(height.0 + 1),
        hash,
    };
    let error = verify(&file, later).expect_err("another height");
    assert!(matches!(error.wrong, Wrong::OtherHeight { .. }), "{error}");
    let other = TrustPoint {
        height,
        hash: BlockHash::new([1; 32]),
    };
    let error = verify(&file, other).expect_err("another hash");
    assert_eq!(error.section, Section::Header);
}

#[test]
fn missing_leaf_is_missed() {
    let story = story(10);
    let mut trail = story.whole();
    trail.leaves.remove(5);
    assert!(matches!(
        refused(&story, &trail),
        (
            Section::Leaves,
            None,
            Wrong::LeafCount {
                found: 12,
                expected: 13
            }
        )
    ));
    // Put another in its place, and the next anchor does not fit.
    trail.leaves.insert(5, story.a.opened(2));
    let (section, item, wrong) = refused(&story, &trail);
    assert_eq!((section, item), (Section::Leaves, Some(1)));
    assert!(matches!(wrong, Wrong::Root { .. }));
}

#[test]
fn closed_leaf_breaks_the_chain_of_its_document() {
    let story = story(10);
    let mut trail = story.whole();
    trail.leaves[2] = Disclosure::Closed(story.a.openings[2].leaf(2));
    let (section, _, wrong) = refused(&story, &trail);
    assert_eq!(section, Section::Heads);
    assert!(matches!(wrong, Wrong::Chain(_)));
}

#[test]
fn left_out_commits_are_missed() {
    let story = story(10);
    for place in 0..5 {
        let mut trail = story.whole();
        trail.commits.remove(place);
        let (_, _, wrong) = refused(&story, &trail);
        assert!(
            matches!(wrong, Wrong::ParentMissing(_) | Wrong::Heads),
            "without commit {place}: {wrong}"
        );
    }
    let mut trail = story.whole();
    trail.commits.clear();
    trail.heads.clear();
    // About no document at all it is still a bundle of leaves, but receipts serve nothing.
    assert!(matches!(refused(&story, &trail).2, Wrong::Unused));
    trail.witnesses.clear();
    assert!(verified(&story, &trail).documents.is_empty());
}

#[test]
fn left_out_anchors_and_revisions_are_missed() {
    let story = story(10);
    let mut trail = story.whole();
    trail.anchors.remove(1);
    assert_eq!(refused(&story, &trail).0, Section::Log);
    let mut trail = story.whole();
    trail.revisions.pop();
    assert_eq!(refused(&story, &trail).0, Section::Policy);
    let mut trail = story.whole();
    trail.revisions[2].changes.pop();
    assert_eq!(refused(&story, &trail).0, Section::Policy);
}

#[test]
fn commit_that_the_log_does_not_hold_is_refused() {
    let story = story(10);
    let mut trail = story.part();
    // Without the receipts from before the first anchor.
    trail.witnesses.remove(0);
    assert!(matches!(refused(&story, &trail).2, Wrong::CommitNotHeld(_)));
}

#[test]
fn decision_on_a_state_older_than_allowed_is_reported() {
    for (lie, said) in [
        (
            Lie::OldState,
            "after anchor 1, when height 9 was at least 7 s old, and the policy allows 5 s",
        ),
        (
            Lie::SaidOldState,
            "by the leaf itself the last verified block was 3601 s old",
        ),
    ] {
        let story = lying(lie);
        let report = verified(&story, &story.whole());
        assert_eq!(report.populations.decisions_too_old, 1, "{lie:?}");
        let decision = report.decisions.iter().find(|one| one.leaf == 10).unwrap();
        let why = decision.too_old.as_deref().unwrap_or_default();
        assert!(why.contains(said), "{lie:?}: {why}");
        assert!(report.to_text().contains("TOO OLD"), "{lie:?}");
    }
}

#[test]
fn decision_about_a_document_without_its_preimage_is_not_called_replayed() {
    let story = lying(Lie::NoPreimage);
    let report = verified(&story, &story.whole());
    let counted = &report.populations;
    assert_eq!(
        (
            counted.decisions_replayed,
            counted.decisions_without_preimage
        ),
        (2, 1)
    );
    let decision = report.decisions.iter().find(|one| one.leaf == 10).unwrap();
    assert_eq!(decision.replay, "without preimage");
}

#[test]
fn lies_of_the_operator_are_named() {
    for (lie, section, name) in [
        (
            Lie::AllowedIntruder,
            Section::Leaves,
            "the decision was allow",
        ),
        (
            Lie::AllowedRevoked,
            Section::Leaves,
            "the decision was allow",
        ),
        (
            Lie::OtherRevision,
            Section::Leaves,
            "that revision 1 was in force after height 13",
        ),
        (
            Lie::FutureHeight,
            Section::Leaves,
            "that height 18 was seen",
        ),
        (Lie::HeldIntruder, Section::Commits, "must be rejected"),
        (
            Lie::OtherSignature,
            Section::Commits,
            "signature is not the one",
        ),
        (Lie::Unchained, Section::Heads, "chain"),
        (Lie::OtherHeads, Section::Heads, "heads"),
    ] {
        let story = lying(lie);
        let error = verify(&bytes(&story.whole()), story.trust()).expect_err("a lie");
        assert_eq!(error.section, section, "{lie:?}: {error}");
        assert!(error.to_string().contains(name), "{lie:?}: {error}");
    }
}
