//! Seeded graphs of any size: the relationships of a drive and of a social network, and random
//! questions about them whose answers the generator knows by itself.
//!
//! It needs the crate `policy` alone, so that other benches include it by its path and ask the same.
//! A graph looks the same close by at every size: who has how many folders above, groups inside of
//! groups and members does not change with the number of relationships.

mod drive;
#[path = "../../../tests/main/random.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod random;
mod social;

use std::collections::BTreeSet;

#[allow(unused_imports, reason = "each bench asks what it needs")]
pub use drive::Drive;
use policy::{Actor, Change, History, ObjectRef, Question, Relationship, Revision};
pub use random::Random;
#[allow(unused_imports, reason = "each bench asks what it needs")]
pub use social::Social;

/// Changes of one block, where a graph is written as a history.
pub const BLOCK: usize = 1_000;

/// Somebody asks for something; both by their numbers in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub object: usize,
    pub actor: usize,
}

pub trait Graph: Sized {
    const NAME: &'static str;
    const POLICY: &'static str;
    /// What is asked for, and of which resource.
    const PERMISSION: &'static str;
    const RESOURCE: &'static str;

    /// About so many relationships, ownership among them.
    fn new(relationships: usize, random: &mut Random) -> Self;

    /// All of them: objects with their owners, then what stands in relations.
    fn relationships(&self) -> impl Iterator<Item = Fact> + '_;

    /// A random question; mostly, but not always, with this answer.
    fn draw(&self, allowed: bool, random: &mut Random) -> Pair;

    /// The answer.
    fn allows(&self, pair: Pair) -> bool;

    /// The names of an object and an actor that are asked about.
    fn object(of: usize) -> String;
    fn actor(of: usize) -> String;
}

/// What a graph holds.
pub enum Fact {
    Owner(String, String),
    Relationship(String),
}

/// Distinct questions with this answer.
pub fn questions<G: Graph>(
    graph: &G,
    allowed: bool,
    count: usize,
    random: &mut Random,
) -> Vec<Question> {
    let mut seen = BTreeSet::new();
    let mut drawn = vec![];
    // A small graph may not have so many.
    for _ in 0..count * 50 {
        let pair = graph.draw(allowed, random);
        if graph.allows(pair) == allowed && seen.insert(pair) {
            drawn.push(question::<G>(pair));
        }
        if drawn.len() == count {
            break;
        }
    }
    drawn
}

fn question<G: Graph>(pair: Pair) -> Question {
    let object = ObjectRef::new(G::RESOURCE, &G::object(pair.object)).expect("an object");
    let actor = Actor::new(&G::actor(pair.actor)).expect("an actor");
    Question::new(object, G::PERMISSION, actor)
}

/// A graph as the changes that make it.
pub fn changes<G: Graph>(graph: &G) -> impl Iterator<Item = Change> + '_ {
    let definition = Change::Defined {
        definition: G::POLICY.into(),
    };
    let facts = graph.relationships().map(|fact| match fact {
        Fact::Owner(object, owner) => Change::ObjectRegistered {
            object: object.parse().expect("an object"),
            owner: Actor::new(&owner).expect("an actor"),
        },
        Fact::Relationship(text) => Change::RelationshipSet(relationship(&text)),
    });
    std::iter::once(definition).chain(facts)
}

fn relationship(text: &str) -> Relationship {
    text.parse().expect("the generator writes relationships")
}

/// A graph as a replica has it: a revision for every block of changes.
pub fn history<G: Graph>(graph: &G) -> History {
    let mut history = History::keyed([7; 16]);
    let mut changes = changes(graph).peekable();
    while changes.peek().is_some() {
        let block: Vec<Change> = changes.by_ref().take(BLOCK).collect();
        append(&mut history, &block);
    }
    history
}

/// Adds a revision.
pub fn append(history: &mut History, block: &[Change]) {
    let next = history.latest().map_or(0, |latest| latest.revision + 1);
    let about = Revision {
        revision: next,
        height: next + 1,
        time_seconds: next as i64,
        time_nanos: 0,
    };
    history.apply(about, block).expect("the changes follow");
}
