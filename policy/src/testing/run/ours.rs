//! Our own test files.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};

use super::{facts::Facts, words, Place, Run};
use crate::{
    check::check,
    condition::Context,
    limits::Limits,
    question::{Circumstances, Decision, Question},
    relationships::Reverse,
    schema::{Policy, Position},
    testing::{read_relationships, Answer, Check, PlacedRelationship, Source, Test, TestFile},
    time::Time,
};

pub(super) fn run(run: &mut Run<'_>, text: &str) {
    let file = match TestFile::parse(text) {
        Ok(file) => file,
        Err(wrong) => {
            let place = run.place(wrong.position);
            return run.broken(place, "the file", "a test file", wrong.message);
        }
    };
    let Some(policy) = policy(run, &file.policy) else {
        return skip(run, &file, "the policy is refused");
    };
    let Some(facts) = relationships(run, &file, &policy) else {
        return skip(run, &file, "a relationship is refused");
    };
    for test in &file.tests {
        run_test(run, &policy, &facts, test);
    }
}

/// The text of a source, and how its places read.
fn source<'a>(run: &mut Run<'_>, source: &'a Source) -> Option<(Cow<'a, str>, Placing<'a>)> {
    Some(match source {
        Source::Inline(text) => (Cow::Borrowed(text.text.as_str()), Placing::Inline(text)),
        Source::File { path, position } => {
            let text = run.read(path, *position)?;
            (Cow::Owned(text), Placing::File(path))
        }
    })
}

enum Placing<'a> {
    Inline(&'a crate::embedded::EmbeddedText),
    File(&'a str),
}

impl Placing<'_> {
    fn place(&self, run: &Run<'_>, position: Position) -> Place {
        match self {
            Self::Inline(text) => run.place(text.place(position)),
            Self::File(path) => Place {
                file: (*path).into(),
                position,
            },
        }
    }
}

fn policy(run: &mut Run<'_>, of: &Source) -> Option<Policy> {
    let (text, placing) = source(run, of)?;
    match Policy::parse(&text) {
        Ok(policy) => Some(policy),
        Err(wrong) => {
            let place = placing.place(run, wrong.position);
            run.broken(place, "the policy", "a policy", wrong.message);
            None
        }
    }
}

fn relationships(run: &mut Run<'_>, file: &TestFile, policy: &Policy) -> Option<Facts> {
    let Some((path, position)) = &file.relationships_file else {
        let place = |run: &Run<'_>, position| run.place(position);
        return facts(run, policy, &file.relationships, place);
    };
    let text = run.read(path, *position)?;
    let place = |position| Place {
        file: path.clone(),
        position,
    };
    match read_relationships(&text) {
        Ok(all) => facts(run, policy, &all, |_, position| place(position)),
        Err(wrong) => {
            let place = place(wrong.position);
            run.broken(place, "the relationships", "relationships", wrong.message);
            None
        }
    }
}

/// All of them, or none if one is refused; each that is refused is a failure.
fn facts(
    run: &mut Run<'_>,
    policy: &Policy,
    all: &[PlacedRelationship],
    place: impl Fn(&Run<'_>, Position) -> Place,
) -> Option<Facts> {
    let mut facts = Facts::default();
    let mut refused = false;
    for found in all {
        if let Err(wrong) = facts.add(policy, &found.relationship) {
            let place = place(run, found.position);
            let name = found.relationship.to_string();
            run.broken(place, name, "a relationship of the policy", wrong);
            refused = true;
        }
    }
    (!refused).then_some(facts)
}

fn skip(run: &mut Run<'_>, file: &TestFile, why: &str) {
    for test in &file.tests {
        skip_test(run, test, why);
    }
}

fn skip_test(run: &mut Run<'_>, test: &Test, why: &str) {
    for check in &test.checks {
        let place = run.place(check.position);
        run.skip(place, name(test, check), expected(check), why);
    }
}

fn run_test(run: &mut Run<'_>, policy: &Policy, facts: &Facts, test: &Test) {
    let place = |run: &Run<'_>, position| run.place(position);
    let Some(with) = self::facts(run, policy, &test.with, place) else {
        return skip_test(run, test, "a relationship of the test is refused");
    };
    let facts = match with.is_empty() {
        true => Cow::Borrowed(facts),
        false => Cow::Owned(facts.with(&with)),
    };
    let place = run.place(test.position);
    let Some(world) = facts.world(run, place, policy) else {
        return skip_test(run, test, "the relationships are refused");
    };
    let Ok(view) = world.at(0) else {
        return;
    };
    for check in &test.checks {
        ask(run, &view, test, check);
    }
}

/// The test and its question.
fn name(test: &Test, check: &Check) -> String {
    let (test, question) = (&test.name, question(check));
    match check.context.is_empty() {
        true => format!("{test}: {question}"),
        false => format!("{test}: {question} with {}", check.context.to_json()),
    }
}

fn question(check: &Check) -> Question {
    Question {
        object: check.object.clone(),
        permission: check.permission.clone(),
        subject: check.subject.clone(),
    }
}

fn expected(check: &Check) -> String {
    let decision = match check.answer {
        Answer::Allow => Decision::Allow,
        Answer::Deny => Decision::Deny,
        Answer::Conditional => Decision::Conditional,
    };
    words::decision(decision, check.missing.as_deref())
}

/// Under which circumstances something is asked.
fn circumstances(
    run: &Run<'_>,
    time: Option<&str>,
    context: &crate::testing::Context,
) -> Result<Circumstances, String> {
    let time = match time {
        None => run.setting.now,
        Some(time) => time.parse::<Time>().map_err(|wrong| wrong.to_string())?,
    };
    let context = Context::from_json(&context.to_json()).map_err(|wrong| wrong.to_string())?;
    Ok(Circumstances { time, context })
}

fn ask<R: Reverse>(run: &mut Run<'_>, world: &R, test: &Test, check_: &Check) {
    let (place, name) = (run.place(check_.position), name(test, check_));
    let expected = expected(check_);
    let asked = circumstances(run, check_.time.as_deref(), &check_.context);
    let answer = asked.and_then(|circumstances| {
        check(world, &question(check_), &circumstances, Limits::CONSENSUS)
            .map_err(|wrong| wrong.to_string())
    });
    match answer {
        Err(wrong) => run.fail(place, name, expected, "an error", wrong),
        Ok(answer) => {
            let missing = check_.missing.as_ref().map(|_| answer.missing.as_slice());
            let got = words::decision(answer.decision, missing);
            match got == expected {
                true => run.pass(place, name, expected),
                false => run.fail(place, name, expected, got, ""),
            }
        }
    }
}
