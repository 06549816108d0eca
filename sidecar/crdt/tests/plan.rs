//! Random documents: a plan is plain numbers, so that a failing one shrinks and is read.

use std::collections::BTreeMap;

use crdt::{BodyBlock, Cid, Commit, Header, Operation, OperationName, Value};
use proptest::prelude::*;

use crate::world::{add, author, increment, named, remove, rollback, schema, set, World};

#[derive(Clone, Debug)]
pub struct Step {
    pub author: u8,
    /// Which commits to follow: each number picks one of those that are there. Empty: all heads.
    pub parents: Vec<u16>,
    pub operations: Vec<Change>,
    /// Leave this permission out of the header, so that operations are void.
    pub omit: Option<bool>,
}

#[derive(Clone, Debug)]
pub enum Change {
    Set(bool, i8),
    Approve(bool),
    Increment(i64),
    Add(u8),
    /// Names adds: each number picks one of all that were ever made, seen or not.
    Remove(Vec<u16>),
    Delete,
    /// Picks commits, ancestors or not.
    Rollback(Vec<u16>),
}

fn change() -> impl Strategy<Value = Change> {
    let extreme = prop_oneof![
        8 => -5..6_i64,
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
    ];
    prop_oneof![
        3 => (any::<bool>(), -3..4_i8).prop_map(|(which, value)| Change::Set(which, value)),
        1 => any::<bool>().prop_map(Change::Approve),
        3 => extreme.prop_map(Change::Increment),
        3 => (0..4_u8).prop_map(Change::Add),
        3 => prop::collection::vec(any::<u16>(), 1..4).prop_map(Change::Remove),
        1 => Just(Change::Delete),
        1 => prop::collection::vec(any::<u16>(), 1..3).prop_map(Change::Rollback),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (
        0..4_u8,
        prop_oneof![
            1 => Just(Vec::new()),
            2 => prop::collection::vec(any::<u16>(), 1..4),
        ],
        prop::collection::vec(change(), 1..4),
        prop::option::weighted(0.1, any::<bool>()),
    )
        .prop_map(|(author, parents, operations, omit)| Step {
            author,
            parents,
            operations,
            omit,
        })
}

pub fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..max)
}

/// A document made by a plan.
pub struct Planned {
    pub world: World,
    /// All commits, parents first.
    pub commits: Vec<(Commit, BodyBlock)>,
}

impl Planned {
    pub fn new(steps: &[Step]) -> Self {
        let mut world = World::new();
        let mut commits: Vec<(Commit, BodyBlock)> = Vec::new();
        let mut adds: Vec<OperationName> = Vec::new();
        for step in steps {
            let cids: Vec<Cid> = commits.iter().map(|(commit, _)| *commit.cid()).collect();
            // Recent commits are picked more often than old ones.
            let pick = |number: &u16| {
                let back = usize::from(*number) % cids.len().clamp(1, 4 + usize::from(number >> 8));
                cids[cids.len() - 1 - back % cids.len()]
            };
            let mut parents: Vec<Cid> = match (cids.as_slice(), step.parents.as_slice()) {
                ([], _) => Vec::new(),
                (_, []) => world.heads(),
                (_, numbers) => numbers.iter().map(pick).collect(),
            };
            parents.sort();
            parents.dedup();
            let mut operations: Vec<Operation> = Vec::new();
            for change in &step.operations {
                operations.push(match change {
                    Change::Set(which, 3) => {
                        set(if *which { "title" } else { "note" }, Value::Null)
                    }
                    Change::Set(which, value) => {
                        set(if *which { "title" } else { "note" }, i64::from(*value))
                    }
                    Change::Approve(value) => set("approved", *value),
                    Change::Increment(by) => increment(*by),
                    Change::Add(value) => add(i64::from(*value)),
                    Change::Remove(_) if adds.is_empty() => increment(1),
                    Change::Remove(numbers) => {
                        let names: Vec<_> = numbers
                            .iter()
                            .map(|number| adds[usize::from(*number) % adds.len()])
                            .collect();
                        remove(&names)
                    }
                    Change::Rollback(_) if cids.is_empty() => increment(1),
                    Change::Rollback(numbers) => {
                        rollback(&numbers.iter().map(pick).collect::<Vec<_>>())
                    }
                    Change::Delete => Operation::Delete,
                });
            }
            let by = if cids.is_empty() { 0 } else { step.author };
            let prepared = world
                .draft(by, &parents, operations.clone())
                .prepare(schema())
                .unwrap();
            let header = match step.omit {
                Some(last) => without_a_permission(prepared.header.header(), last),
                None => prepared.header.header().clone(),
            };
            let block = header.into_block().unwrap();
            let signature = author(by).sign_commit(&block.header().chain, block.bytes());
            // Verification has tests of its own and would take most of the time here.
            let commit = Commit::trusted(block, signature);
            let cid = world.insert(commit.clone(), prepared.body.clone());
            for (index, operation) in (0..).zip(&operations) {
                if matches!(operation, Operation::Add { .. }) {
                    adds.push(named(cid, index));
                }
            }
            commits.push((commit, prepared.body));
        }
        Self { world, commits }
    }

    pub fn by_cid(&self) -> BTreeMap<Cid, &(Commit, BodyBlock)> {
        self.commits
            .iter()
            .map(|entry| (*entry.0.cid(), entry))
            .collect()
    }
}

/// Lists one permission less, if one is left; some operations become void.
fn without_a_permission(header: &Header, last: bool) -> Header {
    let mut parts = crdt::HeaderParts::clone(header);
    let may_go: Vec<usize> = (0..parts.permissions.len())
        .filter(|index| parts.permissions[*index] != crdt::CREATE)
        .collect();
    if parts.permissions.len() > 1 {
        if let Some(index) = if last { may_go.last() } else { may_go.first() } {
            parts.permissions.remove(*index);
        }
    }
    Header::new(parts).unwrap()
}
