//! A compiled policy.

use alloc::{format, string::String, vec::Vec};

use crate::{
    compile::compile,
    condition::{Condition, ParameterError},
    relationship::{Relationship, Subject},
    relationships::{NodeId, ResourceId},
    suggest::suggestion,
    terms::Terms,
    types::{Allowed, ConditionId, SubjectType, Types},
    warnings::{warnings, Warning},
    yaml,
};

/// The relation that every resource has: filled by registration, never by a relationship.
pub(crate) const OWNER: &str = "owner";

/// What `types` call the expiry of a relationship.
pub(crate) const EXPIRATION: &str = "expiration";

/// A place in a policy's text, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Why a text is no policy: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", .position.line, .position.column)]
pub struct PolicyError {
    /// Where in the text.
    pub position: Position,
    /// What is wrong and what to do next.
    pub message: String,
}

/// Why a relationship does not fit the policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelationshipError {
    /// The object's resource is not defined.
    #[error("the policy defines no resource {resource:?}{suggestion}")]
    UnknownResource {
        /// What was given.
        resource: String,
        /// A near name, in words.
        suggestion: String,
    },
    /// The resource has no such relation.
    #[error("resource {resource:?} defines no relation {relation:?}{suggestion}")]
    UnknownRelation {
        /// The resource.
        resource: String,
        /// What was given.
        relation: String,
        /// A near name, in words.
        suggestion: String,
    },
    /// The name is a permission's, which is computed.
    #[error("{permission:?} of resource {resource:?} is a permission; set a relation that it is computed from")]
    NotARelation {
        /// The resource.
        resource: String,
        /// What was given.
        permission: String,
    },
    /// Ownership is no relationship.
    #[error("`owner` comes from registration or transfer and cannot be set or deleted")]
    Owner,
    /// The relation is computed only.
    #[error("relation {relation:?} of resource {resource:?} is computed from others and holds nobody itself; set one that its `expr` names")]
    HoldsNobody {
        /// The resource.
        resource: String,
        /// The relation.
        relation: String,
    },
    /// The relationship names a condition that the policy does not define.
    #[error("the policy defines no condition {condition:?}{suggestion}")]
    UnknownCondition {
        /// What was given.
        condition: String,
        /// A near name, in words.
        suggestion: String,
    },
    /// What the relationship gives to its condition does not fit.
    #[error("condition {condition:?} cannot be recorded like this: {reason}")]
    Context {
        /// The condition.
        condition: String,
        /// What does not fit.
        reason: ParameterError,
    },
    /// The relation does not allow such a subject.
    #[error("relation {relation:?} of resource {resource:?} does not allow {subject}; it allows {allowed}")]
    TypeNotAllowed {
        /// The resource.
        resource: String,
        /// The relation.
        relation: String,
        /// The subject's type.
        subject: String,
        /// The types that it allows.
        allowed: String,
    },
}

/// A compiled policy: immutable, and the same on every node for the same text.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) definition: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) meta: Vec<(String, String)>,
    pub(crate) actor: String,
    /// `implicit_owner: false`: `owner` is a name like others, and no permission holds it by itself.
    pub(crate) without_owner: bool,
    /// Sorted by name; a [`ConditionId`] is a place in it.
    pub(crate) conditions: Vec<NamedCondition>,
    /// Sorted by name; a [`ResourceId`] is a place in it.
    pub(crate) resources: Vec<Resource>,
    /// All relations, permissions and management rules; a [`NodeId`] is a place in it.
    pub(crate) nodes: Vec<Node>,
    pub(crate) arrows: Vec<Arrow>,
}

#[derive(Clone, Debug)]
pub(crate) struct NamedCondition {
    pub name: String,
    pub doc: String,
    pub condition: Condition,
}

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub name: String,
    pub doc: String,
    /// Sorted by name. What only stands behind another node is not here.
    pub by_name: Vec<(String, NodeId)>,
    /// Who owns the object; not among the names where the policy has no implicit owner.
    pub owner: NodeId,
}

impl Resource {
    pub(crate) fn node(&self, name: &str) -> Option<NodeId> {
        let at = self
            .by_name
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
            .ok()?;
        self.by_name.get(at).map(|(_, node)| *node)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub resource: ResourceId,
    pub name: String,
    pub doc: String,
    /// Where the name is defined; the resource's for what is implicit.
    pub position: Position,
    pub kind: NodeKind,
    pub body: Body,
    /// The expression as written; empty where there is none.
    pub text: String,
    /// Of a relation: the node whose members are recorded under its name. Itself, or where it has an
    /// `expr` the node that this expression means by the relation's own name, if it does.
    pub recorded: Option<NodeId>,
}

/// What a node is in the policy's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Owner,
    Relation,
    /// The recorded members of a relation that has an `expr`: no name of its own.
    Recorded,
    Permission,
    Management,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Who owns the object, from its record.
    Owner,
    /// Who stands in the relation, from its record.
    Relation(Types),
    /// Computed: a permission, a management rule, or a relation with `expr`.
    Computed(Vec<Op>),
}

/// One operation of a computed node, over a stack of three-valued truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Pushes the value of another node of the same object.
    Visit(NodeId),
    /// Pushes the union over the objects that an arrow reaches, or their intersection.
    Arrow(u16),
    /// Pushes whether the subject asked about is the object itself, `self`.
    Itself,
    /// Goes on at the given operation if the top is true.
    SkipIfTrue(u16),
    /// Goes on at the given operation if the top is false.
    SkipIfFalse(u16),
    /// Kleene's *or* of the two topmost values.
    Union,
    /// Kleene's *and*.
    Intersection,
    /// Kleene's *and* of the lower one and not the upper one.
    Difference,
}

/// `relation->target`, or `relation&->target`.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    /// The node that holds the relation's recorded members.
    pub relation: NodeId,
    /// Whether all objects must grant.
    pub all: bool,
    /// The target on each resource that the relation allows and that defines it, sorted.
    pub targets: Vec<(ResourceId, NodeId)>,
}

impl Policy {
    /// Reads and compiles a policy in the acp/SourceHub YAML notation.
    ///
    /// # Errors
    /// [`PolicyError`] names the first thing that is wrong, its place, and what to write instead.
    pub fn parse(definition: &str) -> Result<Self, PolicyError> {
        compile(
            definition,
            crate::definition::read(yaml::read(definition)?)?,
        )
    }

    /// What is allowed but hardly meant, in the order of the text.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        warnings(self)
    }

    /// The text that the policy was compiled from, as given.
    #[must_use]
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// The policy's name; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy's description; empty where it has none.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The policy's `meta` entries, sorted by key.
    #[must_use]
    pub fn meta(&self) -> &[(String, String)] {
        &self.meta
    }

    /// What the policy calls an actor in `types`.
    #[must_use]
    pub fn actor_type(&self) -> &str {
        &self.actor
    }

    /// Names of all resources, sorted.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|resource| resource.name.as_str())
    }

    /// Names of the relations of `resource` (`owner` among them), sorted.
    pub fn relations<'a>(&'a self, resource: &str) -> impl Iterator<Item = &'a str> {
        self.nodes_of(resource)
            .filter(|node| matches!(node.kind, NodeKind::Owner | NodeKind::Relation))
            .map(|node| node.name.as_str())
    }

    /// Names of the permissions of `resource`, sorted.
    pub fn permissions<'a>(&'a self, resource: &str) -> impl Iterator<Item = &'a str> {
        self.nodes_of(resource)
            .filter(|node| node.kind == NodeKind::Permission)
            .map(|node| node.name.as_str())
    }

    /// Names of all conditions, sorted.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|named| named.name.as_str())
    }

    /// A condition, and its `doc`.
    #[must_use]
    pub fn condition(&self, name: &str) -> Option<(&Condition, &str)> {
        let named = self.named_condition(self.condition_id(name)?)?;
        Some((&named.condition, named.doc.as_str()))
    }

    pub(crate) fn condition_id(&self, name: &str) -> Option<ConditionId> {
        let at = self
            .conditions
            .binary_search_by(|named| named.name.as_str().cmp(name))
            .ok()?;
        Some(ConditionId(at as u16))
    }

    pub(crate) fn named_condition(&self, id: ConditionId) -> Option<&NamedCondition> {
        self.conditions.get(id.0 as usize)
    }

    /// Whether every resource has the relation `owner`, which no permission can exclude.
    #[must_use]
    pub fn implicit_owner(&self) -> bool {
        !self.without_owner
    }

    /// The expression of a permission or relation as written; empty where it has none.
    #[must_use]
    pub fn expression(&self, resource: &str, permission: &str) -> Option<&str> {
        let node = self
            .nodes_of(resource)
            .find(|node| node.name == permission)?;
        matches!(node.kind, NodeKind::Permission | NodeKind::Relation).then_some(node.text.as_str())
    }

    /// The `doc` of a resource, or of one of its relations or permissions; empty where it has none.
    #[must_use]
    pub fn doc(&self, resource: &str, name: Option<&str>) -> Option<&str> {
        let id = self.resource(resource)?;
        match name {
            None => self
                .resources
                .get(id.0 as usize)
                .map(|resource| resource.doc.as_str()),
            Some(name) => self
                .body_node(self.node(id, name)?)
                .map(|node| node.doc.as_str()),
        }
    }

    fn nodes_of<'a>(&'a self, resource: &str) -> impl Iterator<Item = &'a Node> {
        let resource = self
            .resource(resource)
            .and_then(|id| self.resources.get(id.0 as usize));
        resource
            .into_iter()
            .flat_map(|resource| &resource.by_name)
            .filter_map(|(_, id)| self.body_node(*id))
    }

    /// Whether `resource` is defined.
    #[must_use]
    pub fn resource_exists(&self, resource: &str) -> bool {
        self.resource(resource).is_some()
    }

    /// Whether `resource` defines `permission`.
    #[must_use]
    pub fn permission_exists(&self, resource: &str, permission: &str) -> bool {
        self.permissions(resource).any(|name| name == permission)
    }

    /// Whether `resource` defines `relation`; every resource has `owner`.
    #[must_use]
    pub fn relation_exists(&self, resource: &str, relation: &str) -> bool {
        self.relations(resource).any(|name| name == relation)
    }

    /// Whether `relation` of `resource` may hold objects of some resource without any terms: what a
    /// collection's scope relation must do. One look at the relation's types.
    #[must_use]
    pub fn relation_allows_objects(&self, resource: &str, relation: &str) -> bool {
        let node = self
            .resource(resource)
            .and_then(|id| self.node(id, relation));
        let types = node.and_then(|node| self.recorded_types(node));
        types.is_some_and(|types| {
            let bare = |entry: &Allowed| *entry == Allowed::bare(entry.subject);
            let mut entries = types.entries().iter();
            entries.any(|entry| matches!(entry.subject, SubjectType::Object(_)) && bare(entry))
        })
    }

    /// Whether `relation` of `resource` may hold objects of `target`, on whatever terms.
    pub(crate) fn holds_objects(&self, resource: &str, relation: &str, target: &str) -> bool {
        let (Some(id), Some(target)) = (self.resource(resource), self.resource(target)) else {
            return false;
        };
        self.node(id, relation)
            .and_then(|node| self.recorded_types(node))
            .is_some_and(|types| {
                types.admits_type(SubjectType::Object(target))
                    || types.admits_type(SubjectType::Every(target))
            })
    }

    /// The node that holds the recorded members of a relation, where it records any: what readers of
    /// relationships are asked for, and answer with.
    #[must_use]
    pub fn recorded(&self, node: NodeId) -> Option<NodeId> {
        self.body_node(node)?.recorded
    }

    /// What a relation may record.
    pub(crate) fn recorded_types(&self, node: NodeId) -> Option<&Types> {
        match &self.body_node(self.recorded(node)?)?.body {
            Body::Relation(types) => Some(types),
            Body::Owner | Body::Computed(_) => None,
        }
    }

    /// The type of a subject; `None` where it names nothing that the policy defines.
    pub(crate) fn type_of(&self, subject: &Subject) -> Option<SubjectType> {
        Some(match subject {
            Subject::Actor(_) => SubjectType::Actor,
            Subject::Everyone => SubjectType::Everyone,
            Subject::Every(resource) => SubjectType::Every(self.resource(resource.as_str())?),
            Subject::Object(object) => SubjectType::Object(self.resource(object.resource())?),
            Subject::Userset { object, relation } => {
                let resource = self.resource(object.resource())?;
                SubjectType::Userset(self.node(resource, relation.as_str())?)
            }
        })
    }

    /// What `types` must list for a subject on these terms; `None` where they name a condition that
    /// the policy does not define.
    pub(crate) fn allowed(&self, subject: SubjectType, terms: &Terms) -> Option<Allowed> {
        let condition = match &terms.condition {
            None => None,
            Some(used) => Some(self.condition_id(used.name.as_str())?),
        };
        Some(Allowed {
            subject,
            condition,
            expires: terms.expires.is_some(),
        })
    }

    /// Whether the policy admits `relationship`: its resource and relation are defined, and the
    /// relation's types list its subject on its terms.
    ///
    /// # Errors
    /// [`RelationshipError`] says why not and what would be.
    pub fn admits(&self, relationship: &Relationship) -> Result<(), RelationshipError> {
        let resource = relationship.object.resource();
        let relation = relationship.relation.as_str();
        let Some(id) = self.resource(resource) else {
            let suggestion = suggestion(resource, self.resources());
            return Err(RelationshipError::UnknownResource {
                resource: resource.into(),
                suggestion,
            });
        };
        let node = self.node(id, relation);
        let Some((at, kind)) = node.and_then(|at| Some((at, self.body_node(at)?.kind))) else {
            let suggestion = suggestion(relation, self.relations(resource));
            return Err(RelationshipError::UnknownRelation {
                resource: resource.into(),
                relation: relation.into(),
                suggestion,
            });
        };
        let types = match (kind, self.recorded_types(at)) {
            (NodeKind::Owner, _) => return Err(RelationshipError::Owner),
            (NodeKind::Permission | NodeKind::Management, _) => {
                return Err(RelationshipError::NotARelation {
                    resource: resource.into(),
                    permission: relation.into(),
                })
            }
            (NodeKind::Relation | NodeKind::Recorded, None) => {
                return Err(RelationshipError::HoldsNobody {
                    resource: resource.into(),
                    relation: relation.into(),
                })
            }
            (NodeKind::Relation | NodeKind::Recorded, Some(types)) => types,
        };
        let terms = &relationship.terms;
        if let Some(used) = &terms.condition {
            let name = used.name.as_str();
            let Some((condition, _)) = self.condition(name) else {
                return Err(RelationshipError::UnknownCondition {
                    condition: name.into(),
                    suggestion: suggestion(name, self.conditions()),
                });
            };
            if let Err(reason) = condition.admits(&used.context) {
                return Err(RelationshipError::Context {
                    condition: name.into(),
                    reason,
                });
            }
        }
        let allowed = self
            .type_of(&relationship.subject)
            .and_then(|subject| self.allowed(subject, terms));
        if allowed.is_some_and(|allowed| types.admits(allowed)) {
            return Ok(());
        }
        Err(RelationshipError::TypeNotAllowed {
            resource: resource.into(),
            relation: relation.into(),
            subject: self.type_in_words(&relationship.subject, terms),
            allowed: self.types_in_words(types),
        })
    }

    fn type_in_words(&self, subject: &Subject, terms: &Terms) -> String {
        let subject = match subject {
            Subject::Actor(_) => self.actor.clone(),
            Subject::Everyone => "*".into(),
            Subject::Every(resource) => format!("{resource}:*"),
            Subject::Object(object) => object.resource().into(),
            Subject::Userset { object, relation } => format!("{}->{relation}", object.resource()),
        };
        let condition = terms.condition.as_ref().map(|used| used.name.as_str());
        in_words(subject, condition, terms.expires.is_some())
    }

    pub(crate) fn types_in_words(&self, types: &Types) -> String {
        let words: Vec<String> = types
            .entries()
            .iter()
            .map(|entry| self.entry_in_words(*entry))
            .collect();
        words.join(", ")
    }

    /// An entry of `types` as a person writes it.
    pub(crate) fn entry_in_words(&self, entry: Allowed) -> String {
        let subject = match entry.subject {
            SubjectType::Actor => self.actor.clone(),
            SubjectType::Everyone => "*".into(),
            SubjectType::Every(id) => format!("{}:*", self.resource_name(id)),
            SubjectType::Object(id) => self.resource_name(id).into(),
            SubjectType::Userset(id) => {
                let resource = self
                    .body_node(id)
                    .map_or("", |node| self.resource_name(node.resource));
                format!("{resource}->{}", self.node_name(id))
            }
        };
        let condition = entry
            .condition
            .and_then(|id| self.named_condition(id))
            .map(|named| named.name.as_str());
        in_words(subject, condition, entry.expires)
    }

    /// The handle of a resource.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<ResourceId> {
        let at = self
            .resources
            .binary_search_by(|resource| resource.name.as_str().cmp(name))
            .ok()?;
        Some(ResourceId(at as u16))
    }

    /// The handle of a relation, a permission or `manage(relation)`.
    #[must_use]
    pub fn node(&self, resource: ResourceId, name: &str) -> Option<NodeId> {
        self.resources.get(resource.0 as usize)?.node(name)
    }

    /// The name of a resource; empty for a handle of another policy.
    #[must_use]
    pub fn resource_name(&self, id: ResourceId) -> &str {
        self.resources
            .get(id.0 as usize)
            .map_or("", |resource| &resource.name)
    }

    /// The name of a node as its resource defines it; empty for a handle of another policy.
    #[must_use]
    pub fn node_name(&self, id: NodeId) -> &str {
        self.body_node(id).map_or("", |node| &node.name)
    }

    /// The name of the resource that a node belongs to.
    pub(crate) fn node_resource_name(&self, id: NodeId) -> &str {
        self.body_node(id)
            .map_or("", |node| self.resource_name(node.resource))
    }

    /// The node that says who owns an object of a resource.
    pub(crate) fn owner_node(&self, id: ResourceId) -> Option<NodeId> {
        Some(self.resources.get(id.0 as usize)?.owner)
    }

    pub(crate) fn body_node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }
}

/// `group->member with office_hours and expiration`.
fn in_words(subject: String, condition: Option<&str>, expires: bool) -> String {
    let traits: Vec<&str> = condition
        .into_iter()
        .chain(expires.then_some(EXPIRATION))
        .collect();
    match traits.is_empty() {
        true => subject,
        false => format!("{subject} with {}", traits.join(" and ")),
    }
}
