//! A world as relationships, and what the engine says of it: no counterexample is told that the
//! walk does not confirm over a store.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::{
    apply::apply_all,
    check::check,
    limits::Limits,
    name::{is_object_id, Actor, Name, NameError},
    question::{Decision, Question},
    relationship::{ObjectRef, Relationship, Subject},
    relationships::NodeId,
    schema::{Body, Policy, Position, OWNER},
    theorems::{
        decide::{
            game::World,
            model::{Audience, Fact, Link, Model, Through},
        },
        list::RelationshipList,
        text::Statement,
        verdict::Counterexample,
    },
    tree::TreeRelationships,
};

/// Who asks in a counterexample.
const ACTOR: &str = "did:example:anyone";

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
    let policy = model.policy();
    let unnamed = |error: NameError| format!("{error}");
    let (relationships, object, subject) = write(statement, model, world).map_err(unnamed)?;
    let place = Position { line: 1, column: 1 };
    let list = RelationshipList(relationships.iter().map(|r| (place, r.clone())).collect());
    let stranger = Actor::new(STRANGER).map_err(unnamed)?;
    let changes = list
        .changes(policy, Some(&stranger))
        .map_err(|errors| match errors.first() {
            Some(error) => format!("a counterexample is not admitted: {}", error.message),
            None => "a counterexample is not admitted".into(),
        })?;
    let writes = apply_all(&changes, BTreeMap::new()).map_err(|error| format!("{error}"))?;
    let tree: BTreeMap<Vec<u8>, Vec<u8>> = writes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    let store = TreeRelationships::new(policy, &tree);
    let mut answers: Vec<(String, Decision)> = Vec::new();
    let mut steps = 0;
    for name in statement.formula.names() {
        let question = Question {
            object: object.clone(),
            permission: name.into(),
            subject: subject.clone(),
        };
        let answer = check(&store, &question, Limits::CONSENSUS)
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
        object,
        subject,
        answers,
    };
    Ok((counterexample, steps))
}

/// The world's relationships, sorted; the object of the statement; the subject.
fn write(
    statement: &Statement,
    model: &Model<'_>,
    world: &World,
) -> Result<(Vec<Relationship>, ObjectRef, Subject), NameError> {
    let policy = model.policy();
    let variable = match statement.variable.as_str() {
        id if is_object_id(id) => id,
        _ => "x",
    };
    let mut objects: Vec<ObjectRef> = Vec::new();
    for (at, thing) in world.objects.iter().enumerate() {
        let resource = thing.resource.map_or("", |id| policy.resource_name(id));
        objects.push(match at {
            0 => ObjectRef::new(resource, variable)?,
            _ => fresh(resource, &objects)?,
        });
    }
    let subject = match model.audience() {
        Audience::Actors => Subject::Actor(Actor::new(ACTOR)?),
        Audience::Objects(resource) => {
            Subject::Object(fresh(policy.resource_name(resource), &objects)?)
        }
    };
    let mut all: Vec<Relationship> = Vec::new();
    for (thing, object) in world.objects.iter().zip(&objects) {
        for fact in &thing.facts {
            let (relation, member) = match fact {
                Fact::Owner => (Name::new(OWNER)?, subject.clone()),
                Fact::Member(node) => (
                    Name::new(policy.node_name(*node))?,
                    member(policy, *node, &subject),
                ),
            };
            all.push(Relationship::new(object.clone(), relation, member));
        }
        for (link, target) in &thing.links {
            let Some(target) = objects.get(*target) else {
                continue;
            };
            all.push(linked(policy, object, *link, target)?);
        }
    }
    all.sort();
    all.dedup();
    let object = match objects.into_iter().next() {
        Some(object) => object,
        None => ObjectRef::new(statement.resource.as_str(), variable)?,
    };
    Ok((all, object, subject))
}

/// An object of the resource that is none of `others`.
fn fresh(resource: &str, others: &[ObjectRef]) -> Result<ObjectRef, NameError> {
    let taken = |object: &ObjectRef| others.contains(object);
    let mut number = 1;
    loop {
        let object = ObjectRef::new(resource, &format!("{number}"))?;
        if !taken(&object) {
            return Ok(object);
        }
        number += 1;
    }
}

/// As whom the subject stands in the relation: as itself, or where that is not admitted as
/// everyone.
fn member(policy: &Policy, relation: NodeId, subject: &Subject) -> Subject {
    match policy.body_node(relation).map(|node| &node.body) {
        Some(Body::Relation(types)) if matches!(subject, Subject::Actor(_)) && !types.actors => {
            Subject::Everyone
        }
        _ => subject.clone(),
    }
}

fn linked(
    policy: &Policy,
    object: &ObjectRef,
    link: Link,
    target: &ObjectRef,
) -> Result<Relationship, NameError> {
    let relation = Name::new(policy.node_name(link.relation))?;
    let subject = match link.through {
        Through::Object(_) => Subject::Object(target.clone()),
        Through::Userset(node) => Subject::Userset {
            object: target.clone(),
            relation: Name::new(policy.node_name(node))?,
        },
    };
    Ok(Relationship::new(object.clone(), relation, subject))
}
