//! A policy as the decision procedure sees it: each node a small formula over facts of one object
//! and links to others. This file alone knows compiled operations and types; an operator that the
//! language gains is added here.
//!
//! For one subject, all that is recorded of an object comes down to [`Fact`]s (is it the owner, does
//! it stand in this relation itself) and [`Link`]s (which objects and usersets the relation holds).
//! Each fact and each link may be there or not, whatever else is: relationships are free. So a world
//! is any graph of objects and links with any facts at each object, and nothing else about it can
//! change an answer.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use crate::{
    relationships::{NodeId, ResourceId},
    schema::{Body, Op, Policy},
    theorems::decide::obligation::{Kind, Obligation},
    types::{SubjectType, Types},
};

/// Whose answers are spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Every actor.
    Actors,
    /// Every object of a resource, as a subject.
    Objects(ResourceId),
}

impl Audience {
    /// As what its members may stand in a relation.
    pub fn types(self) -> [SubjectType; 2] {
        match self {
            Self::Actors => [SubjectType::Actor, SubjectType::Everyone],
            Self::Objects(resource) => {
                [SubjectType::Object(resource), SubjectType::Every(resource)]
            }
        }
    }
}

/// Something that is recorded of one object and the subject, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// The subject owns the object.
    Owner,
    /// The subject stands in the relation by itself, or everyone does.
    Member(NodeId),
    /// The relation holds an object or userset on a condition that is false: it leads nowhere, but
    /// an arrow that asks all of them asks this one too.
    Blocked(NodeId),
    /// The subject is the object.
    Itself,
}

/// What a relation holds that leads to another object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub relation: NodeId,
    pub through: Through,
}

/// The type of the member that leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Through {
    Object(ResourceId),
    Userset(NodeId),
}

/// A place in the model's forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FormId(u32);

/// A formula of one object. Values are Kleene's three.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Never true of anybody.
    Never,
    Fact(Fact),
    /// The value of another node of the same object.
    Node(NodeId),
    /// Whether one of the links leads to an object where its node is true.
    Some(Vec<(Link, NodeId)>),
    /// Whether there is such a link, all of them lead to objects where their nodes are true, there is
    /// no link where nothing can be true, and no member of the relation is blocked.
    All {
        links: Vec<(Link, NodeId)>,
        dead: Vec<Link>,
        blocked: Option<Fact>,
    },
    Or(FormId, FormId),
    And(FormId, FormId),
    /// The first and not the second.
    Minus(FormId, FormId),
}

/// All nodes that some given ones hang on.
pub(crate) struct Model<'a> {
    policy: &'a Policy,
    audience: Audience,
    forms: Vec<Form>,
    bodies: BTreeMap<NodeId, FormId>,
    stable: BTreeSet<NodeId>,
}

impl<'a> Model<'a> {
    /// The model of `roots` and of all that they hang on.
    pub fn new(policy: &'a Policy, audience: Audience, roots: &[NodeId]) -> Self {
        let mut model = Self {
            policy,
            audience,
            forms: Vec::new(),
            bodies: BTreeMap::new(),
            stable: BTreeSet::new(),
        };
        let mut hangs: Vec<(NodeId, NodeId)> = Vec::new();
        let mut waiting = roots.to_vec();
        while let Some(node) = waiting.pop() {
            if model.bodies.contains_key(&node) {
                continue;
            }
            let first = model.forms.len();
            let body = model.build(node);
            model.bodies.insert(node, body);
            let made = model.forms.get(first..).unwrap_or_default();
            for target in made.iter().flat_map(targets) {
                hangs.push((node, target));
                waiting.push(target);
            }
        }
        model.settle(&hangs);
        model
    }

    /// How much there is of it: what making it cost.
    pub fn size(&self) -> usize {
        let links = self.forms.iter().map(|form| match form {
            Form::Some(links) | Form::All { links, .. } => links.len(),
            _ => 0,
        });
        self.forms.len() + links.sum::<usize>()
    }

    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// What `node` is computed from; nothing for a node that the model was not made for.
    pub fn body(&self, node: NodeId) -> Option<FormId> {
        self.bodies.get(&node).copied()
    }

    pub fn form(&self, id: FormId) -> &Form {
        self.forms.get(id.0 as usize).unwrap_or(&Form::Never)
    }

    /// Whether the node hangs on no circle of the schema: then it is true or false of every object,
    /// never unknown.
    pub fn is_stable(&self, node: NodeId) -> bool {
        self.stable.contains(&node)
    }

    /// The obligation that `node` be of `kind`. Of a stable node *true* is *not false*: said in one
    /// way only, that which need not be watched for circles.
    pub fn oblige(&self, kind: Kind, node: NodeId) -> Obligation {
        let kind = match kind {
            Kind::True if self.is_stable(node) => Kind::NotFalse,
            Kind::False if self.is_stable(node) => Kind::NotTrue,
            kind => kind,
        };
        Obligation { node, kind }
    }

    /// The resource of the objects that a link leads to.
    pub fn target(&self, link: Link) -> Option<ResourceId> {
        match link.through {
            Through::Object(resource) => Some(resource),
            Through::Userset(node) => Some(self.policy.body_node(node)?.resource),
        }
    }

    fn add(&mut self, form: Form) -> FormId {
        self.forms.push(form);
        FormId(self.forms.len() as u32 - 1)
    }

    fn build(&mut self, node: NodeId) -> FormId {
        let Some(found) = self.policy.body_node(node) else {
            return self.add(Form::Never);
        };
        match &found.body {
            Body::Owner => self.owner(),
            Body::Relation(types) => self.relation(node, types),
            Body::Computed(ops) => self.computed(found.resource, ops),
        }
    }

    fn owner(&mut self) -> FormId {
        match self.audience {
            Audience::Actors => self.add(Form::Fact(Fact::Owner)),
            Audience::Objects(_) => self.add(Form::Never),
        }
    }

    /// The subject itself, or one of the usersets. On which terms they stand there is no matter: terms
    /// may always be met or not.
    fn relation(&mut self, relation: NodeId, types: &Types) -> FormId {
        let admitted = self.audience.types();
        let itself = if admitted.iter().any(|kind| types.admits_type(*kind)) {
            self.add(Form::Fact(Fact::Member(relation)))
        } else {
            self.add(Form::Never)
        };
        let usersets = types.usersets().map(|node| {
            let through = Through::Userset(node);
            (Link { relation, through }, node)
        });
        let usersets: Vec<(Link, NodeId)> = usersets.collect();
        if usersets.is_empty() {
            return itself;
        }
        let usersets = self.add(Form::Some(usersets));
        self.add(Form::Or(itself, usersets))
    }

    fn computed(&mut self, resource: ResourceId, ops: &[Op]) -> FormId {
        let mut stack: Vec<FormId> = Vec::new();
        for op in ops {
            let form = match *op {
                Op::SkipIfTrue(_) | Op::SkipIfFalse(_) => continue,
                Op::Visit(node) => Form::Node(node),
                Op::Arrow(at) => self.arrow(at),
                Op::Itself if self.audience == Audience::Objects(resource) => {
                    Form::Fact(Fact::Itself)
                }
                Op::Itself => Form::Never,
                Op::Union | Op::Intersection | Op::Difference => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        break;
                    };
                    match op {
                        Op::Union => Form::Or(left, right),
                        Op::Intersection => Form::And(left, right),
                        _ => Form::Minus(left, right),
                    }
                }
            };
            let id = self.add(form);
            stack.push(id);
        }
        match stack.pop() {
            Some(form) => form,
            None => self.add(Form::Never),
        }
    }

    /// Where an arrow leads: through objects, and through usersets to their objects.
    fn arrow(&self, at: u16) -> Form {
        let Some(arrow) = self.policy.arrows.get(at as usize) else {
            return Form::Never;
        };
        let relation = arrow.relation;
        let Some(Body::Relation(types)) = self.policy.body_node(relation).map(|node| &node.body)
        else {
            return Form::Never;
        };
        let (mut links, mut dead) = (Vec::new(), Vec::new());
        let mut is_conditional = false;
        for entry in types.entries() {
            let through = match entry.subject {
                SubjectType::Object(resource) => Through::Object(resource),
                SubjectType::Userset(node) => Through::Userset(node),
                SubjectType::Actor | SubjectType::Everyone | SubjectType::Every(_) => continue,
            };
            is_conditional |= entry.condition.is_some();
            let link = Link { relation, through };
            let target = self.target(link).and_then(|resource| {
                let at = arrow.targets.binary_search_by_key(&resource, |(id, _)| *id);
                arrow.targets.get(at.ok()?)
            });
            match target {
                Some((_, node)) => links.push((link, *node)),
                None => dead.push(link),
            }
        }
        // Entries are sorted by subject: the same one on several terms is one link.
        links.dedup();
        dead.dedup();
        match arrow.all {
            true => Form::All {
                links,
                dead,
                blocked: is_conditional.then_some(Fact::Blocked(relation)),
            },
            false => Form::Some(links),
        }
    }

    /// Finds the stable nodes: those from which no circle is reached.
    fn settle(&mut self, hangs: &[(NodeId, NodeId)]) {
        let nodes: Vec<NodeId> = self.bodies.keys().copied().collect();
        let place = |node: &NodeId| nodes.binary_search(node).unwrap_or_default();
        let mut graph: DiGraph<(), (), u32> = DiGraph::default();
        let places: Vec<_> = nodes.iter().map(|_| graph.add_node(())).collect();
        for (from, to) in hangs {
            if let (Some(from), Some(to)) = (places.get(place(from)), places.get(place(to))) {
                graph.update_edge(*from, *to, ());
            }
        }
        // Components come with those that they lead to before them.
        for component in kosaraju_scc(&graph) {
            let [only] = component.as_slice() else {
                continue;
            };
            let stable = graph.neighbors(*only).all(|next| {
                let node = nodes.get(next.index());
                next != *only && node.is_some_and(|node| self.stable.contains(node))
            });
            if let Some(node) = nodes.get(only.index()).filter(|_| stable) {
                self.stable.insert(*node);
            }
        }
    }
}

/// The nodes that a form reads itself.
fn targets(form: &Form) -> Vec<NodeId> {
    match form {
        Form::Node(node) => alloc::vec![*node],
        Form::Some(links) | Form::All { links, .. } => {
            links.iter().map(|(_, node)| *node).collect()
        }
        Form::Never | Form::Fact(_) | Form::Or(..) | Form::And(..) | Form::Minus(..) => Vec::new(),
    }
}
