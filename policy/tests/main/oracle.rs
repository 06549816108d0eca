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

struct Oracle<'a>(&'a Schema, &'a World, &'a Who);

pub fn allows(schema: &Schema, world: &World, object: &Object, name: &str, asked: &Who) -> bool {
    let oracle = Oracle(schema, world, asked);
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
        let next = objects.iter().flat_map(|o| oracle.sweep(o, &table));
        let next: Table = next.collect();
        if next == table {
            return get(&table, object, name) == 2;
        }
        table = next;
    }
}

fn get(table: &Table, object: &Object, name: &str) -> u8 {
    let value = table.get(&(object.clone(), name.into()));
    value.copied().unwrap_or(1)
}

impl Oracle<'_> {
    /// All nodes of one object, from the table of the round before.
    fn sweep(&self, o: &Object, table: &Table) -> Vec<((Object, String), u8)> {
        let Some(resource) = self.0.get(&o.0) else {
            return vec![];
        };
        let owner = get(table, o, "owner");
        let mut values = vec![("owner".to_string(), self.owns(o))];
        for relation in resource.relations.keys() {
            let members = self.members(o, relation);
            let value = members.iter().map(|who| self.stands(who, table)).max();
            values.push((relation.clone(), value.unwrap_or(0)));
        }
        for (permission, expr) in &resource.permissions {
            let value = expr.as_ref().map_or(0, |expr| self.eval(o, expr, table));
            values.push((permission.clone(), owner.max(value)));
        }
        for managed in resource.relations.keys().chain([&"owner".into()]) {
            let managers = resource.relations.iter();
            let managers = managers.filter(|(_, (_, manages))| manages.contains(managed));
            let value = managers.map(|(manager, _)| get(table, o, manager)).max();
            values.push((format!("manage({managed})"), owner.max(value.unwrap_or(0))));
        }
        let is_asked = |name: &str| *self.2 == Who::Userset(o.clone(), name.into());
        let values = values.into_iter();
        let values = values.map(|(n, v)| if is_asked(&n) { (n, 2) } else { (n, v) });
        values.map(|(name, v)| ((o.clone(), name), v)).collect()
    }

    /// Whether it is asked if the document may be created: then it has no record, whatever is recorded.
    fn creating(&self, o: &Object) -> bool {
        let mut documents = self.1.documents.iter();
        documents.any(|d| d.0 == *o && d.1.is_none())
    }

    fn owns(&self, o: &Object) -> u8 {
        if self.creating(o) {
            return 0;
        }
        let author = || self.1.documents.iter().find(|d| d.0 == *o)?.1.clone();
        let owner = self.1.owners.get(o).cloned().or_else(author);
        let owns = owner.is_some_and(|owner| *self.2 == Who::Actor(owner));
        2 * u8::from(owns && !self.1.archived.contains(o))
    }

    /// Who stands in a relation, as far as its types allow.
    fn members(&self, o: &Object, relation: &str) -> Vec<Who> {
        let creating = self.creating(o);
        if self.1.archived.contains(o) && !creating {
            return vec![];
        }
        let types = &self.0[&o.0].relations[relation].0;
        let recorded = self.1.facts.get(&(o.clone(), relation.into()));
        let documents = self.1.documents.iter();
        let scopes = documents.filter(|d| d.0 == *o && d.2 == relation);
        let recorded = recorded.filter(|_| !creating);
        let all = recorded.into_iter().flatten().cloned();
        let all = all.chain(scopes.map(|d| Who::Object(d.3.clone())));
        let kind = |who: &Who| match who {
            Who::Actor(_) => Type::Actor,
            Who::Everyone => Type::Everyone,
            Who::Object(o) => Type::Object(o.0.clone()),
            Who::Userset(o, relation) => Type::Userset(o.0.clone(), relation.clone()),
        };
        all.filter(|who| types.contains(&kind(who))).collect()
    }

    fn stands(&self, who: &Who, table: &Table) -> u8 {
        match who {
            _ if who == self.2 => 2,
            Who::Everyone if matches!(self.2, Who::Actor(_)) => 2,
            Who::Userset(object, relation) => get(table, object, relation),
            _ => 0,
        }
    }

    fn eval(&self, o: &Object, expr: &Expr, table: &Table) -> u8 {
        let eval = |expr: &Expr| self.eval(o, expr, table);
        match expr {
            Expr::Name(name) => get(table, o, name),
            Expr::Arrow(relation, target) => {
                let members = self.members(o, relation).into_iter();
                let reached = members.filter_map(|who| match who {
                    Who::Object(o) | Who::Userset(o, _) => Some(get(table, &o, target)),
                    Who::Actor(_) | Who::Everyone => None,
                });
                reached.max().unwrap_or(0)
            }
            Expr::Or(a, b) => eval(a).max(eval(b)),
            Expr::And(a, b) => eval(a).min(eval(b)),
            Expr::Minus(a, b) => eval(a).min(2 - eval(b)),
        }
    }
}
