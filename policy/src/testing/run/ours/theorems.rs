//! Theorems, in the notation of acp.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{
    files::{self, Placing},
    words, Facts, Place, Run, START,
};
use crate::{
    limits::Limits,
    question::Circumstances,
    schema::{Policy, Position},
    testing::Source,
    theorems::{Failure, RelationshipList, TheoremError, TheoremResult, Theorems, Verdict},
    time::Time,
};

const NAME: &str = "the theorems";

/// Runs the theorems of a test file over its relationships.
pub(super) fn run(
    run: &mut Run<'_>,
    policy: &Policy,
    facts: &Facts,
    of: &Source,
    time: Option<&str>,
) {
    let Some((text, placing)) = files::source(run, of) else {
        return;
    };
    let time = match time.map(str::parse::<Time>) {
        None => run.setting.now,
        Some(Ok(time)) => time,
        Some(Err(wrong)) => {
            let place = placing.place(run, START);
            return run.broken(place, NAME, "a time", wrong.to_string());
        }
    };
    evaluate(run, policy, facts, &text, time, &placing);
}

pub(super) fn skip(run: &mut Run<'_>, of: &Source, why: &str) {
    let position = match of {
        Source::Inline(text) => text.place(START),
        Source::File { position, .. } => *position,
    };
    let place = run.place(position);
    run.skip(place, NAME.into(), "to hold".into(), why);
}

fn evaluate(
    run: &mut Run<'_>,
    policy: &Policy,
    facts: &Facts,
    text: &str,
    time: Time,
    placing: &Placing<'_>,
) {
    let theorems = match Theorems::parse(text) {
        Ok(theorems) => theorems,
        Err(wrong) => {
            for TheoremError { position, message } in wrong {
                let place = placing.place(run, position);
                run.broken(place, NAME, "theorems", message);
            }
            return;
        }
    };
    let place = placing.place(run, START);
    let Some(world) = facts.world(run, place, policy) else {
        return;
    };
    let Ok(view) = world.at(0) else {
        return;
    };
    let now = Circumstances::at(time);
    for result in theorems.evaluate(&view, &now, Limits::CONSENSUS) {
        let TheoremResult {
            source, verdict, ..
        } = result;
        let place = placing.place(run, source.position);
        let (name, holds) = (source.text, String::from("it to hold"));
        match verdict {
            Verdict::Holds => run.pass(place, name, holds),
            // What cannot be told is not told.
            Verdict::Undecided { reason } => run.fail(place, name, holds, "no decision", reason),
            Verdict::Fails(Failure::Counterexample(found)) => {
                run.fail(place, name, holds, "a counterexample", found.to_string());
            }
            Verdict::Fails(Failure::Answer { expected, got, .. }) => {
                let [expected, got] = [expected, got].map(|it| words::decision(it, None));
                run.fail(place, name, expected, got, "");
            }
        }
    }
}

/// A file, with its name.
pub(crate) type Named<'a> = (&'a str, &'a str);

/// Runs a file of theorems over a file of relationships, under a policy of its own file.
pub(crate) fn run_files(
    run: &mut Run<'_>,
    policy: Named<'_>,
    relationships: Option<Named<'_>>,
    theorems: Named<'_>,
) {
    let in_file = |file: &str, position: Position| Place {
        file: file.into(),
        position,
    };
    let (name, text) = policy;
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(wrong) => {
            let place = in_file(name, wrong.position);
            run.broken(place, "the policy", "a policy", wrong.message);
            return unasked(run, theorems, "the policy is refused");
        }
    };
    let mut facts = Facts::default();
    if let Some((name, text)) = relationships {
        let mut wrong: Vec<(Position, String)> = Vec::new();
        match RelationshipList::parse(text) {
            Err(errors) => wrong.extend(errors.into_iter().map(|e| (e.position, e.message))),
            Ok(list) => {
                for (position, relationship) in &list.0 {
                    if let Err(message) = facts.add(&policy, relationship) {
                        wrong.push((*position, message));
                    }
                }
            }
        }
        if !wrong.is_empty() {
            for (position, message) in wrong {
                let place = in_file(name, position);
                run.broken(place, "the relationships", "relationships", message);
            }
            return unasked(run, theorems, "a relationship is refused");
        }
    }
    let now = run.setting.now;
    let placing = Placing::File(theorems.0);
    evaluate(run, &policy, &facts, theorems.1, now, &placing);
}

fn unasked(run: &mut Run<'_>, (file, _): Named<'_>, why: &str) {
    let place = Place {
        file: file.into(),
        position: START,
    };
    run.skip(place, NAME.into(), "to hold".into(), why);
}
