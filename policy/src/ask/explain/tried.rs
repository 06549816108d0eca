//! What was looked at before a question was denied, in the order of the expressions and of names.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use crate::{
    check::arrow_target,
    limits::EXPLANATION_LINES_MAX,
    question::CheckError,
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

/// What was tried, and whether that is all of it.
pub(super) fn tried<R: Relationships>(
    scene: &mut Scene<'_, R>,
) -> Result<(Vec<Tried>, bool), CheckError> {
    let (object, node) = scene.root;
    let mut search = Search {
        scene,
        tried: vec![],
        shown: BTreeSet::new(),
        waiting: vec![(0, Look::Node(object, node))],
    };
    while let Some((level, look)) = search.waiting.pop() {
        if search.tried.len() >= EXPLANATION_LINES_MAX {
            return Ok((search.tried, false));
        }
        let first = search.waiting.len();
        match look {
            Look::Node(object, node) => search.node(level, object, node)?,
            Look::Attempt(attempt) => search.tried.push(Tried { level, attempt }),
        }
        // They were asked for in their order, and are looked at in it.
        if let Some(asked) = search.waiting.get_mut(first..) {
            asked.reverse();
        }
    }
    let is_all = !search.scene.is_spent();
    Ok((search.tried, is_all))
}

enum Look {
    Node(ObjectId, NodeId),
    Attempt(Attempt),
}

struct Search<'s, 'a, R> {
    scene: &'s mut Scene<'a, R>,
    tried: Vec<Tried>,
    shown: BTreeSet<(ObjectId, NodeId)>,
    waiting: Vec<(usize, Look)>,
}

impl<R: Relationships> Search<'_, '_, R> {
    fn node(&mut self, level: usize, id: ObjectId, node: NodeId) -> Result<(), CheckError> {
        let (object, name) = (self.scene.object(id), self.scene.name(node));
        let value = self.scene.value(id, node)?;
        let body = self.scene.policy.body_node(node).map(|node| &node.body);
        let attempt = match body {
            _ if value == Truth::True => Attempt::Has { object, name },
            // It stands at every permission, and says nothing about any.
            Some(Body::Owner) | None => return Ok(()),
            _ if !self.shown.insert((id, node)) => Attempt::Shown { object, name },
            Some(Body::Relation(_)) => Attempt::Holds {
                object,
                relation: name,
            },
            Some(Body::Computed(_)) => Attempt::Lacks { object, name },
        };
        let ends = matches!(attempt, Attempt::Has { .. } | Attempt::Shown { .. });
        self.tried.push(Tried { level, attempt });
        match body {
            Some(Body::Relation(types)) if !ends => self.relation(level + 1, id, node, types),
            Some(Body::Computed(ops)) if !ends => self.expression(level + 1, id, node, ops),
            _ => Ok(()),
        }
    }

    /// What stands in a relation for the subject and does not help, and its usersets.
    fn relation(
        &mut self,
        level: usize,
        object: ObjectId,
        node: NodeId,
        types: &Types,
    ) -> Result<(), CheckError> {
        let relationships = self.scene.relationships;
        for (kind, member) in self.scene.asked.members().into_iter().flatten() {
            let Some(member) = member else {
                continue;
            };
            if let Some(terms) = relationships.contains(object, node, member)? {
                self.unhelpful(level, (object, node), types, kind, member, terms);
            }
        }
        let mut members = vec![];
        relationships.usersets(object, node, &mut members)?;
        for member in members {
            let (Some(kind), SetRef::Userset(of, relation)) = (type_of(member.set), member.set)
            else {
                continue;
            };
            let subject = SubjectRef::Userset(of, relation);
            let place = (object, node);
            if !self.unhelpful(level, place, types, kind, subject, member.terms) {
                self.waiting.push((level, Look::Node(of, relation)));
            }
        }
        Ok(())
    }

    /// Says why a member does not stand there; whether that is so.
    fn unhelpful(
        &mut self,
        level: usize,
        place: (ObjectId, NodeId),
        types: &Types,
        kind: SubjectType,
        subject: SubjectRef,
        terms: TermsId,
    ) -> bool {
        let standing = self.scene.standing(types, kind, terms).value;
        if matches!(standing, Some(Truth::True | Truth::Unknown)) {
            return false;
        }
        let Some(relationship) = self.scene.relationship(place, subject, terms) else {
            return true;
        };
        let attempt = match standing {
            Some(_) => Attempt::ConditionFails(relationship),
            None if is_admitted(self.scene.relationships, types, kind, terms) => {
                Attempt::Expired(relationship)
            }
            None => Attempt::NotAdmitted(relationship),
        };
        self.waiting.push((level, Look::Attempt(attempt)));
        true
    }

    fn expression(
        &mut self,
        level: usize,
        object: ObjectId,
        node: NodeId,
        ops: &[Op],
    ) -> Result<(), CheckError> {
        // Of each value where its operations begin, what it is, and what to look at for it.
        let mut stack: Vec<(usize, Truth, Vec<(usize, Look)>)> = vec![];
        for (at, op) in ops.iter().enumerate() {
            let found = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => {
                    let value = self.scene.value(object, node)?;
                    (at, value, vec![(level, Look::Node(object, node))])
                }
                Op::Itself => {
                    let value = Truth::from(self.scene.asked.is_object(object));
                    (at, value, vec![])
                }
                Op::Arrow(arrow) => {
                    let (value, looks) = self.arrow(level, object, arrow)?;
                    (at, value, looks)
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        continue;
                    };
                    let (begin, mut looks) = (left.0, left.2);
                    let value = match op {
                        Op::Union => {
                            looks.extend(right.2);
                            left.1.or(right.1)
                        }
                        Op::Intersection => {
                            // What is denied by the left side alone was not asked of the right one.
                            if left.1 != Truth::False {
                                looks.extend(right.2);
                            }
                            left.1.and(right.1)
                        }
                        _ => {
                            if left.1 != Truth::False && right.1 == Truth::True {
                                let excluded = self.excluded(object, node, &(right.0..at));
                                looks.push((level, Look::Attempt(excluded)));
                            }
                            left.1.and(right.1.not())
                        }
                    };
                    (begin, value, looks)
                }
            };
            stack.push(found);
        }
        let looks = stack.pop().map(|(_, _, looks)| looks);
        self.waiting.extend(looks.into_iter().flatten());
        Ok(())
    }

    fn excluded(&self, object: ObjectId, node: NodeId, part: &Part) -> Attempt {
        Attempt::Excluded {
            object: self.scene.object(object),
            expression: self.scene.expression(node, part),
        }
    }

    fn arrow(
        &mut self,
        level: usize,
        object: ObjectId,
        at: u16,
    ) -> Result<(Truth, Vec<(usize, Look)>), CheckError> {
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
        let mut looks = vec![];
        let mut value: Option<Truth> = None;
        for member in members {
            let standing = type_of(member.set)
                .and_then(|kind| self.scene.standing(types, kind, member.terms).value);
            let Some(terms) = standing else {
                continue;
            };
            let mut here = Truth::False;
            if let Some((of, node)) = arrow_target(policy, arrow, member.set) {
                here = terms.and(self.scene.value(of, node)?);
                looks.push((level, Look::Node(of, node)));
            }
            value = Some(match value {
                None => here,
                Some(value) if arrow.all => value.and(here),
                Some(value) => value.or(here),
            });
        }
        if looks.is_empty() {
            let attempt = Attempt::LeadsNowhere {
                object: self.scene.object(object),
                relation: self.scene.name(arrow.relation),
            };
            looks.push((level, Look::Attempt(attempt)));
        }
        Ok((value.unwrap_or(Truth::False), looks))
    }
}
