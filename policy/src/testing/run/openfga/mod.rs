//! Store files of OpenFGA (`.fga.yaml`), as `fga model test` runs them.

mod model;
mod questions;
mod tuples;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use questions::{questions, sorted, Ask, What};

use super::{words, Place, Run, START};
use crate::{
    limits::Limits,
    openfga::{parse_store, Asking, Error, ModelWorld, Refusal, Store, StoreTest},
    schema::Position,
};

pub(super) fn run(run: &mut Run<'_>, text: &str) {
    let store = match parse_store(text) {
        Ok(store) => store,
        Err(wrong) => {
            let place = |run: &Run<'_>, position| run.place(position);
            return broken(run, wrong, "the file", "a store file", place);
        }
    };
    let Some(world) = model::read(run, text, &store.model) else {
        return skip(run, &store, "the model is refused");
    };
    let start = run.place(START);
    let shared = tuples::read(run, &store.tuples, &store.tuple_files);
    let mut tuples = tuples::Tuples::default();
    if !shared.is_some_and(|shared| tuples.add(run, &start, &world, shared)) {
        return skip(run, &store, "the tuples are refused");
    }
    for test in &store.tests {
        let place = run.place(test.position);
        let own = tuples::read(run, &test.tuples, &test.tuple_files);
        let mut tuples = tuples.clone();
        if !own.is_some_and(|own| tuples.add(run, &place, &world, own)) {
            skip_test(run, test, "the tuples are refused");
            continue;
        }
        match world.clone().with(&tuples.all) {
            Ok(world) => run_test(run, &world, test),
            Err(wrong) => broken(run, wrong, "the tuples", "tuples", |_, _| place.clone()),
        }
    }
}

/// Each error is a failure at its place.
fn broken(
    run: &mut Run<'_>,
    errors: Vec<Error>,
    name: &str,
    expected: &str,
    place: impl Fn(&Run<'_>, Position) -> Place,
) {
    for error in errors {
        let position = error.span.map_or(START, |span| span.start);
        let place = match error.file {
            Some(file) => Place { file, position },
            None => place(run, position),
        };
        run.broken(place, name, expected, error.message);
    }
}

fn skip(run: &mut Run<'_>, store: &Store, why: &str) {
    for test in &store.tests {
        skip_test(run, test, why);
    }
}

fn skip_test(run: &mut Run<'_>, test: &StoreTest, why: &str) {
    for ask in questions(test) {
        let place = run.place(ask.position);
        run.skip(place, ask.name(&test.name), ask.expected(), why);
    }
}

fn run_test(run: &mut Run<'_>, world: &ModelWorld, test: &StoreTest) {
    for ask in questions(test) {
        let (place, name) = (run.place(ask.position), ask.name(&test.name));
        let expected = ask.expected();
        let asking = Asking {
            contextual: &[],
            context: ask.context,
            time: run.setting.now,
            limits: Limits::CONSENSUS,
        };
        match answer(world, &ask, &asking) {
            // No answer is neither a yes nor a no.
            Err(refusal) => run.fail(place, name, expected, "an error", refusal.message),
            Ok(Answer { passes: true, .. }) => run.pass(place, name, expected),
            Ok(Answer { got, why, .. }) => run.fail(place, name, expected, got, why),
        }
    }
}

/// An answer in the words of the expectation, and in what it differs.
struct Answer {
    passes: bool,
    got: String,
    why: String,
}

fn answer(world: &ModelWorld, ask: &Ask<'_>, asking: &Asking<'_>) -> Result<Answer, Refusal> {
    let (expected, got) = match &ask.what {
        What::Check {
            user,
            object,
            expected,
        } => {
            let got = world.check(user, ask.relation, object, asking)?;
            return Ok(Answer {
                passes: got == *expected,
                got: got.to_string(),
                why: String::new(),
            });
        }
        What::Objects {
            user,
            object_type,
            expected,
        } => (
            *expected,
            world.list_objects(user, ask.relation, object_type, asking)?,
        ),
        What::Users {
            object,
            filters,
            expected,
        } => (
            *expected,
            world.list_users(object, ask.relation, filters, asking)?,
        ),
    };
    let why = words::difference(&sorted(expected), &got);
    Ok(Answer {
        passes: why.is_empty(),
        got: words::list(&got),
        why,
    })
}
