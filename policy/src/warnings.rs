//! What is allowed but hardly meant: said when a policy is created, refused by nobody.

use alloc::{format, string::String, vec, vec::Vec};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use crate::{
    possible::possible,
    relationships::NodeId,
    schema::{Body, Node, NodeKind, Op, Policy, Position},
};

/// Something in a policy that its author should look at again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Where in the text.
    pub position: Position,
    /// What it is, and what it means.
    pub message: String,
}

impl core::fmt::Display for Warning {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.position.line, self.position.column, self.message
        )
    }
}

/// Permissions that hang on themselves through the subtracted side of `-`: what is still unknown
/// there denies (docs/spec/policy.md §3), which is safe and seldom meant.
pub(crate) fn warnings(policy: &Policy) -> Vec<Warning> {
    let mut graph: DiGraph<(), bool, u32> = DiGraph::default();
    let places: Vec<_> = policy.nodes.iter().map(|_| graph.add_node(())).collect();
    for (at, node) in policy.nodes.iter().enumerate() {
        for (target, subtracted) in influences(policy, &node.body) {
            if let (Some(from), Some(to)) = (places.get(at), places.get(target.0 as usize)) {
                graph.add_edge(*from, *to, subtracted);
            }
        }
    }
    // Kosaraju's algorithm, because petgraph's does not recurse: a policy is hostile input.
    let mut component = vec![0usize; policy.nodes.len()];
    for (number, members) in kosaraju_scc(&graph).into_iter().enumerate() {
        for member in members {
            component[member.index()] = number;
        }
    }
    let mut found: Vec<Warning> = graph
        .raw_edges()
        .iter()
        .filter(|edge| edge.weight && component[edge.source().index()] == component[edge.target().index()])
        .filter_map(|edge| policy.nodes.get(edge.source().index()))
        .map(|node| Warning {
            position: node.position,
            message: format!(
                "{:?} of {:?} hangs on itself through the right side of `-`; where that is a circle, it denies",
                node.name,
                policy.resource_name(node.resource)
            ),
        })
        .collect();
    found.extend(never_true(policy));
    found.sort();
    found.dedup();
    found
}

/// Permissions and relations that nobody can ever have.
fn never_true(policy: &Policy) -> impl Iterator<Item = Warning> + '_ {
    let possible = possible(policy);
    let named = |node: &Node| matches!(node.kind, NodeKind::Permission | NodeKind::Relation);
    let nodes = policy.nodes.iter().zip(possible);
    nodes
        .filter(move |(node, possible)| !possible && named(node))
        .map(|(node, _)| Warning {
            position: node.position,
            message: format!(
                "nobody can ever have {:?} of {:?}: no relationship leads to it",
                node.name,
                policy.resource_name(node.resource)
            ),
        })
}

/// The nodes whose values a node's value is computed from, and whether one is subtracted.
fn influences(policy: &Policy, body: &Body) -> Vec<(NodeId, bool)> {
    let ops = match body {
        Body::Owner => return vec![],
        Body::Relation(types) => return types.usersets().map(|node| (node, false)).collect(),
        Body::Computed(ops) => ops,
    };
    let mut all: Vec<(NodeId, bool)> = vec![];
    // For each value on the stack, where its operands begin in `all`; they go on to its end.
    let mut begins: Vec<usize> = vec![];
    for op in ops {
        match *op {
            Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => {}
            Op::Itself => begins.push(all.len()),
            Op::Visit(node) => {
                begins.push(all.len());
                all.push((node, false));
            }
            Op::Arrow(at) => {
                begins.push(all.len());
                let targets = policy
                    .arrows
                    .get(at as usize)
                    .map(|arrow| arrow.targets.as_slice());
                all.extend(
                    targets
                        .unwrap_or_default()
                        .iter()
                        .map(|(_, node)| (*node, false)),
                );
            }
            Op::Union | Op::Intersection => {
                begins.pop();
            }
            Op::Difference => {
                let right = begins.pop().unwrap_or(all.len());
                all.iter_mut()
                    .skip(right)
                    .for_each(|(_, subtracted)| *subtracted = true);
            }
        }
    }
    all
}
