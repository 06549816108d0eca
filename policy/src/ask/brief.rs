//! The value of a node by a short look, where it is put together of what is known already.
//!
//! A lookup decides thousands of objects alike: of each, most of an expression is certain from how the
//! object was found, or the same for all of them (where they all lie in one folder). A short look
//! combines that, without opening frames or noting it down. What it combines are definite values of
//! the shared walk, by the tables of two-valued logic, so it says what the walk would; wherever
//! something is not definite or takes long, it says nothing, and the walk is asked.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    asked::Asked,
    check::arrow_target,
    question::CheckError,
    relationships::{MemberRef, NodeId, ObjectId, Relationships, SetRef, TermsId},
    schema::{Arrow, Body, Op},
    standing::type_of,
    truth::Truth,
    types::Allowed,
};

use super::{
    candidates::{Lately, Marks},
    shared::Shared,
};

/// Operations of one look. What people write for one permission takes ten; more is the walk's, which
/// evaluates nothing twice.
const OPERATIONS_MAX: usize = 64;

/// How deeply permissions of one object are looked through by each other.
const DEPTH_MAX: usize = 4;

/// What a look finds; boxed, so that it is handed on in registers.
type Looked = Result<Option<bool>, Box<CheckError>>;

pub(super) struct Brief<'a> {
    marks: &'a Marks,
    asked: Asked,
    lately: Lately,
    members: Vec<MemberRef>,
    /// What the last arrow found, and where it led: all of a list may hang on one node.
    last: Option<((u16, SetRef), bool)>,
    /// Operations that are left for this look.
    left: usize,
}

impl<'a> Brief<'a> {
    pub(super) fn new(marks: &'a Marks, asked: Asked) -> Self {
        Self {
            marks,
            asked,
            lately: Lately::default(),
            members: Vec::new(),
            last: None,
            left: 0,
        }
    }

    /// Whether a node is true or false; `None` where that takes a walk.
    ///
    /// # Errors
    /// As [`crate::check`].
    pub(super) fn look<R: Relationships + ?Sized>(
        &mut self,
        shared: &mut Shared<'_, R>,
        object: ObjectId,
        node: NodeId,
    ) -> Result<Option<bool>, CheckError> {
        if self.marks.is_certain(object, node, &mut self.lately) {
            return Ok(Some(true));
        }
        // A userset may be the very node that is looked at.
        if matches!(self.asked, Asked::Userset(_)) || object == ObjectId::NOWHERE {
            return Ok(None);
        }
        self.left = OPERATIONS_MAX;
        self.node(shared, object, node, 0).map_err(|error| *error)
    }

    fn node<R: Relationships + ?Sized>(
        &mut self,
        shared: &mut Shared<'_, R>,
        object: ObjectId,
        node: NodeId,
        depth: usize,
    ) -> Looked {
        match shared.policy().body_node(node).map(|node| &node.body) {
            Some(Body::Computed(ops)) if depth < DEPTH_MAX => {
                self.expression(shared, object, ops, depth)
            }
            _ => definite(shared, object, node),
        }
    }

    fn expression<R: Relationships + ?Sized>(
        &mut self,
        shared: &mut Shared<'_, R>,
        object: ObjectId,
        ops: &[Op],
        depth: usize,
    ) -> Looked {
        // A stack of bits; fewer operations than it has room for.
        let (mut stack, mut next) = (0u64, 0);
        while let Some(op) = ops.get(next) {
            let Some(left) = self.left.checked_sub(1) else {
                return Ok(None);
            };
            self.left = left;
            next += 1;
            let value = match *op {
                Op::Visit(node) if self.marks.is_certain(object, node, &mut self.lately) => {
                    Some(true)
                }
                Op::Visit(node) => self.node(shared, object, node, depth + 1)?,
                Op::Arrow(at) => self.arrow(shared, object, at)?,
                Op::Itself => Some(self.asked.is_object(object)),
                Op::SkipIfTrue(to) | Op::SkipIfFalse(to) => {
                    if (stack & 1 == 1) == matches!(op, Op::SkipIfTrue(_)) {
                        next = to as usize;
                    }
                    continue;
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let (right, left) = (stack & 1 == 1, stack & 2 == 2);
                    stack >>= 2;
                    Some(match op {
                        Op::Union => left || right,
                        Op::Intersection => left && right,
                        _ => left && !right,
                    })
                }
            };
            match value {
                Some(value) => stack = (stack << 1) | u64::from(value),
                None => return Ok(None),
            }
        }
        Ok(Some(!ops.is_empty() && stack & 1 == 1))
    }

    /// Whether one of the objects that an arrow leads to grants it.
    fn arrow<R: Relationships + ?Sized>(
        &mut self,
        shared: &mut Shared<'_, R>,
        object: ObjectId,
        at: u16,
    ) -> Looked {
        let arrow = shared.policy().arrows.get(at as usize);
        let Some(arrow) = arrow.filter(|arrow| !arrow.all) else {
            return Ok(None);
        };
        let Self { members, last, .. } = self;
        members.clear();
        let read = shared
            .relationships()
            .targets(object, arrow.relation, members);
        let mut found = read.is_ok().then_some(false);
        shared.count(1 + members.len()).map_err(Box::new)?;
        for member in members {
            if member.terms != TermsId::NONE {
                found = None;
            }
            if found != Some(false) {
                continue;
            }
            found = match last {
                Some((of, value)) if *of == (at, member.set) => Some(*value),
                _ => along(shared, arrow, member.set)?,
            };
            *last = found.map(|value| ((at, member.set), value));
        }
        Ok(found)
    }
}

/// Whether a member of an arrow's relation, that stands on no terms, grants what the arrow asks for.
fn along<R: Relationships + ?Sized>(
    shared: &mut Shared<'_, R>,
    arrow: &Arrow,
    member: SetRef,
) -> Looked {
    let policy = shared.policy();
    let Some(Body::Relation(types)) = policy.body_node(arrow.relation).map(|node| &node.body)
    else {
        return Ok(None);
    };
    let admitted = type_of(member).is_some_and(|kind| types.admits(Allowed::bare(kind)));
    match arrow_target(policy, arrow, member).filter(|_| admitted) {
        Some((object, node)) => definite(shared, object, node),
        None => Ok(Some(false)),
    }
}

fn definite<R: Relationships + ?Sized>(
    shared: &mut Shared<'_, R>,
    object: ObjectId,
    node: NodeId,
) -> Looked {
    Ok(match shared.value(object, node).map_err(Box::new)? {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    })
}
