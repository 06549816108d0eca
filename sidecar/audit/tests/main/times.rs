//! Bundles in which permissions end and begin with time alone.

use std::collections::{BTreeMap, BTreeSet};

use audit::bundle::{verify, Section, VerifyError, Wrong};
use audit::content::Outcome;
use audit::report::Report;
use audit::times::Wanted;
use policy::Time;

use crate::fixture::hub::time;
use crate::fixture::timed::{between, blocks_of, later, Asked, Moments, Timed, Who, Written};

/// Verifies as an auditor does whose issuer puts in what is missing, and nothing else.
fn verified(story: &Timed) -> Result<Report, VerifyError> {
    let mut blocks: BTreeSet<u64> = BTreeSet::new();
    for _ in 0..4 {
        let heights: Vec<u64> = blocks.iter().copied().collect();
        let file = story.trail(&heights).encode().expect("a bundle");
        match verify(&file, story.trust()) {
            Err(VerifyError {
                wrong: Wrong::BlockTimes(wanted),
                ..
            }) => blocks.extend(blocks_of(&wanted)),
            other => return other,
        }
    }
    panic!("it wants more and more");
}

/// Whether it was settled, and from which height on it was not permitted.
fn verdicts(report: &Report) -> BTreeMap<String, (&'static str, String)> {
    let commits = report.documents[0].commits.iter();
    commits
        .map(|one| (one.commit.clone(), (one.verdict, one.reason.clone())))
        .collect()
}

/// DESIGN §7, height by height; none for a commit that must be rejected.
fn expected(
    moments: &Moments,
    written: &Written,
    proven: u64,
) -> Option<(&'static str, Option<u64>)> {
    let lost_at = (written.cites..=proven).find(|height| !moments.permits(written.by, *height));
    if lost_at == Some(written.cites) {
        return None;
    }
    let attests = |seen: u64| {
        let until = moments.witness_until;
        until.is_none_or(|until| time(seen).to_policy() < until)
    };
    let seen = written.seen.filter(|seen| attests(*seen));
    Some(match (seen, lost_at) {
        (Some(seen), lost) if lost.is_none_or(|lost| seen < lost) => ("settled", None),
        (_, None) => ("provisional", None),
        (_, lost) => ("late", lost),
    })
}

/// All times at which the block of a change can lie, seen from block `height`.
fn edges(height: u64) -> [Time; 5] {
    let at = time(height).to_policy();
    [
        between(height - 1),
        later(at, -1),
        at,
        later(at, 1),
        between(height),
    ]
}

/// Bob's expiry, Carol's beginning, Dora's last moment, each beside, at and behind the time of a block;
/// commits that cite and were seen at heights before, at and after it.
#[test]
fn what_ends_or_begins_by_time_does_so_at_the_first_block_that_has_reached_it() {
    let (mut told, mut rejected) = (0, 0);
    for edge in 0..5 {
        let moments = Moments {
            bob_until: edges(20)[edge],
            carol_from: edges(24)[edge],
            dora_last: edges(20)[edge],
            witness_until: None,
        };
        let mut plot = Vec::new();
        for (by, around) in [
            (Who::Bob, 20),
            (Who::Carol, 24),
            (Who::Dora, 20),
            (Who::Alice, 20),
        ] {
            for cites in [around - 2, around - 1, around, around + 1] {
                let seen = [around - 1, around, around + 1].map(Some);
                for seen in seen.into_iter().chain([None]) {
                    if seen.is_none_or(|seen| seen >= cites) {
                        plot.push(Written { by, cites, seen });
                    }
                }
            }
        }
        let (good, bad): (Vec<Written>, Vec<Written>) = plot
            .into_iter()
            .partition(|one| expected(&moments, one, 40).is_some());
        let story = Timed::tell(&moments, &good, &[]);
        let report = verified(&story).unwrap_or_else(|error| panic!("edge {edge}: {error}"));
        let verdicts = verdicts(&report);
        for (one, commit) in good.iter().zip(&story.written) {
            let (verdict, reason) = &verdicts[&commit.to_string()];
            let (expected, lost_at) = expected(&moments, one, 40).expect("good");
            assert_eq!(*verdict, expected, "edge {edge}: {one:?}: {reason}");
            if let Some(lost_at) = lost_at {
                let said = format!("ended with block {lost_at},");
                assert!(reason.contains(&said), "edge {edge}: {one:?}: {reason}");
            }
            told += 1;
        }
        for one in bad {
            let story = Timed::tell(&moments, &[one], &[]);
            let error = verified(&story).expect_err("not permitted at the cited height");
            assert_eq!((error.section, error.item), (Section::Commits, Some(1)));
            let said = error.to_string();
            assert!(said.contains("must be rejected"), "{one:?}: {said}");
            rejected += 1;
        }
    }
    assert!(told > 150 && rejected > 40, "{told} {rejected}");
}

#[test]
fn witness_attests_until_his_right_ends_by_time() {
    for edge in 0..5 {
        let moments = Moments {
            witness_until: Some(edges(20)[edge]),
            ..Moments::usual()
        };
        let plot = [18, 19, 20, 21].map(|seen| Written {
            by: Who::Alice,
            cites: 12,
            seen: Some(seen),
        });
        let story = Timed::tell(&moments, &plot, &[]);
        let report = verified(&story).unwrap_or_else(|error| panic!("edge {edge}: {error}"));
        let verdicts = verdicts(&report);
        for (one, commit) in plot.iter().zip(&story.written) {
            let (verdict, _) = &verdicts[&commit.to_string()];
            let (expected, _) = expected(&moments, one, 40).expect("Alice may");
            assert_eq!(*verdict, expected, "edge {edge}: {one:?}");
        }
    }
}

/// Bob and Carol as usual, seen on both sides.
pub fn usual() -> Timed {
    told(&[])
}

/// As usual; and decisions about Bob before and after his end, about Erin with and without a badge, and
/// one that could not be told.
pub fn usual_with_decisions() -> Timed {
    let asked = |who, permission, height: u64, outcome, context| Asked {
        who,
        permission,
        height,
        outcome,
        engine: 2,
        at: Some(time(height + 1).to_policy()),
        context,
    };
    let seven = Some(r#"{"number":7}"#);
    told(&[
        asked(Who::Bob, "edit", 18, Outcome::Allow, None),
        asked(Who::Bob, "edit", 19, Outcome::Deny, None),
        asked(Who::Erin, "read", 26, Outcome::Allow, seven),
        asked(Who::Erin, "read", 26, Outcome::Deny, None),
        asked(Who::Alice, "edit", 27, Outcome::CouldNotTell, None),
    ])
}

fn told(asked: &[Asked]) -> Timed {
    let plot = [
        (Who::Bob, 12, Some(19)),
        (Who::Bob, 13, Some(20)),
        (Who::Carol, 24, Some(25)),
        (Who::Carol, 25, None),
    ];
    let plot = plot.map(|(by, cites, seen)| Written { by, cites, seen });
    Timed::tell(&Moments::usual(), &plot, asked)
}

/// The blocks on both sides of Bob's end and of Carol's beginning.
pub const NEEDED: [u64; 4] = [19, 20, 23, 24];

#[test]
fn blocks_that_verdicts_hang_on_are_wanted_by_name() {
    let story = usual();
    let moments = Moments::usual();
    let wanted = |times: &[u64]| {
        let file = story.trail(times).encode().expect("a bundle");
        match verify(&file, story.trust()) {
            Ok(report) => Ok(report),
            Err(error) => {
                assert_eq!((error.section, error.item), (Section::Policy, None));
                assert!(error.to_string().contains("ask its issuer"), "{error}");
                match error.wrong {
                    Wrong::BlockTimes(wanted) => Err(wanted),
                    other => panic!("{other}"),
                }
            }
        }
    };
    let (bob, carol) = (
        Wanted::From(moments.bob_until),
        Wanted::From(moments.carol_from),
    );
    assert_eq!(wanted(&[]), Err(vec![bob, carol]));
    assert_eq!(blocks_of(&[bob, carol]), NEEDED);
    let report = wanted(&NEEDED).expect("all that is wanted is there");
    let verdicts = verdicts(&report);
    let of = |place: usize| verdicts[&story.written[place].to_string()].0;
    assert_eq!(
        [0, 1, 2, 3].map(of),
        ["settled", "late", "settled", "provisional"]
    );
    // No other block tells it; that 24 has reached the moment tells enough of it and of those after.
    for (without, misses) in [
        (19, Some(bob)),
        (20, Some(bob)),
        (23, None),
        (24, Some(carol)),
    ] {
        let mut others: Vec<u64> = NEEDED.into_iter().filter(|one| *one != without).collect();
        for more in [&[][..], &[9, 18, 21, 25, 30, 40]] {
            others.extend(more);
            let expected = misses.map_or_else(|| Ok(report.clone()), |misses| Err(vec![misses]));
            assert_eq!(wanted(&others), expected, "{others:?}");
        }
    }
    // More than that changes nothing but the file.
    let all: Vec<u64> = (1..=40).collect();
    assert_eq!(wanted(&all), Ok(report));
}

/// Blocks behind one whose time is known are later than it, by a nanosecond at least.
#[test]
fn what_changes_a_nanosecond_behind_a_known_block_has_changed_for_all_later_ones() {
    let moments = Moments {
        bob_until: later(time(8).to_policy(), 1),
        carol_from: later(time(22).to_policy(), 1),
        ..Moments::usual()
    };
    let without_times = |by, cites| {
        let written = Written {
            by,
            cites,
            seen: None,
        };
        let story = Timed::tell(&moments, &[written], &[]);
        verify(&story.trail(&[]).encode().expect("a bundle"), story.trust())
    };
    let error = without_times(Who::Bob, 12).expect_err("it ended with block 9");
    assert!(matches!(error.wrong, Wrong::Rejected(_)), "{error}");
    let report = without_times(Who::Carol, 25).expect("it began with block 23");
    assert_eq!(report.documents[0].commits[1].verdict, "provisional");
}
