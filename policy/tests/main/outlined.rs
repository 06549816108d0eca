//! Imported policies in the words of the oracle: read from the outline that an importer made, sharing
//! nothing with the engine's own reading of it but the conditions, each of which comes as what it
//! evaluates to.

use std::collections::BTreeMap;

use policy::outline::Outline;
use policy::{Circumstances, ObjectRef, Outcome, Policy, Relationship, Subject};

use crate::oracle::{
    Condition, Expr, Kind, Object, Relation, Resource, Schema, Terms, Test, Type, Value, When, Who,
    World,
};

pub fn schema(outline: &Outline) -> Schema {
    let actor = outline.actor.as_deref().unwrap_or("actor");
    let mut schema = Schema {
        without_owner: outline.without_owner,
        conditions: conditions(),
        ..Schema::default()
    };
    for resource in &outline.resources {
        let mut read = Resource::default();
        for relation in &resource.relations {
            let types = relation.types.iter();
            let relation_read = Relation {
                types: types.flat_map(|entry| entries(entry, actor)).collect(),
                manages: relation.manages.iter().cloned().collect(),
                expr: relation.expression.as_deref().map(expression),
            };
            read.relations.insert(relation.name.clone(), relation_read);
        }
        for permission in &resource.permissions {
            let expr = permission.expression.as_deref().map(expression);
            read.permissions.insert(permission.name.clone(), expr);
        }
        schema.resources.insert(resource.name.clone(), read);
    }
    schema
}

/// What conditions come to, as conditions of the oracle's.
const COMES_TO: [&str; 4] = ["holds", "does not", "lacks", "fails"];

fn conditions() -> BTreeMap<String, Condition> {
    let tests = [
        Test::Before(i64::MAX),
        Test::Before(i64::MIN),
        Test::Flag("b".into()),
        Test::Ratio("n".into(), 0),
    ];
    let all = COMES_TO.into_iter().zip(tests);
    all.map(|(name, test)| {
        let parameters = ["b".into(), "n".into()].into();
        (name.into(), Condition { parameters, test })
    })
    .collect()
}

/// An entry of `types`; one with a condition stands for each that it may come to.
fn entries(entry: &str, actor: &str) -> Vec<Type> {
    let (subject, traits) = entry.split_once(" with ").unwrap_or((entry, ""));
    let kind = match subject.split_once("->") {
        Some((resource, relation)) => Kind::Userset(resource.into(), relation.into()),
        None if subject == "*" => Kind::Everyone,
        None if subject == actor => Kind::Actor,
        None => match subject.strip_suffix(":*") {
            Some(resource) => Kind::Every(resource.into()),
            None => Kind::Object(subject.into()),
        },
    };
    let traits: Vec<&str> = traits.split(" and ").filter(|t| !t.is_empty()).collect();
    let expires = traits.contains(&"expiration");
    let condition = traits.iter().find(|name| **name != "expiration");
    let of = |condition: Option<&str>| Type {
        kind: kind.clone(),
        condition: condition.map(|comes_to| format!("{} {comes_to}", traits[0])),
        expires,
    };
    match condition {
        None => vec![of(None)],
        Some(_) => COMES_TO.into_iter().map(|name| of(Some(name))).collect(),
    }
}

/// The oracle knows conditions by name alone, so each is defined once for each of its outcomes.
pub fn define_conditions(schema: &mut Schema, outline: &Outline) {
    let all = std::mem::take(&mut schema.conditions);
    for condition in &outline.conditions {
        for (name, defined) in &all {
            let name = format!("{} {name}", condition.name);
            schema.conditions.insert(name, defined.clone());
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Sign(char),
    Arrow { all: bool },
}

fn tokens(text: &str) -> Vec<Token> {
    let mut rest = text;
    let mut all = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if let Some(arrow) = rest.strip_prefix("->") {
            (Token::Arrow { all: false }, rest.len() - arrow.len())
        } else if let Some(arrow) = rest.strip_prefix("&->") {
            (Token::Arrow { all: true }, rest.len() - arrow.len())
        } else if first == '`' {
            let end = rest[1..].find('`').unwrap() + 1;
            (Token::Name(rest[1..end].into()), end + 1)
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            (Token::Name(rest[..end].into()), end)
        } else if first == ' ' {
            rest = &rest[1..];
            continue;
        } else {
            (Token::Sign(first), first.len_utf8())
        };
        all.push(token);
        rest = &rest[length..];
    }
    all
}

/// Equal precedence, from left to right.
fn expression(text: &str) -> Expr {
    let mut tokens = tokens(text);
    tokens.reverse();
    let read = chain(&mut tokens);
    assert!(tokens.is_empty(), "{text}");
    read
}

fn chain(tokens: &mut Vec<Token>) -> Expr {
    let mut left = term(tokens);
    while let Some(Token::Sign(sign @ ('+' | '&' | '-'))) = tokens.last().cloned() {
        tokens.pop();
        let right = Box::new(term(tokens));
        left = match sign {
            '+' => Expr::Or(Box::new(left), right),
            '&' => Expr::And(Box::new(left), right),
            _ => Expr::Minus(Box::new(left), right),
        };
    }
    left
}

fn term(tokens: &mut Vec<Token>) -> Expr {
    match tokens.pop() {
        Some(Token::Sign('(')) => {
            let inner = chain(tokens);
            assert_eq!(tokens.pop(), Some(Token::Sign(')')));
            inner
        }
        Some(Token::Name(name)) => match tokens.last() {
            Some(Token::Arrow { all }) => {
                let all = *all;
                tokens.pop();
                let Some(Token::Name(mut target)) = tokens.pop() else {
                    panic!("a name behind the arrow of {name}");
                };
                if tokens.last() == Some(&Token::Sign('?')) {
                    tokens.pop();
                    target.push('?');
                }
                match all {
                    true => Expr::All(name, target),
                    false => Expr::Arrow(name, target),
                }
            }
            _ if name == "self" => Expr::Itself,
            _ => Expr::Name(name),
        },
        other => panic!("{other:?} stands where an operand belongs"),
    }
}

fn object(object: &ObjectRef) -> Object {
    (object.resource().into(), object.id().into())
}

pub fn who(subject: &Subject) -> Who {
    match subject {
        Subject::Actor(actor) => Who::Actor(actor.to_string()),
        Subject::Everyone => Who::Everyone,
        Subject::Every(resource) => Who::Every(resource.to_string()),
        Subject::Object(o) => Who::Object(object(o)),
        Subject::Userset {
            object: o,
            relation,
        } => Who::Userset(object(o), relation.to_string()),
    }
}

pub fn when(circumstances: &Circumstances) -> When {
    When {
        time: circumstances.time.seconds(),
        ..When::default()
    }
}

/// The relationships under these circumstances.
pub fn world(
    policy: &Policy,
    relationships: &[Relationship],
    circumstances: &Circumstances,
) -> World {
    let mut world = World::default();
    for relationship in relationships {
        let condition = relationship.terms.condition.as_ref().map(|used| {
            let (condition, _) = policy.condition(used.name.as_str()).unwrap();
            let Circumstances { time, context } = circumstances;
            let comes_to = match condition.evaluate(&used.context, context, *time).outcome {
                Outcome::True => COMES_TO[0],
                Outcome::False => COMES_TO[1],
                Outcome::Missing(_) => COMES_TO[2],
                Outcome::Failed(_) => COMES_TO[3],
            };
            let values = match comes_to {
                "fails" => [("n".to_string(), Value::Int(0))].into(),
                _ => BTreeMap::new(),
            };
            (format!("{} {comes_to}", used.name), values)
        });
        let terms = Terms {
            condition,
            expires: relationship.terms.expires.map(policy::Time::seconds),
        };
        let place = (
            object(&relationship.object),
            relationship.relation.to_string(),
        );
        let members = world.facts.entry(place).or_default();
        members.insert(who(&relationship.subject), terms);
    }
    world
}
