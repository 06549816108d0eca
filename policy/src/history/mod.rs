//! A policy's history on a replica: every relationship with the revisions between which it stood,
//! so that any question can be asked as of any revision, and nothing is rebuilt for it.
//!
//! Names are interned once; what a check touches is numbers. Handles count up in the order of the
//! log and decide nothing: members are kept in the order of their names (Invariant 1).

mod intervals;
mod names;
mod view;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};
use core::hash::BuildHasherDefault;

use hashbrown::HashMap; // pure: looked up by key, never iterated

use crate::{
    change::{Change, CollectionRecord},
    memo::Mix,
    name::Name,
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{NodeId, ResourceId, TermsId},
    schema::{NodeKind, Policy, PolicyError},
    terms::Terms,
};

use intervals::{Direct, SetLists};
use names::{Label, Member, Names};
pub use view::View;

/// A revision of a policy: one block that changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Index of the leaf in the policy's log, from 0.
    pub revision: u64,
    /// Height of the block.
    pub height: u64,
    /// Block time: seconds since 1970.
    pub time_seconds: i64,
    /// Block time: nanoseconds within the second.
    pub time_nanos: u32,
}

/// Why changes do not continue a history, or a revision cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Revisions follow each other without gaps, heights rise.
    #[error("revision {revision} at height {height} does not follow; revision {expected} above height {above:?} is expected")]
    OutOfTurn {
        /// What came.
        revision: u64,
        /// Its height.
        height: u64,
        /// The revision that follows.
        expected: u64,
        /// The height of the last one.
        above: Option<u64>,
    },
    /// Nothing is known of that revision.
    #[error("revision {revision} is not known here (the latest is {latest:?}); wait until the replica has it")]
    UnknownRevision {
        /// What was asked for.
        revision: u64,
        /// The latest one known.
        latest: Option<u64>,
    },
    /// The first change must define the policy.
    #[error("a policy's history starts with its definition; follow it from revision 0")]
    NoDefinition,
    /// A definition that stands in the log does not compile; the replica's engine is not the hub's.
    #[error("the definition at revision {revision} does not compile here; run the engine version that the hub runs")]
    Definition {
        /// The revision.
        revision: u64,
        /// What the compiler says.
        #[source]
        source: PolicyError,
    },
    /// A change contradicts what the history holds.
    #[error("a change of revision {revision} contradicts the history: {object} {what}")]
    Contradiction {
        /// The revision.
        revision: u64,
        /// The object.
        object: ObjectRef,
        /// What is wrong.
        what: &'static str,
    },
}

/// What map keys made of handles are hashed with: handles count up, so nobody chooses them.
type ByHandle<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>; // pure: as above

/// Revisions as they are kept: at ten blocks a second, 32 bits last 13 years of changes in every
/// single block, at half the memory.
type Stamp = u32;

/// All that a policy ever held, with the revisions between which it stood.
#[derive(Clone, Debug, Default)]
pub struct History {
    revisions: Vec<Revision>,
    eras: Vec<Era>,
    names: Names,
    /// By object handle.
    objects: Vec<ObjectHistory>,
    direct: Direct,
    sets: ByHandle<(u32, Label), SetLists>,
    collections: BTreeMap<(Name, Name), Vec<(Stamp, CollectionRecord)>>,
    /// By handle, less one.
    terms: Vec<Arc<Terms>>,
    terms_ids: BTreeMap<Arc<Terms>, TermsId>,
}

/// A definition from one revision until the next definition, and what its handles are called.
#[derive(Clone, Debug)]
struct Era {
    from: Stamp,
    policy: Policy,
    /// The label of each node's name.
    labels: Vec<Label>,
    /// The resource that a label names.
    resources: ByHandle<u32, ResourceId>,
    /// The node that a (resource, name) names.
    nodes: ByHandle<(u32, u32), NodeId>,
}

/// What happened to an object itself. Both lists start when it was registered.
#[derive(Clone, Debug, Default)]
struct ObjectHistory {
    /// Owners (actor handles) and since when.
    owners: Vec<(Stamp, u32)>,
    /// When it was archived (true) and unarchived (false).
    archived: Vec<(Stamp, bool)>,
}

/// The entry in force at `at`: the last one that began at or before it.
fn in_force<T>(entries: &[(Stamp, T)], at: Stamp) -> Option<&T> {
    let after = entries.partition_point(|(from, _)| *from <= at);
    after
        .checked_sub(1)
        .and_then(|place| entries.get(place))
        .map(|(_, entry)| entry)
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The latest revision.
    #[must_use]
    pub fn latest(&self) -> Option<Revision> {
        self.revisions.last().copied()
    }

    /// One revision's height and time.
    #[must_use]
    pub fn revision(&self, revision: u64) -> Option<Revision> {
        self.revisions.get(usize::try_from(revision).ok()?).copied()
    }

    /// The revision in force after block `height`: the last one at or below it.
    #[must_use]
    pub fn revision_at_height(&self, height: u64) -> Option<u64> {
        let after = self
            .revisions
            .partition_point(|revision| revision.height <= height);
        after.checked_sub(1).map(|at| at as u64)
    }

    /// The first revision after `revision`, if one is known: nothing changes in between.
    #[must_use]
    pub fn next_change_after(&self, revision: u64) -> Option<u64> {
        self.revision(revision.checked_add(1)?)
            .map(|next| next.revision)
    }

    /// The policy, relationships and collections as of `revision`.
    ///
    /// # Errors
    /// [`HistoryError::UnknownRevision`].
    pub fn at(&self, revision: u64) -> Result<View<'_>, HistoryError> {
        let unknown = || HistoryError::UnknownRevision {
            revision,
            latest: self.latest().map(|latest| latest.revision),
        };
        let about = self.revision(revision).ok_or_else(unknown)?;
        let stamp = revision as Stamp;
        let after = self.eras.partition_point(|era| era.from <= stamp);
        let era = after
            .checked_sub(1)
            .and_then(|at| self.eras.get(at))
            .ok_or_else(unknown)?;
        Ok(View::new(self, era, about))
    }

    /// Adds one revision: the verified changes of one block, in order.
    ///
    /// What the tree would ignore (setting what is set, deleting what is not) is ignored here too.
    ///
    /// # Errors
    /// [`HistoryError`]; the history is then as before.
    pub fn apply(&mut self, revision: Revision, changes: &[Change]) -> Result<(), HistoryError> {
        let expected = self.revisions.len() as u64;
        let above = self.revisions.last().map(|last| last.height);
        let rises = above.is_none_or(|above| revision.height > above);
        let stamp = match Stamp::try_from(revision.revision) {
            Ok(stamp) if revision.revision == expected && rises => stamp,
            _ => {
                let Revision {
                    revision, height, ..
                } = revision;
                return Err(HistoryError::OutOfTurn {
                    revision,
                    height,
                    expected,
                    above,
                });
            }
        };
        // Everything that can fail comes first, so that a failure changes nothing.
        let mut policies = Vec::new();
        for change in changes {
            if let Change::Defined { definition } = change {
                let policy = Policy::parse(definition);
                policies.push(policy.map_err(|source| HistoryError::Definition {
                    revision: revision.revision,
                    source,
                })?);
            }
        }
        if self.eras.is_empty() && !matches!(changes.first(), Some(Change::Defined { .. })) {
            return Err(HistoryError::NoDefinition);
        }
        self.refuse_contradictions(revision.revision, changes)?;

        let mut policies = policies.into_iter();
        for change in changes {
            match change {
                Change::Defined { .. } => {
                    if let Some(policy) = policies.next() {
                        self.define(stamp, policy);
                    }
                }
                Change::CollectionDefined {
                    resource,
                    name,
                    record,
                } => {
                    let versions = self
                        .collections
                        .entry((resource.clone(), name.clone()))
                        .or_default();
                    versions.push((stamp, record.clone()));
                }
                Change::ObjectRegistered { object, owner }
                | Change::ObjectTransferred { object, owner } => {
                    let owner = self.names.actor(owner);
                    self.object(object).owners.push((stamp, owner));
                }
                Change::ObjectArchived { object } => {
                    self.object(object).archived.push((stamp, true))
                }
                Change::ObjectUnarchived { object } => {
                    self.object(object).archived.push((stamp, false))
                }
                Change::RelationshipSet(relationship) => self.set(stamp, relationship),
                Change::RelationshipDeleted(relationship) => self.delete(stamp, relationship),
            }
        }
        self.revisions.push(revision);
        Ok(())
    }

    fn refuse_contradictions(&self, revision: u64, changes: &[Change]) -> Result<(), HistoryError> {
        let mut registered_now = BTreeSet::new();
        for change in changes {
            let (object, must_be_new) = match change {
                Change::Defined { .. } | Change::CollectionDefined { .. } => continue,
                Change::ObjectRegistered { object, .. } => (object, true),
                Change::ObjectTransferred { object, .. }
                | Change::ObjectArchived { object }
                | Change::ObjectUnarchived { object } => (object, false),
                Change::RelationshipSet(relationship)
                | Change::RelationshipDeleted(relationship) => (&relationship.object, false),
            };
            let known = registered_now.contains(object)
                || self
                    .names
                    .find_object(object)
                    .and_then(|id| self.objects.get(id as usize))
                    .is_some_and(|o| !o.owners.is_empty());
            if known == must_be_new {
                let what = if known {
                    "is registered already"
                } else {
                    "is not registered"
                };
                return Err(HistoryError::Contradiction {
                    revision,
                    object: object.clone(),
                    what,
                });
            }
            if must_be_new {
                registered_now.insert(object);
            }
        }
        Ok(())
    }

    fn define(&mut self, from: Stamp, policy: Policy) {
        let mut era = Era {
            from,
            labels: Vec::new(),
            resources: ByHandle::default(),
            nodes: ByHandle::default(),
            policy,
        };
        for (at, resource) in era.policy.resources.iter().enumerate() {
            let label = self.names.label(&resource.name);
            era.resources.insert(label.0, ResourceId(at as u16));
        }
        for (at, node) in era.policy.nodes.iter().enumerate() {
            let label = self.names.label(&node.name);
            let resource = self.names.label(era.policy.resource_name(node.resource));
            era.labels.push(label);
            // What stands behind a node has the node's name, and none of its own.
            let hidden = node.kind == NodeKind::Recorded
                || era.policy.node(node.resource, &node.name) != Some(NodeId(at as u16));
            if !hidden {
                era.nodes.insert((resource.0, label.0), NodeId(at as u16));
            }
        }
        // Two definitions in one block: the later one holds, as in the tree.
        if self.eras.last().is_some_and(|last| last.from == from) {
            self.eras.pop();
        }
        self.eras.push(era);
    }

    fn object_handle(&mut self, object: &ObjectRef) -> u32 {
        let id = self.names.object(object);
        if self.objects.len() <= id as usize {
            self.objects
                .resize_with(id as usize + 1, ObjectHistory::default);
        }
        id
    }

    fn object(&mut self, object: &ObjectRef) -> &mut ObjectHistory {
        let id = self.object_handle(object);
        &mut self.objects[id as usize]
    }

    fn member(&mut self, subject: &Subject) -> Option<Member> {
        Some(match subject {
            Subject::Actor(_) => return None,
            Subject::Everyone => Member::Everyone,
            Subject::Every(resource) => Member::Every(self.names.label(resource.as_str())),
            Subject::Object(object) => Member::Object(self.object_handle(object)),
            Subject::Userset { object, relation } => Member::Userset(
                self.object_handle(object),
                self.names.label(relation.as_str()),
            ),
        })
    }

    fn terms_id(&mut self, terms: &Terms) -> TermsId {
        if terms.is_none() {
            return TermsId::NONE;
        }
        if let Some(id) = self.terms_ids.get(terms) {
            return *id;
        }
        let terms = Arc::new(terms.clone());
        self.terms.push(terms.clone());
        let id = TermsId(self.terms.len() as u32);
        self.terms_ids.insert(terms, id);
        id
    }

    fn set(&mut self, stamp: Stamp, relationship: &Relationship) {
        let terms = self.terms_id(&relationship.terms);
        let object = self.object_handle(&relationship.object);
        let label = self.names.label(relationship.relation.as_str());
        if let Subject::Actor(actor) = &relationship.subject {
            let actor = self.names.actor(actor);
            self.direct.set((object, label, actor), stamp, terms);
        } else if let Some(member) = self.member(&relationship.subject) {
            let names = &self.names;
            self.sets
                .entry((object, label))
                .or_default()
                .set(member, stamp, terms, |a, b| names.compare(a, b));
        }
    }

    fn delete(&mut self, stamp: Stamp, relationship: &Relationship) {
        let object = self.object_handle(&relationship.object);
        let label = self.names.label(relationship.relation.as_str());
        if let Subject::Actor(actor) = &relationship.subject {
            let actor = self.names.actor(actor);
            self.direct.delete((object, label, actor), stamp);
        } else if let Some(member) = self.member(&relationship.subject) {
            let names = &self.names;
            self.sets
                .entry((object, label))
                .or_default()
                .delete(member, stamp, |a, b| names.compare(a, b));
        }
    }
}
