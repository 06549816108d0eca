//! A world as relationships, and what the engine says of it: no counterexample is told that the
//! walk does not confirm over a store.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::{
    apply::apply_all,
    change::Change,
    check::check,
    limits::Limits,
    name::Actor,
    question::{Circumstances, Decision, Question},
    relationship::{ObjectRef, Subject},
    schema::Position,
    theorems::{
        decide::{
            context::times,
            game::World,
            model::Model,
            write::{Writer, Written},
        },
        list::RelationshipList,
        text::Statement,
        verdict::Counterexample,
    },
    time::Time,
    tree::TreeRelationships,
};

/// Who owns what the subject does not own.
const STRANGER: &str = "did:example:stranger";

/// Writes `world` as relationships and has the walk answer over them: the counterexample, and the
/// steps that its answers took.
///
/// # Errors
/// In words, why the walk does not confirm it.
pub(crate) fn confirm(
    statement: &Statement,
    model: &Model<'_>,
    world: &World,
) -> Result<(Counterexample, u64), String> {
    let mut first = None;
    for time in times(model.policy()) {
        match confirm_at(statement, model, world, time) {
            Ok(confirmed) => return Ok(confirmed),
            Err(reason) => {
                first.get_or_insert(reason);
            }
        }
    }
    Err(first.unwrap_or_default())
}

fn confirm_at(
    statement: &Statement,
    model: &Model<'_>,
    world: &World,
    time: Time,
) -> Result<(Counterexample, u64), String> {
    let policy = model.policy();
    let Written {
        mut relationships,
        owned,
        object,
        subject,
    } = Writer::new(statement, model, time).write(world)?;
    relationships.sort();
    relationships.dedup();
    let place = Position { line: 1, column: 1 };
    let list = RelationshipList(relationships.iter().map(|r| (place, r.clone())).collect());
    let stranger = Actor::new(STRANGER).map_err(|error| format!("{error}"))?;
    let mut changes =
        list.changes(policy, Some(&stranger))
            .map_err(|errors| match errors.first() {
                Some(error) => format!("a counterexample is not admitted: {}", error.message),
                None => "a counterexample is not admitted".into(),
            })?;
    if let Subject::Actor(owner) = &subject {
        // What the list alone would leave to the stranger.
        changes.retain(|change| !registers_any(change, &owned));
        let register = |object: &ObjectRef| Change::ObjectRegistered {
            object: object.clone(),
            owner: owner.clone(),
        };
        // Behind the policy's definition, before what is set on the objects.
        changes.splice(1..1, owned.iter().map(register));
    }
    let writes = apply_all(&changes, BTreeMap::new()).map_err(|error| format!("{error}"))?;
    let tree: BTreeMap<Vec<u8>, Vec<u8>> = writes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    let store = TreeRelationships::new(policy, &tree);
    let circumstances = Circumstances::at(time);
    let mut answers: Vec<(String, Decision)> = Vec::new();
    let mut steps = 0;
    for name in statement.formula.names() {
        let question = Question {
            object: object.clone(),
            permission: name.into(),
            subject: subject.clone(),
        };
        let answer = check(&store, &question, &circumstances, Limits::CONSENSUS)
            .map_err(|error| format!("a counterexample could not be asked: {error}"))?;
        steps += answer.steps;
        answers.push((name.into(), answer.decision));
    }
    let allowed = |name: &str| {
        let answer = answers.iter().find(|(other, _)| other == name);
        answer.map(|(_, decision)| *decision == Decision::Allow)
    };
    if statement.formula.value(allowed) != Some(false) {
        return Err(
            "there may be a counterexample, but the one that was tried is none by the engine's answers"
                .into(),
        );
    }
    let counterexample = Counterexample {
        relationships,
        owned,
        object,
        subject,
        circumstances,
        answers,
    };
    Ok((counterexample, steps))
}

/// Whether the change registers one of `objects`.
fn registers_any(change: &Change, objects: &[ObjectRef]) -> bool {
    match change {
        Change::ObjectRegistered { object, .. } => objects.contains(object),
        _ => false,
    }
}
