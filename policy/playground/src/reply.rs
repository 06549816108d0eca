//! The parts of an answer, put together.

use serde_json::{json, Value};

use crate::{
    answers, pictures,
    problems::{Problem, Problems},
    request::{Ask, Show},
    theorems,
    world::World,
};

/// Answers what is asked for, as far as the texts allow; all else is `null`.
pub(crate) fn ask(ask: &Ask) -> Value {
    let mut problems = Problems::default();
    let world = World::of(ask, &mut problems);
    let asked = answers::read(&ask.questions, &mut problems);
    let stated = match ask.shows(Show::Theorems) {
        true => theorems::read(&ask.theorems, &mut problems),
        false => None,
    };
    let answers = match ask.shows(Show::Answers) {
        true => answers::answer_all(&world, &asked, &mut problems),
        false => None,
    };
    let schema = world.policy.as_ref().filter(|_| ask.shows(Show::Schema));
    let relationships = match ask.shows(Show::Relationships) {
        true => pictures::relationships(&world, &asked, ask),
        false => None,
    };
    json!({
        "name": world.policy.as_ref().map(|policy| policy.name()),
        "is_whole": world.history.is_some() && world.circumstances.is_some(),
        "relationship_count": world.relationships.len(),
        "answers": answers,
        "schema": schema.map(|policy| pictures::schema(policy, ask)),
        "relationships": relationships,
        "centers": ask.shows(Show::Relationships).then(|| pictures::centers(&world)),
        "theorems": stated.and_then(|stated| theorems::decide(&world, &stated)),
        "problems": problems.to_json(),
    })
}

/// Rewrites a policy as everybody writes them.
pub(crate) fn format(policy: &str) -> Value {
    let mut problems = Problems::default();
    let rewritten = policy::format_policy(policy).map_err(|error| {
        problems.add("policy", [Problem::error(error.position, error.message)]);
    });
    json!({"policy": rewritten.ok(), "problems": problems.to_json()})
}
