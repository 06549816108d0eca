//! Which nodes can be true for anybody at all, as far as it shows without looking at data.
//!
//! It is part of compiling, and so of consensus: the cost is linear in the policy's operations and in
//! what its arrows and types name, however long the chains of names are that lead on to each other.

use alloc::{vec, vec::Vec};

use crate::{
    relationships::NodeId,
    schema::{Body, Op, Policy},
    types::{SubjectType, Types},
};

/// For each node of the policy: whether some relationships could make it true for somebody. Operands
/// are taken as independent, and what is subtracted as false, so *false* is certain: nobody ever.
///
/// So nodes and operations are gates of a circuit without negation, and this is its least fixpoint,
/// found by following each wire once (Dowling and Gallier, "Linear-time algorithms for testing the
/// satisfiability of propositional Horn formulae", 1984).
pub(crate) fn possible(policy: &Policy) -> Vec<bool> {
    let mut circuit = Circuit::of(policy);
    circuit.run();
    let nodes = circuit.waits.iter().take(policy.nodes.len());
    nodes.map(|waits| *waits == 0).collect()
}

/// Gates, the nodes first, in their order; then operations.
struct Circuit {
    /// For each gate, how many more of its inputs must become true; 0 where it is true.
    waits: Vec<u32>,
    /// For each gate, the first of the wires that lead out of it.
    first: Vec<Option<u32>>,
    /// The gate that a wire leads to, and the next wire out of the same gate.
    wires: Vec<(u32, Option<u32>)>,
    /// True gates whose wires have not been followed yet.
    open: Vec<u32>,
}

impl Circuit {
    fn of(policy: &Policy) -> Self {
        let nodes = policy.nodes.len();
        let mut circuit = Self {
            waits: vec![1; nodes],
            first: vec![None; nodes],
            wires: Vec::new(),
            open: Vec::new(),
        };
        for (at, node) in (0..).zip(&policy.nodes) {
            match &node.body {
                Body::Owner => circuit.turn_on(at),
                Body::Relation(types) => circuit.relation(at, types),
                Body::Computed(ops) => circuit.computed(policy, at, ops),
            }
        }
        circuit
    }

    fn relation(&mut self, at: u32, types: &Types) {
        for entry in types.entries() {
            match entry.subject {
                SubjectType::Userset(node) => self.wire_node(node, at),
                SubjectType::Actor
                | SubjectType::Everyone
                | SubjectType::Every(_)
                | SubjectType::Object(_) => return self.turn_on(at),
            }
        }
    }

    fn computed(&mut self, policy: &Policy, at: u32, ops: &[Op]) {
        let mut stack: Vec<u32> = Vec::new();
        for op in ops {
            let gate = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => u32::from(node.0),
                Op::Itself => {
                    let gate = self.gate(1);
                    self.turn_on(gate);
                    gate
                }
                Op::Arrow(arrow) => {
                    let gate = self.gate(1);
                    let arrow = policy.arrows.get(arrow as usize);
                    for (_, node) in arrow.into_iter().flat_map(|arrow| &arrow.targets) {
                        self.wire_node(*node, gate);
                    }
                    gate
                }
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        continue;
                    };
                    match op {
                        Op::Difference => left,
                        op => {
                            let gate = self.gate(if *op == Op::Union { 1 } else { 2 });
                            self.wire(left, gate);
                            self.wire(right, gate);
                            gate
                        }
                    }
                }
            };
            stack.push(gate);
        }
        if let Some(value) = stack.pop() {
            self.wire(value, at);
        }
    }

    fn gate(&mut self, waits: u32) -> u32 {
        self.waits.push(waits);
        self.first.push(None);
        self.waits.len() as u32 - 1
    }

    fn wire_node(&mut self, from: NodeId, to: u32) {
        self.wire(u32::from(from.0), to);
    }

    fn wire(&mut self, from: u32, to: u32) {
        if let Some(first) = self.first.get_mut(from as usize) {
            let wire = self.wires.len() as u32;
            self.wires.push((to, first.replace(wire)));
        }
    }

    fn turn_on(&mut self, gate: u32) {
        if let Some(waits) = self.waits.get_mut(gate as usize) {
            *waits = 0;
            self.open.push(gate);
        }
    }

    fn run(&mut self) {
        while let Some(gate) = self.open.pop() {
            let mut next = self.first.get(gate as usize).copied().flatten();
            while let Some((to, after)) = next.and_then(|wire| self.wires.get(wire as usize)) {
                next = *after;
                match self.waits.get_mut(*to as usize) {
                    None | Some(0) => {}
                    Some(waits) => {
                        *waits -= 1;
                        if *waits == 0 {
                            self.open.push(*to);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{
        format,
        string::{String, ToString},
    };

    use super::*;

    fn impossible(text: &str) -> Vec<String> {
        let policy = Policy::parse(text).unwrap();
        let possible = possible(&policy);
        let nodes = policy.nodes.iter().zip(possible);
        nodes
            .filter(|(_, possible)| !possible)
            .map(|(node, _)| node.name.clone())
            .collect()
    }

    #[test]
    fn what_nobody_can_ever_have_is_found_through_every_operation() {
        let policy = |expression: &str| {
            format!("implicit_owner: false\nresources:\n  a:\n    relations:\n      r:\n      up:\n        types: [a]\n    permissions:\n      x:\n        expr: {expression}\n      none:\n      circle:\n        expr: circle\n      both:\n        expr: r & circle\n")
        };
        for (expression, expected) in [
            ("r", false),
            ("none", true),
            ("circle", true),
            ("r + none", false),
            ("none + circle", true),
            ("r & r", false),
            ("r & none", true),
            ("none & r", true),
            ("r - r", false),
            ("none - r", true),
            ("(r - none) & (none + up->r)", false),
            ("up->none", true),
            ("up->x", true),
            ("up->x + r", false),
            ("up&->r", false),
            ("self", false),
            ("self & both", true),
        ] {
            let found = impossible(&policy(expression));
            assert_eq!(found.contains(&"x".to_string()), expected, "{expression}");
            for name in ["none", "circle", "both"] {
                assert!(found.contains(&name.to_string()), "{name}: {found:?}");
            }
        }
    }

    /// Wires are what is followed, each at most once: they grow with the policy, not with its chains.
    #[test]
    fn wires_are_as_many_as_operations_and_targets() {
        let mut text = String::from("implicit_owner: false\nresources:\n");
        for resource in 0..24 {
            text += &format!("  a{resource}: {{relations: {{z: {{types: [a{}]}}}}, permissions: {{p99: {{expr: z->p0}}", (resource + 1) % 24);
            for at in 0..99 {
                text += &format!(", p{at}: {{expr: p{}}}", at + 1);
            }
            text += "}}\n";
        }
        let policy = Policy::parse(&text).unwrap();
        let ops: usize = policy
            .nodes
            .iter()
            .map(|node| match &node.body {
                Body::Computed(ops) => ops.len(),
                Body::Owner | Body::Relation(_) => 0,
            })
            .sum();
        let targets: usize = policy.arrows.iter().map(|arrow| arrow.targets.len()).sum();
        let circuit = Circuit::of(&policy);
        assert!(circuit.wires.len() <= 2 * ops + targets + policy.nodes.len());
        let never = impossible(&text);
        assert_eq!(never.len(), 24 * 100, "all hang on one circle alone");
    }
}
