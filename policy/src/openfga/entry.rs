//! Which relations nobody can ever have.
//!
//! A relation has an entry if some chain of definitions leads from it to a type that it admits: one
//! operand of `or`, both sides of `and` and of `but not`. That is a least fixpoint, found by a
//! worklist over operands: each operand turns true once and then asks its relation again.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    model::{Model, Relation, Rewrite, Subjects, TypeDefinition},
    validate::Types,
};

/// The relations without an entry, in the order of the model.
pub(super) fn without<'a>(
    model: &'a Model,
    types: &Types<'a>,
) -> Vec<(&'a TypeDefinition, &'a Relation)> {
    let mut graph = Graph::default();
    for known in types.values() {
        for relation in &known.definition.relations {
            let name = (&*known.definition.name.text, &*relation.name.text);
            graph.ids.entry(name).or_insert(graph.relations.len());
            graph.relations.push(relation);
        }
    }
    graph.has_entry = alloc::vec![false; graph.relations.len()];
    graph.operands = alloc::vec![Vec::new(); graph.relations.len()];
    graph.watchers = alloc::vec![Vec::new(); graph.relations.len()];
    for known in types.values() {
        for relation in &known.definition.relations {
            graph.add(types, known.definition, relation);
        }
    }
    graph.run();
    let all = model.types.iter().flat_map(|definition| {
        let relations = definition.relations.iter();
        relations.map(move |relation| (definition, relation))
    });
    all.filter(|(definition, relation)| !graph.is_true(&definition.name.text, &relation.name.text))
        .collect()
}

#[derive(Default)]
struct Graph<'a> {
    ids: BTreeMap<(&'a str, &'a str), usize>,
    relations: Vec<&'a Relation>,
    has_entry: Vec<bool>,
    /// For each relation, whether each of its operands has an entry.
    operands: Vec<Vec<bool>>,
    /// For each relation, the operands (relation, index) that have an entry once it has.
    watchers: Vec<Vec<(usize, usize)>>,
    /// Relations to be asked again.
    work: Vec<usize>,
}

impl<'a> Graph<'a> {
    fn is_true(&self, kind: &str, relation: &str) -> bool {
        let id = self.ids.get(&(kind, relation));
        id.and_then(|id| self.has_entry.get(*id)) == Some(&true)
    }

    fn add(&mut self, types: &Types<'a>, definition: &'a TypeDefinition, relation: &'a Relation) {
        let kind = definition.name.text.as_str();
        let Some(id) = self.ids.get(&(kind, relation.name.text.as_str())).copied() else {
            return;
        };
        let mut operands = Vec::new();
        relation
            .rewrite
            .each_operand(&mut |operand| operands.push(operand));
        for (at, operand) in operands.into_iter().enumerate() {
            let mut admits = false;
            match operand {
                Rewrite::Assigned => {
                    for entry in &relation.types {
                        match &entry.subjects {
                            Subjects::Objects | Subjects::All => admits = true,
                            Subjects::Usersets(userset) => {
                                self.watch(&entry.name.text, &userset.text, (id, at));
                            }
                        }
                    }
                }
                Rewrite::Computed(name) => self.watch(kind, &name.text, (id, at)),
                Rewrite::From { relation, tupleset } => {
                    let own = types.get(kind);
                    let over = own.and_then(|known| known.relations.get(tupleset.text.as_str()));
                    for entry in over.iter().flat_map(|over| &over.types) {
                        self.watch(&entry.name.text, &relation.text, (id, at));
                    }
                }
                Rewrite::Union(_) | Rewrite::Intersection(_) | Rewrite::Difference(..) => {}
            }
            if let Some(operands) = self.operands.get_mut(id) {
                operands.push(admits);
            }
        }
        self.work.push(id);
    }

    fn watch(&mut self, kind: &str, relation: &str, operand: (usize, usize)) {
        let id = self.ids.get(&(kind, relation)).copied();
        if let Some(watchers) = id.and_then(|id| self.watchers.get_mut(id)) {
            watchers.push(operand);
        }
    }

    fn run(&mut self) {
        while let Some(id) = self.work.pop() {
            let (Some(relation), Some(operands), Some(false)) = (
                self.relations.get(id),
                self.operands.get(id),
                self.has_entry.get(id),
            ) else {
                continue;
            };
            if !holds(&relation.rewrite, &mut operands.iter().copied()) {
                continue;
            }
            if let Some(has_entry) = self.has_entry.get_mut(id) {
                *has_entry = true;
            }
            let watchers = self.watchers.get_mut(id).map(core::mem::take);
            for (watcher, at) in watchers.unwrap_or_default() {
                let operand = self.operands.get_mut(watcher).and_then(|of| of.get_mut(at));
                if let Some(operand @ false) = operand {
                    *operand = true;
                    self.work.push(watcher);
                }
            }
        }
    }
}

/// The value of a definition, given those of its operands from left to right.
fn holds(rewrite: &Rewrite, operands: &mut dyn Iterator<Item = bool>) -> bool {
    match rewrite {
        Rewrite::Assigned | Rewrite::Computed(_) | Rewrite::From { .. } => {
            operands.next().unwrap_or(false)
        }
        // Each side takes its operands from the iterator, so none may be skipped.
        Rewrite::Union(children) => children
            .iter()
            .fold(false, |any, child| holds(child, operands) | any),
        Rewrite::Intersection(children) => children
            .iter()
            .fold(true, |all, child| holds(child, operands) & all),
        Rewrite::Difference(base, subtracted) => {
            let base = holds(base, operands);
            holds(subtracted, operands) & base
        }
    }
}
