//! Theorems: read, evaluated and decided.

use alloc::{string::ToString, vec::Vec};

use policy::{Failure, Limits, TheoremResult, Theorems, Verdict};
use serde_json::{json, Value};

use crate::{
    problems::{Problem, Problems},
    world::World,
};

/// Reads them; `None` where one cannot be read.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Theorems> {
    match Theorems::parse(text) {
        Ok(theorems) => Some(theorems),
        Err(errors) => {
            let errors = errors.into_iter();
            problems.add(
                "theorems",
                errors.map(|error| Problem::error(error.position, error.message)),
            );
            None
        }
    }
}

/// Evaluates and decides all of them, in the order of the text.
pub(crate) fn decide(world: &World, theorems: &Theorems) -> Option<Value> {
    let view = world.history.as_ref()?.at(0).ok()?;
    let circumstances = world.circumstances.as_ref()?;
    let mut results = theorems.evaluate(&view, circumstances, Limits::CONSENSUS);
    results.sort_by_key(|result| result.source.position);
    Some(results.iter().map(result).collect())
}

fn result(result: &TheoremResult) -> Value {
    let (verdict, why, relationships) = match &result.verdict {
        Verdict::Holds => ("holds", None, Vec::new()),
        Verdict::Undecided { reason } => ("undecided", Some(reason.clone()), Vec::new()),
        Verdict::Fails(Failure::Counterexample(example)) => {
            // What is recorded stands apart, so that it can be copied.
            let answers = example.answers.iter().map(|(name, decision)| {
                let decision = crate::answers::word(*decision);
                alloc::format!(
                    "{}#{name}@{} is {decision}",
                    example.object,
                    example.subject
                )
            });
            let answers: Vec<_> = answers.collect();
            let recorded = example.relationships.iter();
            (
                "fails",
                Some(answers.join(", ")),
                recorded.map(ToString::to_string).collect(),
            )
        }
        Verdict::Fails(failure) => ("fails", Some(failure.to_string()), Vec::new()),
    };
    json!({
        "line": result.source.position.line,
        "column": result.source.position.column,
        "text": result.source.text,
        "verdict": verdict,
        "why": why,
        "relationships": relationships,
        "steps": result.steps,
    })
}
