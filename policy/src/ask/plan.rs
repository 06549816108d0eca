//! The way back from a subject to the objects on which it may have a permission.
//!
//! Whatever is true has a finite derivation, and that leads through one side of each union, through
//! both sides of each intersection, so through either, and through the left side of each difference.
//! A plan takes of each intersection the one side that is looked through; all objects for which the
//! permission may be true are found by it, and some for which it is not.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use crate::{
    relationships::NodeId,
    schema::{Body, Op, Policy},
    types::{SubjectType, Types},
};

/// An intersection: its node, and its place among the node's operations.
pub(super) type Place = (NodeId, usize);

/// A step back within an object, or through an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    /// The node that may be true.
    pub from: NodeId,
    /// The relation that an arrow passes through; `None` within an object.
    pub through: Option<NodeId>,
    /// The node that may be true by it.
    pub to: NodeId,
    /// Whether it is true by it.
    pub suffices: bool,
}

/// What a plan says of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Step {
    needed: bool,
    /// Whether some relation on the way may hold usersets of it.
    in_usersets: bool,
    /// Its edges: from, to.
    edges: (u32, u32),
}

pub(super) struct Plan {
    /// Of each node of the policy.
    steps: Vec<Step>,
    /// Sorted.
    edges: Vec<Edge>,
    /// Nodes that `self` may make true, and whether it does.
    pub itself: Vec<(NodeId, bool)>,
    /// The intersections that it passes.
    pub intersections: Vec<Place>,
    /// Whether owning an object leads anywhere.
    pub owned: bool,
}

impl Plan {
    /// The way to `target`. Takes of each intersection the side that seems nearer to single subjects;
    /// of `turned` the other one.
    pub(super) fn new(policy: &Policy, target: NodeId, turned: Option<Place>) -> Self {
        let mut plan = Self {
            steps: vec![Step::default(); policy.nodes.len()],
            edges: vec![],
            itself: vec![],
            intersections: vec![],
            owned: false,
        };
        let mut open = vec![target];
        while let Some(node) = open.pop() {
            let Some(step) = plan.steps.get_mut(node.0 as usize) else {
                continue;
            };
            if core::mem::replace(&mut step.needed, true) {
                continue;
            }
            match policy.body_node(node).map(|node| &node.body) {
                None => {}
                Some(Body::Owner) => plan.owned = true,
                Some(Body::Relation(types)) => {
                    for of in types.usersets() {
                        if let Some(step) = plan.steps.get_mut(of.0 as usize) {
                            step.in_usersets = true;
                        }
                        open.push(of);
                    }
                }
                Some(Body::Computed(ops)) => plan.expression(policy, node, ops, turned, &mut open),
            }
        }
        // Steps within an object come first, then those through each relation together.
        plan.edges.sort_unstable();
        plan.edges.dedup();
        for (at, edge) in (0..).zip(&plan.edges) {
            if let Some(step) = plan.steps.get_mut(edge.from.0 as usize) {
                let first = if step.edges.1 == 0 { at } else { step.edges.0 };
                step.edges = (first, at + 1);
            }
        }
        plan
    }

    fn expression(
        &mut self,
        policy: &Policy,
        node: NodeId,
        ops: &[Op],
        turned: Option<Place>,
        open: &mut Vec<NodeId>,
    ) {
        let lefts = nearer_sides(policy, ops);
        // Backwards an operator comes first, then its right operand, then its left one. `None`: a part
        // that is not looked through; else whether it suffices.
        let mut waiting = vec![Some(true)];
        for (at, op) in ops.iter().enumerate().rev() {
            if matches!(op, Op::SkipIfTrue(_) | Op::SkipIfFalse(_)) {
                continue;
            }
            let Some(here) = waiting.pop() else {
                break;
            };
            let part = here.map(|_| false);
            match *op {
                Op::Union => waiting.extend([here, here]),
                Op::Difference => waiting.extend([part, None]),
                Op::Intersection => {
                    if here.is_some() {
                        self.intersections.push((node, at));
                    }
                    let left = lefts.get(at) == Some(&true);
                    match left != (turned == Some((node, at))) {
                        true => waiting.extend([part, None]),
                        false => waiting.extend([None, part]),
                    }
                }
                operand => {
                    if let Some(suffices) = here {
                        self.operand(policy, node, operand, suffices, open);
                    }
                }
            }
        }
    }

    fn operand(
        &mut self,
        policy: &Policy,
        to: NodeId,
        operand: Op,
        suffices: bool,
        open: &mut Vec<NodeId>,
    ) {
        match operand {
            Op::Visit(from) => {
                self.edges.push(Edge {
                    from,
                    through: None,
                    to,
                    suffices,
                });
                open.push(from);
            }
            Op::Arrow(at) => {
                let Some(arrow) = policy.arrows.get(at as usize) else {
                    return;
                };
                for (_, from) in &arrow.targets {
                    self.edges.push(Edge {
                        from: *from,
                        through: Some(arrow.relation),
                        to,
                        suffices: suffices && !arrow.all,
                    });
                    open.push(*from);
                }
            }
            Op::Itself => self.itself.push((to, suffices)),
            _ => {}
        }
    }

    fn step(&self, node: NodeId) -> Step {
        self.steps.get(node.0 as usize).copied().unwrap_or_default()
    }

    pub(super) fn needs(&self, node: NodeId) -> bool {
        self.step(node).needed
    }

    /// Whether anything may be true by a node.
    pub(super) fn leads_on(&self, from: NodeId) -> bool {
        let step = self.step(from);
        step.edges != (0, 0) || step.in_usersets
    }

    pub(super) fn edge(&self, at: usize) -> Option<Edge> {
        self.edges.get(at).copied()
    }

    /// The steps that lead on from a node within its object, by their places, and those that lead
    /// through relations.
    pub(super) fn edges_from(&self, from: NodeId) -> (Range<usize>, Range<usize>) {
        let (start, end) = self.step(from).edges;
        let (start, end) = (start as usize, end as usize);
        let edges = self.edges.get(start..end).unwrap_or_default();
        let arrows = start + edges.partition_point(|edge| edge.through.is_none());
        (start..arrows, arrows..end)
    }

    /// Those of some steps that lead through a relation.
    pub(super) fn through(&self, arrows: Range<usize>, relation: NodeId) -> Range<usize> {
        let edges = self.edges.get(arrows.clone()).unwrap_or_default();
        let before = edges.partition_point(|edge| edge.through < Some(relation));
        let of = edges.partition_point(|edge| edge.through <= Some(relation));
        arrows.start + before..arrows.start + of
    }

    /// The one step that leads on from a node, where there is no other and it stays within the object.
    pub(super) fn only_edge(&self, from: NodeId) -> Option<Edge> {
        let step = self.step(from);
        let (start, end) = step.edges;
        let edge = self.edge(start as usize)?;
        let only = end - start == 1 && !step.in_usersets && edge.through.is_none();
        only.then_some(edge)
    }

    /// Whether some relation on the way may hold usersets of a node.
    pub(super) fn holds_usersets(&self, of: NodeId) -> bool {
        self.step(of).in_usersets
    }
}

/// For each intersection among the operations, whether its left side seems nearer.
fn nearer_sides(policy: &Policy, ops: &[Op]) -> Vec<bool> {
    let mut lefts = vec![true; ops.len()];
    let mut stack: Vec<u8> = vec![];
    for (at, op) in ops.iter().enumerate() {
        let rank = match *op {
            Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
            Op::Itself => 0,
            Op::Visit(node) => rank_of(policy, node),
            Op::Arrow(_) => FAR,
            Op::Union | Op::Intersection | Op::Difference => {
                let right = stack.pop().unwrap_or(FAR);
                let left = stack.pop().unwrap_or(FAR);
                if let Some(is_left) = lefts.get_mut(at) {
                    *is_left = left <= right;
                }
                match op {
                    Op::Union => left.max(right),
                    Op::Intersection => left.min(right),
                    _ => left,
                }
            }
        };
        stack.push(rank);
    }
    lefts
}

const FAR: u8 = 5;

/// How many objects are to be expected, roughly: few where a subject must be named, many where it may
/// be one of everyone, or where one object leads to others.
fn rank_of(policy: &Policy, node: NodeId) -> u8 {
    let everyone = |types: &Types| {
        types
            .entries()
            .iter()
            .any(|entry| matches!(entry.subject, SubjectType::Everyone | SubjectType::Every(_)))
    };
    match policy.body_node(node).map(|node| &node.body) {
        None | Some(Body::Owner) => 0,
        Some(Body::Relation(types)) if everyone(types) => 4,
        Some(Body::Relation(types)) if types.usersets().next().is_some() => 2,
        Some(Body::Relation(_)) => 1,
        Some(Body::Computed(_)) => 3,
    }
}
