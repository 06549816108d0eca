//! One check on a replica: 10,000 relationships, three steps deep, answers allow and deny apart,
//! against the naive oracle on the same questions.
//!
//! `cargo bench -p policy` prints the median of each, and at the end how many times faster the
//! engine is than the oracle. The oracle fills its whole table for every question, so its figure
//! is taken from a few questions only.
#![allow(missing_docs, reason = "a benchmark")]

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use policy::{
    apply_all, check, Actor, Change, Circumstances, History, Limits, Name, ObjectRef, Policy,
    Question, Relationship, Revision, Subject, TreeRelationships,
};

#[path = "../tests/main/oracle.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod oracle;

use oracle::{Expr, Resource, Schema, Type, Who, World};

const POLICY: &str = "
resources:
- name: document
  relations:
  - name: parent
    types: [folder]
  - name: reader
    types: [actor, group->member]
  - name: banned
    types: [actor]
  permissions:
  - name: read
    expr: reader + parent->view - banned
- name: folder
  relations:
  - name: viewer
    types: [actor, group->member]
  permissions:
  - name: view
    expr: viewer
- name: group
  relations:
  - name: guest
    types: [actor]
  permissions:
  - name: member
    expr: guest
";

/// Documents lie in folders, folders are viewed by groups, groups have guests.
const DOCUMENTS: usize = 5_000;
const FOLDERS: usize = 500;
const GROUPS: usize = 100;
const GUESTS: usize = 44;

fn fact(text: String) -> Relationship {
    text.parse().expect("the generator writes relationships")
}

fn relationships() -> Vec<Relationship> {
    let mut all = vec![];
    for at in 0..DOCUMENTS {
        all.push(fact(format!(
            "document:d{at}#parent@folder:f{}",
            at % FOLDERS
        )));
    }
    for at in 0..FOLDERS {
        all.push(fact(format!(
            "folder:f{at}#viewer@group:g{}#member",
            at % GROUPS
        )));
        all.push(fact(format!("folder:f{at}#viewer@did:key:zFolder{at}")));
    }
    for at in 0..GROUPS {
        for guest in 0..GUESTS - 4 {
            all.push(fact(format!(
                "group:g{at}#guest@did:key:zGuest{at}x{guest}"
            )));
        }
    }
    all
}

fn changes() -> Vec<Change> {
    let owner = Actor::new("did:key:zOwner").expect("an actor");
    let mut objects: Vec<ObjectRef> = relationships()
        .into_iter()
        .map(|relationship| relationship.object)
        .collect();
    objects.sort();
    objects.dedup();
    let registered = objects.into_iter().map(|object| Change::ObjectRegistered {
        object,
        owner: owner.clone(),
    });
    [Change::Defined {
        definition: POLICY.into(),
    }]
    .into_iter()
    .chain(registered)
    .chain(relationships().into_iter().map(Change::RelationshipSet))
    .collect()
}

fn history() -> History {
    let mut history = History::new();
    let about = Revision {
        revision: 0,
        height: 1,
        time_seconds: 0,
        time_nanos: 0,
    };
    history
        .apply(about, &changes())
        .expect("the changes are consistent");
    history
}

/// document -> folder -> group -> guest: three steps. Denied: a guest of another group.
fn questions(allowed: bool) -> Vec<Question> {
    (0..512)
        .map(|at| {
            let document = at * 37 % DOCUMENTS;
            let group = (document % FOLDERS % GROUPS + usize::from(!allowed)) % GROUPS;
            let actor =
                Actor::new(&format!("did:key:zGuest{group}x{}", at % 40)).expect("an actor");
            let object = ObjectRef::new("document", &format!("d{document}")).expect("an object");
            Question::new(object, "read", actor)
        })
        .collect()
}

#[divan::bench(args = [true, false], sample_size = 512)]
fn replica(bencher: divan::Bencher, allowed: bool) {
    let history = history();
    let view = history.at(0).expect("the revision is known");
    let questions = questions(allowed);
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % questions.len();
        let answer = check(
            &view,
            black_box(&questions[at]),
            &Circumstances::default(),
            Limits::CONSENSUS,
        )
        .expect("an answer");
        assert_eq!(answer.is_allow(), allowed);
    });
}

/// The hub's way: records decoded from bytes, nothing kept from one question to the next.
#[divan::bench(args = [true, false], sample_size = 512)]
fn records(bencher: divan::Bencher, allowed: bool) {
    let policy = Policy::parse(POLICY).expect("a policy");
    let writes =
        apply_all(&changes(), BTreeMap::<Vec<u8>, Vec<u8>>::new()).expect("the changes apply");
    let tree: BTreeMap<Vec<u8>, Vec<u8>> = writes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    let questions = questions(allowed);
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % questions.len();
        let relationships = TreeRelationships::new(&policy, &tree);
        let answer = check(
            &relationships,
            black_box(&questions[at]),
            &Circumstances::default(),
            Limits::CONSENSUS,
        )
        .expect("an answer");
        assert_eq!(answer.is_allow(), allowed);
    });
}

#[divan::bench]
fn parse_policy() -> Policy {
    Policy::parse(black_box(POLICY)).expect("a policy")
}

fn main() {
    divan::main();
    if std::env::args().any(|argument| argument == "--bench") {
        ratio();
    }
}

fn ratio() {
    let (schema, world) = (schema(), world());
    let history = history();
    let view = history.at(0).expect("the revision is known");
    for allowed in [true, false] {
        let questions = questions(allowed);
        let mut rounds: Vec<f64> = (0..41)
            .map(|_| {
                let began = Instant::now();
                for question in &questions {
                    black_box(
                        check(
                            &view,
                            question,
                            &Circumstances::default(),
                            Limits::CONSENSUS,
                        )
                        .expect("an answer"),
                    );
                }
                began.elapsed().as_secs_f64() / questions.len() as f64
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        let engine = rounds[rounds.len() / 2];
        let few = 3;
        let began = Instant::now();
        for question in questions.iter().take(few) {
            let object = (
                question.object.resource().into(),
                question.object.id().into(),
            );
            let Subject::Actor(actor) = &question.subject else {
                continue;
            };
            let answer = oracle::allows(
                &schema,
                &world,
                &object,
                &question.permission,
                &Who::Actor(actor.to_string()),
            );
            assert_eq!(answer, allowed);
        }
        let naive = began.elapsed().as_secs_f64() / few as f64;
        let what = if allowed { "allow" } else { "deny" };
        println!(
            "check, 10,000 relationships, three steps deep, {what}: {:.2} µs (aim: 2 µs); the naive oracle {:.0} µs, ratio {:.0}",
            engine * 1e6,
            naive * 1e6,
            naive / engine
        );
    }
}

/// The same policy and facts as the oracle reads them.
fn schema() -> Schema {
    let name = |name: &str| Expr::Name(name.into());
    let both = vec![Type::Actor, Type::Userset("group".into(), "member".into())];
    let resource = |relations: Vec<(&str, Vec<Type>)>, permission: (&str, Expr)| Resource {
        relations: relations
            .into_iter()
            .map(|(relation, types)| (relation.into(), (types, Default::default())))
            .collect(),
        permissions: [(permission.0.into(), Some(permission.1))].into(),
    };
    let read = Expr::Minus(
        Box::new(Expr::Or(
            Box::new(name("reader")),
            Box::new(Expr::Arrow("parent".into(), "view".into())),
        )),
        Box::new(name("banned")),
    );
    let document = vec![
        ("parent", vec![Type::Object("folder".into())]),
        ("reader", both.clone()),
        ("banned", vec![Type::Actor]),
    ];
    [
        ("document".into(), resource(document, ("read", read))),
        (
            "folder".into(),
            resource(vec![("viewer", both)], ("view", name("viewer"))),
        ),
        (
            "group".into(),
            resource(
                vec![("guest", vec![Type::Actor])],
                ("member", name("guest")),
            ),
        ),
    ]
    .into()
}

fn world() -> World {
    let mut world = World::default();
    for Relationship {
        object,
        relation,
        subject,
    } in relationships()
    {
        let pair = |object: &ObjectRef| (object.resource().to_string(), object.id().to_string());
        let who = match &subject {
            Subject::Actor(actor) => Who::Actor(actor.to_string()),
            Subject::Everyone => Who::Everyone,
            Subject::Object(object) => Who::Object(pair(object)),
            Subject::Userset { object, relation } => {
                Who::Userset(pair(object), Name::to_string(relation))
            }
        };
        world.owners.insert(pair(&object), "did:key:zOwner".into());
        world
            .facts
            .entry((pair(&object), relation.to_string()))
            .or_default()
            .insert(who);
    }
    world
}
