//! Validation files of SpiceDB, as `zed validate` runs them.

mod expand;
mod found;
mod lookups;
mod validation;

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{facts::Facts, words, Place, Run, START};
use crate::{
    check::check,
    condition::Context,
    limits::Limits,
    question::{Circumstances, Decision, Question},
    relationship::Relationship,
    relationships::Reverse,
    schema::{Policy, Position},
    spicedb::{import, Assertion, ImportOptions, ValidationFile, Verdict},
};

/// The name of the policy that a schema becomes here; nobody sees it.
const IMPORT: ImportOptions<'_> = ImportOptions {
    name: "",
    actor: None,
};

pub(super) fn run(run: &mut Run<'_>, text: &str) {
    let file = match ValidationFile::parse(text) {
        Ok(file) => file,
        Err(wrong) => {
            let place = run.place(wrong.position);
            return run.broken(place, "the file", "a validation file", wrong.message);
        }
    };
    let Some(policy) = policy(run, &file) else {
        return skip(run, &file, "the schema is refused");
    };
    let Some((facts, all)) = relationships(run, &file, &policy) else {
        return skip(run, &file, "a relationship is refused");
    };
    let place = run.place(START);
    let Some(world) = facts.world(run, place, &policy) else {
        return skip(run, &file, "the relationships are refused");
    };
    let Ok(view) = world.at(0) else {
        return;
    };
    for assertion in &file.assertions {
        assert(run, &view, assertion);
    }
    validation::run(run, &policy, &all, &file.validation);
    lookups::ask(run, &view, &file.lookups);
}

fn policy(run: &mut Run<'_>, file: &ValidationFile) -> Option<Policy> {
    let (text, path) = match (&file.schema, &file.schema_file) {
        (Some(schema), _) => (Cow::Borrowed(schema.text.as_str()), None),
        (None, Some((path, position))) => (Cow::Owned(run.read(path, *position)?), Some(path)),
        (None, None) => return None,
    };
    let place = |run: &Run<'_>, position: Position| match (&file.schema, path) {
        (Some(schema), _) => run.place(schema.place(position)),
        (None, Some(path)) => Place {
            file: path.clone(),
            position,
        },
        (None, None) => run.place(position),
    };
    let outline = match import(&text, &IMPORT) {
        Ok(outline) => outline,
        Err(wrong) => {
            let place = place(run, wrong.position);
            run.broken(place, "the schema", "a schema", wrong.message);
            return None;
        }
    };
    match Policy::parse(&outline.to_yaml()) {
        Ok(policy) => Some(policy),
        Err(wrong) => {
            let place = place(run, START);
            run.broken(place, "the schema", "a schema", wrong.message);
            None
        }
    }
}

/// All relationships, or none if one is refused; each that is refused is a failure.
fn relationships(
    run: &mut Run<'_>,
    file: &ValidationFile,
    policy: &Policy,
) -> Option<(Facts, Vec<Relationship>)> {
    let (mut facts, mut all, mut refused) = (Facts::default(), Vec::new(), false);
    for found in &file.relationships {
        let native = found.to_native(None).map_err(|wrong| wrong.message);
        let read = native.and_then(|native| {
            let read: Result<Relationship, _> = native.parse();
            read.map_err(|wrong| wrong.to_string())
        });
        let added = read.and_then(|relationship| {
            facts.add(policy, &relationship)?;
            all.push(relationship);
            Ok(())
        });
        if let Err(wrong) = added {
            let place = run.place(found.position);
            let name = found.to_string();
            run.broken(place, name, "a relationship of the schema", wrong);
            refused = true;
        }
    }
    (!refused).then_some((facts, all))
}

fn skip(run: &mut Run<'_>, file: &ValidationFile, why: &str) {
    for assertion in &file.assertions {
        let place = run.place(assertion.question.position);
        run.skip(place, name(assertion), expected(assertion), why);
    }
    for of in &file.validation {
        let place = run.place(of.position);
        run.skip(place, validation::name(of), "its subjects".into(), why);
    }
    lookups::skip(run, &file.lookups, why);
}

fn name(assertion: &Assertion) -> String {
    let verdict = match assertion.verdict {
        Verdict::True => "assertTrue",
        Verdict::False => "assertFalse",
        Verdict::Caveated => "assertCaveated",
    };
    match &assertion.context {
        None => format!("{verdict}: {}", assertion.question),
        Some(context) => format!("{verdict}: {} with {context}", assertion.question),
    }
}

fn expected(assertion: &Assertion) -> String {
    let decision = match assertion.verdict {
        Verdict::True => Decision::Allow,
        Verdict::False => Decision::Deny,
        Verdict::Caveated => Decision::Conditional,
    };
    words::decision(decision, None)
}

fn question(assertion: &Assertion) -> Result<Question, String> {
    let asked = &assertion.question;
    let object = asked.resource.to_string().parse();
    let object = object.map_err(|wrong: crate::name::NameError| wrong.to_string())?;
    let subject = asked.subject.to_native(None, asked.position);
    let subject = subject.map_err(|wrong| wrong.message)?.parse();
    Ok(Question {
        object,
        permission: asked.relation.clone(),
        subject: subject.map_err(|wrong: crate::name::NameError| wrong.to_string())?,
    })
}

fn assert<R: Reverse>(run: &mut Run<'_>, world: &R, assertion: &Assertion) {
    let place = run.place(assertion.question.position);
    let (name, expected) = (name(assertion), expected(assertion));
    let asked = question(assertion).and_then(|question| {
        let json = assertion.context.as_deref().unwrap_or("{}");
        let context = Context::from_json(json).map_err(|wrong| wrong.to_string())?;
        let circumstances = Circumstances {
            time: run.setting.now,
            context,
        };
        check(world, &question, &circumstances, Limits::CONSENSUS)
            .map_err(|wrong| wrong.to_string())
    });
    match asked {
        Err(wrong) => run.fail(place, name, expected, "an error", wrong),
        Ok(answer) => {
            let got = words::decision(answer.decision, None);
            match got == expected {
                true => run.pass(place, name, expected),
                false => run.fail(place, name, expected, got, ""),
            }
        }
    }
}
