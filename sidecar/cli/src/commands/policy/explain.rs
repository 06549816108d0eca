//! `hold policy explain`: why a question is answered as it is.

use std::path::Path;

use anyhow::Context as _;
use policy::explain::{Attempt, Because, Fact, LackingCondition, Needed, Tried, Why};
use policy::{Limits, Question};
use serde_json::{json, Value};

use super::ask::answered;
use super::files::{opened, word};
use super::{AskedAt, WorldFile};
use crate::reply::Reply;

/// Explains the answer that `check` gives; the exit code is that of `check`.
pub(super) fn explain(
    file: &Path,
    relationships: &WorldFile,
    asked: &AskedAt,
    question: &Question,
) -> anyhow::Result<Reply> {
    let world = opened(file, relationships)?;
    let circumstances = asked.circumstances()?;
    let view = world.history.at(0)?;
    let explained = policy::explain(&view, question, &circumstances, Limits::CONSENSUS)
        .with_context(|| format!("could not tell, so there is nothing to explain: {question}"))?;
    let (_, verdict) = word(explained.answer.decision);
    let mut json = answered(question, &explained.answer, &circumstances);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("why".into(), why(&explained.why));
        fields.insert("is_all".into(), explained.is_all.into());
    }
    let text = explained.to_string();
    Ok(Reply::yes(text.trim_end(), json).with(verdict))
}

/// Trees are lists: a line with a level stands for the one above it that is one level less deep.
fn why(why: &Why) -> Value {
    match why {
        Why::Allowed {
            reason,
            is_shortest,
        } => json!({
            "reason": reason.iter().map(because).collect::<Vec<_>>(),
            "is_shortest": is_shortest,
        }),
        Why::Denied {
            needed,
            is_minimal,
            excluded,
            tried,
        } => json!({
            "needed": needed.iter().map(need).collect::<Vec<_>>(),
            "is_minimal": is_minimal,
            "excluded": excluded.iter().map(because).collect::<Vec<_>>(),
            "tried": tried.iter().map(attempt).collect::<Vec<_>>(),
        }),
        Why::Conditional { lacking } => json!({
            "lacking": lacking.iter().map(lacks).collect::<Vec<_>>(),
        }),
    }
}

fn lacks(lack: &LackingCondition) -> Value {
    json!({"relationship": lack.relationship.to_string(), "missing": lack.missing})
}

fn need(need: &Needed) -> Value {
    json!({"relationship": need.relationship.to_string(), "with": need.traits})
}

fn because(Because { level, fact }: &Because) -> Value {
    let named = |fact: &str, object: &dyn ToString, name: &str| json!({"level": level, "fact": fact, "object": object.to_string(), "name": name});
    match fact {
        Fact::Has { object, name } => named("has", object, name),
        Fact::Shown { object, name } => named("shown", object, name),
        Fact::Stands(relationship) => {
            json!({"level": level, "fact": "stands", "relationship": relationship.to_string()})
        }
        Fact::Owns { object, actor } => {
            json!({"level": level, "fact": "owns", "object": object.to_string(), "actor": actor.to_string()})
        }
        Fact::Itself { object } => {
            json!({"level": level, "fact": "itself", "object": object.to_string()})
        }
        Fact::Without { object, expression } => {
            json!({"level": level, "fact": "without", "object": object.to_string(), "expression": expression})
        }
    }
}

fn attempt(Tried { level, attempt }: &Tried) -> Value {
    let named = |came: &str, object: &dyn ToString, name: &str| json!({"level": level, "came": came, "object": object.to_string(), "name": name});
    let fact = |came: &str, relationship: &dyn ToString| json!({"level": level, "came": came, "relationship": relationship.to_string()});
    let part = |came: &str, object: &dyn ToString, expression: &str| json!({"level": level, "came": came, "object": object.to_string(), "expression": expression});
    match attempt {
        Attempt::Has { object, name } => named("has", object, name),
        Attempt::Lacks { object, name } => named("lacks", object, name),
        Attempt::Shown { object, name } => named("shown", object, name),
        Attempt::Holds { object, relation } => named("not_a_member", object, relation),
        Attempt::LeadsNowhere { object, relation } => named("leads_nowhere", object, relation),
        Attempt::Expired(relationship) => fact("expired", relationship),
        Attempt::ConditionFails(relationship) => fact("condition_fails", relationship),
        Attempt::NotAdmitted(relationship) => fact("not_admitted", relationship),
        Attempt::Excluded { object, expression } => part("excluded", object, expression),
        Attempt::NotKnown { object, expression } => part("not_known", object, expression),
    }
}
