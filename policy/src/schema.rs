//! A compiled policy.

use alloc::{string::String, vec::Vec};

use crate::{
    relationship::Relationship,
    relationships::{NodeId, ResourceId},
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
}

impl Policy {
    /// Reads and compiles a policy in the acp/SourceHub YAML notation.
    ///
    /// # Errors
    /// [`PolicyError`] names the first thing that is wrong, its place, and what to write instead.
    pub fn parse(definition: &str) -> Result<Self, PolicyError> {
        let _ = definition;
        Err(PolicyError { position: Position { line: 1, column: 1 }, message: "the compiler is being written".into() })
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
        core::iter::empty()
    }

    /// Names of the relations of `resource` (`owner` among them), sorted.
    pub fn relations(&self, resource: &str) -> impl Iterator<Item = &str> {
        let _ = resource;
        core::iter::empty()
    }

    /// Names of the permissions of `resource`, sorted.
    pub fn permissions(&self, resource: &str) -> impl Iterator<Item = &str> {
        let _ = resource;
        core::iter::empty()
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
        let _ = (resource, relation, target);
        false
    }

    /// Whether the policy admits `relationship`: its resource and relation are defined and the
    /// relation allows a subject of that type.
    ///
    /// # Errors
    /// [`RelationshipError`] says why not and what would be.
    pub fn admits(&self, relationship: &Relationship) -> Result<(), RelationshipError> {
        let _ = relationship;
        Ok(())
    }

    /// The handle of a resource.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<ResourceId> {
        let _ = name;
        None
    }

    /// The handle of a relation, a permission or `manage(relation)`.
    #[must_use]
    pub fn node(&self, resource: ResourceId, name: &str) -> Option<NodeId> {
        let _ = (resource, name);
        None
    }
}

impl Policy {
    /// The name of a node as its resource defines it.
    #[must_use]
    pub fn node_name(&self, node: NodeId) -> &str {
        let _ = node;
        ""
    }
}
