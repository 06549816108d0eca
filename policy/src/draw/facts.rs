//! What a drawing of a schema needs to know of a policy, in one place.
//!
//! Everything else in `draw` works on these facts, so a change of the compiled form of a policy is a
//! change of [`Facts::of`] alone.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use crate::{
    relationships::NodeId,
    schema::{self, Body, Node, Op, Policy},
    types::{Allowed, SubjectType},
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
    Itself,
    Union,
    Intersection,
    Difference,
}

impl Facts {
    /// Reads them off a compiled policy.
    pub fn of(policy: &Policy) -> Self {
        let named = |(_, node): &(String, NodeId)| {
            let kind = policy.body_node(*node)?.kind;
            (kind != schema::NodeKind::Management).then_some(node.0 as usize)
        };
        let resources = policy.resources.iter().map(|resource| ResourceFacts {
            name: resource.name.clone(),
            doc: resource.doc.clone(),
            nodes: resource.by_name.iter().filter_map(named).collect(),
        });
        let conditions = policy.conditions.iter().map(|named| {
            let parameters = named.condition.parameters().iter();
            ConditionFacts {
                name: named.name.clone(),
                doc: named.doc.clone(),
                parameters: parameters
                    .map(|(name, kind)| (name.clone(), kind.to_string()))
                    .collect(),
                expression: named.condition.expression().into(),
            }
        });
        Self {
            name: policy.name.clone(),
            description: policy.description.clone(),
            actor: policy.actor.clone(),
            implicit_owner: !policy.without_owner,
            conditions: conditions.collect(),
            resources: resources.collect(),
            nodes: policy
                .nodes
                .iter()
                .zip(0..)
                .map(|(node, at)| node_facts(policy, node, NodeId(at)))
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

fn node_facts(policy: &Policy, node: &Node, at: NodeId) -> NodeFacts {
    let kind = match node.kind {
        schema::NodeKind::Owner => NodeKind::Owner,
        schema::NodeKind::Relation | schema::NodeKind::Recorded => NodeKind::Relation,
        schema::NodeKind::Permission | schema::NodeKind::Management => NodeKind::Permission,
    };
    let types = policy
        .recorded_types(at)
        .map_or(&[][..], |types| types.entries());
    // Rules of management are shown with the relations that manage.
    let ops = match (&node.body, node.kind) {
        (Body::Owner | Body::Relation(_), _) | (_, schema::NodeKind::Management) => &[],
        (Body::Computed(ops), _) => ops.as_slice(),
    };
    NodeFacts {
        resource: node.resource.0 as usize,
        name: node.name.clone(),
        doc: node.doc.clone(),
        kind,
        types: types
            .iter()
            .map(|entry| type_facts(policy, entry))
            .collect(),
        manages: managed(policy, node, at),
        steps: steps(policy, node, ops),
    }
}

/// The place of a node by its name: the members that a relation records may stand on a node of their
/// own, which is drawn as the relation.
fn place(policy: &Policy, at: NodeId) -> usize {
    let recorded = policy
        .body_node(at)
        .filter(|node| node.kind == schema::NodeKind::Recorded);
    let relation = recorded.and_then(|node| policy.node(node.resource, &node.name));
    relation.unwrap_or(at).0 as usize
}

fn type_facts(policy: &Policy, entry: &Allowed) -> TypeFacts {
    let subject = match entry.subject {
        SubjectType::Actor => SubjectFacts::Actor,
        SubjectType::Everyone => SubjectFacts::Everyone,
        SubjectType::Every(resource) => SubjectFacts::EveryObject(resource.0 as usize),
        SubjectType::Object(resource) => SubjectFacts::Object(resource.0 as usize),
        SubjectType::Userset(node) => SubjectFacts::Userset(place(policy, node)),
    };
    let condition = entry
        .condition
        .and_then(|id| policy.conditions.get(id.0 as usize));
    let condition = condition.map(|named| named.name.clone());
    let traits = condition
        .into_iter()
        .chain(entry.expires.then(|| "expires".into()));
    TypeFacts {
        subject,
        traits: traits.collect(),
    }
}

/// The relations r of the same resource whose rule `manage(r)` visits the node.
fn managed(policy: &Policy, node: &Node, at: NodeId) -> Vec<usize> {
    let Some(resource) = policy.resources.get(node.resource.0 as usize) else {
        return Vec::new();
    };
    if node.kind != schema::NodeKind::Relation {
        return Vec::new();
    }
    let rules = resource.by_name.iter().filter_map(|(name, rule)| {
        let managed = name.strip_prefix("manage(")?.strip_suffix(')')?;
        let Body::Computed(ops) = &policy.body_node(*rule)?.body else {
            return None;
        };
        ops.contains(&Op::Visit(at))
            .then(|| resource.node(managed))?
    });
    rules.map(|NodeId(at)| at as usize).collect()
}

/// The expression as written: of a permission, without the owner that compilation puts in front of it.
fn steps(policy: &Policy, node: &Node, ops: &[Op]) -> Vec<Step> {
    let body = match ops {
        _ if policy.without_owner || node.kind != schema::NodeKind::Permission => ops,
        [Op::Visit(_), Op::SkipIfTrue(_), body @ .., Op::Union] => body,
        _ => &[],
    };
    let step = |op: &Op| match *op {
        Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => None,
        Op::Visit(node) => Some(Step::Name(place(policy, node))),
        Op::Itself => Some(Step::Itself),
        Op::Arrow(at) => {
            let arrow = policy.arrows.get(at as usize)?;
            let targets = arrow.targets.iter().map(|(_, node)| place(policy, *node));
            Some(Step::Arrow {
                relation: place(policy, arrow.relation),
                every: arrow.all,
                targets: targets.collect(),
            })
        }
        Op::Union => Some(Step::Union),
        Op::Intersection => Some(Step::Intersection),
        Op::Difference => Some(Step::Difference),
    };
    body.iter().filter_map(step).collect()
}
