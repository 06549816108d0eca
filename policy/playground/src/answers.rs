//! Answers, one a question, in the order of the lines.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use policy::{
    explain::Fact, lookup_objects, lookup_subjects, permissions_of, CheckError, Circumstances,
    Decided, Decision, Explanation, Limits, ObjectRef, Position, Relationship, Subject, View,
    Wanted, Why,
};
use serde_json::{json, Value};

use crate::{
    problems::{Problem, Problems},
    question::{read_line, Asked, Of, What},
    world::World,
};

/// Questions that are answered at once: what a person still reads.
const QUESTIONS_MAX: usize = 500;

/// Names that one list shows. Whoever needs the rest has `hold policy lookup`.
const LISTED_MAX: usize = 200;

/// Reads all questions.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Vec<Asked> {
    let mut all = Vec::new();
    let lines = text.lines().enumerate();
    for read in lines.filter_map(|(at, line)| read_line(at + 1, line)) {
        match read {
            Ok(asked) if all.len() < QUESTIONS_MAX => all.push(asked),
            Ok(asked) => {
                let message = format!("at most {QUESTIONS_MAX} questions are answered at once");
                problems.add("questions", [Problem::error(asked.subject, message)]);
                break;
            }
            Err(problem) => problems.add("questions", [problem]),
        }
    }
    all
}

/// Answers all questions; nothing, where there is no world to ask.
pub(crate) fn answer_all(world: &World, asked: &[Asked], problems: &mut Problems) -> Option<Value> {
    let view = world.history.as_ref()?.at(0).ok()?;
    let general = world.circumstances.as_ref()?;
    let answers = asked.iter().map(|asked| {
        let answered = asked
            .circumstances(general)
            .map_err(|error| (asked.subject, error))
            .and_then(|circumstances| {
                answer(&view, asked, &circumstances)
                    .map_err(|error| (place(asked, &error), error.to_string()))
            });
        let mut value = answered.unwrap_or_else(|(position, error)| {
            problems.add("questions", [Problem::error(position, &error)]);
            json!({ "error": error })
        });
        value["line"] = asked.line.into();
        value["text"] = asked.text.clone().into();
        value
    });
    Some(answers.collect())
}

/// The part of the question that an error is about.
fn place(asked: &Asked, error: &CheckError) -> Position {
    match error {
        CheckError::UnknownPermission { resource, .. } if resource == asked.resource() => {
            asked.permission
        }
        CheckError::UnknownResource { resource, .. } if resource == asked.resource() => {
            asked.object
        }
        _ => asked.subject,
    }
}

fn answer(
    view: &View<'_>,
    asked: &Asked,
    circumstances: &Circumstances,
) -> Result<Value, CheckError> {
    match &asked.what {
        What::Check(question) => {
            policy::explain(view, question, circumstances, Limits::CONSENSUS).map(|it| check(&it))
        }
        What::Objects {
            subject,
            permission,
            resource,
        } => objects(view, subject, permission, resource, circumstances),
        What::Subjects {
            of,
            permission,
            object,
        } => subjects(view, of, permission, object, circumstances),
        What::Permissions { subject, object } => permissions(view, subject, object, circumstances),
    }
}

/// A decision in one word.
pub(crate) fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::Conditional => "conditional",
    }
}

fn check(explanation: &Explanation) -> Value {
    let answer = &explanation.answer;
    // The words are those of `hold policy explain`; the first line repeats question and answer.
    let said = explanation.to_string();
    let lines: Vec<Value> = said
        .lines()
        .skip(1)
        .map(|line| {
            let text = line.trim_start_matches(' ');
            let level = ((line.len() - text.len()) / 2).saturating_sub(1);
            json!({"level": level, "text": text})
        })
        .collect();
    let needed: Vec<Value> = match &explanation.why {
        Why::Denied { needed, .. } => needed
            .iter()
            .map(|needed| json!({"text": needed.to_string(), "is_whole": needed.traits.is_empty()}))
            .collect(),
        Why::Allowed { .. } | Why::Conditional { .. } => Vec::new(),
    };
    let question = &explanation.question;
    json!({
        "kind": "check",
        "subject": question.subject.to_string(),
        "permission": question.permission,
        "object": question.object.to_string(),
        "decision": word(answer.decision),
        "missing": answer.missing,
        "steps": answer.steps,
        "until": answer.stands_until.map(|time| time.to_string()),
        "explanation": lines,
        "needed": needed,
    })
}

/// The relationships that an answer rests on, and those that another one would need.
pub(crate) fn rests_on(explanation: &Explanation) -> (Vec<Relationship>, Vec<Relationship>) {
    let facts = |facts: &[policy::explain::Because]| -> Vec<Relationship> {
        let stand = facts.iter().filter_map(|because| match &because.fact {
            Fact::Stands(relationship) => Some(relationship.clone()),
            _ => None,
        });
        stand.collect()
    };
    match &explanation.why {
        Why::Allowed { reason, .. } => (facts(reason), Vec::new()),
        Why::Denied {
            needed, excluded, ..
        } => {
            let needed = needed.iter().map(|needed| needed.relationship.clone());
            (facts(excluded), needed.collect())
        }
        Why::Conditional { lacking } => {
            let lacking = lacking.iter().map(|lack| lack.relationship.clone());
            (lacking.collect(), Vec::new())
        }
    }
}

fn lacking<T: AsRef<str>>(
    all: &[(T, Vec<String>)],
    spelled: impl Fn(&str) -> String,
) -> Vec<Value> {
    all.iter()
        .map(|(id, missing)| json!({"name": spelled(id.as_ref()), "missing": missing}))
        .collect()
}

fn objects(
    view: &View<'_>,
    subject: &Subject,
    permission: &str,
    resource: &str,
    circumstances: &Circumstances,
) -> Result<Value, CheckError> {
    let found = lookup_objects(
        view,
        subject,
        permission,
        resource,
        circumstances,
        Limits::LOOKUP,
        None,
        LISTED_MAX,
    )?;
    let spelled = |id: &str| format!("{resource}:{id}");
    Ok(json!({
        "kind": "objects",
        "subject": subject.to_string(),
        "permission": permission,
        "resource": resource,
        "allowed": found.allowed.iter().map(|id| spelled(id)).collect::<Vec<_>>(),
        "conditional": lacking(&found.conditional, spelled),
        "is_cut": found.next.is_some(),
        "steps": found.steps,
    }))
}

fn subjects(
    view: &View<'_>,
    of: &Of,
    permission: &str,
    object: &ObjectRef,
    circumstances: &Circumstances,
) -> Result<Value, CheckError> {
    let wanted = match of {
        Of::Actors => Wanted::Actors,
        Of::Objects(resource) => Wanted::Objects(resource),
        Of::Usersets(resource, relation) => Wanted::Usersets(resource, relation),
    };
    let found = lookup_subjects(
        view,
        object,
        permission,
        wanted,
        circumstances,
        Limits::LOOKUP,
        None,
        LISTED_MAX,
    )?;
    let spelled = |id: &str| match of {
        Of::Actors => id.into(),
        Of::Objects(resource) => format!("{resource}:{id}"),
        Of::Usersets(resource, relation) => format!("{resource}:{id}#{relation}"),
    };
    Ok(json!({
        "kind": "subjects",
        "permission": permission,
        "object": object.to_string(),
        "everyone": decided(&found.everyone),
        "allowed": found.allowed.iter().map(|id| spelled(id)).collect::<Vec<_>>(),
        "conditional": lacking(&found.conditional, spelled),
        "excluded": found.excluded.iter().map(|id| spelled(id)).collect::<Vec<_>>(),
        "is_cut": found.next.is_some(),
        "steps": found.steps,
    }))
}

fn decided(decided: &Decided) -> Value {
    json!({"decision": word(decided.decision), "missing": decided.missing})
}

fn permissions(
    view: &View<'_>,
    subject: &Subject,
    object: &ObjectRef,
    circumstances: &Circumstances,
) -> Result<Value, CheckError> {
    let found = permissions_of(view, subject, object, circumstances, Limits::LOOKUP)?;
    let names = found.names.iter().map(|one| {
        let mut value = match &one.decided {
            Ok(one) => decided(one),
            Err(error) => json!({"error": error.to_string()}),
        };
        value["name"] = one.name.clone().into();
        value
    });
    Ok(json!({
        "kind": "permissions",
        "subject": subject.to_string(),
        "object": object.to_string(),
        "names": names.collect::<Vec<_>>(),
        "steps": found.steps,
    }))
}
