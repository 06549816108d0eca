//! What it would take to allow what is denied: few relationships of the subject, or that what stands
//! against it goes.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec,
    vec::Vec,
};

use crate::{
    asked::Asked,
    check::arrow_target,
    limits::{EXPLANATION_NODES_MAX, EXPLANATION_REASON_LINES_MAX},
    relationships::{NodeId, ObjectId, Relationships, SetRef, Status},
    schema::{Body, Op},
    standing::type_of,
    truth::Truth,
    types::{Allowed, SubjectType, Types},
};

use super::{
    costs::{Graph, Item, RELATIONSHIP},
    granted::reason_of_part,
    needed::needed,
    scene::{Part, Scene},
    tried, Because, Why,
};

/// A relationship that is missing, as an entry of the relation's types has it.
pub(super) type Addition = (ObjectId, NodeId, Allowed);

/// What would have to be otherwise.
#[derive(Clone, Debug)]
enum Change {
    /// The subject would have to stand in a relation, as this entry of its types has it.
    Add(ObjectId, NodeId, Allowed),
    /// What a part of an expression subtracts would have to go.
    Remove(ObjectId, NodeId, Part),
}

/// Something that excludes is worse than any number of relationships that are missing.
const REMOVAL: u64 = RELATIONSHIP << 16;

/// Terms are worse than none: whether they would hold is not known.
const TRAIT: u64 = RELATIONSHIP >> 8;

/// Why the question is denied.
pub(super) fn reason<R: Relationships + ?Sized>(scene: &mut Scene<'_, R>) -> Why {
    let tried = tried::tried(scene);
    // That not all that was tried has room says nothing of the search.
    let is_cut = scene.take_cut();
    let (object, node) = scene.root;
    let mut search = Search {
        asked: kind(scene.asked),
        scene,
        graph: Graph::new(),
        heads: vec![],
        places: BTreeMap::new(),
        open: VecDeque::new(),
    };
    let root = search.node(object, node);
    let is_whole = search.look();
    let (adds, removes) = search.changes(root);
    let mut excluded: Vec<Because> = vec![];
    for (object, node, part) in removes {
        let lines_max = EXPLANATION_REASON_LINES_MAX.saturating_sub(excluded.len());
        if lines_max == 0 {
            scene.cut();
            break;
        }
        excluded.extend(reason_of_part(scene, (object, node, part), lines_max));
    }
    let (needed, is_minimal) = match excluded.is_empty() {
        true => needed(scene, &adds),
        false => (vec![], true),
    };
    if is_cut {
        scene.cut();
    }
    Why::Denied {
        // Where the search was broken off, that it found none says little.
        is_minimal: is_minimal && (is_whole || !needed.is_empty()),
        needed,
        excluded,
        tried,
    }
}

/// What the types of a relation call the one who is asked about.
fn kind(asked: Asked) -> Option<SubjectType> {
    match asked {
        Asked::Actor(_) => Some(SubjectType::Actor),
        Asked::Everyone => Some(SubjectType::Everyone),
        Asked::Every(of) => of.map(SubjectType::Every),
        Asked::Object(_, of) => of.map(SubjectType::Object),
        Asked::Userset(of) => of.map(|(_, node)| SubjectType::Userset(node)),
    }
}

struct Search<'s, 'a, R: ?Sized> {
    scene: &'s mut Scene<'a, R>,
    asked: Option<SubjectType>,
    graph: Graph<Change>,
    heads: Vec<(ObjectId, NodeId)>,
    places: BTreeMap<(ObjectId, NodeId), usize>,
    open: VecDeque<usize>,
}

impl<R: Relationships + ?Sized> Search<'_, '_, R> {
    /// Looks at all that might be made true; whether that is all of it.
    fn look(&mut self) -> bool {
        while let Some(at) = self.open.pop_front() {
            if self.scene.is_full() {
                break;
            }
            if let Some((object, node)) = self.heads.get(at).copied() {
                let items = self.items(object, node);
                self.graph.set(at, items);
            }
        }
        self.graph.solve(&mut self.scene.weighable) && !self.scene.is_cut()
    }

    fn node(&mut self, object: ObjectId, node: NodeId) -> usize {
        if let Some(at) = self.places.get(&(object, node)) {
            return *at;
        }
        let at = self.graph.add();
        self.heads.push((object, node));
        self.places.insert((object, node), at);
        match self.graph.len() > EXPLANATION_NODES_MAX {
            true => self.scene.cut(),
            false => self.open.push_back(at),
        }
        at
    }

    fn items(&mut self, object: ObjectId, node: NodeId) -> Vec<Item<Change>> {
        if self.scene.value(object, node) == Truth::True {
            return vec![Item::All(0)];
        }
        match self.scene.policy.body_node(node).map(|node| &node.body) {
            None | Some(Body::Owner) => vec![],
            Some(Body::Relation(types)) => self.relation(object, node, types),
            Some(Body::Computed(ops)) => self.expression(object, node, ops),
        }
    }

    fn relation(&mut self, object: ObjectId, node: NodeId, types: &Types) -> Vec<Item<Change>> {
        let mut items = vec![];
        let status = self.scene.relationships.status(object);
        if status.is_ok_and(|status| status == Status::Archived) {
            return items;
        }
        let traits =
            |entry: &Allowed| u64::from(entry.condition.is_some()) + u64::from(entry.expires);
        let entries = types.entries().iter();
        let entries = entries.filter(|entry| Some(entry.subject) == self.asked);
        if let Some(entry) = entries.min_by_key(|entry| traits(entry)) {
            let cost = RELATIONSHIP + TRAIT * traits(entry);
            items.push(Item::Fact(Change::Add(object, node, *entry), cost));
        }
        for member in self.scene.usersets(object, node) {
            let (Some(kind), SetRef::Userset(of, relation)) = (type_of(member.set), member.set)
            else {
                continue;
            };
            if self.scene.standing(types, kind, member.terms).value == Some(Truth::True) {
                items.push(Item::Visit(self.node(of, relation)));
            }
        }
        items.push(Item::Least(items.len()));
        items
    }

    fn expression(&mut self, object: ObjectId, node: NodeId, ops: &[Op]) -> Vec<Item<Change>> {
        // Of each value where its operations begin, what it is and what it would take.
        let mut stack: Vec<(usize, Truth, Vec<Item<Change>>)> = vec![];
        for (at, op) in ops.iter().enumerate() {
            let found = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => {
                    let value = self.scene.value(object, node);
                    (at, value, vec![Item::Visit(self.node(object, node))])
                }
                Op::Itself => {
                    let value = Truth::from(self.scene.asked.is_object(object));
                    (at, value, vec![Item::Least(0)])
                }
                Op::Arrow(arrow) => {
                    let (value, items) = self.arrow(object, arrow);
                    (at, value, items)
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        continue;
                    };
                    let (begin, mut items) = (left.0, left.2);
                    let value = match op {
                        Op::Union => {
                            items.extend(right.2);
                            items.push(Item::Least(2));
                            left.1.or(right.1)
                        }
                        Op::Intersection => {
                            items.extend(right.2);
                            items.push(Item::All(2));
                            left.1.and(right.1)
                        }
                        _ => {
                            if right.1 != Truth::False {
                                let change = Change::Remove(object, node, right.0..at);
                                items.push(Item::Fact(change, REMOVAL));
                                items.push(Item::All(2));
                            }
                            left.1.and(right.1.not())
                        }
                    };
                    (begin, value, items)
                }
            };
            let (begin, value, items) = found;
            stack.push(match value {
                Truth::True => (begin, value, vec![Item::All(0)]),
                Truth::False | Truth::Unknown => (begin, value, items),
            });
        }
        stack.pop().map(|(_, _, items)| items).unwrap_or_default()
    }

    fn arrow(&mut self, object: ObjectId, at: u16) -> (Truth, Vec<Item<Change>>) {
        let policy = self.scene.policy;
        let Some(arrow) = policy.arrows.get(at as usize) else {
            return (Truth::Unknown, vec![]);
        };
        let Some(types) = self.scene.types(arrow.relation) else {
            return (Truth::Unknown, vec![]);
        };
        let mut items = vec![];
        let mut value: Option<Truth> = None;
        for member in self.scene.targets(object, arrow.relation) {
            let standing = type_of(member.set)
                .and_then(|kind| self.scene.standing(types, kind, member.terms).value);
            let Some(terms) = standing else {
                continue;
            };
            let mut here = Truth::False;
            match arrow_target(policy, arrow, member.set) {
                Some((of, node)) if terms == Truth::True => {
                    here = self.scene.value(of, node);
                    items.push(Item::Visit(self.node(of, node)));
                }
                // It does not grant, whatever is added.
                _ if arrow.all => items.push(Item::Least(0)),
                _ => {}
            }
            value = Some(match value {
                None => here,
                Some(value) if arrow.all => value.and(here),
                Some(value) => value.or(here),
            });
        }
        items.push(match (arrow.all, value) {
            (true, Some(_)) => Item::All(items.len()),
            _ => Item::Least(items.len()),
        });
        (value.unwrap_or(Truth::False), items)
    }

    /// The changes on the cheapest way, each once.
    fn changes(&self, root: usize) -> (Vec<Addition>, Vec<(ObjectId, NodeId, Part)>) {
        let (mut adds, mut removes) = (vec![], vec![]);
        let mut seen = BTreeSet::new();
        let mut waiting = vec![root];
        while let Some(at) = waiting.pop() {
            if !seen.insert(at) {
                continue;
            }
            for item in self.graph.chosen(at) {
                match item {
                    Item::Visit(child) | Item::Step(_, _, child) => waiting.push(*child),
                    Item::Fact(Change::Add(object, node, entry), _) => {
                        adds.push((*object, *node, *entry));
                    }
                    Item::Fact(Change::Remove(object, node, part), _) => {
                        removes.push((*object, *node, part.clone()));
                    }
                    Item::Least(_) | Item::All(_) => {}
                }
            }
        }
        (adds, removes)
    }
}
