//! Which reads a value hangs on: the derivation of an allow, cut from a walk that is done.
//!
//! Works backwards from the root over the values that the walk found final. A node is justified
//! by values that were final before it: that order rules out a derivation that leads back to
//! itself. Has a list of its own instead of recursion.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use crate::{
    asked::Asked,
    check::{arrow_target, Walk},
    lacking::Lacking,
    memo::State,
    question::CheckError,
    relationships::{NodeId, ObjectId, Relationships, SetRef, SubjectRef, TermsId},
    schema::{Body, Op, Policy},
    standing::{standing, type_of},
    truth::Truth,
    types::{SubjectType, Types},
};

/// One read of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Read {
    /// Who owns the object.
    Owner(ObjectId),
    /// Whether a subject that is no userset stands in the relation.
    Direct(ObjectId, NodeId, SubjectRef),
    /// The usersets of the relation.
    Usersets(ObjectId, NodeId),
    /// The objects and usersets of the relation.
    Targets(ObjectId, NodeId),
}

/// What a value needs: reads, and values of other nodes.
#[derive(Clone, Default)]
struct Needs {
    reads: Vec<Read>,
    nodes: Vec<(ObjectId, NodeId)>,
}

impl Needs {
    fn and(mut self, other: Self) -> Self {
        self.reads.extend(other.reads);
        self.nodes.extend(other.nodes);
        self
    }
}

/// The reads on which the root's value of `walk` hangs.
pub(crate) fn reads<R: Relationships + ?Sized>(
    walk: &Walk<'_, R>,
    relationships: &R,
) -> Result<BTreeSet<Read>, CheckError> {
    let search = Search {
        walk,
        relationships,
        policy: relationships.policy(),
    };
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![walk.root()];
    while let Some((object, node)) = open.pop() {
        if !seen.insert((object, node)) || walk.asked() == Asked::Userset(Some((object, node))) {
            continue;
        }
        // Only what the walk closed before this node may justify it.
        let State::Final(value, order) = walk.memo().known(object, node, Lacking::Unknown) else {
            continue;
        };
        let needs = search.needs(object, node, value, order)?;
        found.extend(needs.reads);
        open.extend(needs.nodes);
    }
    Ok(found)
}

struct Search<'a, 'w, R: ?Sized> {
    walk: &'a Walk<'w, R>,
    relationships: &'a R,
    policy: &'a Policy,
}

impl<R: Relationships + ?Sized> Search<'_, '_, R> {
    fn needs(
        &self,
        object: ObjectId,
        node: NodeId,
        value: Truth,
        order: u32,
    ) -> Result<Needs, CheckError> {
        match self.policy.body_node(node).map(|node| &node.body) {
            None => Ok(Needs::default()),
            Some(Body::Owner) => Ok(Needs {
                reads: vec![Read::Owner(object)],
                nodes: vec![],
            }),
            Some(Body::Relation(types)) => self.relation(object, node, types, value, order),
            Some(Body::Computed(ops)) => self.computed(object, ops, order),
        }
    }

    fn relation(
        &self,
        object: ObjectId,
        node: NodeId,
        types: &Types,
        value: Truth,
        order: u32,
    ) -> Result<Needs, CheckError> {
        let mut needs = Needs::default();
        for (kind, member) in self.walk.asked().members().into_iter().flatten() {
            let Some(member) = member.filter(|_| types.admits_type(kind)) else {
                continue;
            };
            let terms = self.relationships.contains(object, node, member)?;
            let direct = terms.and_then(|terms| self.standing(types, kind, terms));
            let read = Read::Direct(object, node, member);
            if direct == Some(Truth::True) {
                needs.reads = vec![read];
                return Ok(needs);
            }
            if value != Truth::True {
                needs.reads.push(read);
            }
        }
        if !types.admits_usersets() {
            return Ok(needs);
        }
        let mut members = Vec::new();
        self.relationships.usersets(object, node, &mut members)?;
        needs.reads.push(Read::Usersets(object, node));
        for member in members {
            let SetRef::Userset(child_object, child_node) = member.set else {
                continue;
            };
            let child = (child_object, child_node);
            let Some(terms) = type_of(member.set)
                .and_then(|subject| self.standing(types, subject, member.terms))
                .filter(|terms| *terms != Truth::False)
            else {
                continue;
            };
            if value != Truth::True {
                needs.nodes.push(child);
            } else if terms.and(self.value(child, order)) == Truth::True {
                needs.nodes.push(child);
                return Ok(needs);
            }
        }
        Ok(needs)
    }

    fn standing(&self, types: &Types, subject: SubjectType, terms: TermsId) -> Option<Truth> {
        let circumstances = self.walk.circumstances();
        standing(self.relationships, circumstances, types, subject, terms).value
    }

    /// Evaluates postfix operations over known values, carrying along what each value needs.
    fn computed(&self, object: ObjectId, ops: &[Op], order: u32) -> Result<Needs, CheckError> {
        let mut stack: Vec<(Truth, Needs)> = Vec::new();
        for op in ops {
            let combined = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => {
                    let child = (object, node);
                    (
                        self.value(child, order),
                        Needs {
                            reads: vec![],
                            nodes: vec![child],
                        },
                    )
                }
                Op::Itself => {
                    let itself = self.walk.asked().is_object(object);
                    (itself.into(), Needs::default())
                }
                Op::Arrow(at) => self.arrow(object, at, order)?,
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some((right, theirs)), Some((left, ours))) = (stack.pop(), stack.pop())
                    else {
                        continue;
                    };
                    let right = if *op == Op::Difference {
                        right.not()
                    } else {
                        right
                    };
                    let union = *op == Op::Union;
                    let value = if union {
                        left.or(right)
                    } else {
                        left.and(right)
                    };
                    // One side alone decides a union by *true*, the others by *false*.
                    let decides = if union { Truth::True } else { Truth::False };
                    let needs = if value != decides {
                        ours.and(theirs)
                    } else if left == decides {
                        ours
                    } else {
                        theirs
                    };
                    (value, needs)
                }
            };
            stack.push(combined);
        }
        Ok(stack.pop().map(|(_, needs)| needs).unwrap_or_default())
    }

    fn arrow(&self, object: ObjectId, at: u16, order: u32) -> Result<(Truth, Needs), CheckError> {
        let arrow = self.policy.arrows.get(at as usize);
        let body = arrow.and_then(|arrow| self.policy.body_node(arrow.relation));
        let (Some(arrow), Some(Body::Relation(types))) = (arrow, body.map(|node| &node.body))
        else {
            return Ok((Truth::Unknown, Needs::default()));
        };
        let mut members = Vec::new();
        self.relationships
            .targets(object, arrow.relation, &mut members)?;
        let mut needs = Needs {
            reads: vec![Read::Targets(object, arrow.relation)],
            nodes: vec![],
        };
        // One member alone makes a union true and an intersection false.
        let decides = Truth::from(!arrow.all);
        let mut value = None;
        for member in members {
            let child = arrow_target(self.policy, arrow, member.set);
            let terms =
                type_of(member.set).and_then(|subject| self.standing(types, subject, member.terms));
            let Some(terms) = terms else {
                continue;
            };
            let node = child.filter(|_| terms != Truth::False);
            let granted = node.map_or(Truth::False, |child| self.value(child, order));
            let found = terms.and(granted);
            if found == decides {
                needs.nodes = node.into_iter().collect();
                return Ok((found, needs));
            }
            value = Some(match value {
                None => found,
                Some(value) if arrow.all => found.and(value),
                Some(value) => found.or(value),
            });
            needs.nodes.extend(node);
        }
        Ok((value.unwrap_or(Truth::False), needs))
    }

    /// A value that was final before `order`; else unknown.
    fn value(&self, (object, node): (ObjectId, NodeId), order: u32) -> Truth {
        if self.walk.asked() == Asked::Userset(Some((object, node))) {
            return Truth::True;
        }
        match self.walk.memo().known(object, node, Lacking::Unknown) {
            State::Final(value, at) if at < order => value,
            _ => Truth::Unknown,
        }
    }
}
