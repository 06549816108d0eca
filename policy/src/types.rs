//! Which subjects a relation may hold, and on which terms.

use alloc::vec::Vec;

use crate::relationships::{NodeId, ResourceId};

/// A condition of the policy: its place among the conditions, which are sorted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionId(pub u16);

/// A kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SubjectType {
    /// Actors.
    Actor,
    /// Every actor, `*`.
    Everyone,
    /// Every object of a resource, `R:*`.
    Every(ResourceId),
    /// Objects of a resource.
    Object(ResourceId),
    /// Usersets of a node, `R->n`.
    Userset(NodeId),
}

impl SubjectType {
    /// The resource whose objects an arrow leads to through it: its own, or that of its userset's node.
    pub(crate) fn leads_to(
        self,
        resource_of: impl Fn(NodeId) -> Option<ResourceId>,
    ) -> Option<ResourceId> {
        match self {
            Self::Object(resource) => Some(resource),
            Self::Userset(node) => resource_of(node),
            Self::Actor | Self::Everyone | Self::Every(_) => None,
        }
    }
}

/// One entry of `types`: matched exactly, so that a relation that asks for terms never holds
/// anybody without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Allowed {
    pub subject: SubjectType,
    pub condition: Option<ConditionId>,
    pub expires: bool,
}

impl Allowed {
    /// An entry without terms.
    #[inline]
    pub(crate) fn bare(subject: SubjectType) -> Self {
        Self {
            subject,
            condition: None,
            expires: false,
        }
    }
}

/// The `types` of a relation. What a relation holds beyond them (a policy was edited) is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types {
    entries: Vec<Allowed>,
    usersets: bool,
}

impl Types {
    pub(crate) fn new(mut entries: Vec<Allowed>) -> Self {
        entries.sort_unstable();
        let usersets = entries
            .iter()
            .any(|entry| matches!(entry.subject, SubjectType::Userset(_)));
        Self { entries, usersets }
    }

    /// All entries, sorted. Linear to search: a relation has a handful.
    pub(crate) fn entries(&self) -> &[Allowed] {
        &self.entries
    }

    /// Whether the relation may hold usersets, on whatever terms.
    #[inline]
    pub(crate) fn admits_usersets(&self) -> bool {
        self.usersets
    }

    /// Whether exactly this may stand in the relation.
    #[inline]
    pub(crate) fn admits(&self, allowed: Allowed) -> bool {
        self.entries.contains(&allowed)
    }

    /// Whether a subject of this type may stand in the relation on some terms.
    #[inline]
    pub(crate) fn admits_type(&self, subject: SubjectType) -> bool {
        self.entries.iter().any(|entry| entry.subject == subject)
    }

    /// The resources whose objects an arrow over the relation leads to: of objects and of usersets,
    /// sorted, each once.
    pub(crate) fn arrow_resources(
        &self,
        resource_of: impl Fn(NodeId) -> Option<ResourceId>,
    ) -> Vec<ResourceId> {
        let mut all: Vec<ResourceId> = self
            .entries
            .iter()
            .filter_map(|entry| entry.subject.leads_to(&resource_of))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The nodes of the usersets that the relation may hold, each once.
    pub(crate) fn usersets(&self) -> impl Iterator<Item = NodeId> + '_ {
        let mut last = None;
        self.entries
            .iter()
            .filter_map(move |entry| match entry.subject {
                SubjectType::Userset(node) if last != Some(node) => {
                    last = Some(node);
                    Some(node)
                }
                _ => None,
            })
    }
}
