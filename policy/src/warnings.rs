//! What is allowed but hardly meant: said when a policy is created, refused by nobody.

use alloc::{format, string::String, vec, vec::Vec};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use crate::{
    relationships::NodeId,
    schema::{Body, Node, NodeKind, Op, Policy, Position},
    theorems::never_true,
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

/// All that `policy` should be looked at again for, in the order of its text.
pub(crate) fn warnings(policy: &Policy) -> Vec<Warning> {
    let mut found = circles(policy);
    found.extend(never(policy));
    found.sort();
    found.dedup();
    found
}

/// Permissions and relations that nobody can ever have, or nobody but the owner. Permissions without
/// an expression are meant for the owner alone, and so are those that name the owner.
fn never(policy: &Policy) -> impl Iterator<Item = Warning> + '_ {
    let is_meant = |node: &Node| match (node.kind, owners(policy, node)) {
        (NodeKind::Permission | NodeKind::Relation, owners) => {
            owners > 1 || (owners == 1 && node.text.is_empty())
        }
        (NodeKind::Owner | NodeKind::Recorded | NodeKind::Management, _) => true,
    };
    let nodes = policy.nodes.iter().enumerate();
    let asked = nodes.filter(|(_, node)| !is_meant(node));
    let asked: Vec<NodeId> = asked.map(|(at, _)| NodeId(at as u16)).collect();
    let never = never_true(policy, &asked).into_iter();
    let never = never.filter_map(|id| policy.body_node(id));
    never.map(|node| Warning {
        position: node.position,
        message: format!(
            "nobody{} can ever have {:?} of {:?}, whatever is recorded",
            match owners(policy, node) {
                0 => "",
                _ => " but the owner",
            },
            node.name,
            policy.resource_name(node.resource),
        ),
    })
}

/// How often a computed node visits the owner; the implicit one stands before its expression.
fn owners(policy: &Policy, node: &Node) -> usize {
    let Body::Computed(ops) = &node.body else {
        return 0;
    };
    let visited = ops.iter().filter_map(|op| match op {
        Op::Visit(id) => policy.body_node(*id),
        _ => None,
    });
    let owners = visited.filter(|node| matches!(node.body, Body::Owner));
    owners.count()
}

/// Permissions that hang on themselves through the subtracted side of `-`: what is still unknown
/// there denies (docs/spec/policy.md §3), which is safe and seldom meant.
fn circles(policy: &Policy) -> Vec<Warning> {
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
    graph
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
        .collect()
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
