//! What was looked at before a question was denied, in the order of the expressions and of names.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use crate::{
    check::arrow_target,
    limits::EXPLANATION_LINES_MAX,
    relationships::{NodeId, ObjectId, Relationships, SetRef, SubjectRef, TermsId},
    schema::{Body, Op},
    standing::{is_admitted, type_of},
    truth::Truth,
    types::{SubjectType, Types},
};

use super::{
    scene::{Part, Scene},
    Attempt, Tried,
};

/// What was tried.
pub(super) fn tried<R: Relationships + ?Sized>(scene: &mut Scene<'_, R>) -> Vec<Tried> {
    let (object, node) = scene.root;
    let mut search = Search {
        scene,
        tried: vec![],
        shown: BTreeSet::new(),
        waiting: vec![(0, Look::Node(object, node))],
    };
    while let Some((level, look)) = search.waiting.pop() {
        if search.tried.len() >= EXPLANATION_LINES_MAX || search.scene.is_full() {
            search.scene.cut();
            break;
        }
        match look {
            Look::Node(object, node) => search.node(level, object, node),
            Look::Attempt(attempt) => search.tried.push(Tried { level, attempt }),
        }
    }
    search.tried
}

enum Look {
    Node(ObjectId, NodeId),
    Attempt(Attempt),
}

struct Search<'s, 'a, R: ?Sized> {
    scene: &'s mut Scene<'a, R>,
    tried: Vec<Tried>,
    shown: BTreeSet<(ObjectId, NodeId)>,
    /// What is still to be looked at, the next at the end.
    waiting: Vec<(usize, Look)>,
}

impl<R: Relationships + ?Sized> Search<'_, '_, R> {
    fn node(&mut self, level: usize, id: ObjectId, node: NodeId) {
        let (object, name) = (self.scene.object(id), self.scene.name(node));
        let value = self.scene.value(id, node);
        let body = self.scene.policy.body_node(node).map(|node| &node.body);
        let attempt = match body {
            _ if value == Truth::True => Attempt::Has { object, name },
            // It stands at every permission, and says nothing about any.
            Some(Body::Owner) | None => return,
            _ if !self.shown.insert((id, node)) => Attempt::Shown { object, name },
            Some(Body::Relation(_)) => Attempt::Holds {
                object,
                relation: name,
            },
            Some(Body::Computed(_)) => Attempt::Lacks { object, name },
        };
        let ends = matches!(attempt, Attempt::Has { .. } | Attempt::Shown { .. });
        self.tried.push(Tried { level, attempt });
        let looks = match body {
            Some(Body::Relation(types)) if !ends => self.relation(id, node, types),
            Some(Body::Computed(ops)) if !ends => self.expression(id, node, ops),
            _ => return,
        };
        // They stand in the order in which they were asked for, and are looked at in it.
        let looks = looks.looks.into_iter().rev();
        self.waiting.extend(looks.map(|look| (level + 1, look)));
    }

    /// What stands in a relation for the subject and does not help, and its usersets.
    fn relation(&mut self, object: ObjectId, node: NodeId, types: &Types) -> Looks {
        let mut looks = Looks::default();
        for (kind, member) in self.scene.asked.members().into_iter().flatten() {
            let Some(member) = member else {
                continue;
            };
            if let Some(terms) = self.scene.contains(object, node, member) {
                let unhelpful = self.unhelpful((object, node), types, kind, member, terms);
                looks.extend(self.scene, unhelpful.map(Look::Attempt));
            }
        }
        for member in self.scene.usersets(object, node) {
            let (Some(kind), SetRef::Userset(of, relation)) = (type_of(member.set), member.set)
            else {
                continue;
            };
            let subject = SubjectRef::Userset(of, relation);
            let unhelpful = self.unhelpful((object, node), types, kind, subject, member.terms);
            let look = unhelpful.map_or(Look::Node(of, relation), Look::Attempt);
            looks.extend(self.scene, [look]);
        }
        looks
    }

    /// Why a member does not stand there, if it does not.
    fn unhelpful(
        &self,
        place: (ObjectId, NodeId),
        types: &Types,
        kind: SubjectType,
        subject: SubjectRef,
        terms: TermsId,
    ) -> Option<Attempt> {
        let standing = self.scene.standing(types, kind, terms).value;
        if matches!(standing, Some(Truth::True | Truth::Unknown)) {
            return None;
        }
        let relationship = self.scene.relationship(place, subject, terms)?;
        Some(match standing {
            Some(_) => Attempt::ConditionFails(relationship),
            None if is_admitted(self.scene.relationships, types, kind, terms) => {
                Attempt::Expired(relationship)
            }
            None => Attempt::NotAdmitted(relationship),
        })
    }

    fn expression(&mut self, object: ObjectId, node: NodeId, ops: &[Op]) -> Looks {
        // Of each value where its operations begin, what it is, and what to look at for it.
        let mut stack: Vec<(usize, Truth, Looks)> = vec![];
        for (at, op) in ops.iter().enumerate() {
            let found = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => {
                    let value = self.scene.value(object, node);
                    let mut looks = Looks::default();
                    looks.extend(self.scene, [Look::Node(object, node)]);
                    (at, value, looks)
                }
                Op::Itself => {
                    let value = Truth::from(self.scene.asked.is_object(object));
                    (at, value, Looks::default())
                }
                Op::Arrow(arrow) => {
                    let (value, looks) = self.arrow(object, arrow);
                    (at, value, looks)
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        continue;
                    };
                    let (begin, mut looks) = (left.0, left.2);
                    let value = match op {
                        Op::Union => {
                            looks.extend(self.scene, right.2.looks);
                            left.1.or(right.1)
                        }
                        Op::Intersection => {
                            // What is denied by the left side alone was not asked of the right one.
                            if left.1 != Truth::False {
                                looks.extend(self.scene, right.2.looks);
                            }
                            left.1.and(right.1)
                        }
                        _ => {
                            if left.1 != Truth::False {
                                let excluded = self.excluded(object, node, &(right.0..at), right.1);
                                looks.extend(self.scene, excluded.map(Look::Attempt));
                            }
                            left.1.and(right.1.not())
                        }
                    };
                    (begin, value, looks)
                }
            };
            stack.push(found);
        }
        stack.pop().map(|(_, _, looks)| looks).unwrap_or_default()
    }

    fn excluded(
        &self,
        object: ObjectId,
        node: NodeId,
        part: &Part,
        value: Truth,
    ) -> Option<Attempt> {
        let (object, expression) = (self.scene.object(object), self.scene.expression(node, part));
        match value {
            Truth::True => Some(Attempt::Excluded { object, expression }),
            Truth::Unknown => Some(Attempt::NotKnown { object, expression }),
            Truth::False => None,
        }
    }

    fn arrow(&mut self, object: ObjectId, at: u16) -> (Truth, Looks) {
        let mut looks = Looks::default();
        let policy = self.scene.policy;
        let Some(arrow) = policy.arrows.get(at as usize) else {
            return (Truth::Unknown, looks);
        };
        let Some(types) = self.scene.types(arrow.relation) else {
            return (Truth::Unknown, looks);
        };
        let mut value: Option<Truth> = None;
        for member in self.scene.targets(object, arrow.relation) {
            let standing = type_of(member.set)
                .and_then(|kind| self.scene.standing(types, kind, member.terms).value);
            let Some(terms) = standing else {
                continue;
            };
            let mut here = Truth::False;
            if let Some((of, node)) = arrow_target(policy, arrow, member.set) {
                here = terms.and(self.scene.value(of, node));
                looks.extend(self.scene, [Look::Node(of, node)]);
            }
            value = Some(match value {
                None => here,
                Some(value) if arrow.all => value.and(here),
                Some(value) => value.or(here),
            });
        }
        if looks.looks.is_empty() {
            let attempt = Attempt::LeadsNowhere {
                object: self.scene.object(object),
                relation: self.scene.name(arrow.relation),
            };
            looks.extend(self.scene, [Look::Attempt(attempt)]);
        }
        (value.unwrap_or(Truth::False), looks)
    }
}

/// What to look at below one node: no more than there is room to tell of.
#[derive(Default)]
struct Looks {
    looks: Vec<Look>,
}

impl Looks {
    fn extend<R: Relationships + ?Sized>(
        &mut self,
        scene: &mut Scene<'_, R>,
        more: impl IntoIterator<Item = Look>,
    ) {
        for look in more {
            if self.looks.len() >= EXPLANATION_LINES_MAX {
                return scene.cut();
            }
            self.looks.push(look);
        }
    }
}
