//! Which nodes can be true for anybody at all, as far as it shows without looking at data.

use alloc::{vec, vec::Vec};

use crate::{
    schema::{Body, Op, Policy},
    types::{SubjectType, Types},
};

/// For each node of the policy: whether some relationships could make it true for somebody. Operands
/// are taken as independent, and what is subtracted as false, so *false* is certain: nobody ever.
///
/// Least fixpoint by sweeping; at most one sweep a node, each linear in the policy's size.
pub(crate) fn possible(policy: &Policy) -> Vec<bool> {
    let mut known = vec![false; policy.nodes.len()];
    loop {
        let mut changed = false;
        for (at, node) in policy.nodes.iter().enumerate() {
            let now = match &node.body {
                Body::Owner => true,
                Body::Relation(types) => holds_anybody(types, &known),
                Body::Computed(ops) => computed(policy, ops, &known),
            };
            if let Some(before) = known.get_mut(at).filter(|before| now && !**before) {
                *before = true;
                changed = true;
            }
        }
        if !changed {
            return known;
        }
    }
}

fn holds_anybody(types: &Types, known: &[bool]) -> bool {
    types.entries().iter().any(|entry| match entry.subject {
        SubjectType::Userset(node) => known.get(node.0 as usize) == Some(&true),
        SubjectType::Actor
        | SubjectType::Everyone
        | SubjectType::Every(_)
        | SubjectType::Object(_) => true,
    })
}

fn computed(policy: &Policy, ops: &[Op], known: &[bool]) -> bool {
    let of = |node: crate::NodeId| known.get(node.0 as usize) == Some(&true);
    let mut stack: Vec<bool> = Vec::new();
    for op in ops {
        let value = match *op {
            Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
            Op::Visit(node) => of(node),
            Op::Itself => true,
            Op::Arrow(at) => policy
                .arrows
                .get(at as usize)
                .is_some_and(|arrow| arrow.targets.iter().any(|(_, node)| of(*node))),
            Op::Union | Op::Intersection | Op::Difference => {
                let right = stack.pop().unwrap_or(false);
                let left = stack.pop().unwrap_or(false);
                match op {
                    Op::Union => left || right,
                    Op::Intersection => left && right,
                    _ => left,
                }
            }
        };
        stack.push(value);
    }
    stack.pop().unwrap_or(false)
}
