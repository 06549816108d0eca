//! A compiled policy.

use alloc::{format, string::String, vec::Vec};

use crate::{
    compile::compile,
    relationship::{Relationship, Subject},
    relationships::{NodeId, ResourceId},
    suggest::suggestion,
    warnings::{warnings, Warning},
    yaml,
};

/// The relation that every resource has: filled by registration, never by a relationship.
pub(crate) const OWNER: &str = "owner";

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
    /// Sorted by name; a [`ResourceId`] is a place in it.
    pub(crate) resources: Vec<Resource>,
    /// All relations, permissions and management rules; a [`NodeId`] is a place in it.
    pub(crate) nodes: Vec<Node>,
    pub(crate) arrows: Vec<Arrow>,
}

#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub name: String,
    pub doc: String,
    /// Sorted by name.
    pub by_name: Vec<(String, NodeId)>,
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
    pub body: Body,
    /// The expression as written; empty where there is none.
    pub text: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Who owns the object, from its record.
    Owner,
    /// Who stands in the relation, from its record.
    Relation(Types),
    /// Computed: a permission, or a management rule.
    Computed(Vec<Op>),
}

/// Which subjects a relation may hold. What it holds beyond them (a policy was edited) is ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types {
    pub actors: bool,
    pub everyone: bool,
    pub objects: Vec<ResourceId>,
    pub usersets: Vec<NodeId>,
}

impl Types {
    /// Whether the relation may hold anything but actors.
    pub(crate) fn admits_sets(&self) -> bool {
        self.everyone || !self.objects.is_empty() || !self.usersets.is_empty()
    }
}

/// One operation of a computed node, over a stack of three-valued truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Pushes the value of another node of the same object.
    Visit(NodeId),
    /// Pushes the union over the objects that an arrow reaches.
    Arrow(u16),
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

/// `relation->target`.
#[derive(Clone, Debug)]
pub(crate) struct Arrow {
    pub relation: NodeId,
    /// The target on each resource that the relation allows, sorted.
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
            .filter(|node| !matches!(node.body, Body::Computed(_)))
            .map(|node| node.name.as_str())
    }

    /// Names of the permissions of `resource`, sorted.
    pub fn permissions<'a>(&'a self, resource: &str) -> impl Iterator<Item = &'a str> {
        self.nodes_of(resource)
            .filter(|node| matches!(node.body, Body::Computed(_)) && !node.name.contains('('))
            .map(|node| node.name.as_str())
    }

    /// The expression of a permission as written; empty where the owner alone has it.
    #[must_use]
    pub fn expression(&self, resource: &str, permission: &str) -> Option<&str> {
        let node = self
            .nodes_of(resource)
            .find(|node| node.name == permission)?;
        matches!(node.body, Body::Computed(_)).then_some(node.text.as_str())
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

    /// Whether `relation` of `resource` may hold objects of `target`: what a collection's scope
    /// relation must do for the scope's resource.
    #[must_use]
    pub fn relation_allows_object(&self, resource: &str, relation: &str, target: &str) -> bool {
        let (Some(id), Some(target)) = (self.resource(resource), self.resource(target)) else {
            return false;
        };
        let node = self
            .node(id, relation)
            .and_then(|node| self.body_node(node));
        matches!(node.map(|node| &node.body), Some(Body::Relation(types)) if types.objects.contains(&target))
    }

    /// Whether the policy admits `relationship`: its resource and relation are defined and the
    /// relation allows a subject of that type.
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
        let types = match self
            .node(id, relation)
            .and_then(|node| self.body_node(node))
            .map(|node| &node.body)
        {
            None => {
                let suggestion = suggestion(relation, self.relations(resource));
                return Err(RelationshipError::UnknownRelation {
                    resource: resource.into(),
                    relation: relation.into(),
                    suggestion,
                });
            }
            Some(Body::Computed(_)) => {
                return Err(RelationshipError::NotARelation {
                    resource: resource.into(),
                    permission: relation.into(),
                })
            }
            Some(Body::Owner) => return Err(RelationshipError::Owner),
            Some(Body::Relation(types)) => types,
        };
        let (allowed, subject) = match &relationship.subject {
            Subject::Actor(_) => (types.actors, self.actor.clone()),
            Subject::Everyone => (types.everyone, "*".into()),
            Subject::Object(object) => {
                let target = self.resource(object.resource());
                (
                    target.is_some_and(|target| types.objects.contains(&target)),
                    object.resource().into(),
                )
            }
            Subject::Userset { object, relation } => {
                let target = self
                    .resource(object.resource())
                    .and_then(|id| self.node(id, relation.as_str()));
                let text = format!("{}->{relation}", object.resource());
                (
                    target.is_some_and(|target| types.usersets.contains(&target)),
                    text,
                )
            }
        };
        if allowed {
            return Ok(());
        }
        Err(RelationshipError::TypeNotAllowed {
            resource: resource.into(),
            relation: relation.into(),
            subject,
            allowed: self.types_in_words(types),
        })
    }

    fn types_in_words(&self, types: &Types) -> String {
        let mut words: Vec<String> = Vec::new();
        if types.actors {
            words.push(self.actor.clone());
        }
        if types.everyone {
            words.push("*".into());
        }
        words.extend(
            types
                .objects
                .iter()
                .map(|id| self.resource_name(*id).into()),
        );
        let userset = |id: &NodeId| {
            let resource = self
                .body_node(*id)
                .map_or("", |node| self.resource_name(node.resource));
            format!("{resource}->{}", self.node_name(*id))
        };
        words.extend(types.usersets.iter().map(userset));
        words.join(", ")
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

    pub(crate) fn body_node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }
}
