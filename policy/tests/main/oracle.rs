//! The naive evaluator: the meaning of docs/spec/policy.md, written from the page and sharing
//! nothing with the engine. It fills a table with *unknown* and sweeps it until nothing changes.

use std::collections::{BTreeMap, BTreeSet};

pub type Object = (String, String);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Actor(String),
    Everyone,
    Object(Object),
    Userset(Object, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Actor,
    Everyone,
    Object(String),
    Userset(String, String),
}

#[derive(Clone, Debug)]
pub enum Expr {
    Name(String),
    Arrow(String, String),
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Minus(Box<Expr>, Box<Expr>),
}

#[derive(Clone, Debug, Default)]
pub struct Resource {
    pub relations: BTreeMap<String, (Vec<Type>, BTreeSet<String>)>,
    pub permissions: BTreeMap<String, Option<Expr>>,
}

pub type Schema = BTreeMap<String, Resource>;

/// A document: object, author (unless creation is asked about), scope relation, scope.
pub type Document = (Object, Option<String>, String, Object);

#[derive(Clone, Debug, Default)]
pub struct World {
    pub owners: BTreeMap<Object, String>,
    pub archived: BTreeSet<Object>,
    pub facts: BTreeMap<(Object, String), BTreeSet<Who>>,
    pub documents: Vec<Document>,
}

/// 0 is false, 1 unknown, 2 true.
type Table = BTreeMap<(Object, String), u8>;

pub fn allows(schema: &Schema, world: &World, object: &Object, name: &str, asked: &Who) -> bool {
    let mut objects: BTreeSet<Object> = world.owners.keys().cloned().collect();
    objects.insert(object.clone());
    for who in world.facts.values().flatten() {
        if let Who::Object(object) | Who::Userset(object, _) = who {
            objects.insert(object.clone());
        }
    }
    for (document, _, _, scope) in &world.documents {
        objects.extend([document.clone(), scope.clone()]);
    }
    let mut table = Table::new();
    loop {
        let mut next = Table::new();
        for object in &objects {
            let Some(resource) = schema.get(&object.0) else { continue };
            next.insert((object.clone(), "owner".into()), owns(world, object, asked));
            let owner = get(&table, object, "owner");
            for (relation, (types, _)) in &resource.relations {
                let value = members(schema, world, object, relation, types).iter().map(|who| stands(who, asked, &table)).max();
                next.insert((object.clone(), relation.clone()), value.unwrap_or(0));
            }
            for (permission, expr) in &resource.permissions {
                let value = expr.as_ref().map_or(0, |expr| eval(schema, world, object, expr, asked, &table));
                next.insert((object.clone(), permission.clone()), owner.max(value));
            }
            for managed in resource.relations.keys().map(String::as_str).chain(["owner"]) {
                let managers = resource.relations.iter().filter(|(_, (_, manages))| manages.contains(managed));
                let value = managers.map(|(manager, _)| get(&table, object, manager)).max().unwrap_or(0);
                next.insert((object.clone(), format!("manage({managed})")), owner.max(value));
            }
        }
        if let Who::Userset(object, relation) = asked {
            if let Some(value) = next.get_mut(&(object.clone(), relation.clone())) {
                *value = 2;
            }
        }
        if next == table {
            return get(&table, object, name) == 2;
        }
        table = next;
    }
}

fn get(table: &Table, object: &Object, name: &str) -> u8 {
    table.get(&(object.clone(), name.into())).copied().unwrap_or(1)
}

fn owns(world: &World, object: &Object, asked: &Who) -> u8 {
    let author = || world.documents.iter().find(|document| document.0 == *object)?.1.clone();
    let owner = world.owners.get(object).cloned().or_else(author);
    let owns = !world.archived.contains(object) && matches!((owner, asked), (Some(owner), Who::Actor(actor)) if owner == *actor);
    if owns { 2 } else { 0 }
}

/// Who stands in a relation, as far as its types allow.
fn members(schema: &Schema, world: &World, object: &Object, relation: &str, types: &[Type]) -> Vec<Who> {
    if world.archived.contains(object) {
        return vec![];
    }
    let recorded = world.facts.get(&(object.clone(), relation.into())).into_iter().flatten().cloned();
    let scopes = world.documents.iter().filter(|d| d.0 == *object && d.2 == relation).map(|d| Who::Object(d.3.clone()));
    let allowed = |who: &Who| {
        types.contains(&match who {
            Who::Actor(_) => Type::Actor,
            Who::Everyone => Type::Everyone,
            Who::Object(object) => Type::Object(object.0.clone()),
            Who::Userset(object, relation) => Type::Userset(object.0.clone(), relation.clone()),
        })
    };
    let known = |who: &Who| !matches!(who, Who::Object(o) | Who::Userset(o, _) if !schema.contains_key(&o.0));
    recorded.chain(scopes).filter(|who| allowed(who) && known(who)).collect()
}

fn stands(who: &Who, asked: &Who, table: &Table) -> u8 {
    match who {
        _ if who == asked => 2,
        Who::Everyone if matches!(asked, Who::Actor(_)) => 2,
        Who::Userset(object, relation) => get(table, object, relation),
        _ => 0,
    }
}

fn eval(schema: &Schema, world: &World, object: &Object, expr: &Expr, asked: &Who, table: &Table) -> u8 {
    let eval = |expr: &Expr| eval(schema, world, object, expr, asked, table);
    match expr {
        Expr::Name(name) => get(table, object, name),
        Expr::Arrow(relation, target) => {
            let types = &schema[&object.0].relations[relation].0;
            let reached = members(schema, world, object, relation, types).into_iter().filter_map(|who| match who {
                Who::Object(object) | Who::Userset(object, _) => Some(get(table, &object, target)),
                Who::Actor(_) | Who::Everyone => None,
            });
            reached.max().unwrap_or(0)
        }
        Expr::Or(a, b) => eval(a).max(eval(b)),
        Expr::And(a, b) => eval(a).min(eval(b)),
        Expr::Minus(a, b) => eval(a).min(2 - eval(b)),
    }
}
