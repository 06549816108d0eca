//! In which order the rows of a box stand: relations by name, then permissions, each below those that
//! it reads.

use alloc::{vec, vec::Vec};

use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

use super::facts::{Facts, NodeKind, ResourceFacts, Step, SubjectFacts};

/// The nodes of a resource that have a row, in the order of their rows. The owner has one only where
/// something names it.
pub(crate) fn rows(facts: &Facts, resource: &ResourceFacts) -> Vec<usize> {
    let depths = depths(facts, &resource.nodes);
    let mut rows: Vec<(NodeKind, usize, usize)> = resource
        .nodes
        .iter()
        .zip(depths)
        .filter_map(|(at, depth)| Some((facts.nodes.get(*at)?.kind, depth, *at)))
        .filter(|(kind, _, at)| *kind != NodeKind::Owner || is_named(facts, *at))
        .collect();
    // Places follow names, so the last part sorts by name.
    rows.sort_by_key(|(kind, depth, at)| match kind {
        NodeKind::Owner => (0, 0, *at),
        NodeKind::Relation => (1, 0, *at),
        NodeKind::Permission => (2, *depth, *at),
    });
    rows.into_iter().map(|(_, _, at)| at).collect()
}

/// Whether some expression or type names the node.
fn is_named(facts: &Facts, at: usize) -> bool {
    facts.nodes.iter().any(|node| {
        let stepped = node.steps.iter().any(|step| match step {
            Step::Name(name) => *name == at,
            Step::Arrow { targets, .. } => targets.contains(&at),
            _ => false,
        });
        let typed = |subject| subject == SubjectFacts::Userset(at);
        stepped || node.types.iter().any(|entry| typed(entry.subject))
    })
}

/// How many permissions of the same box, at most, are read one through the other below each node;
/// those that read each other in a circle count alike.
fn depths(facts: &Facts, nodes: &[usize]) -> Vec<usize> {
    let mut graph: DiGraph<bool, (), u32> = DiGraph::default();
    let node = |at: &usize| facts.nodes.get(*at);
    let computed = |at: &usize| node(at).is_some_and(|node| node.kind == NodeKind::Permission);
    let places: Vec<NodeIndex> = nodes
        .iter()
        .map(|at| graph.add_node(computed(at)))
        .collect();
    for (from, at) in places.iter().zip(nodes) {
        for step in node(at).map_or(&[][..], |node| &node.steps) {
            let Step::Name(read) = step else {
                continue;
            };
            let read = nodes.iter().position(|node| node == read);
            if let Some(to) = read.and_then(|at| places.get(at)) {
                graph.add_edge(*from, *to, ());
            }
        }
    }
    let mut depths = vec![0; nodes.len()];
    // Kosaraju's algorithm, because petgraph's does not recurse; what is read comes first.
    for circle in kosaraju_scc(&graph) {
        let read = circle.iter().flat_map(|node| graph.neighbors(*node));
        let below = read.map(|node| depths[node.index()]).max().unwrap_or(0);
        let depth = below + usize::from(circle.iter().any(|node| graph[*node]));
        circle.iter().for_each(|node| depths[node.index()] = depth);
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    #[test]
    fn permissions_stand_below_what_they_read_and_circles_end() {
        let policy = Policy::parse("resources:\n t:\n  relations:\n   z:\n   y:\n  permissions:\n   a: {expr: b + c}\n   b: {expr: c + z}\n   c: {expr: d}\n   d: {expr: c + y}\n   e: {expr: owner}\n").unwrap();
        let facts = Facts::of(&policy);
        let names: Vec<&str> = rows(&facts, &facts.resources[0])
            .into_iter()
            .map(|at| facts.nodes[at].name.as_str())
            .collect();
        assert_eq!(names, ["owner", "y", "z", "c", "d", "e", "b", "a"]);
    }
}
