//! Several ways to one answer must agree, over random schemas with cycles, usersets, objects,
//! everyone, documents and archived objects: the walk over records, the walk over history at any
//! revision, the replay of evidence, and the oracle.

use std::collections::{btree_map::Entry, BTreeMap, BTreeSet};

use policy::{
    apply_all, check, fetch, gather, replay, Actor, Answer, Change, CheckError, Circumstances,
    DocumentFacts, History, Limits, Name, ObjectRef, Policy, Question, Relationship, Relationships,
    ReplayError, Revision, Subject, TreeRelationships, WithDocuments,
};

use crate::{
    generate::{knot, renamed, schema, yaml, Cast},
    oracle::{allows, Object, Schema, Who, World},
    random::{rounds, seed, Random},
};

type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

/// Answers are compared where no bound stands against them.
const GENEROUS: Limits = Limits {
    steps_max: 100_000_000,
    depth_max: 100_000,
};

fn object(object: &Object) -> ObjectRef {
    ObjectRef::new(&object.0, &object.1).unwrap()
}

fn subject(who: &Who) -> Subject {
    match who {
        Who::Actor(actor) => Subject::Actor(Actor::new(actor).unwrap()),
        Who::Everyone => Subject::Everyone,
        Who::Object(o) => Subject::Object(object(o)),
        Who::Userset(o, relation) => Subject::Userset {
            object: object(o),
            relation: Name::new(relation).unwrap(),
        },
    }
}

fn relationship(o: &Object, relation: &str, who: &Who) -> Relationship {
    Relationship::new(object(o), Name::new(relation).unwrap(), subject(who))
}

fn facts(world: &World) -> Vec<DocumentFacts> {
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

/// One random block: changes the world and says how.
fn block(
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
        let relations: Vec<_> = schema[&o.0].relations.iter().collect();
        let (relation, (types, _)) = *random.pick(&relations);
        let here = world
            .facts
            .entry((o.clone(), relation.clone()))
            .or_default();
        if random.chance(25) && !here.is_empty() {
            let who = here.iter().nth(random.below(here.len())).unwrap().clone();
            here.remove(&who);
            changes.push(Change::RelationshipDeleted(relationship(
                &o, relation, &who,
            )));
        } else {
            let who = cast.subject(random, types);
            here.insert(who.clone());
            changes.push(Change::RelationshipSet(relationship(&o, relation, &who)));
        }
    }
    changes
}

/// Random documents: some unregistered, some registered, some for creation (without an owner).
fn documents(random: &mut Random, schema: &Schema, cast: &Cast, world: &mut World) {
    world.documents.clear();
    for at in 0..random.below(3) {
        let resource = random
            .pick(&schema.keys().cloned().collect::<Vec<_>>())
            .clone();
        let fresh = (resource, format!("doc{at}"));
        let document = if random.chance(40) {
            cast.object(random)
        } else {
            fresh
        };
        let relations: Vec<String> = schema[&document.0].relations.keys().cloned().collect();
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

struct Asked {
    object: Object,
    name: String,
    who: Who,
}

fn ask(random: &mut Random, schema: &Schema, cast: &Cast, world: &World) -> Asked {
    let document = world
        .documents
        .first()
        .filter(|_| random.chance(30))
        .map(|document| document.0.clone());
    let object = document.unwrap_or_else(|| cast.object(random));
    let resource = &schema[&object.0];
    let names: Vec<&String> = resource
        .permissions
        .keys()
        .chain(resource.relations.keys())
        .collect();
    let name = match random.below(12) {
        0 => "owner".into(),
        1 => format!(
            "manage({})",
            random.pick(&resource.relations.keys().collect::<Vec<_>>())
        ),
        2 => "manage(owner)".into(),
        _ => (*random.pick(&names)).clone(),
    };
    let who = match random.below(10) {
        0 => cast.subject(random, &[]),
        1 => Who::Actor("did:user:stranger".into()),
        _ => Who::Actor(cast.actor(random)),
    };
    Asked { object, name, who }
}

fn question(asked: &Asked) -> Question {
    Question {
        object: object(&asked.object),
        permission: asked.name.clone(),
        subject: subject(&asked.who),
    }
}

fn over(
    relationships: &impl Relationships,
    documents: &[DocumentFacts],
    question: &Question,
    limits: Limits,
) -> Result<Answer, CheckError> {
    check(
        &WithDocuments::new(relationships, documents),
        question,
        &Circumstances::default(),
        limits,
    )
}

/// Evidence replays to the same answer; with a key less it may become insufficient, never different.
fn evidence_agrees(
    policy: &Policy,
    tree: &Tree,
    question: &Question,
    documents: &[DocumentFacts],
    answer: Answer,
) -> usize {
    let limits = GENEROUS;
    let gathered = gather(
        policy,
        tree,
        question,
        &Circumstances::default(),
        documents,
        limits,
    )
    .unwrap();
    assert_eq!(gathered.answer, answer, "gathering walks the same way");
    let mut known = fetch(tree, &gathered.keys).unwrap();
    let again = replay(
        policy,
        &known,
        question,
        &Circumstances::default(),
        documents,
        limits,
    )
    .unwrap();
    assert_eq!(again.decision, answer.decision, "the replay decides alike");
    if !answer.is_allow() {
        assert_eq!(
            again.steps, answer.steps,
            "the replay of a deny is the walk itself"
        );
    }
    for key in &gathered.keys {
        let value = known.remove(key).unwrap();
        match replay(
            policy,
            &known,
            question,
            &Circumstances::default(),
            documents,
            limits,
        ) {
            Ok(less) => assert_eq!(
                less.decision, answer.decision,
                "missing evidence flips nothing"
            ),
            Err(ReplayError::Insufficient { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        known.insert(key.clone(), value);
    }
    gathered.keys.len()
}

fn one_round(seed: u64, counts: &mut Counts) {
    let mut random = Random::new(seed);
    let schema = schema(&mut random);
    let text = yaml(&schema, random.chance(50));
    let policy = match Policy::parse(&text) {
        Err(error) if error.to_string().contains("can never match") => return,
        policy => policy.unwrap_or_else(|error| panic!("{error}\n{text}")),
    };
    let cast = Cast::new(&mut random, &schema);
    let (mut world, mut tree, mut history) = (World::default(), Tree::new(), History::new());
    let mut past: Vec<(World, Tree)> = vec![];
    for revision in 0..1 + random.below(8) as u64 {
        let size = if cast.actors.len() > 4 {
            1_200
        } else {
            1 + random.below(25)
        };
        let mut changes = block(&mut random, &schema, &cast, &mut world, size);
        if revision == 0 {
            changes.insert(
                0,
                Change::Defined {
                    definition: text.clone(),
                },
            );
        }
        for (key, value) in apply_all(&changes, &tree).unwrap() {
            match value {
                Some(value) => tree.insert(key, value),
                None => tree.remove(&key),
            };
        }
        let about = Revision {
            revision,
            height: revision * 3 + 7,
            time_seconds: 0,
            time_nanos: 0,
        };
        history.apply(about, &changes).unwrap();
        past.push((world.clone(), tree.clone()));
    }
    let rename = |id: &str| {
        let tail: String = id.rsplit(':').next().unwrap_or(id).chars().rev().collect();
        if id.starts_with("did:") {
            format!("did:other:{tail}")
        } else {
            format!("{tail}x")
        }
    };
    for _ in 0..12 {
        let at = random.below(past.len());
        let (world, tree) = &mut past[at];
        documents(&mut random, &schema, &cast, world);
        let facts = facts(world);
        let view = history.at(at as u64).unwrap();
        let asked = ask(&mut random, &schema, &cast, world);
        let question = question(&asked);
        let expected = allows(&schema, world, &asked.object, &asked.name, &asked.who);
        let context =
            || format!("HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1\n{question}\n{text}\n{world:#?}");

        let records = over(
            &TreeRelationships::new(&policy, &*tree),
            &facts,
            &question,
            GENEROUS,
        );
        let records = records.unwrap_or_else(|error| panic!("{error}\n{}", context()));
        assert_eq!(
            records.is_allow(),
            expected,
            "engine and oracle differ: {}",
            context()
        );
        let seen = over(&view, &facts, &question, GENEROUS).unwrap();
        assert_eq!(seen, records, "records and history differ: {}", context());
        // Bounds are part of the answer: the same error in both places.
        let tight = Limits {
            steps_max: random.below(30) as u64,
            depth_max: random.below(6),
        };
        let bounded = over(
            &TreeRelationships::new(&policy, &*tree),
            &facts,
            &question,
            tight,
        );
        assert_eq!(
            bounded,
            over(&view, &facts, &question, tight),
            "bounds differ: {}",
            context()
        );
        if let Ok(bounded) = bounded {
            assert_eq!(
                bounded.is_allow(),
                expected,
                "a bound changed an answer: {}",
                context()
            );
        }
        let steps = records.steps;
        let keys = evidence_agrees(&policy, tree, &question, &facts, records);

        let again = renamed(world, &rename);
        let who = renamed(
            &World {
                facts: [(
                    (asked.object.clone(), String::new()),
                    BTreeSet::from([asked.who.clone()]),
                )]
                .into(),
                ..World::default()
            },
            &rename,
        );
        let ((renamed_object, _), whos) = who.facts.into_iter().next().unwrap();
        let renamed_question = Asked {
            object: renamed_object,
            name: asked.name.clone(),
            who: whos.into_iter().next().unwrap(),
        };
        assert_eq!(
            in_tree(&policy, &text, &again, &renamed_question),
            expected,
            "names matter: {}",
            context()
        );

        counts.questions += 1;
        counts.allowed += u64::from(expected);
        counts.steps_max = counts.steps_max.max(steps);
        counts.keys_max = counts.keys_max.max(keys);
        counts.pages += tree.keys().filter(|key| key.first() == Some(&4)).count();
    }
}

/// A world written into a tree of its own.
fn tree_of(text: &str, world: &World) -> Tree {
    let mut changes = vec![Change::Defined {
        definition: text.into(),
    }];
    for (o, owner) in &world.owners {
        changes.push(Change::ObjectRegistered {
            object: object(o),
            owner: Actor::new(owner).unwrap(),
        });
    }
    for ((o, relation), all) in &world.facts {
        changes.extend(
            all.iter()
                .map(|who| Change::RelationshipSet(relationship(o, relation, who))),
        );
    }
    changes.extend(
        world
            .archived
            .iter()
            .map(|o| Change::ObjectArchived { object: object(o) }),
    );
    let writes = apply_all(&changes, Tree::new()).unwrap();
    let present = writes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    present.collect()
}

/// Asks a world that is written into a tree of its own.
fn in_tree(policy: &Policy, text: &str, world: &World, asked: &Asked) -> bool {
    let tree = tree_of(text, world);
    let relationships = TreeRelationships::new(policy, &tree);
    over(&relationships, &facts(world), &question(asked), GENEROUS)
        .unwrap()
        .is_allow()
}

#[derive(Default, Debug)]
struct Counts {
    questions: u64,
    allowed: u64,
    steps_max: u64,
    keys_max: usize,
    pages: usize,
}

#[test]
fn records_history_evidence_and_oracle_agree() {
    let seed = seed();
    let mut counts = Counts::default();
    for round in 0..rounds(60) {
        one_round(seed.wrapping_add(round), &mut counts);
    }
    println!("{counts:?}");
    if rounds(60) >= 60 {
        assert!(
            counts.allowed > counts.questions / 20 && counts.allowed < counts.questions,
            "{counts:?}"
        );
        assert!(counts.pages > 0, "some relations must have moved to pages");
    }
}

/// Small worlds and many of them: whatever circles do to provisional values shows here.
#[test]
fn knots_of_permissions_agree_with_the_oracle() {
    let seed = seed();
    let mut allowed = 0;
    let rounds = 50 * rounds(60);
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round));
        let schema = knot(&mut random);
        let text = yaml(&schema, false);
        let policy = Policy::parse(&text).unwrap();
        let objects: Vec<Object> = (0..1 + random.below(2))
            .map(|at| ("t0".into(), format!("o{at}")))
            .collect();
        let mut world = World::default();
        for o in &objects {
            world.owners.insert(o.clone(), "did:user:owner".into());
            for relation in schema["t0"].relations.keys() {
                let here = world
                    .facts
                    .entry((o.clone(), relation.clone()))
                    .or_default();
                if random.chance(50) {
                    here.insert(Who::Actor("did:user:a".into()));
                }
                here.extend(
                    objects
                        .iter()
                        .filter(|_| random.chance(50))
                        .cloned()
                        .map(Who::Object),
                );
            }
        }
        let tree = tree_of(&text, &world);
        for name in schema["t0"].permissions.keys() {
            let asked = Asked {
                object: objects[0].clone(),
                name: name.clone(),
                who: Who::Actor("did:user:a".into()),
            };
            let question = question(&asked);
            let expected = allows(&schema, &world, &asked.object, name, &asked.who);
            let answer = check(
                &TreeRelationships::new(&policy, &tree),
                &question,
                &Circumstances::default(),
                GENEROUS,
            )
            .unwrap();
            let context =
                || format!("HOLDFAST_SEED={seed} round {round} {question}\n{text}\n{world:#?}");
            assert_eq!(answer.is_allow(), expected, "{}", context());
            let gathered = gather(
                &policy,
                &tree,
                &question,
                &Circumstances::default(),
                &[],
                GENEROUS,
            )
            .unwrap();
            let known = fetch(&tree, &gathered.keys).unwrap();
            let again = replay(
                &policy,
                &known,
                &question,
                &Circumstances::default(),
                &[],
                GENEROUS,
            )
            .unwrap();
            assert_eq!(again.is_allow(), expected, "replay: {}", context());
            allowed += u64::from(expected);
        }
    }
    println!("{rounds} knots, {allowed} questions allowed");
    assert!(
        allowed > rounds / 4,
        "too few are allowed to tell: {allowed}"
    );
}
