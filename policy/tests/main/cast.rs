//! Random worlds over a schema: who and what they speak of, and changes to them.

use std::collections::{btree_map::Entry, BTreeMap};

use policy::{
    Actor, Change, Circumstances, ConditionUse, Context, Decision, DocumentFacts, Name, ObjectRef,
    Question, Relationship, Subject,
};

use crate::{
    generate::time,
    oracle::{
        Condition, Facts, Kind, Object, Says, Schema, Terms, Type, Value, Values, When, Who, World,
    },
    random::Random,
};

pub fn object(object: &Object) -> ObjectRef {
    ObjectRef::new(&object.0, &object.1).unwrap()
}

pub fn subject(who: &Who) -> Subject {
    match who {
        Who::Actor(actor) => Subject::Actor(Actor::new(actor).unwrap()),
        Who::Everyone => Subject::Everyone,
        Who::Every(resource) => Subject::Every(Name::new(resource).unwrap()),
        Who::Object(o) => Subject::Object(object(o)),
        Who::Userset(o, relation) => Subject::Userset {
            object: object(o),
            relation: Name::new(relation).unwrap(),
        },
    }
}

/// A decision in the oracle's words.
pub fn said(decision: Decision) -> Says {
    match decision {
        Decision::Allow => Says::Allow,
        Decision::Deny => Says::Deny,
        Decision::Conditional => Says::Conditional,
    }
}

pub fn context(values: &Values) -> Context {
    let words: Vec<String> = values
        .iter()
        .map(|(name, value)| match value {
            Value::Int(value) => format!("\"{name}\":{value}"),
            Value::Bool(value) => format!("\"{name}\":{value}"),
        })
        .collect();
    Context::from_json(&format!("{{{}}}", words.join(","))).unwrap()
}

pub fn circumstances(when: &When) -> Circumstances {
    Circumstances {
        time: time(when.time).parse().unwrap(),
        context: context(&when.context),
    }
}

pub fn relationship(o: &Object, relation: &str, who: &Who, terms: &Terms) -> Relationship {
    let condition = terms.condition.as_ref().map(|(name, values)| {
        Box::new(ConditionUse {
            name: Name::new(name).unwrap(),
            context: context(values),
        })
    });
    Relationship::new(object(o), Name::new(relation).unwrap(), subject(who)).on(policy::Terms {
        condition,
        expires: terms.expires.map(|end| time(end).parse().unwrap()),
    })
}

/// All relationships of a set of facts.
pub fn relationships(facts: &Facts) -> Vec<Relationship> {
    let mut all = vec![];
    for ((o, relation), members) in facts {
        all.extend(
            members
                .iter()
                .map(|(who, terms)| relationship(o, relation, who, terms)),
        );
    }
    all
}

pub fn facts(world: &World) -> Vec<DocumentFacts> {
    world
        .documents
        .iter()
        .map(|(document, author, relation, scope)| DocumentFacts {
            object: object(document),
            owner: author.as_ref().map(|author| Actor::new(author).unwrap()),
            scope_relation: Name::new(relation).unwrap(),
            scope: object(scope),
        })
        .collect()
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
        let resources: Vec<&String> = schema.resources.keys().collect();
        let objects = (0..per_resource * resources.len())
            .map(|at| (resources[at % resources.len()].clone(), format!("o{at}")))
            .collect();
        let actors = (0..if many { 200 } else { 4 })
            .map(|at| format!("did:user:a{at}"))
            .collect();
        let mut names: Vec<String> = schema
            .resources
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
            return match random.below(6) {
                0 => Who::Actor(self.actor(random)),
                1 => Who::Everyone,
                2 => Who::Object(self.object(random)),
                3 => Who::Object(("nothing".into(), "x".into())),
                4 => Who::Every(self.object(random).0),
                _ => Who::Userset(self.object(random), random.pick(&self.names).clone()),
            };
        }
        let kind = random.pick(types).kind.clone();
        self.of_kind(random, &kind)
    }

    fn of_kind(&self, random: &mut Random, kind: &Kind) -> Who {
        let of = |random: &mut Random, resource: &str| -> Object {
            let all = self.objects.iter();
            let all: Vec<&Object> = all.filter(|object| object.0 == resource).collect();
            (*random.pick(&all)).clone()
        };
        match kind {
            Kind::Actor => Who::Actor(self.actor(random)),
            Kind::Everyone if random.chance(30) => Who::Everyone,
            Kind::Everyone => Who::Actor(self.actor(random)),
            Kind::Every(resource) if random.chance(60) => Who::Every(resource.clone()),
            Kind::Every(resource) | Kind::Object(resource) => Who::Object(of(random, resource)),
            Kind::Userset(resource, relation) => {
                Who::Userset(of(random, resource), relation.clone())
            }
        }
    }

    /// A subject and terms, mostly as one of `types` has it.
    pub fn member(&self, random: &mut Random, schema: &Schema, types: &[Type]) -> (Who, Terms) {
        if types.is_empty() || random.chance(12) {
            let mut terms = Terms::default();
            if random.chance(30) {
                terms.expires = Some(random.below(100) as i64);
            }
            return (self.subject(random, types), terms);
        }
        let entry = random.pick(types).clone();
        let who = self.of_kind(random, &entry.kind);
        let condition = entry.condition.map(|name| {
            let values = some_values(random, &schema.conditions[&name]);
            (name, values)
        });
        let expires = entry.expires.then(|| random.below(100) as i64);
        (who, Terms { condition, expires })
    }
}

/// Values of some of a condition's parameters; now and then one that it does not have.
fn some_values(random: &mut Random, condition: &Condition) -> Values {
    let mut values = Values::new();
    for name in &condition.parameters {
        if random.chance(25) {
            values.insert(name.clone(), value(random, name));
        }
    }
    if random.chance(3) {
        values.insert("n9".into(), Value::Int(1));
    }
    values
}

fn value(random: &mut Random, name: &str) -> Value {
    match name.starts_with('n') {
        true => Value::Int(random.below(5) as i64),
        false => Value::Bool(random.chance(50)),
    }
}

/// A time, and values of some of the parameters that conditions have.
pub fn when(random: &mut Random) -> When {
    let mut context = Values::new();
    for name in ["n0", "n1", "b0", "b1"] {
        if random.chance(30) {
            context.insert(name.into(), value(random, name));
        }
    }
    When {
        time: random.below(100) as i64,
        context,
    }
}

/// One random block: changes the world and says how.
pub fn block(
    random: &mut Random,
    schema: &Schema,
    cast: &Cast,
    world: &mut World,
    size: usize,
) -> Vec<Change> {
    let mut changes = vec![];
    for _ in 0..size {
        let o = cast.object(random);
        let of = object(&o);
        if let Entry::Vacant(place) = world.owners.entry(o.clone()) {
            let owner = cast.actor(random);
            let actor = Actor::new(&owner).unwrap();
            place.insert(owner);
            changes.push(Change::ObjectRegistered {
                object: of,
                owner: actor,
            });
            continue;
        }
        match random.below(40) {
            0 if !world.archived.contains(&o) => {
                let owner = cast.actor(random);
                changes.push(Change::ObjectTransferred {
                    object: of,
                    owner: Actor::new(&owner).unwrap(),
                });
                world.owners.insert(o, owner);
                continue;
            }
            1 if world.archived.insert(o.clone()) => {
                changes.push(Change::ObjectArchived { object: of });
                continue;
            }
            2 | 3 if world.archived.remove(&o) => {
                changes.push(Change::ObjectUnarchived { object: of });
                continue;
            }
            _ if world.archived.contains(&o) => continue,
            _ => {}
        }
        let relations: Vec<_> = schema.resources[&o.0].relations.iter().collect();
        let (relation, about) = *random.pick(&relations);
        let here = world
            .facts
            .entry((o.clone(), relation.clone()))
            .or_default();
        if random.chance(25) && !here.is_empty() {
            let (who, terms) = here.iter().nth(random.below(here.len())).unwrap();
            let (who, terms) = (who.clone(), terms.clone());
            here.remove(&who);
            changes.push(Change::RelationshipDeleted(relationship(
                &o, relation, &who, &terms,
            )));
        } else {
            let (who, terms) = cast.member(random, schema, &about.types);
            here.insert(who.clone(), terms.clone());
            changes.push(Change::RelationshipSet(relationship(
                &o, relation, &who, &terms,
            )));
        }
    }
    changes
}

/// Random documents: some unregistered, some registered, some for creation (without an owner).
pub fn documents(random: &mut Random, schema: &Schema, cast: &Cast, world: &mut World) {
    world.documents.clear();
    for at in 0..random.below(3) {
        let resources: Vec<String> = schema.resources.keys().cloned().collect();
        let fresh = (random.pick(&resources).clone(), format!("doc{at}"));
        let document = if random.chance(40) {
            cast.object(random)
        } else {
            fresh
        };
        let relations = schema.resources[&document.0].relations.keys();
        let relations: Vec<String> = relations.cloned().collect();
        let author = random.chance(70).then(|| cast.actor(random));
        if world.documents.iter().all(|(other, ..)| *other != document) {
            world.documents.push((
                document,
                author,
                random.pick(&relations).clone(),
                cast.object(random),
            ));
        }
    }
}

/// The changes that make a world.
pub fn changes(text: &str, world: &World) -> Vec<Change> {
    let mut changes = vec![Change::Defined {
        definition: text.into(),
    }];
    for (o, owner) in &world.owners {
        changes.push(Change::ObjectRegistered {
            object: object(o),
            owner: Actor::new(owner).unwrap(),
        });
    }
    let set = relationships(&world.facts).into_iter();
    changes.extend(set.map(Change::RelationshipSet));
    let archived = world.archived.iter();
    changes.extend(archived.map(|o| Change::ObjectArchived { object: object(o) }));
    changes
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub object: Object,
    pub name: String,
    pub who: Who,
}

pub fn ask(random: &mut Random, schema: &Schema, cast: &Cast, world: &World) -> Asked {
    let document = world
        .documents
        .first()
        .filter(|_| random.chance(30))
        .map(|document| document.0.clone());
    let object = document.unwrap_or_else(|| cast.object(random));
    let resource = &schema.resources[&object.0];
    let all = resource.permissions.keys().chain(resource.relations.keys());
    let names: Vec<&String> = all.collect();
    // Relations that record nobody have no management.
    let managed: Vec<&String> = resource
        .relations
        .iter()
        .filter(|(_, relation)| !relation.types.is_empty())
        .map(|(name, _)| name)
        .collect();
    let name = match random.below(12) {
        0 if !schema.without_owner => "owner".into(),
        1 if !managed.is_empty() => format!("manage({})", random.pick(&managed)),
        2 if !schema.without_owner => "manage(owner)".into(),
        _ => (*random.pick(&names)).clone(),
    };
    let who = match random.below(10) {
        0 => cast.subject(random, &[]),
        1 => Who::Actor("did:user:stranger".into()),
        2 => Who::Object(cast.object(random)),
        3 => Who::Userset(object.clone(), (*random.pick(&names)).clone()),
        _ => Who::Actor(cast.actor(random)),
    };
    Asked { object, name, who }
}

pub fn question(asked: &Asked) -> Question {
    Question {
        object: object(&asked.object),
        permission: asked.name.clone(),
        subject: subject(&asked.who),
    }
}

/// Another name of the same kind, in another order.
pub fn elsewhere(id: &str) -> String {
    let tail: String = id.rsplit(':').next().unwrap_or(id).chars().rev().collect();
    match id.starts_with("did:") {
        true => format!("did:other:{tail}"),
        false => format!("{tail}x"),
    }
}

/// The same world with every id replaced: names sort differently, answers must not.
pub fn renamed(world: &World, rename: &dyn Fn(&str) -> String) -> World {
    let object = |o: &Object| renamed_object(o, rename);
    let facts = |facts: &Facts| -> Facts {
        let relation = |((o, relation), all): (&(Object, String), &BTreeMap<Who, Terms>)| {
            let all = all.iter();
            let all = all.map(|(who, terms)| (renamed_who(who, rename), terms.clone()));
            ((object(o), relation.clone()), all.collect())
        };
        facts.iter().map(relation).collect()
    };
    World {
        owners: world
            .owners
            .iter()
            .map(|(o, owner)| (object(o), rename(owner)))
            .collect(),
        archived: world.archived.iter().map(object).collect(),
        facts: facts(&world.facts),
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
        contextual: facts(&world.contextual),
    }
}

pub fn renamed_object((resource, id): &Object, rename: &dyn Fn(&str) -> String) -> Object {
    (resource.clone(), rename(id))
}

pub fn renamed_who(who: &Who, rename: &dyn Fn(&str) -> String) -> Who {
    match who {
        Who::Actor(actor) => Who::Actor(rename(actor)),
        Who::Everyone => Who::Everyone,
        Who::Every(resource) => Who::Every(resource.clone()),
        Who::Object(o) => Who::Object(renamed_object(o, rename)),
        Who::Userset(o, relation) => Who::Userset(renamed_object(o, rename), relation.clone()),
    }
}
