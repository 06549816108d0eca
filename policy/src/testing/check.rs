//! Questions with one answer.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::context::{read_context, Context};
use crate::{
    fields::{list, map, needed, text, Placed},
    name::{excerpt, Name},
    relationship::{ObjectRef, Subject},
    schema::{PolicyError, Position},
    spicedb::timestamp::is_timestamp,
    suggest::suggestion,
    yaml::{error, Node, Value},
};

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The subject has the permission.
    Allow,
    /// It has not.
    Deny,
    /// It depends on what the context does not say.
    Conditional,
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where the question stands.
    pub position: Position,
    /// On what.
    pub object: ObjectRef,
    /// A permission or relation of the object's resource, or `manage(relation)`.
    pub permission: String,
    /// Who.
    pub subject: Subject,
    /// What is known: the question's own context, and what the test's says beyond it.
    pub context: Context,
    /// When it is asked (RFC 3339, UTC): the question's own time, else the test's, else the file's.
    pub time: Option<String>,
    /// What must come out.
    pub answer: Answer,
    /// Which parameters must be missing, if the file says so; sorted.
    pub missing: Option<Vec<String>>,
}

/// What holds for all questions of a test.
pub(super) struct Around<'a> {
    pub context: &'a Context,
    pub time: Option<&'a str>,
}

/// Reads `check`, `allow`, `deny` or `conditional`: a list of questions. `answer` is `None` under
/// `check`, where each entry has its own.
pub(super) fn read_checks(
    node: Node,
    what: &str,
    answer: Option<Answer>,
    around: &Around<'_>,
) -> Result<Vec<Check>, PolicyError> {
    let items = list(node, what)?.into_iter();
    items.map(|item| read_check(item, answer, around)).collect()
}

fn read_check(
    node: Node,
    expected: Option<Answer>,
    around: &Around<'_>,
) -> Result<Check, PolicyError> {
    let position = node.position;
    let (mut question, mut answer, mut missing, mut time) = (None, expected, None, None);
    let mut context = Context::default();
    if let (Value::Text(_), Some(_)) = (&node.value, expected) {
        question = Some(text(node, "a question")?);
    } else {
        let keys: &[&str] = match expected {
            None => &["question", "answer", "missing", "context", "time"],
            Some(Answer::Conditional) => &["question", "missing", "context", "time"],
            Some(Answer::Allow | Answer::Deny) => &["question", "context", "time"],
        };
        for entry in map(node, "a question", keys)? {
            match entry.key.as_str() {
                "question" => question = Some(text(entry.node, "`question`")?),
                "answer" => answer = Some(read_answer(text(entry.node, "`answer`")?)?),
                "missing" => missing = Some(names(entry.node)?),
                "context" => context = read_context(entry.node)?,
                _ => time = Some(read_time(entry.node)?),
            }
        }
    }
    let question = needed(question, position, "a question", "question")?;
    let answer = needed(answer, position, "a question", "answer")?;
    if let Some((_, position)) = missing.as_ref().filter(|_| answer != Answer::Conditional) {
        return Err(error(
            *position,
            "only a conditional answer misses parameters; remove this, or answer `conditional`",
        ));
    }
    let (object, permission, subject, own) = read_question(&question)?;
    Ok(Check {
        position: question.1,
        object,
        permission,
        subject,
        context: own.or(&context).or(around.context),
        time: time.or_else(|| around.time.map(ToOwned::to_owned)),
        answer,
        missing: missing.map(|(names, _)| names),
    })
}

fn read_answer((text, position): Placed) -> Result<Answer, PolicyError> {
    match text.as_str() {
        "allow" => Ok(Answer::Allow),
        "deny" => Ok(Answer::Deny),
        "conditional" => Ok(Answer::Conditional),
        other => {
            let near = suggestion(other, ["allow", "deny", "conditional"]);
            let other = excerpt(other);
            Err(error(
                position,
                format!("an answer is `allow`, `deny` or `conditional`, not {other:?}{near}"),
            ))
        }
    }
}

type Question = (ObjectRef, String, Subject, Context);

/// `document:1#read@did:key:z…`, with ` with {…}` behind it for the context.
fn read_question((text, position): &Placed) -> Result<Question, PolicyError> {
    let at = |rest: &str| {
        let before = text.get(..text.len() - rest.len()).unwrap_or("");
        Position {
            line: position.line,
            column: position.column + before.chars().count(),
        }
    };
    let form = || {
        let text = excerpt(text);
        error(*position, format!("a question is written `resource:id#permission@subject`, with ` with {{…}}` behind it for its context, not {text:?}"))
    };
    let (facts, context) = match text.split_once(" with ") {
        None => (text.trim_end(), Context::default()),
        Some((facts, json)) => (
            facts,
            Context::from_json(json).map_err(|wrong| error(at(json), wrong))?,
        ),
    };
    let (object, rest) = facts.split_once('#').ok_or_else(form)?;
    let (permission, subject) = rest.split_once('@').ok_or_else(form)?;
    let object = object.parse().map_err(|wrong| said(*position, &wrong))?;
    let place = Position {
        column: position.column + facts.chars().take_while(|c| *c != '#').count() + 1,
        ..*position
    };
    let permission = read_permission((permission.to_owned(), place))?;
    let place = Position {
        column: place.column + rest.chars().take_while(|c| *c != '@').count() + 1,
        ..place
    };
    let subject = subject.parse().map_err(|wrong| said(place, &wrong))?;
    Ok((object, permission, subject, context))
}

/// The name of a permission or relation, or `manage(relation)`.
pub(super) fn read_permission((text, position): Placed) -> Result<String, PolicyError> {
    let managed = text
        .strip_prefix("manage(")
        .and_then(|rest| rest.strip_suffix(')'));
    match Name::new(managed.unwrap_or(&text)) {
        Ok(_) => Ok(text),
        Err(wrong) => Err(said(position, &wrong)),
    }
}

pub(super) fn read_time(node: Node) -> Result<String, PolicyError> {
    let (time, position) = text(node, "`time`")?;
    if is_timestamp(&time) {
        return Ok(time);
    }
    let time = excerpt(&time);
    Err(error(
        position,
        format!("a time is written like 2027-01-01T00:00:00Z, in UTC, not {time:?}"),
    ))
}

/// A list of names, sorted, and its place.
fn names(node: Node) -> Result<(Vec<String>, Position), PolicyError> {
    let position = node.position;
    let mut names: Vec<String> = Vec::new();
    for item in list(node, "`missing`")? {
        let (name, position) = text(item, "a parameter's name")?;
        if names.contains(&name) {
            let name = excerpt(&name);
            return Err(error(
                position,
                format!("{name:?} stands here for the second time; remove one"),
            ));
        }
        names.push(name);
    }
    names.sort();
    Ok((names, position))
}

pub(super) fn said(position: Position, wrong: &crate::name::NameError) -> PolicyError {
    error(position, wrong.to_string())
}
