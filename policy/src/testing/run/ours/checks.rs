//! Questions with one answer.

use alloc::string::{String, ToString};

use super::{circumstances, name, words, Run};
use crate::{
    check::check,
    limits::Limits,
    question::{Decision, Question},
    relationships::Reverse,
    testing::{Answer, Check, Test},
};

pub(super) fn ask(run: &mut Run<'_>, world: &dyn Reverse, test: &Test) {
    for asked in &test.checks {
        let (place, name) = (run.place(asked.position), name_of(test, asked));
        let expected = expected(asked);
        let question = question(asked);
        let answer =
            circumstances(run, asked.time.as_deref(), &asked.context).and_then(|circumstances| {
                check(world, &question, &circumstances, Limits::CONSENSUS)
                    .map_err(|wrong| wrong.to_string())
            });
        let answer = match answer {
            Ok(answer) => answer,
            Err(wrong) => {
                run.fail(place, name, expected, "an error", wrong);
                continue;
            }
        };
        let missing = asked.missing.as_ref().map(|_| answer.missing.as_slice());
        let got = words::decision(answer.decision, missing);
        match got == expected {
            true => run.pass(place, name, expected),
            false => run.fail(place, name, expected, got, ""),
        }
    }
}

pub(super) fn skip(run: &mut Run<'_>, test: &Test, why: &str) {
    for asked in &test.checks {
        let place = run.place(asked.position);
        run.skip(place, name_of(test, asked), expected(asked), why);
    }
}

fn name_of(test: &Test, asked: &Check) -> String {
    name(test, &question(asked).to_string(), &asked.context)
}

fn question(asked: &Check) -> Question {
    Question {
        object: asked.object.clone(),
        permission: asked.permission.clone(),
        subject: asked.subject.clone(),
    }
}

fn expected(asked: &Check) -> String {
    let decision = match asked.answer {
        Answer::Allow => Decision::Allow,
        Answer::Deny => Decision::Deny,
        Answer::Conditional => Decision::Conditional,
    };
    words::decision(decision, asked.missing.as_deref())
}
