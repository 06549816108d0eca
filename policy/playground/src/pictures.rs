//! Drawings: the policy's schema, and the relationships under it.

use alloc::{string::ToString, vec::Vec};

use policy::{
    draw::{self, Around, DrawOptions, Explained, Picture, Scheme, SvgOptions},
    Limits, Policy, Subject,
};
use serde_json::{json, Value};

use crate::{
    answers::{rests_on, word},
    question::{Asked, What},
    request::Ask,
    world::World,
};

/// The schema.
pub(crate) fn schema(policy: &Policy, ask: &Ask) -> Value {
    written(&draw::schema(policy), ask)
}

/// The relationships; with one question's answer laid over them where one is chosen.
pub(crate) fn relationships(world: &World, asked: &[Asked], ask: &Ask) -> Option<Value> {
    let policy = world.policy.as_ref()?;
    let around = match ask.around.trim() {
        "" => None,
        center => match center.parse::<Subject>() {
            Ok(center) => Some(Around {
                center,
                steps: ask.steps,
            }),
            Err(error) => return Some(json!({"error": error.to_string()})),
        },
    };
    let chosen = asked.iter().find(|asked| Some(asked.line) == ask.line);
    let options = DrawOptions {
        around,
        explained: chosen.and_then(|asked| explained(world, asked)),
    };
    Some(
        match draw::relationships(policy, &world.relationships, &options) {
            Ok(picture) => written(&picture, ask),
            Err(error) => json!({"error": error.to_string()}),
        },
    )
}

fn explained(world: &World, asked: &Asked) -> Option<Explained> {
    let What::Check(question) = &asked.what else {
        return None;
    };
    let view = world.history.as_ref()?.at(0).ok()?;
    let circumstances = asked.circumstances(world.circumstances.as_ref()?).ok()?;
    let explanation = policy::explain(&view, question, &circumstances, Limits::CONSENSUS).ok()?;
    let (used, missing) = rests_on(&explanation);
    Some(Explained {
        question: question.clone(),
        answer: word(explanation.answer.decision).into(),
        used,
        missing,
    })
}

fn written(picture: &Picture, ask: &Ask) -> Value {
    let options = SvgOptions {
        embedded: false,
        scheme: match ask.is_dark {
            true => Scheme::Dark,
            false => Scheme::Light,
        },
    };
    json!({"svg": picture.to_svg_with(options), "mermaid": picture.to_mermaid()})
}

/// The names that drawings can be made around, for the page to offer: objects and subjects, sorted.
pub(crate) fn centers(world: &World) -> Vec<Value> {
    let mut all: Vec<_> = Vec::new();
    for relationship in &world.relationships {
        all.push(relationship.object.to_string());
        match &relationship.subject {
            Subject::Userset { object, .. } => all.push(object.to_string()),
            subject => all.push(subject.to_string()),
        }
    }
    all.sort();
    all.dedup();
    all.truncate(CENTERS_MAX);
    all.into_iter().map(Value::from).collect()
}

/// Names that are offered at most; others can be typed.
const CENTERS_MAX: usize = 500;
