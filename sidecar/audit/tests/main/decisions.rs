//! Decisions that hang on the time or on what the asker gave, asked again by the auditor.

use audit::bundle::{verify, Section, Wrong};
use audit::content::Outcome::{self, Allow, CouldNotTell, Deny};
use policy::Time;

use crate::fixture::hub::time;
use crate::fixture::timed::{later, Asked, Moments, Timed, Who};

/// What the auditor finds.
#[derive(Debug, PartialEq)]
enum Found {
    /// The answer is that of the leaf.
    Same,
    /// The answer is this one.
    Other(&'static str),
    /// The leaf says what cannot be, and why.
    Untrue(&'static str),
}

use Found::{Other, Same, Untrue};

/// Blocks 8, 22, 31, 38 and 41 are proven without any headers: the last revision, the anchors, the
/// trusted one. `headers` adds others.
fn found(moments: &Moments, asked: Asked, headers: &[u64]) -> Found {
    let story = Timed::tell(moments, &[], std::slice::from_ref(&asked));
    let file = story.trail(headers).encode().expect("a bundle");
    match verify(&file, story.trust()) {
        Ok(report) => {
            let replay = match asked.outcome {
                CouldNotTell => "not contradicted",
                Allow | Deny => "replayed",
            };
            let decision = &report.decisions[0];
            assert_eq!(decision.replay, replay);
            assert_eq!(decision.asked_at, asked.at.map(|time| time.to_string()));
            assert_eq!(decision.context.as_deref(), asked.context);
            // What the answer was given on is shown to whoever reads the report.
            let text = report.to_text();
            for shown in decision.asked_at.iter().chain(&decision.context) {
                assert!(text.contains(shown.as_str()), "{shown} is not in\n{text}");
            }
            Same
        }
        Err(error) => {
            assert_eq!((error.section, error.item), (Section::Leaves, Some(1)));
            match error.wrong {
                Wrong::Decision { replayed, .. } => Other(replayed.leak()),
                Wrong::Untrue { said, is } => Untrue(format!("{said}; {is}").leak()),
                wrong => panic!("{asked:?}: {wrong}"),
            }
        }
    }
}

fn check(moments: &Moments, asked: Asked, headers: &[u64], expected: Found) {
    let found = found(moments, asked.clone(), headers);
    let agree = match (&found, &expected) {
        (Untrue(found), Untrue(expected)) => found.contains(expected),
        (found, expected) => found == expected,
    };
    assert!(
        agree,
        "{asked:?} with {headers:?}: {found:?}, not {expected:?}"
    );
}

/// May `who` edit, in the state after block `height`, at that time?
fn edit(who: Who, height: u64, at: Option<Time>, outcome: Outcome) -> Asked {
    Asked {
        who,
        permission: "edit",
        height,
        outcome,
        engine: u64::from(policy::ENGINE_VERSION),
        at,
        context: None,
    }
}

fn block(height: u64) -> Time {
    time(height).to_policy()
}

#[test]
fn decision_is_asked_again_at_its_time() {
    let moments = Moments::usual();
    // Who, the height, and the answer at the time of the block behind it.
    for (who, height, answer) in [
        (Who::Bob, 18, Allow),
        (Who::Bob, 19, Deny),
        (Who::Carol, 22, Deny),
        (Who::Carol, 23, Allow),
        (Who::Dora, 25, Allow),
        (Who::Dora, 26, Deny),
        (Who::Alice, 12, Allow),
        (Who::Erin, 12, Deny),
    ] {
        // The block's time is proven by its header, or lies between those that are.
        for headers in [&[][..], &[height + 1], &[height, height + 2], &[9, 40]] {
            for outcome in [Allow, Deny, CouldNotTell] {
                let asked = edit(who, height, Some(block(height + 1)), outcome);
                let expected = match (outcome == answer || outcome == CouldNotTell, answer) {
                    (true, _) => Same,
                    (false, Allow) => Other("allow"),
                    (false, _) => Other("deny"),
                };
                check(&moments, asked, headers, expected);
            }
        }
    }
}

#[test]
fn decision_at_a_time_that_its_block_cannot_have_is_untrue() {
    let moments = Moments::usual();
    let no = |why| move |_: Outcome| Untrue(why);
    let yes = |_: Outcome| Same;
    type Expected<'a> = &'a dyn Fn(Outcome) -> Found;
    // The height, the time, the headers beside 8, 22, 31, 38 and 41.
    let after_22 =
        no("made after 2026-11-18T11:07:02.000000005Z and before 2026-11-18T11:07:11.000000005Z");
    let at_27 = no("made at 2026-11-18T11:07:07.000000005Z");
    let after_26 = no("before 2026-11-18T11:07:08.000000005Z");
    let after_8 = no("made after 2026-11-18T11:06:48.000000005Z");
    let cases: [(u64, Time, &[u64], Expected<'_>); 20] = [
        (26, block(27), &[], &yes),
        (26, later(block(22), 1), &[], &yes),
        (26, later(block(31), -1), &[], &yes),
        // Its neighbours' times, before them, behind them.
        (26, block(22), &[], &after_22),
        (26, block(31), &[], &after_22),
        (26, block(21), &[], &after_22),
        (26, block(33), &[], &after_22),
        // Before the revision, before everything, after everything.
        (26, block(7), &[], &after_22),
        (26, Time::MIN, &[], &after_22),
        (26, Time::MAX, &[], &after_22),
        // Neighbours that are proven by headers.
        (26, block(27), &[26, 28], &yes),
        (26, block(26), &[26, 28], &after_26),
        (26, block(28), &[26, 28], &after_26),
        (26, later(block(28), -1), &[26, 28], &yes),
        // Its own header.
        (26, block(27), &[27], &yes),
        (26, later(block(27), 1), &[27], &at_27),
        (26, later(block(27), -1), &[27], &at_27),
        // The first and the last that there can be.
        (8, block(8), &[], &after_8),
        (8, block(9), &[], &yes),
        (
            30,
            block(30),
            &[],
            &no("made at 2026-11-18T11:07:11.000000005Z"),
        ),
    ];
    for (height, at, headers, expected) in cases {
        for (outcome, who) in [(Allow, Who::Alice), (CouldNotTell, Who::Bob)] {
            let asked = edit(who, height, Some(at), outcome);
            check(&moments, asked, headers, expected(outcome));
        }
    }
}

/// The block lies between 8 and 22, or between 22 and 31.
#[test]
fn decision_without_a_time_counts_where_all_times_answer_alike() {
    const HANGS: Found =
        Untrue("no time that it was asked at; a question whose answer hangs on the time");
    let at = |bob_until, carol_from, dora_last| Moments {
        bob_until,
        carol_from,
        dora_last,
        witness_until: None,
    };
    let usual = Moments::usual();
    let edge = |height, nanos| {
        let at_edge = later(block(height), nanos);
        at(at_edge, at_edge, at_edge)
    };
    let cases = [
        (usual, Who::Alice, 18, Allow, Same),
        (usual, Who::Alice, 18, Deny, Other("allow")),
        (usual, Who::Erin, 18, Deny, Same),
        // It ended, or began, somewhere in between.
        (usual, Who::Bob, 18, Allow, HANGS),
        (usual, Who::Bob, 18, Deny, HANGS),
        (usual, Who::Carol, 25, Allow, HANGS),
        (usual, Who::Dora, 25, Deny, HANGS),
        // Not yet, or long ago.
        (usual, Who::Carol, 18, Deny, Same),
        (usual, Who::Carol, 18, Allow, Other("deny")),
        (usual, Who::Bob, 25, Deny, Same),
        (usual, Who::Bob, 25, Allow, Other("deny")),
        (usual, Who::Dora, 18, Allow, Same),
        // Beside the times of the neighbours, which the block cannot have.
        (edge(22, 0), Who::Bob, 18, Allow, Same),
        (edge(22, -1), Who::Bob, 18, Allow, HANGS),
        (edge(22, 0), Who::Carol, 18, Deny, Same),
        (edge(22, -1), Who::Carol, 18, Deny, HANGS),
        (edge(22, -1), Who::Dora, 18, Allow, Same),
        (edge(22, -2), Who::Dora, 18, Allow, HANGS),
        (edge(22, 0), Who::Bob, 25, Deny, Same),
        (edge(22, 1), Who::Bob, 25, Deny, Same),
        (edge(22, 2), Who::Bob, 25, Deny, HANGS),
        (edge(22, 1), Who::Carol, 25, Allow, Same),
        (edge(22, 2), Who::Carol, 25, Allow, HANGS),
        (edge(22, 0), Who::Dora, 25, Deny, Same),
        (edge(22, 1), Who::Dora, 25, Deny, HANGS),
    ];
    for (moments, who, height, outcome, expected) in cases {
        let asked = Asked {
            engine: 1,
            ..edit(who, height, None, outcome)
        };
        check(&moments, asked, &[], expected);
    }
    // With the header of its block there is one time only.
    for (outcome, expected) in [(Allow, Same), (Deny, Other("allow"))] {
        let asked = edit(Who::Bob, 18, None, outcome);
        check(&usual, asked, &[19], expected);
    }
    // Nor does it hang on anything where nothing was answered.
    check(&usual, edit(Who::Bob, 18, None, CouldNotTell), &[], Same);
}

#[test]
fn decision_is_asked_again_with_what_the_asker_gave() {
    let look = |context, outcome| Asked {
        permission: "read",
        context,
        ..edit(Who::Erin, 26, Some(block(27)), outcome)
    };
    let seven = Some(r#"{"number":7}"#);
    for (asked, expected) in [
        (look(seven, Allow), Same),
        (look(seven, Deny), Other("allow")),
        // The context that the answer hangs on, changed.
        (look(Some(r#"{"number":8}"#), Allow), Other("deny")),
        (look(Some(r#"{"number":8}"#), Deny), Same),
        // What was conditional permitted nothing.
        (look(None, Deny), Same),
        (look(None, Allow), Other("deny")),
        (look(Some(r#"{"nummer":7}"#), Deny), Same),
        (look(Some(r#"{"nummer":7}"#), Allow), Other("deny")),
        // What nobody asks for changes nothing; a clock cannot be given.
        (look(Some(r#"{"name":"Erin","number":7}"#), Allow), Same),
        (
            Asked {
                context: Some(r#"{"now":"2000-01-01T00:00:00Z"}"#),
                ..edit(Who::Bob, 26, Some(block(27)), Allow)
            },
            Other("deny"),
        ),
    ] {
        check(&Moments::usual(), asked, &[], expected);
    }
    // A value of a wrong type is no answer, and so was none that the sidecar gave.
    for outcome in [Allow, Deny] {
        let asked = look(Some(r#"{"number":"seven"}"#), outcome);
        match found(&Moments::usual(), asked, &[]) {
            Other(error) => assert!(!["allow", "deny"].contains(&error), "{error}"),
            other => panic!("{other:?}"),
        }
    }
}
