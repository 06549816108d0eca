//! Our own test files.

mod checks;
mod files;
mod lists;
mod theorems;

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};

use super::{facts::Facts, words, Place, Run, START};
use crate::{
    condition::Context,
    question::Circumstances,
    schema::Policy,
    testing::{Test, TestFile},
    time::Time,
};

pub(super) use theorems::run_files as run_theorem_files;

pub(super) fn run(run: &mut Run<'_>, text: &str) {
    let file = match TestFile::parse(text) {
        Ok(file) => file,
        Err(wrong) => {
            let place = run.place(wrong.position);
            return run.broken(place, "the file", "a test file", wrong.message);
        }
    };
    let Some(policy) = files::policy(run, &file.policy) else {
        return skip(run, &file, "the policy is refused");
    };
    let Some(facts) = files::relationships(run, &file, &policy) else {
        return skip(run, &file, "a relationship is refused");
    };
    for test in &file.tests {
        run_test(run, &policy, &facts, test);
    }
    if let Some(source) = &file.theorems {
        theorems::run(run, &policy, &facts, source, file.time.as_deref());
    }
}

fn skip(run: &mut Run<'_>, file: &TestFile, why: &str) {
    for test in &file.tests {
        skip_test(run, test, why);
    }
    if let Some(source) = &file.theorems {
        theorems::skip(run, source, why);
    }
}

fn skip_test(run: &mut Run<'_>, test: &Test, why: &str) {
    checks::skip(run, test, why);
    lists::skip(run, test, why);
}

fn run_test(run: &mut Run<'_>, policy: &Policy, facts: &Facts, test: &Test) {
    let place = |run: &Run<'_>, position| run.place(position);
    let Some(with) = files::facts(run, policy, &test.with, place) else {
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
    checks::ask(run, &view, test);
    lists::ask(run, &view, test);
}

/// The test, the question and its context.
fn name(test: &Test, question: &str, context: &crate::testing::Context) -> String {
    let test = &test.name;
    match context.is_empty() {
        true => format!("{test}: {question}"),
        false => format!("{test}: {question} with {}", context.to_json()),
    }
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
