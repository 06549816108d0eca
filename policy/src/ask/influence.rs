//! Which relations can ever influence a permission, and which way.

use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};

use crate::{
    ask::operands::operands,
    check::resolve,
    question::CheckError,
    relationships::NodeId,
    schema::{Body, Op, Policy},
};

/// Which way a relation influences a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Influence {
    /// One more member can only grant it to more subjects.
    Grants,
    /// One more member can only take it from subjects.
    Takes,
    /// One more member can do either.
    Both,
}

/// A relation that can influence a permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reached {
    /// The resource.
    pub resource: String,
    /// The relation, `owner` among them.
    pub relation: String,
    /// Which way.
    pub influence: Influence,
}

/// All relations whose relationships can ever influence `permission` of `resource`, sorted. Costs a
/// visit of each node and operation of the policy, twice at most.
///
/// # Errors
/// [`CheckError::UnknownResource`], [`CheckError::UnknownPermission`].
pub fn reachable(
    policy: &Policy,
    resource: &str,
    permission: &str,
) -> Result<Vec<Reached>, CheckError> {
    let root = resolve(policy, resource, permission)?;
    let mut marks = Marks {
        seen: vec![[false; 2]; policy.nodes.len()],
        passed: vec![[false; 2]; policy.nodes.len()],
        open: vec![],
    };
    marks.enter(root, false);
    while let Some((node, turned)) = marks.open.pop() {
        match policy.body_node(node).map(|node| &node.body) {
            None | Some(Body::Owner) => {}
            Some(Body::Relation(types)) => {
                types.usersets().for_each(|to| marks.enter(to, turned));
            }
            Some(Body::Computed(ops)) => {
                for (operand, at) in operands(ops) {
                    marks.operand(policy, operand, turned != at.turned);
                }
            }
        }
    }
    let mut found: BTreeMap<(&str, &str), Influence> = BTreeMap::new();
    let marked = marks.seen.iter().zip(&marks.passed);
    for (node, (seen, passed)) in policy.nodes.iter().zip(marked) {
        let influence = match (seen[0] || passed[0], seen[1] || passed[1]) {
            _ if matches!(node.body, Body::Computed(_)) => continue,
            (false, false) => continue,
            (true, false) => Influence::Grants,
            (false, true) => Influence::Takes,
            (true, true) => Influence::Both,
        };
        let name = (policy.resource_name(node.resource), node.name.as_str());
        found.insert(name, influence);
    }
    let named = |((resource, relation), influence): ((&str, &str), Influence)| Reached {
        resource: resource.into(),
        relation: relation.into(),
        influence,
    };
    Ok(found.into_iter().map(named).collect())
}

/// Which nodes are reached, without and with a turn.
struct Marks {
    seen: Vec<[bool; 2]>,
    /// The relations that arrows pass through: only their recorded members count, not who stands
    /// behind their usersets.
    passed: Vec<[bool; 2]>,
    open: Vec<(NodeId, bool)>,
}

impl Marks {
    fn enter(&mut self, node: NodeId, turned: bool) {
        let seen = self.seen.get_mut(node.0 as usize);
        if let Some(seen) = seen.and_then(|seen| seen.get_mut(usize::from(turned))) {
            if !core::mem::replace(seen, true) {
                self.open.push((node, turned));
            }
        }
    }

    fn operand(&mut self, policy: &Policy, operand: Op, turned: bool) {
        match operand {
            Op::Visit(node) => self.enter(node, turned),
            Op::Arrow(at) => {
                let Some(arrow) = policy.arrows.get(at as usize) else {
                    return;
                };
                if let Some(passed) = self.passed.get_mut(arrow.relation.0 as usize) {
                    passed[usize::from(turned)] = true;
                    // One more that must grant may be one that does not.
                    passed[usize::from(!turned)] |= arrow.all;
                }
                for (_, node) in &arrow.targets {
                    self.enter(*node, turned);
                }
            }
            _ => {}
        }
    }
}
