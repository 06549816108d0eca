//! Which reads a value hangs on: the derivation of an allow, cut from a walk that is done.
//!
//! Works backwards from the root over the values that the walk found final. A node is justified
//! by values that were final before it: that order rules out a derivation that leads back to
//! itself. Has a list of its own instead of recursion.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use crate::{
    asked::Asked,
    check::{arrow_target, Walk},
    memo::State,
    question::CheckError,
    relationships::{ActorId, NodeId, ObjectId, Relationships, SetRef, TermsId},
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
    /// Whether the actor asked about stands in the relation.
    Direct(ObjectId, NodeId, ActorId),
    /// All other members of the relation.
    Sets(ObjectId, NodeId),
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
        let State::Final(value, order) = walk.memo().known(object, node) else {
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
        if let (true, Asked::Actor(Some(actor))) = (types.admits_actors(), self.walk.asked()) {
            let terms = self.relationships.contains(object, node, actor)?;
            let direct = terms.and_then(|terms| self.standing(types, SubjectType::Actor, terms));
            if direct == Some(Truth::TRUE) || value != Truth::TRUE {
                needs.reads.push(Read::Direct(object, node, actor));
            }
            if direct == Some(Truth::TRUE) {
                return Ok(needs);
            }
        }
        if !types.admits_sets() {
            return Ok(needs);
        }
        let mut members = Vec::new();
        self.relationships.sets(object, node, &mut members)?;
        needs.reads.push(Read::Sets(object, node));
        for member in members {
            let child = match member.set {
                SetRef::Userset(object, node) => Some((object, node)),
                set if self.walk.asked().is(set) => None,
                _ => continue,
            };
            let Some(terms) = type_of(member.set)
                .and_then(|subject| self.standing(types, subject, member.terms))
                .filter(|terms| *terms != Truth::FALSE)
            else {
                continue;
            };
            if value != Truth::TRUE {
                needs.nodes.extend(child);
                continue;
            }
            let known = child.map_or(Truth::TRUE, |child| self.value(child, order));
            if terms.and(known) == Truth::TRUE {
                needs.nodes.extend(child);
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
                    let asked = self.walk.asked();
                    let itself = matches!(asked, Asked::Object(Some(asked), _) if asked == object);
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
                    let decides = if union { Truth::TRUE } else { Truth::FALSE };
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
            return Ok((Truth::UNKNOWN, Needs::default()));
        };
        let mut members = Vec::new();
        self.relationships
            .sets(object, arrow.relation, &mut members)?;
        let mut needs = Needs {
            reads: vec![Read::Sets(object, arrow.relation)],
            nodes: vec![],
        };
        // One member alone makes a union true and an intersection false.
        let decides = Truth::from(!arrow.all);
        let mut value = None;
        for member in members {
            let child = arrow_target(self.policy, arrow, member.set);
            let terms =
                type_of(member.set).and_then(|subject| self.standing(types, subject, member.terms));
            let (Some(child), Some(terms)) = (child, terms) else {
                continue;
            };
            let found = match terms == Truth::FALSE {
                true => Truth::FALSE,
                false => terms.and(self.value(child, order)),
            };
            let node = (terms != Truth::FALSE).then_some(child);
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
        Ok((value.unwrap_or(Truth::FALSE), needs))
    }

    /// A value that was final before `order`; else unknown.
    fn value(&self, (object, node): (ObjectId, NodeId), order: u32) -> Truth {
        if self.walk.asked() == Asked::Userset(Some((object, node))) {
            return Truth::TRUE;
        }
        match self.walk.memo().known(object, node) {
            State::Final(value, at) if at < order => value,
            _ => Truth::UNKNOWN,
        }
    }
}
