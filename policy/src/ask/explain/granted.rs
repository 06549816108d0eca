//! The reason with the fewest relationships for what is allowed.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec,
    vec::Vec,
};

use crate::{
    asked::Asked,
    check::arrow_target,
    limits::{EXPLANATION_NODES_MAX, EXPLANATION_REASON_LINES_MAX},
    relationship::Subject,
    relationships::{NodeId, ObjectId, Relationships, SetRef, SubjectRef, TermsId},
    schema::{Body, Op},
    standing::type_of,
    truth::Truth,
};

use super::{
    costs::{Graph, Item, COUNTLESS, NEVER, RELATIONSHIP},
    scene::{subject_of, Part, Scene},
    Because, Fact, Why,
};

/// What a reason cites, in handles.
#[derive(Clone, Debug)]
enum Cited {
    Stands(ObjectId, NodeId, SubjectRef, TermsId),
    Owns(ObjectId),
    Itself(ObjectId),
    Without(ObjectId, NodeId, Part),
}

/// What a place of the graph stands for.
#[derive(Clone, Debug)]
enum Head {
    Node(ObjectId, NodeId),
    Part(ObjectId, NodeId, Part),
}

/// Why the question is allowed.
pub(super) fn reason<R: Relationships + ?Sized>(scene: &mut Scene<'_, R>) -> Why {
    let (object, node) = scene.root;
    let mut search = Search::new(scene);
    let root = search.node(object, node);
    let is_shortest = search.look();
    let reason = search.reason(root, EXPLANATION_REASON_LINES_MAX);
    let is_shortest = is_shortest && search.graph.cost(root) < COUNTLESS;
    Why::Allowed {
        reason,
        is_shortest,
    }
}

/// Why a part of an expression is true on an object, in at most `lines_max` lines.
pub(super) fn reason_of_part<R: Relationships + ?Sized>(
    scene: &mut Scene<'_, R>,
    (object, node, part): (ObjectId, NodeId, Part),
    lines_max: usize,
) -> Vec<Because> {
    let mut search = Search::new(scene);
    let root = search.add(Head::Part(object, node, part));
    search.look();
    search.reason(root, lines_max)
}

struct Search<'s, 'a, R: ?Sized> {
    scene: &'s mut Scene<'a, R>,
    graph: Graph<Cited>,
    heads: Vec<Head>,
    places: BTreeMap<(ObjectId, NodeId), usize>,
    open: VecDeque<usize>,
}

impl<'s, 'a, R: Relationships + ?Sized> Search<'s, 'a, R> {
    fn new(scene: &'s mut Scene<'a, R>) -> Self {
        Self {
            scene,
            graph: Graph::new(),
            heads: vec![],
            places: BTreeMap::new(),
            open: VecDeque::new(),
        }
    }

    fn add(&mut self, head: Head) -> usize {
        let at = self.graph.add();
        self.heads.push(head);
        match self.graph.len() > EXPLANATION_NODES_MAX {
            true => self.scene.cut(),
            false => self.open.push_back(at),
        }
        at
    }

    fn node(&mut self, object: ObjectId, node: NodeId) -> usize {
        if let Some(at) = self.places.get(&(object, node)) {
            return *at;
        }
        let at = self.add(Head::Node(object, node));
        self.places.insert((object, node), at);
        at
    }

    /// Looks at all that is true below; whether the reason found is the shortest.
    fn look(&mut self) -> bool {
        while let Some(at) = self.open.pop_front() {
            if self.scene.is_full() {
                break;
            }
            let items = match self.heads.get(at).cloned() {
                Some(Head::Node(object, node)) => self.items(object, node),
                Some(Head::Part(object, node, part)) => self.expression(object, node, &part).1,
                None => continue,
            };
            self.graph.set(at, items);
        }
        self.graph.solve(&mut self.scene.weighable) && !self.scene.is_cut()
    }

    fn items(&mut self, object: ObjectId, node: NodeId) -> Vec<Item<Cited>> {
        if self.scene.asked == Asked::Userset(Some((object, node))) {
            return vec![Item::Fact(Cited::Itself(object), 0)];
        }
        match self.scene.policy.body_node(node).map(|node| &node.body) {
            None => vec![],
            Some(Body::Owner) => vec![Item::Fact(Cited::Owns(object), RELATIONSHIP)],
            Some(Body::Relation(_)) => self.relation(object, node),
            Some(Body::Computed(ops)) => self.expression(object, node, &(0..ops.len())).1,
        }
    }

    fn relation(&mut self, object: ObjectId, node: NodeId) -> Vec<Item<Cited>> {
        let mut items = vec![];
        let Some(types) = self.scene.types(node) else {
            return items;
        };
        for (kind, member) in self.scene.asked.members().into_iter().flatten() {
            let Some(member) = member.filter(|_| types.admits_type(kind)) else {
                continue;
            };
            if let Some(terms) = self.scene.contains(object, node, member) {
                if self.scene.standing(types, kind, terms).value == Some(Truth::True) {
                    let cited = Cited::Stands(object, node, member, terms);
                    items.push(Item::Fact(cited, RELATIONSHIP));
                }
            }
        }
        for member in self.scene.usersets(object, node) {
            let (Some(kind), Some(subject)) = (type_of(member.set), subject_of(member.set)) else {
                continue;
            };
            let SetRef::Userset(of, relation) = member.set else {
                continue;
            };
            let stands = self.scene.standing(types, kind, member.terms).value == Some(Truth::True);
            if stands && self.scene.value(of, relation) == Truth::True {
                let child = self.node(of, relation);
                let cited = Cited::Stands(object, node, subject, member.terms);
                items.push(Item::Step(cited, RELATIONSHIP, child));
            }
        }
        items.push(Item::Least(items.len()));
        items
    }

    /// The value of a part of an expression, and what that takes if it is true.
    fn expression(
        &mut self,
        object: ObjectId,
        node: NodeId,
        part: &Part,
    ) -> (Truth, Vec<Item<Cited>>) {
        // Of each value where its operations begin, what it is and what it takes.
        let mut stack: Vec<(usize, Truth, Vec<Item<Cited>>)> = vec![];
        for (at, op) in self.scene.ops(node, part).iter().enumerate() {
            let at = part.start + at;
            let found = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => {
                    let value = self.scene.value(object, node);
                    let items = match value {
                        Truth::True => vec![Item::Visit(self.node(object, node))],
                        Truth::False | Truth::Unknown => vec![],
                    };
                    (at, value, items)
                }
                Op::Itself => {
                    let value = Truth::from(self.scene.asked.is_object(object));
                    (at, value, vec![Item::Fact(Cited::Itself(object), 0)])
                }
                Op::Arrow(arrow) => {
                    let (value, items) = self.arrow(object, arrow);
                    (at, value, items)
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        continue;
                    };
                    let begin = left.0;
                    let (value, items) = match op {
                        Op::Union => either(left, right),
                        Op::Intersection => both(left, right),
                        _ => {
                            let without = Cited::Without(object, node, right.0..at);
                            let items = vec![Item::Fact(without, 0)];
                            both(left, (right.0, right.1.not(), items))
                        }
                    };
                    (begin, value, items)
                }
            };
            stack.push(found);
        }
        let whole = stack.pop();
        whole.map_or((Truth::False, vec![]), |(_, value, items)| (value, items))
    }

    fn arrow(&mut self, object: ObjectId, at: u16) -> (Truth, Vec<Item<Cited>>) {
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
            let (Some(kind), Some(subject)) = (type_of(member.set), subject_of(member.set)) else {
                continue;
            };
            let Some(terms) = self.scene.standing(types, kind, member.terms).value else {
                continue;
            };
            let mut here = Truth::False;
            if let Some((of, node)) = arrow_target(policy, arrow, member.set) {
                here = terms.and(self.scene.value(of, node));
                if here == Truth::True {
                    let child = self.node(of, node);
                    let cited = Cited::Stands(object, arrow.relation, subject, member.terms);
                    items.push(Item::Step(cited, RELATIONSHIP, child));
                }
            }
            value = Some(match value {
                None => here,
                Some(value) if arrow.all => value.and(here),
                Some(value) => value.or(here),
            });
        }
        items.push(match arrow.all {
            true => Item::All(items.len()),
            false => Item::Least(items.len()),
        });
        (value.unwrap_or(Truth::False), items)
    }

    /// The chosen reason of a place, as a tree in names.
    fn reason(&mut self, root: usize, lines_max: usize) -> Vec<Because> {
        let mut reason = vec![];
        if self.graph.cost(root) == NEVER {
            self.scene.cut();
            return reason;
        }
        let mut shown = BTreeSet::new();
        let mut waiting = vec![(0, Line::Place(root))];
        while let Some((level, line)) = waiting.pop() {
            if reason.len() >= lines_max {
                self.scene.cut();
                break;
            }
            let at = match line {
                Line::Cited(cited) => {
                    let fact = self.fact(&cited);
                    reason.extend(fact.map(|fact| Because { level, fact }));
                    continue;
                }
                Line::Place(at) => at,
            };
            let mut inner = level;
            if let Some(Head::Node(object, node)) = self.heads.get(at) {
                let (object, name) = (self.scene.object(*object), self.scene.name(*node));
                let fact = match shown.insert(at) {
                    true => Fact::Has { object, name },
                    false => Fact::Shown { object, name },
                };
                let again = matches!(fact, Fact::Shown { .. });
                reason.push(Because { level, fact });
                if again {
                    continue;
                }
                inner += 1;
            }
            let mut below = vec![];
            for item in self.graph.chosen(at) {
                match item {
                    Item::Fact(cited, _) => below.push((inner, Line::Cited(cited.clone()))),
                    Item::Visit(child) => below.push((inner, Line::Place(*child))),
                    Item::Step(cited, _, child) => {
                        below.push((inner, Line::Cited(cited.clone())));
                        below.push((inner + 1, Line::Place(*child)));
                    }
                    Item::Least(_) | Item::All(_) => {}
                }
            }
            waiting.extend(below.into_iter().rev());
        }
        reason
    }

    fn fact(&self, cited: &Cited) -> Option<Fact> {
        Some(match cited {
            Cited::Stands(object, relation, subject, terms) => {
                let place = (*object, *relation);
                Fact::Stands(self.scene.relationship(place, *subject, *terms)?)
            }
            Cited::Owns(object) => {
                let Subject::Actor(actor) = &self.scene.question.subject else {
                    return None;
                };
                Fact::Owns {
                    object: self.scene.object(*object),
                    actor: actor.clone(),
                }
            }
            Cited::Itself(object) => Fact::Itself {
                object: self.scene.object(*object),
            },
            Cited::Without(object, node, part) => Fact::Without {
                object: self.scene.object(*object),
                expression: self.scene.expression(*node, part),
            },
        })
    }
}

enum Line {
    Place(usize),
    Cited(Cited),
}

type Value = (usize, Truth, Vec<Item<Cited>>);

fn either(left: Value, right: Value) -> (Truth, Vec<Item<Cited>>) {
    match (left.1, right.1) {
        (Truth::True, Truth::True) => {
            let mut items = left.2;
            items.extend(right.2);
            items.push(Item::Least(2));
            (Truth::True, items)
        }
        (Truth::True, _) => (Truth::True, left.2),
        (_, Truth::True) => (Truth::True, right.2),
        (left, right) => (left.or(right), vec![]),
    }
}

fn both(left: Value, right: Value) -> (Truth, Vec<Item<Cited>>) {
    let mut items = left.2;
    items.extend(right.2);
    items.push(Item::All(2));
    (left.1.and(right.1), items)
}
