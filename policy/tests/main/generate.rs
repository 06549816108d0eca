//! Random schemas, as the oracle sees them, and as a policy's text.

use std::collections::BTreeSet;
use std::fmt::Write;

use policy::outline::name_in_expression;

use crate::{
    oracle::{Condition, Expr, Kind, Relation, Resource, Schema, Test, Type},
    random::Random,
};

/// Relation names are `r…`, permission names `p…`; both stand in one pool for operands.
pub fn schema(random: &mut Random) -> Schema {
    if random.chance(20) {
        return knot(random);
    }
    // A part keeps to the language of acp, where most of what there is to get wrong lies.
    let extended = random.chance(65);
    // How many entries of types ask for terms, in percent.
    let traits = extended.then(|| [10, 40, 90][random.below(3)]);
    let mut schema = Schema {
        without_owner: extended && random.chance(30),
        ..Schema::default()
    };
    if extended && random.chance(85) {
        for at in 0..1 + random.below(3) {
            schema
                .conditions
                .insert(format!("c-{at}"), condition(random));
        }
    }
    let resources: Vec<String> = (0..1 + random.below(3))
        .map(|at| format!("t{at}"))
        .collect();
    // Names first, so that types and expressions can point anywhere, also in circles.
    for name in &resources {
        let mut resource = Resource::default();
        for at in 0..1 + random.below(4) {
            let relation = Relation::default();
            resource.relations.insert(format!("r{at}"), relation);
        }
        for at in 0..1 + random.below(4) {
            let quoted = if extended && at == 2 { "-" } else { "" };
            resource.permissions.insert(format!("p{quoted}{at}"), None);
        }
        schema.resources.insert(name.clone(), resource);
    }
    for name in &resources {
        for relation in keys(&schema, name) {
            let types = types(random, &schema, &resources, traits);
            let siblings = keys(&schema, name);
            let manages = siblings.into_iter().filter(|_| random.chance(25)).collect();
            let place = relation_mut(&mut schema, name, &relation);
            (place.types, place.manages) = (types, manages);
        }
    }
    // Which relations are computed is known before arrows look for what they may pass.
    for name in &resources {
        for relation in keys(&schema, name) {
            if !extended || !random.chance(15) {
                continue;
            }
            let records = random.chance(70);
            let place = relation_mut(&mut schema, name, &relation);
            let own = Expr::Name(relation.clone());
            place.expr = Some(own);
            if !records {
                place.types.clear();
                place.expr = Some(Expr::Itself);
            }
        }
    }
    for name in &resources {
        let operands = operands(&schema, name, extended);
        for relation in keys(&schema, name) {
            let others: Vec<Expr> = operands
                .iter()
                .filter(|operand| !matches!(operand, Expr::Name(name) if *name == relation))
                .cloned()
                .collect();
            let place = relation_mut(&mut schema, name, &relation);
            match &place.expr {
                None => continue,
                Some(Expr::Itself) => place.expr = Some(expression(random, &others, 2)),
                Some(own) => {
                    let other = Box::new(expression(random, &others, 2));
                    let own = Box::new(own.clone());
                    place.expr = Some(match random.below(4) {
                        0 => Expr::And(own, other),
                        1 => Expr::Minus(own, other),
                        2 => Expr::Or(other, own),
                        _ => Expr::Or(own, other),
                    });
                }
            }
        }
        let permissions: Vec<String> = schema.resources[name].permissions.keys().cloned().collect();
        for permission in permissions {
            let expr = (!random.chance(5)).then(|| expression(random, &operands, 3));
            let resource = schema.resources.get_mut(name).unwrap();
            resource.permissions.insert(permission, expr);
        }
    }
    schema
}

fn keys(schema: &Schema, resource: &str) -> Vec<String> {
    schema.resources[resource]
        .relations
        .keys()
        .cloned()
        .collect()
}

fn relation_mut<'a>(schema: &'a mut Schema, resource: &str, relation: &str) -> &'a mut Relation {
    let resource = schema.resources.get_mut(resource).unwrap();
    resource.relations.get_mut(relation).unwrap()
}

/// Everything of a resource that has a name.
pub fn names(schema: &Schema, resource: &str) -> Vec<String> {
    let of = &schema.resources[resource];
    let owner = (!schema.without_owner).then(|| "owner".to_string());
    let all = of.relations.keys().chain(of.permissions.keys());
    all.cloned().chain(owner).collect()
}

fn types(
    random: &mut Random,
    schema: &Schema,
    resources: &[String],
    traits: Option<usize>,
) -> Vec<Type> {
    let extended = traits.is_some();
    let mut types: Vec<Type> = vec![];
    for _ in 0..1 + random.below(4) {
        let target = random.pick(resources).clone();
        let kind = match random.below(if extended { 12 } else { 10 }) {
            0..=3 => Kind::Actor,
            4 => Kind::Everyone,
            5..=6 => Kind::Object(target),
            7..=9 => {
                let member = random.pick(&names(schema, &target)).clone();
                Kind::Userset(target, member)
            }
            10 => Kind::Every(target),
            _ => Kind::Object(target),
        };
        let mut entry = Type::from(kind);
        if random.chance(traits.unwrap_or(0)) {
            let conditions: Vec<&String> = schema.conditions.keys().collect();
            if !conditions.is_empty() && random.chance(75) {
                entry.condition = Some((*random.pick(&conditions)).clone());
            }
            entry.expires = random.chance(30);
        }
        if !types.contains(&entry) {
            types.push(entry);
        }
    }
    types
}

fn condition(random: &mut Random) -> Condition {
    let mut parameters = BTreeSet::new();
    let test = if random.chance(15) {
        parameters.insert("n0".to_string());
        Test::Ratio("n0".into(), random.below(6) as i64)
    } else {
        test(random, &mut parameters, 2)
    };
    Condition { parameters, test }
}

fn test(random: &mut Random, parameters: &mut BTreeSet<String>, depth: usize) -> Test {
    if depth > 0 && random.chance(50) {
        let a = Box::new(test(random, parameters, depth - 1));
        if random.chance(20) {
            return Test::Not(a);
        }
        let b = Box::new(test(random, parameters, depth - 1));
        return match random.chance(50) {
            true => Test::And(a, b),
            false => Test::Or(a, b),
        };
    }
    match random.below(5) {
        0 => Test::Before(random.below(100) as i64),
        1..=2 => {
            let name = format!("b{}", random.below(2));
            parameters.insert(name.clone());
            Test::Flag(name)
        }
        _ => {
            let name = format!("n{}", random.below(2));
            parameters.insert(name.clone());
            Test::Less(name, random.below(4) as i64)
        }
    }
}

/// One resource whose permissions hang on each other in every which way: circles within circles,
/// where values that were unknown on one path become known on another.
pub fn knot(random: &mut Random) -> Schema {
    let mut schema = Schema::default();
    if random.chance(40) {
        schema.conditions.insert("c-0".into(), condition(random));
    }
    let mut resource = Resource::default();
    let relations = 1 + random.below(3);
    for at in 0..relations {
        let mut types = vec![Kind::Actor.into(), Kind::Object("t0".into()).into()];
        if !schema.conditions.is_empty() {
            types.push(Type {
                kind: Kind::Actor,
                condition: Some("c-0".into()),
                expires: false,
            });
        }
        let relation = Relation {
            types,
            ..Relation::default()
        };
        resource.relations.insert(format!("r{at}"), relation);
    }
    let permissions = 2 + random.below(6);
    let mut operands: Vec<Expr> = (0..permissions)
        .map(|at| Expr::Name(format!("p{at}")))
        .collect();
    operands.extend((0..relations).map(|at| Expr::Name(format!("r{at}"))));
    if random.chance(40) {
        operands.extend((0..permissions).map(|at| Expr::Arrow("r0".into(), format!("p{at}"))));
        operands.extend((0..permissions).map(|at| Expr::All("r0".into(), format!("p{at}"))));
    }
    for at in 0..permissions {
        let depth = 1 + random.below(3);
        let expr = expression(random, &operands, depth);
        resource.permissions.insert(format!("p{at}"), Some(expr));
    }
    schema.resources.insert("t0".into(), resource);
    schema
}

/// Everything that an expression of `resource` may name, arrows included.
fn operands(schema: &Schema, resource: &str, extended: bool) -> Vec<Expr> {
    let mut all: Vec<Expr> = names(schema, resource)
        .into_iter()
        .map(Expr::Name)
        .collect();
    if extended {
        all.push(Expr::Itself);
    }
    for (name, relation) in &schema.resources[resource].relations {
        let mut targets: BTreeSet<&String> = BTreeSet::new();
        let mut every = false;
        for entry in &relation.types {
            match &entry.kind {
                Kind::Object(target) | Kind::Userset(target, _) => drop(targets.insert(target)),
                Kind::Every(_) => every = true,
                Kind::Actor | Kind::Everyone => {}
            }
        }
        if every {
            continue;
        }
        let mut common: Option<BTreeSet<String>> = None;
        let mut any = BTreeSet::new();
        for target in targets {
            let here: BTreeSet<String> = names(schema, target).into_iter().collect();
            any.extend(here.iter().cloned());
            common = Some(match common {
                None => here,
                Some(common) => common.intersection(&here).cloned().collect(),
            });
        }
        let common = common.unwrap_or_default();
        let some = any
            .into_iter()
            .filter(|name| extended && !common.contains(name));
        let some: Vec<String> = some.map(|name| format!("{name}?")).collect();
        for target in common.into_iter().chain(some) {
            if extended {
                all.push(Expr::All(name.clone(), target.clone()));
            }
            all.push(Expr::Arrow(name.clone(), target));
        }
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
        Expr::Or(..) | Expr::And(..) | Expr::Minus(..) => format!("({})", write_expression(expr)),
        _ => write_expression(expr),
    };
    let name = |name: &String| match name.strip_suffix('?') {
        Some(name) => format!("{}?", name_in_expression(name)),
        None => name_in_expression(name),
    };
    match expr {
        Expr::Name(of) => name(of),
        Expr::Itself => "self".into(),
        Expr::Arrow(relation, target) => format!("{}->{}", name(relation), name(target)),
        Expr::All(relation, target) => format!("{}&->{}", name(relation), name(target)),
        Expr::Or(a, b) => format!("{} + {}", write_expression(a), right(b)),
        Expr::And(a, b) => format!("{} & {}", write_expression(a), right(b)),
        Expr::Minus(a, b) => format!("{} - {}", write_expression(a), right(b)),
    }
}

fn write_test(test: &Test) -> String {
    match test {
        Test::Flag(name) => name.clone(),
        Test::Less(name, bound) => format!("{name} < {bound}"),
        Test::Ratio(name, bound) => format!("12 / {name} > {bound}"),
        Test::Before(seconds) => format!("now < timestamp({})", quoted(&time(*seconds))),
        Test::Not(test) => format!("!({})", write_test(test)),
        Test::Or(a, b) => format!("({} || {})", write_test(a), write_test(b)),
        Test::And(a, b) => format!("({} && {})", write_test(a), write_test(b)),
    }
}

/// Seconds of a random world, as a time: within the minutes after a full hour.
pub fn time(seconds: i64) -> String {
    format!("2026-01-01T00:{:02}:{:02}Z", seconds / 60, seconds % 60)
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn write_type(entry: &Type) -> String {
    let subject = match &entry.kind {
        Kind::Actor => "actor".into(),
        Kind::Everyone => "*".into(),
        Kind::Every(resource) => format!("{resource}:*"),
        Kind::Object(resource) => resource.clone(),
        Kind::Userset(resource, relation) => format!("{resource}->{relation}"),
    };
    let traits = entry.condition.iter().map(String::as_str);
    let traits: Vec<&str> = traits
        .chain(entry.expires.then_some("expiration"))
        .collect();
    match traits.is_empty() {
        true => format!("'{subject}'"),
        false => format!("'{subject} with {}'", traits.join(" and ")),
    }
}

/// A schema as a policy's text, in the list form or in the map form.
pub fn yaml(schema: &Schema, as_list: bool) -> String {
    let mut text = String::from("name: random\n");
    let head = |text: &mut String, indent: &str, name: &str| {
        if as_list {
            writeln!(text, "{indent}- name: {name}").unwrap();
        } else {
            writeln!(text, "{indent}  {name}:").unwrap();
        }
    };
    let pad = if as_list { "  " } else { "    " };
    if schema.without_owner {
        writeln!(text, "implicit_owner: false").unwrap();
    }
    if !schema.conditions.is_empty() {
        writeln!(text, "conditions:").unwrap();
    }
    for (name, condition) in &schema.conditions {
        head(&mut text, "", name);
        let kind = |name: &str| if name.starts_with('n') { "int" } else { "bool" };
        let parameters = condition.parameters.iter();
        let mut words: Vec<String> = parameters.map(|p| format!("{p}: {}", kind(p))).collect();
        words.push("now: clock".into());
        writeln!(text, "{pad}parameters: {{{}}}", words.join(", ")).unwrap();
        writeln!(text, "{pad}expr: '{}'", write_test(&condition.test)).unwrap();
    }
    writeln!(text, "resources:").unwrap();
    for (name, resource) in &schema.resources {
        head(&mut text, "", name);
        writeln!(text, "{pad}relations:").unwrap();
        for (relation, about) in &resource.relations {
            head(&mut text, pad, relation);
            let manages: Vec<&str> = about.manages.iter().map(String::as_str).collect();
            writeln!(text, "{pad}{pad}manages: [{}]", manages.join(", ")).unwrap();
            if !about.types.is_empty() {
                let words: Vec<String> = about.types.iter().map(write_type).collect();
                writeln!(text, "{pad}{pad}types: [{}]", words.join(", ")).unwrap();
            }
            if let Some(expr) = &about.expr {
                writeln!(text, "{pad}{pad}expr: {}", quoted(&write_expression(expr))).unwrap();
            }
        }
        writeln!(text, "{pad}permissions:").unwrap();
        for (permission, expr) in &resource.permissions {
            head(&mut text, pad, permission);
            if let Some(expr) = expr {
                writeln!(text, "{pad}{pad}expr: {}", quoted(&write_expression(expr))).unwrap();
            }
        }
    }
    text
}
