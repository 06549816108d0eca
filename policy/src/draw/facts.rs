//! What a drawing of a schema needs to know of a policy, in one place.
//!
//! Everything else in `draw` works on these facts, so a change of the compiled form of a policy is a
//! change of [`Facts::of`] alone.

use alloc::{string::String, vec, vec::Vec};

use crate::{
    relationships::NodeId,
    schema::{Body, Node, Op, Policy, Types},
};

/// A policy, reduced to what is drawn. Resources and nodes keep their places in the policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub name: String,
    pub description: String,
    /// What `types` call an actor.
    pub actor: String,
    /// Whether an object's owner has every permission, whatever its expression says.
    pub implicit_owner: bool,
    pub conditions: Vec<ConditionFacts>,
    pub resources: Vec<ResourceFacts>,
    pub nodes: Vec<NodeFacts>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ConditionFacts {
    pub name: String,
    pub doc: String,
    /// Names and types.
    pub parameters: Vec<(String, String)>,
    pub expression: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ResourceFacts {
    pub name: String,
    pub doc: String,
    /// Places of its relations and permissions.
    pub nodes: Vec<usize>,
}

/// A relation or permission.
#[derive(Clone, Debug)]
pub(crate) struct NodeFacts {
    pub resource: usize,
    pub name: String,
    pub doc: String,
    pub kind: NodeKind,
    pub types: Vec<TypeFacts>,
    /// Places of the relations that it manages.
    pub manages: Vec<usize>,
    /// Its expression in postfix form, without the implicit owner.
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// Filled by registration.
    Owner,
    Relation,
    Permission,
}

/// One entry of `types`.
#[derive(Clone, Debug)]
pub(crate) struct TypeFacts {
    pub subject: SubjectFacts,
    /// The condition that it carries, and whether it expires, in words.
    pub traits: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectFacts {
    Actor,
    Everyone,
    /// An object of the resource.
    Object(usize),
    /// Every object of the resource.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the policy language does not say it yet")
    )]
    EveryObject(usize),
    /// A userset: the place of its relation or permission.
    Userset(usize),
}

/// One step of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Name(usize),
    /// `->`, or `&->` if every object must grant.
    Arrow {
        relation: usize,
        every: bool,
        targets: Vec<usize>,
    },
    /// `self`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the policy language does not say it yet")
    )]
    Itself,
    Union,
    Intersection,
    Difference,
}

impl Facts {
    /// Reads them off a compiled policy.
    pub fn of(policy: &Policy) -> Self {
        let resources = policy.resources.iter().map(|resource| ResourceFacts {
            name: resource.name.clone(),
            doc: resource.doc.clone(),
            nodes: resource
                .by_name
                .iter()
                .map(|(_, node)| node.0 as usize)
                .filter(|at| policy.nodes.get(*at).is_some_and(|node| !is_rule(node)))
                .collect(),
        });
        Self {
            name: policy.name.clone(),
            description: policy.description.clone(),
            actor: policy.actor.clone(),
            implicit_owner: true,
            conditions: Vec::new(),
            resources: resources.collect(),
            nodes: policy
                .nodes
                .iter()
                .map(|node| node_facts(policy, node))
                .collect(),
        }
    }
}

impl Facts {
    /// A colour for each resource that lines lead to, so that a line tells where it goes; the others
    /// have none. The same in all drawings of a policy.
    pub fn hues(&self) -> Vec<Option<usize>> {
        let mut wanted = vec![false; self.resources.len()];
        let mut want = |resource: Option<usize>| {
            if let Some(wanted) = resource.and_then(|at| wanted.get_mut(at)) {
                *wanted = true;
            }
        };
        let of = |node: &usize| self.nodes.get(*node).map(|node| node.resource);
        for node in &self.nodes {
            for entry in &node.types {
                match entry.subject {
                    SubjectFacts::Actor | SubjectFacts::Everyone => {}
                    SubjectFacts::Object(at) | SubjectFacts::EveryObject(at) => want(Some(at)),
                    SubjectFacts::Userset(at) => want(of(&at)),
                }
            }
        }
        let mut next = 0..;
        wanted
            .into_iter()
            .map(|wanted| if wanted { next.next() } else { None })
            .collect()
    }
}

/// `manage(r)`, which is shown with the relations that manage.
fn is_rule(node: &Node) -> bool {
    node.name.contains('(')
}

fn node_facts(policy: &Policy, node: &Node) -> NodeFacts {
    let (kind, types, steps) = match &node.body {
        Body::Owner => (NodeKind::Owner, Vec::new(), Vec::new()),
        Body::Relation(types) => (NodeKind::Relation, type_facts(types), Vec::new()),
        Body::Computed(ops) => (NodeKind::Permission, Vec::new(), steps(policy, ops)),
    };
    NodeFacts {
        resource: node.resource.0 as usize,
        name: node.name.clone(),
        doc: node.doc.clone(),
        kind,
        types,
        manages: managed(policy, node),
        steps,
    }
}

fn type_facts(types: &Types) -> Vec<TypeFacts> {
    let actor = types.actors.then_some(SubjectFacts::Actor);
    let everyone = types.everyone.then_some(SubjectFacts::Everyone);
    let objects = types
        .objects
        .iter()
        .map(|id| SubjectFacts::Object(id.0 as usize));
    let usersets = types
        .usersets
        .iter()
        .map(|id| SubjectFacts::Userset(id.0 as usize));
    actor
        .into_iter()
        .chain(everyone)
        .chain(objects)
        .chain(usersets)
        .map(|subject| TypeFacts {
            subject,
            traits: Vec::new(),
        })
        .collect()
}

/// The relations r of the same resource whose rule `manage(r)` visits `node`.
fn managed(policy: &Policy, node: &Node) -> Vec<usize> {
    let Some(resource) = policy.resources.get(node.resource.0 as usize) else {
        return Vec::new();
    };
    if !matches!(node.body, Body::Relation(_)) {
        return Vec::new();
    }
    let Some(own) = resource.node(&node.name) else {
        return Vec::new();
    };
    let rules = resource.by_name.iter().filter_map(|(name, rule)| {
        let managed = name.strip_prefix("manage(")?.strip_suffix(')')?;
        let Body::Computed(ops) = &policy.body_node(*rule)?.body else {
            return None;
        };
        let visited = ops.contains(&Op::Visit(own));
        visited.then(|| resource.node(managed))?
    });
    rules.map(|NodeId(at)| at as usize).collect()
}

/// The expression as written: without the owner that compilation puts in front of it.
fn steps(policy: &Policy, ops: &[Op]) -> Vec<Step> {
    let body = match ops {
        [Op::Visit(_), Op::SkipIfTrue(_), body @ .., Op::Union] => body,
        _ => &[],
    };
    let step = |op: &Op| match *op {
        Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => None,
        Op::Visit(node) => Some(Step::Name(node.0 as usize)),
        Op::Arrow(at) => {
            let arrow = policy.arrows.get(at as usize)?;
            Some(Step::Arrow {
                relation: arrow.relation.0 as usize,
                every: false,
                targets: arrow
                    .targets
                    .iter()
                    .map(|(_, node)| node.0 as usize)
                    .collect(),
            })
        }
        Op::Union => Some(Step::Union),
        Op::Intersection => Some(Step::Intersection),
        Op::Difference => Some(Step::Difference),
    };
    body.iter().filter_map(step).collect()
}
