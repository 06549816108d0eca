//! What it would take to allow what is denied: the fewest relationships that name the subject, and
//! what stands against it.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec,
    vec::Vec,
};

use crate::{
    asked::Asked,
    check::{arrow_target, check},
    limits::{CONTEXTUAL_MAX, EXPLANATION_NODES_MAX},
    name::Name,
    overlay::Overlay,
    question::CheckError,
    relationship::Relationship,
    relationships::{NodeId, ObjectId, Relationships, SetRef, Status},
    schema::{Body, Op, EXPIRATION},
    standing::type_of,
    truth::Truth,
    types::{Allowed, SubjectType, Types},
};

use super::{
    costs::{Graph, Item, RELATIONSHIP},
    granted::reason_of_part,
    scene::{Part, Scene},
    tried, Because, Needed, Why,
};

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
pub(super) fn reason<R: Relationships>(scene: &mut Scene<'_, R>) -> Result<Why, CheckError> {
    let (tried, is_all) = tried::tried(scene)?;
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
    while let Some(at) = search.open.pop_front() {
        let Some((object, node)) = search.heads.get(at).copied() else {
            continue;
        };
        let items = search.items(object, node)?;
        search.graph.set(at, items);
    }
    search.graph.solve();
    let (adds, removes) = search.changes(root);
    let mut excluded: Vec<Because> = vec![];
    for (object, node, part) in removes {
        excluded.extend(reason_of_part(scene, (object, node, part))?);
    }
    let needed = match excluded.is_empty() {
        true => needed(scene, &adds)?,
        false => vec![],
    };
    Ok(Why::Denied {
        needed,
        excluded,
        tried,
        is_all,
    })
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

/// The additions as relationships, if they do allow.
fn needed<R: Relationships>(
    scene: &Scene<'_, R>,
    adds: &[(ObjectId, NodeId, Allowed)],
) -> Result<Vec<Needed>, CheckError> {
    let mut needed: Vec<Needed> = vec![];
    for (object, relation, entry) in adds {
        let Ok(name) = Name::new(scene.policy.node_name(*relation)) else {
            continue;
        };
        let condition = entry
            .condition
            .and_then(|id| scene.policy.named_condition(id));
        let condition = condition.map(|named| named.name.clone());
        let expires = entry.expires.then(|| EXPIRATION.into());
        let subject = scene.question.subject.clone();
        needed.push(Needed {
            relationship: Relationship::new(scene.object(*object), name, subject),
            traits: condition.into_iter().chain(expires).collect(),
        });
    }
    needed.sort();
    needed.dedup();
    // On terms they may or may not hold; without, it is tried. The same relation may take away
    // elsewhere what it grants here.
    let bare = needed.iter().all(|needed| needed.traits.is_empty());
    if bare && needed.len() <= CONTEXTUAL_MAX {
        let all: Vec<Relationship> = needed.iter().map(|one| one.relationship.clone()).collect();
        let Ok(overlay) = Overlay::new(scene.relationships, &all) else {
            return Ok(vec![]);
        };
        let answer = check(&overlay, scene.question, scene.circumstances, scene.limits);
        if !answer.is_ok_and(|answer| answer.is_allow()) {
            return Ok(vec![]);
        }
    }
    Ok(needed)
}

struct Search<'s, 'a, R> {
    scene: &'s mut Scene<'a, R>,
    asked: Option<SubjectType>,
    graph: Graph<Change>,
    heads: Vec<(ObjectId, NodeId)>,
    places: BTreeMap<(ObjectId, NodeId), usize>,
    open: VecDeque<usize>,
}

impl<R: Relationships> Search<'_, '_, R> {
    fn node(&mut self, object: ObjectId, node: NodeId) -> usize {
        if let Some(at) = self.places.get(&(object, node)) {
            return *at;
        }
        let at = self.graph.add();
        self.heads.push((object, node));
        self.places.insert((object, node), at);
        if self.graph.len() <= EXPLANATION_NODES_MAX {
            self.open.push_back(at);
        }
        at
    }

    fn items(&mut self, object: ObjectId, node: NodeId) -> Result<Vec<Item<Change>>, CheckError> {
        if self.scene.value(object, node)? == Truth::True {
            return Ok(vec![Item::All(0)]);
        }
        match self.scene.policy.body_node(node).map(|node| &node.body) {
            None | Some(Body::Owner) => Ok(vec![]),
            Some(Body::Relation(types)) => self.relation(object, node, types),
            Some(Body::Computed(ops)) => self.expression(object, node, ops),
        }
    }

    fn relation(
        &mut self,
        object: ObjectId,
        node: NodeId,
        types: &Types,
    ) -> Result<Vec<Item<Change>>, CheckError> {
        let mut items = vec![];
        let relationships = self.scene.relationships;
        if relationships.status(object)? == Status::Archived {
            return Ok(items);
        }
        let traits =
            |entry: &Allowed| u64::from(entry.condition.is_some()) + u64::from(entry.expires);
        let entries = types.entries().iter();
        let entries = entries.filter(|entry| Some(entry.subject) == self.asked);
        if let Some(entry) = entries.min_by_key(|entry| traits(entry)) {
            let cost = RELATIONSHIP + TRAIT * traits(entry);
            items.push(Item::Fact(Change::Add(object, node, *entry), cost));
        }
        let mut members = vec![];
        relationships.usersets(object, node, &mut members)?;
        for member in members {
            let (Some(kind), SetRef::Userset(of, relation)) = (type_of(member.set), member.set)
            else {
                continue;
            };
            if self.scene.standing(types, kind, member.terms).value == Some(Truth::True) {
                items.push(Item::Visit(self.node(of, relation)));
            }
        }
        items.push(Item::Least(items.len()));
        Ok(items)
    }

    fn expression(
        &mut self,
        object: ObjectId,
        node: NodeId,
        ops: &[Op],
    ) -> Result<Vec<Item<Change>>, CheckError> {
        // Of each value where its operations begin, what it is and what it would take.
        let mut stack: Vec<(usize, Truth, Vec<Item<Change>>)> = vec![];
        for (at, op) in ops.iter().enumerate() {
            let found = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => {
                    let value = self.scene.value(object, node)?;
                    (at, value, vec![Item::Visit(self.node(object, node))])
                }
                Op::Itself => {
                    let value = Truth::from(self.scene.asked.is_object(object));
                    (at, value, vec![Item::Least(0)])
                }
                Op::Arrow(arrow) => {
                    let (value, items) = self.arrow(object, arrow)?;
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
        Ok(stack.pop().map(|(_, _, items)| items).unwrap_or_default())
    }

    fn arrow(
        &mut self,
        object: ObjectId,
        at: u16,
    ) -> Result<(Truth, Vec<Item<Change>>), CheckError> {
        let policy = self.scene.policy;
        let Some(arrow) = policy.arrows.get(at as usize) else {
            return Ok((Truth::Unknown, vec![]));
        };
        let Some(types) = self.scene.types(arrow.relation) else {
            return Ok((Truth::Unknown, vec![]));
        };
        let mut members = vec![];
        let relationships = self.scene.relationships;
        relationships.targets(object, arrow.relation, &mut members)?;
        let mut items = vec![];
        let mut value: Option<Truth> = None;
        for member in members {
            let standing = type_of(member.set)
                .and_then(|kind| self.scene.standing(types, kind, member.terms).value);
            let Some(terms) = standing else {
                continue;
            };
            let mut here = Truth::False;
            match arrow_target(policy, arrow, member.set) {
                Some((of, node)) if terms == Truth::True => {
                    here = self.scene.value(of, node)?;
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
        Ok((value.unwrap_or(Truth::False), items))
    }

    /// The changes on the cheapest way, each once.
    #[allow(clippy::type_complexity, reason = "two lists, taken apart at once")]
    fn changes(
        &self,
        root: usize,
    ) -> (
        Vec<(ObjectId, NodeId, Allowed)>,
        Vec<(ObjectId, NodeId, Part)>,
    ) {
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
