//! What a document says, worked out in the plainest way from the words of the specification.

use std::collections::{BTreeMap, BTreeSet};

use crdt::{Cid, Commit, Dag, Disclosure, DocumentState, Operation, Value};

use crate::world::schema;

#[derive(Debug, PartialEq)]
pub struct Expected {
    pub registers: BTreeMap<String, (Value, Cid)>,
    pub counters: BTreeMap<String, i128>,
    pub sets: BTreeMap<String, Vec<Value>>,
    pub deleted: bool,
    pub unread: BTreeSet<Cid>,
}

impl Expected {
    pub fn of(state: &DocumentState) -> Self {
        let mut expected = Self {
            registers: BTreeMap::new(),
            counters: BTreeMap::new(),
            sets: BTreeMap::new(),
            deleted: state.deleted().is_some(),
            unread: state.unread().copied().collect(),
        };
        for (name, field) in state.fields() {
            let name = name.to_owned();
            match field {
                crdt::FieldState::Register(it) => {
                    let by = it.written().stamp.commit;
                    expected.registers.insert(name, (it.value().clone(), by));
                }
                crdt::FieldState::Counter(it) => {
                    expected.counters.insert(name, it.total());
                }
                crdt::FieldState::Set(it) => {
                    let mut values: Vec<Value> = it
                        .adds()
                        .map(|(_, element)| element.value.clone())
                        .collect();
                    values.sort();
                    expected.sets.insert(name, values);
                }
            }
        }
        expected
    }
}

pub struct Oracle<'a> {
    dag: &'a Dag,
    counts: &'a dyn Fn(&Cid) -> bool,
    closure: BTreeSet<Cid>,
}

impl<'a> Oracle<'a> {
    pub fn at(dag: &'a Dag, heads: &[Cid], counts: &'a dyn Fn(&Cid) -> bool) -> Self {
        let mut oracle = Self {
            dag,
            counts,
            closure: BTreeSet::new(),
        };
        for head in heads {
            oracle.closure.extend(oracle.ancestors(head));
            oracle.closure.insert(*head);
        }
        oracle
    }

    fn ancestors(&self, commit: &Cid) -> BTreeSet<Cid> {
        let mut ancestors = BTreeSet::new();
        for parent in &self.dag.get(commit).unwrap().header().parents {
            if ancestors.insert(*parent) {
                ancestors.extend(self.ancestors(parent));
            }
        }
        ancestors
    }

    fn operations(&self, cid: &Cid) -> Vec<(u32, Operation)> {
        let commit: &Commit = self.dag.get(cid).unwrap();
        let Some(Disclosure::Open(body)) = self.dag.body(cid) else {
            return Vec::new();
        };
        let listed = &commit.header().permissions;
        let first = commit.header().parents.is_empty();
        let takes = |operation: &Operation| {
            schema()
                .permission(operation, first)
                .is_ok_and(|permission| listed.iter().any(|listed| listed == permission))
        };
        (0..)
            .zip(body.operations().unwrap_or_default().iter().cloned())
            .filter(|(_, operation)| takes(operation))
            .collect()
    }

    /// Whether the operations of `cid` are in force.
    fn in_force(&self, cid: &Cid) -> bool {
        self.closure.contains(cid) && (self.counts)(cid) && !self.undone(cid)
    }

    fn undone(&self, cid: &Cid) -> bool {
        self.closure.iter().any(|later| {
            let ancestors = self.ancestors(later);
            ancestors.contains(cid)
                && self.operations(later).iter().any(|(_, operation)| {
                    let Operation::Rollback { target } = operation else {
                        return false;
                    };
                    let kept = |head: &Cid| head == cid || self.ancestors(head).contains(cid);
                    target.iter().all(|head| ancestors.contains(head)) && !target.iter().any(kept)
                })
                && self.in_force(later)
        })
    }

    pub fn state(&self) -> Expected {
        let mut registers = BTreeMap::new();
        let mut counters = BTreeMap::new();
        let mut adds = BTreeMap::new();
        let mut removes = Vec::new();
        let mut touched = BTreeSet::new();
        let mut deleted = false;
        let mut unread = BTreeSet::new();
        for cid in &self.closure {
            if !self.in_force(cid) {
                continue;
            }
            let header = self.dag.get(cid).unwrap().header();
            if self.dag.body(cid) == Some(&Disclosure::Absent) {
                unread.insert(*cid);
            }
            for (index, operation) in self.operations(cid) {
                match operation {
                    Operation::Set { field, value } => {
                        let key = (header.height, header.author.clone(), *cid, index);
                        let register: &mut BTreeMap<_, _> = registers.entry(field).or_default();
                        register.insert(key, (value, *cid));
                    }
                    Operation::Increment { field, by } => {
                        *counters.entry(field).or_default() += i128::from(by);
                    }
                    Operation::Add { field, value } => {
                        touched.insert(field.clone());
                        adds.insert((*cid, index), (field, value));
                    }
                    Operation::Remove { field, adds } => {
                        touched.insert(field.clone());
                        removes.push((*cid, field, adds));
                    }
                    Operation::Delete => deleted = true,
                    Operation::Rollback { .. } => {}
                }
            }
        }
        let mut sets: BTreeMap<String, Vec<Value>> = touched
            .into_iter()
            .map(|field| (field, Vec::new()))
            .collect();
        for ((commit, index), (field, value)) in adds {
            let removed = removes.iter().any(|(remover, of, names)| {
                *of == field
                    && names
                        .iter()
                        .any(|name| (name.commit, name.index) == (commit, index))
                    && self.ancestors(remover).contains(&commit)
            });
            if !removed {
                sets.get_mut(&field).unwrap().push(value);
            }
        }
        sets.values_mut().for_each(|values| values.sort());
        Expected {
            registers: registers
                .into_iter()
                .map(|(field, writes)| (field, writes.into_values().next_back().unwrap()))
                .collect(),
            counters,
            sets,
            deleted,
            unread,
        }
    }
}
