//! Random schemas and worlds, as the oracle and as the engine see them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::{
    oracle::{Expr, Object, Resource, Schema, Type, Who, World},
    random::Random,
};

/// Relation names are `r…`, permission names `p…`; both stand in one pool for operands.
pub fn schema(random: &mut Random) -> Schema {
    if random.chance(20) {
        return knot(random);
    }
    let resources: Vec<String> = (0..1 + random.below(3))
        .map(|at| format!("t{at}"))
        .collect();
    // Names first, so that types and expressions can point anywhere, also in circles.
    let mut schema = Schema::new();
    for name in &resources {
        let mut resource = Resource::default();
        for at in 0..1 + random.below(4) {
            resource
                .relations
                .insert(format!("r{at}"), (vec![], BTreeSet::new()));
        }
        for at in 0..1 + random.below(4) {
            resource.permissions.insert(format!("p{at}"), None);
        }
        schema.insert(name.clone(), resource);
    }
    let names = |schema: &Schema, resource: &str| -> Vec<String> {
        let resource = &schema[resource];
        resource
            .relations
            .keys()
            .chain(resource.permissions.keys())
            .cloned()
            .chain(["owner".into()])
            .collect()
    };
    for name in &resources {
        for relation in schema[name].relations.keys().cloned().collect::<Vec<_>>() {
            let mut types = vec![];
            for _ in 0..1 + random.below(4) {
                let target = random.pick(&resources).clone();
                let kind = match random.below(10) {
                    0..=3 => Type::Actor,
                    4 => Type::Everyone,
                    5..=6 => Type::Object(target),
                    _ => {
                        let member = random.pick(&names(&schema, &target)).clone();
                        Type::Userset(target, member)
                    }
                };
                if !types.contains(&kind) {
                    types.push(kind);
                }
            }
            let siblings: Vec<String> = schema[name].relations.keys().cloned().collect();
            let manages: BTreeSet<String> =
                siblings.into_iter().filter(|_| random.chance(25)).collect();
            schema
                .get_mut(name)
                .unwrap()
                .relations
                .insert(relation, (types, manages));
        }
    }
    for name in &resources {
        for permission in schema[name].permissions.keys().cloned().collect::<Vec<_>>() {
            let operands = operands(&schema, name, &names);
            let expr = (!random.chance(5)).then(|| expression(random, &operands, 3));
            schema
                .get_mut(name)
                .unwrap()
                .permissions
                .insert(permission, expr);
        }
    }
    schema
}

/// One resource whose permissions hang on each other in every which way: circles within circles,
/// where values that were unknown on one path become known on another.
pub fn knot(random: &mut Random) -> Schema {
    let mut resource = Resource::default();
    let relations = 1 + random.below(3);
    for at in 0..relations {
        resource.relations.insert(
            format!("r{at}"),
            (
                vec![Type::Actor, Type::Object("t0".into())],
                BTreeSet::new(),
            ),
        );
    }
    let permissions = 2 + random.below(6);
    let mut operands: Vec<Expr> = (0..permissions)
        .map(|at| Expr::Name(format!("p{at}")))
        .collect();
    operands.extend((0..relations).map(|at| Expr::Name(format!("r{at}"))));
    if random.chance(40) {
        operands.extend((0..permissions).map(|at| Expr::Arrow("r0".into(), format!("p{at}"))));
    }
    for at in 0..permissions {
        let depth = 1 + random.below(3);
        resource
            .permissions
            .insert(format!("p{at}"), Some(expression(random, &operands, depth)));
    }
    [("t0".into(), resource)].into()
}

/// Everything that an expression of `resource` may name, arrows included.
fn operands(
    schema: &Schema,
    resource: &str,
    names: &dyn Fn(&Schema, &str) -> Vec<String>,
) -> Vec<Expr> {
    let mut all: Vec<Expr> = names(schema, resource)
        .into_iter()
        .map(Expr::Name)
        .collect();
    for (relation, (types, _)) in &schema[resource].relations {
        let targets: BTreeSet<&String> = types
            .iter()
            .filter_map(|kind| match kind {
                Type::Object(target) | Type::Userset(target, _) => Some(target),
                Type::Actor | Type::Everyone => None,
            })
            .collect();
        let mut common: Option<BTreeSet<String>> = None;
        for target in targets {
            let here: BTreeSet<String> = names(schema, target).into_iter().collect();
            common = Some(common.map_or(here.clone(), |common| {
                common.intersection(&here).cloned().collect()
            }));
        }
        all.extend(
            common
                .unwrap_or_default()
                .into_iter()
                .map(|target| Expr::Arrow(relation.clone(), target)),
        );
    }
    all
}

fn expression(random: &mut Random, operands: &[Expr], depth: usize) -> Expr {
    if depth == 0 || random.chance(30) {
        return random.pick(operands).clone();
    }
    let left = Box::new(expression(random, operands, depth - 1));
    let right = Box::new(expression(random, operands, depth - 1));
    match random.below(4) {
        0 | 1 => Expr::Or(left, right),
        2 => Expr::And(left, right),
        _ => Expr::Minus(left, right),
    }
}

/// An expression as a policy writes it: a left operand needs no parentheses.
fn write_expression(expr: &Expr) -> String {
    let right = |expr: &Expr| match expr {
        Expr::Name(_) | Expr::Arrow(..) => write_expression(expr),
        _ => format!("({})", write_expression(expr)),
    };
    match expr {
        Expr::Name(name) => name.clone(),
        Expr::Arrow(relation, target) => format!("{relation}->{target}"),
        Expr::Or(a, b) => format!("{} + {}", write_expression(a), right(b)),
        Expr::And(a, b) => format!("{} & {}", write_expression(a), right(b)),
        Expr::Minus(a, b) => format!("{} - {}", write_expression(a), right(b)),
    }
}

/// A schema as a policy's text, in the list form or in the map form.
pub fn yaml(schema: &Schema, as_list: bool) -> String {
    let mut text = String::from("name: random\nresources:\n");
    let head = |text: &mut String, indent: &str, name: &str| {
        if as_list {
            writeln!(text, "{indent}- name: {name}").unwrap();
        } else {
            writeln!(text, "{indent}  {name}:").unwrap();
        }
    };
    let pad = if as_list { "  " } else { "    " };
    for (name, resource) in schema {
        head(&mut text, "", name);
        writeln!(text, "{pad}relations:").unwrap();
        for (relation, (types, manages)) in &resource.relations {
            head(&mut text, pad, relation);
            let words: Vec<String> = types
                .iter()
                .map(|kind| match kind {
                    Type::Actor => "actor".into(),
                    Type::Everyone => "'*'".into(),
                    Type::Object(resource) => resource.clone(),
                    Type::Userset(resource, relation) => format!("{resource}->{relation}"),
                })
                .collect();
            writeln!(text, "{pad}{pad}types: [{}]", words.join(", ")).unwrap();
            let manages: Vec<&str> = manages.iter().map(String::as_str).collect();
            writeln!(text, "{pad}{pad}manages: [{}]", manages.join(", ")).unwrap();
        }
        writeln!(text, "{pad}permissions:").unwrap();
        for (permission, expr) in &resource.permissions {
            head(&mut text, pad, permission);
            if let Some(expr) = expr {
                writeln!(text, "{pad}{pad}expr: {}", write_expression(expr)).unwrap();
            }
        }
    }
    text
}

/// The things that random relationships speak about.
pub struct Cast {
    pub objects: Vec<Object>,
    pub actors: Vec<String>,
    /// Names of relations and permissions.
    pub names: Vec<String>,
}

impl Cast {
    pub fn new(random: &mut Random, schema: &Schema) -> Self {
        // Now and then many, so that relations move to pages.
        let many = random.chance(10);
        let per_resource = if many { 40 } else { 1 + random.below(4) };
        let resources: Vec<&String> = schema.keys().collect();
        let objects = (0..per_resource * resources.len())
            .map(|at| (resources[at % resources.len()].clone(), format!("o{at}")))
            .collect();
        let actors = (0..if many { 200 } else { 4 })
            .map(|at| format!("did:user:a{at}"))
            .collect();
        let mut names: Vec<String> = schema
            .values()
            .flat_map(|resource| resource.relations.keys().chain(resource.permissions.keys()))
            .cloned()
            .collect();
        names.push("owner".into());
        Self {
            objects,
            actors,
            names,
        }
    }

    pub fn actor(&self, random: &mut Random) -> String {
        random.pick(&self.actors).clone()
    }

    /// Any object; of many mostly one of the first three, so that some relations fill pages.
    pub fn object(&self, random: &mut Random) -> Object {
        let few = self.objects.len() > 20 && random.chance(70);
        let from = if few {
            &self.objects[..3]
        } else {
            &self.objects[..]
        };
        random.pick(from).clone()
    }

    /// Any subject, mostly one of `types`, sometimes one that the relation does not allow or that
    /// names nothing.
    pub fn subject(&self, random: &mut Random, types: &[Type]) -> Who {
        if types.is_empty() || random.chance(10) {
            return match random.below(5) {
                0 => Who::Actor(self.actor(random)),
                1 => Who::Everyone,
                2 => Who::Object(self.object(random)),
                3 => Who::Object(("nothing".into(), "x".into())),
                _ => Who::Userset(self.object(random), random.pick(&self.names).clone()),
            };
        }
        let of = |random: &mut Random, resource: &str| -> Object {
            let all: Vec<&Object> = self
                .objects
                .iter()
                .filter(|object| object.0 == resource)
                .collect();
            (*random.pick(&all)).clone()
        };
        match random.pick(types) {
            Type::Actor => Who::Actor(self.actor(random)),
            Type::Everyone if random.chance(30) => Who::Everyone,
            Type::Everyone => Who::Actor(self.actor(random)),
            Type::Object(resource) => Who::Object(of(random, resource)),
            Type::Userset(resource, relation) => {
                Who::Userset(of(random, resource), relation.clone())
            }
        }
    }
}

/// The same world with every id replaced: names sort differently, answers must not.
pub fn renamed(world: &World, rename: &dyn Fn(&str) -> String) -> World {
    let object = |(resource, id): &Object| (resource.clone(), rename(id));
    let who = |who: &Who| match who {
        Who::Actor(actor) => Who::Actor(rename(actor)),
        Who::Everyone => Who::Everyone,
        Who::Object(o) => Who::Object(object(o)),
        Who::Userset(o, relation) => Who::Userset(object(o), relation.clone()),
    };
    World {
        owners: world
            .owners
            .iter()
            .map(|(o, owner)| (object(o), rename(owner)))
            .collect(),
        archived: world.archived.iter().map(object).collect(),
        facts: world
            .facts
            .iter()
            .map(|((o, relation), all)| {
                ((object(o), relation.clone()), all.iter().map(who).collect())
            })
            .collect::<BTreeMap<_, _>>(),
        documents: world
            .documents
            .iter()
            .map(|(o, author, relation, scope)| {
                (
                    object(o),
                    author.as_deref().map(rename),
                    relation.clone(),
                    object(scope),
                )
            })
            .collect(),
    }
}
