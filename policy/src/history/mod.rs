//! A policy's history on a replica: every relationship with the revisions between which it stood,
//! so that any question can be asked as of any revision, and nothing is rebuilt for it.
//!
//! Names are interned once; what a check touches is numbers in flat tables, which are written to a
//! file and read back as they are. Handles count up in the order of the log and decide nothing:
//! members are kept in the order of their names (Invariant 1).

mod edges;
mod end;
mod index;
mod names;
mod near;
mod past;
mod snapshot;
mod sound;
mod subjects;
mod view;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};
use core::cmp::Ordering;

use crate::{
    change::{Change, CollectionRecord},
    limits::{ACTOR_BYTES_MAX, OBJECT_ID_BYTES_MAX},
    name::{Actor, Name},
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{NodeId, ResourceId},
    schema::{NodeKind, Policy, PolicyError},
    terms::Terms,
    time::Time,
};

use edges::{list_of, Edge, Edges, NONE};
pub use end::{End, EndError};
pub use names::HashKey;
use names::{Label, Labels, Texts, OWNER};
use past::{Closed, Past};
pub use snapshot::SnapshotError;
use subjects::{SubjectKey, Subjects};
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

impl Revision {
    /// Block time; the nearest that is one, should it lie outside of the years 1 to 9999.
    #[must_use]
    pub fn time(&self) -> Time {
        let nearest = if self.time_seconds < 0 {
            Time::MIN
        } else {
            Time::MAX
        };
        Time::new(self.time_seconds, self.time_nanos).unwrap_or(nearest)
    }
}

/// What a history takes up, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Relationships that stand, ownership among them.
    pub live: usize,
    /// Bytes of their rows, chains and indexes.
    pub live_bytes: usize,
    /// Relationships that no longer stand.
    pub closed: usize,
    /// Bytes of their rows and index.
    pub closed_bytes: usize,
    /// Bytes of names and what finds them.
    pub name_bytes: usize,
    /// Bytes of terms, definitions and schemas, about: their canonical bytes, times what values take
    /// more in memory.
    pub other_bytes: usize,
}

impl Memory {
    /// Bytes of everything.
    #[must_use]
    pub fn all_bytes(&self) -> usize {
        self.live_bytes + self.closed_bytes + self.name_bytes + self.other_bytes
    }
}

/// Bytes that a value of a context takes in memory for one of its canonical bytes, at most about: a
/// list of booleans has one byte for each.
const VALUE_BYTES: usize = 32;

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
    /// The history of that time was given up.
    #[error("what stood before revision {oldest} is no longer kept here; ask at {oldest} or later, or a replica that keeps more")]
    Forgotten {
        /// What was asked for.
        revision: u64,
        /// The oldest one that can be asked about.
        oldest: u64,
    },
    /// There are no numbers left to give to names.
    #[error("a replica holds at most four thousand million objects, actors and bytes of names, and 65,000 names of relations; follow fewer policies in one")]
    Full,
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

/// Revisions as they are kept: at ten blocks a second, 32 bits last 13 years of changes in every
/// single block, at half the memory.
type Stamp = u32;

/// All that a policy ever held, with the revisions between which it stood.
#[derive(Clone, Debug, Default)]
pub struct History {
    key: HashKey,
    revisions: Vec<Revision>,
    /// The oldest revision that can be asked about.
    oldest: u64,
    eras: Vec<Era>,
    labels: Labels,
    /// Objects, each with the label of its resource.
    objects: Texts,
    actors: Texts,
    subjects: Subjects,
    edges: Edges,
    past: Past,
    /// When an object was archived (true) and unarchived (false). Few ever are.
    archived: BTreeMap<u32, Vec<(Stamp, bool)>>,
    collections: BTreeMap<(Name, Name), Vec<(Stamp, CollectionRecord)>>,
    /// By handle, less one.
    terms: Vec<Arc<Terms>>,
    terms_ids: BTreeMap<Arc<Terms>, u32>,
}

/// A definition from one revision until the next definition, and what its handles are called.
#[derive(Clone, Debug)]
struct Era {
    from: Stamp,
    policy: Policy,
    /// The label of each node's name.
    labels: Vec<Label>,
    /// The resource that a label names, by label.
    resources: Vec<Option<ResourceId>>,
    /// The node that a (resource, name) names.
    nodes: BTreeMap<(Label, Label), NodeId>,
    /// The node that records a relation's members, by (resource, name).
    recorded: BTreeMap<(Label, Label), NodeId>,
}

impl Era {
    fn resource(&self, label: Label) -> Option<ResourceId> {
        *self.resources.get(label.0 as usize)?
    }
}

/// The names of a policy that take a label, some of them more than once.
fn names(policy: &Policy) -> impl Iterator<Item = &str> {
    let resources = policy.resources.iter().map(|resource| &*resource.name);
    let nodes = policy.nodes.iter();
    let nodes = nodes.filter(|node| node.kind != NodeKind::Management);
    resources.chain(nodes.map(|node| &*node.name))
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
    /// An empty history. For names from strangers use [`History::keyed`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty history whose names are hashed with a secret, so that nobody can choose names that
    /// collide. The key decides nothing else.
    #[must_use]
    pub fn keyed(key: HashKey) -> Self {
        Self {
            key,
            ..Self::default()
        }
    }

    /// The relationships of a list under a policy, as revision 0, with no owners. What is asked about
    /// them is asked as it would be on the hub, but nobody registered their objects: for tests and
    /// tools. A relation may hold more sets than the hub takes, as imported ones do.
    ///
    /// # Errors
    /// [`HistoryError::Full`].
    pub fn of<'a>(
        policy: Policy,
        relationships: impl IntoIterator<Item = &'a Relationship>,
    ) -> Result<Self, HistoryError> {
        let mut history = Self::default();
        history.define(0, policy).ok_or(HistoryError::Full)?;
        // Sets are kept in the order of their names; in that order each goes behind the one before.
        let (actors, mut sets): (Vec<&Relationship>, Vec<&Relationship>) = relationships
            .into_iter()
            .partition(|one| matches!(one.subject, Subject::Actor(_)));
        sets.sort_by_key(|one| (&one.object, &one.relation, &one.subject));
        for relationship in actors.into_iter().chain(sets) {
            history.set(0, relationship).ok_or(HistoryError::Full)?;
        }
        history.revisions.push(Revision {
            revision: 0,
            height: 0,
            time_seconds: 0,
            time_nanos: 0,
        });
        Ok(history)
    }

    /// The same with owners of some objects, as of the latest revision: for tests and tools.
    ///
    /// # Errors
    /// [`HistoryError::Full`].
    pub fn owned<'a>(
        mut self,
        owners: impl IntoIterator<Item = (&'a ObjectRef, &'a Actor)>,
    ) -> Result<Self, HistoryError> {
        let stamp = self.revisions.len().saturating_sub(1) as Stamp;
        for (object, owner) in owners {
            self.own(stamp, object, owner).ok_or(HistoryError::Full)?;
        }
        Ok(self)
    }

    /// What it takes up.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory {
            live: self.edges.len(),
            live_bytes: self.edges.bytes() + self.subjects.bytes(),
            closed: self.past.len(),
            closed_bytes: self.past.bytes(),
            name_bytes: self.objects.bytes() + self.actors.bytes(),
            other_bytes: self.other_bytes(),
        }
    }

    fn other_bytes(&self) -> usize {
        let context = |terms: &Arc<Terms>| {
            let used = terms.condition.as_ref();
            used.map_or(0, |used| used.context.encode().len()) * VALUE_BYTES
        };
        let versions = self.collections.values().flatten();
        let schemas = versions.map(|(_, record)| record.schema.len());
        let eras = self
            .eras
            .iter()
            .map(|era| era.policy.definition().len() * 4);
        self.terms.iter().map(context).sum::<usize>() + schemas.sum::<usize>() + eras.sum::<usize>()
    }

    /// The oldest revision that can be asked about.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Gives up what ended at or before `revision`: from then on that is the oldest one that can be
    /// asked about.
    ///
    /// # Errors
    /// [`HistoryError::UnknownRevision`].
    pub fn forget_before(&mut self, revision: u64) -> Result<(), HistoryError> {
        if self.revision(revision).is_none() {
            return Err(self.unknown(revision));
        }
        if revision > self.oldest {
            self.oldest = revision;
            self.past.cut(revision as Stamp);
        }
        Ok(())
    }

    fn unknown(&self, revision: u64) -> HistoryError {
        HistoryError::UnknownRevision {
            revision,
            latest: self.latest().map(|latest| latest.revision),
        }
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

    /// The revision in force at `time`: the last one whose block is not later.
    #[must_use]
    pub fn revision_at_time(&self, time: Time) -> Option<u64> {
        let after = self
            .revisions
            .partition_point(|revision| revision.time() <= time);
        after.checked_sub(1).map(|at| at as u64)
    }

    /// The first revision after `revision`, if one is known: nothing changes in between.
    #[must_use]
    pub fn next_change_after(&self, revision: u64) -> Option<u64> {
        self.revision(revision.checked_add(1)?)
            .map(|next| next.revision)
    }

    /// Every version of every collection that was ever defined: resource, name, record; those of one
    /// collection in order.
    pub fn collection_versions(&self) -> impl Iterator<Item = (&Name, &Name, &CollectionRecord)> {
        self.collections
            .iter()
            .flat_map(|((resource, name), versions)| {
                let records = versions.iter().map(|(_, record)| record);
                records.map(move |record| (resource, name, record))
            })
    }

    /// The policy, relationships and collections as of `revision`.
    ///
    /// # Errors
    /// [`HistoryError::UnknownRevision`], [`HistoryError::Forgotten`].
    pub fn at(&self, revision: u64) -> Result<View<'_>, HistoryError> {
        let unknown = || self.unknown(revision);
        let about = self.revision(revision).ok_or_else(unknown)?;
        if revision < self.oldest {
            let oldest = self.oldest;
            return Err(HistoryError::Forgotten { revision, oldest });
        }
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

        if !self.has_room(changes, &policies) {
            return Err(HistoryError::Full);
        }

        let mut policies = policies.into_iter();
        for change in changes {
            let done = match change {
                Change::Defined { .. } => policies
                    .next()
                    .and_then(|policy| self.define(stamp, policy)),
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
                    Some(())
                }
                Change::ObjectRegistered { object, owner }
                | Change::ObjectTransferred { object, owner } => self.own(stamp, object, owner),
                Change::ObjectArchived { object } => self.archive(stamp, object, true),
                Change::ObjectUnarchived { object } => self.archive(stamp, object, false),
                Change::RelationshipSet(relationship) => self.set(stamp, relationship),
                Change::RelationshipDeleted(relationship) => self.delete(stamp, relationship),
            };
            // A change that was left out would be missing in every answer and in the snapshot.
            assert!(done.is_some(), "there was room for every change");
        }
        self.revisions.push(revision);
        Ok(())
    }

    /// Whether there are numbers and bytes for all that the changes may bring: two objects, an actor,
    /// a relationship and its terms each, and labels for names that are not known yet.
    fn has_room(&self, changes: &[Change], policies: &[Policy]) -> bool {
        let room = |used: usize, each: usize| {
            let more = changes.len().saturating_mul(each);
            used.saturating_add(more) < (u32::MAX - 2) as usize
        };
        let (objects, actors) = (&self.objects, &self.actors);
        self.labels_fit(changes, policies)
            && room(objects.len(), 2)
            && room(objects.text_bytes(), 2 * OBJECT_ID_BYTES_MAX)
            && room(actors.len(), 1)
            && room(actors.text_bytes(), ACTOR_BYTES_MAX)
            && room(self.subjects.len(), 1)
            && room(self.edges.len(), 1)
            && room(self.terms.len(), 1)
    }

    fn labels_fit(&self, changes: &[Change], policies: &[Policy]) -> bool {
        let left = self.labels.left();
        // A change names at most two resources and two relations.
        let defined = policies.iter().map(|policy| names(policy).count());
        if defined.sum::<usize>() + changes.len().saturating_mul(4) <= left {
            return true;
        }
        // Most names are known, so count those that are not.
        let mut new = BTreeSet::new();
        new.extend(policies.iter().flat_map(names));
        for change in changes {
            match change {
                Change::Defined { .. } | Change::CollectionDefined { .. } => {}
                Change::ObjectRegistered { object, .. }
                | Change::ObjectTransferred { object, .. }
                | Change::ObjectArchived { object }
                | Change::ObjectUnarchived { object } => {
                    new.insert(object.resource());
                }
                Change::RelationshipSet(fact) | Change::RelationshipDeleted(fact) => {
                    new.extend([fact.object.resource(), fact.relation.as_str()]);
                    match &fact.subject {
                        Subject::Actor(_) | Subject::Everyone => {}
                        Subject::Every(resource) => {
                            new.insert(resource.as_str());
                        }
                        Subject::Object(object) => {
                            new.insert(object.resource());
                        }
                        Subject::Userset { object, relation } => {
                            new.extend([object.resource(), relation.as_str()]);
                        }
                    }
                }
            }
        }
        let new = new
            .into_iter()
            .filter(|name| self.labels.find(name).is_none());
        new.count() <= left
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
                    .find_object(object)
                    .is_some_and(|id| self.owner_edge(id).is_some());
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

    /// Puts a definition in force. `None`, and nothing is in force, where labels run out.
    fn define(&mut self, from: Stamp, policy: Policy) -> Option<()> {
        let mut era = Era {
            from,
            labels: Vec::new(),
            resources: Vec::new(),
            nodes: BTreeMap::new(),
            recorded: BTreeMap::new(),
            policy,
        };
        for (at, resource) in era.policy.resources.iter().enumerate() {
            let label = self.labels.intern(&resource.name)?;
            let at = ResourceId(at as u16);
            let place = label.0 as usize;
            if era.resources.len() <= place {
                era.resources.resize(place + 1, None);
            }
            era.resources[place] = Some(at);
        }
        for (at, node) in era.policy.nodes.iter().enumerate() {
            // No subject holds it and nobody is set in it, so it needs no label.
            if node.kind == NodeKind::Management {
                era.labels.push(OWNER);
                continue;
            }
            let name = self.labels.intern(&node.name)?;
            era.labels.push(match node.kind {
                NodeKind::Owner => OWNER,
                _ => name,
            });
            let resource = self
                .labels
                .intern(era.policy.resource_name(node.resource))?;
            let at = NodeId(at as u16);
            if node.recorded == Some(at) {
                era.recorded.insert((resource, name), at);
            }
            // What stands behind a node has the node's name, and none of its own.
            if let Some(named) = era.policy.node(node.resource, &node.name) {
                era.nodes.insert((resource, name), named);
            }
        }
        // Two definitions in one block: the later one holds, as in the tree.
        if self.eras.last().is_some_and(|last| last.from == from) {
            self.eras.pop();
        }
        self.eras.push(era);
        Some(())
    }

    fn find_object(&self, object: &ObjectRef) -> Option<u32> {
        let resource = self.labels.find(object.resource())?;
        self.objects.find(&self.key, resource.0, object.id())
    }

    fn object(&mut self, object: &ObjectRef) -> Option<u32> {
        let resource = self.labels.intern(object.resource())?;
        self.objects.intern(&self.key, resource.0, object.id())
    }

    fn find_actor(&self, actor: &Actor) -> Option<u32> {
        self.actors.find(&self.key, 0, actor.as_str())
    }

    fn subject(&mut self, subject: &Subject) -> Option<u32> {
        let key = match subject {
            Subject::Actor(actor) => {
                SubjectKey::Actor(self.actors.intern(&self.key, 0, actor.as_str())?)
            }
            Subject::Everyone => SubjectKey::Everyone,
            Subject::Every(resource) => SubjectKey::Every(self.labels.intern(resource.as_str())?),
            Subject::Object(object) => SubjectKey::Object(self.object(object)?),
            Subject::Userset { object, relation } => {
                let label = self.labels.intern(relation.as_str())?;
                SubjectKey::Userset(self.object(object)?, label)
            }
        };
        self.subjects.intern(key)
    }

    fn terms_id(&mut self, terms: &Terms) -> Option<u32> {
        if terms.is_none() {
            return Some(0);
        }
        if let Some(id) = self.terms_ids.get(terms) {
            return Some(*id);
        }
        let terms = Arc::new(terms.clone());
        let id = u32::try_from(self.terms.len() + 1).ok()?;
        self.terms.push(terms.clone());
        self.terms_ids.insert(terms, id);
        Some(id)
    }

    fn set(&mut self, stamp: Stamp, relationship: &Relationship) -> Option<()> {
        let object = self.object(&relationship.object)?;
        let label = self.labels.intern(relationship.relation.as_str())?;
        let subject = self.subject(&relationship.subject)?;
        let terms = self.terms_id(&relationship.terms)?;
        let sets = !matches!(relationship.subject, Subject::Actor(_));
        self.stand(stamp, object, list_of(label, sets), subject, terms)
    }

    fn delete(&mut self, stamp: Stamp, relationship: &Relationship) -> Option<()> {
        let object = self.object(&relationship.object)?;
        let label = self.labels.intern(relationship.relation.as_str())?;
        let subject = self.subject(&relationship.subject)?;
        let sets = !matches!(relationship.subject, Subject::Actor(_));
        self.end(stamp, object, list_of(label, sets), subject);
        Some(())
    }

    fn own(&mut self, stamp: Stamp, object: &ObjectRef, owner: &Actor) -> Option<()> {
        let object = self.object(object)?;
        let subject = self.subject(&Subject::Actor(owner.clone()))?;
        let list = list_of(OWNER, false);
        let before = self.owner_edge(object).map(|edge| edge.subject);
        if let Some(before) = before.filter(|before| *before != subject) {
            self.end(stamp, object, list, before);
        }
        self.stand(stamp, object, list, subject, 0)
    }

    fn owner_edge(&self, object: u32) -> Option<&Edge> {
        let mut list = self.edges.list(object, list_of(OWNER, false));
        list.next().map(|(_, edge)| edge)
    }

    fn archive(&mut self, stamp: Stamp, object: &ObjectRef, archived: bool) -> Option<()> {
        let object = self.object(object)?;
        let states = self.archived.entry(object).or_default();
        states.push((stamp, archived));
        Some(())
    }

    /// Lets a relationship stand from `stamp` on, on these terms.
    fn stand(
        &mut self,
        stamp: Stamp,
        object: u32,
        list: u32,
        subject: u32,
        terms: u32,
    ) -> Option<()> {
        if let Some(at) = self.edges.find(object, list, subject) {
            let edge = *self.edges.get(at)?;
            if edge.terms != terms {
                self.close(stamp, &edge);
                self.edges.change(at, stamp, terms);
            }
            return Some(());
        }
        let edge = Edge {
            object,
            list,
            subject,
            from: stamp,
            terms,
            next: NONE,
            last: NONE,
            next_of_subject: NONE,
            last_of_subject: NONE,
        };
        let mut head = self.subjects.head(subject);
        let actors = list == list_of(Label(list as u16), false);
        let mut edges = core::mem::take(&mut self.edges);
        let order = |a: u32, b: u32| self.compare(a, b);
        let sorted: Option<&dyn Fn(u32, u32) -> Ordering> = match actors {
            true => None,
            false => Some(&order),
        };
        let inserted = edges.insert(edge, &mut head, sorted);
        self.edges = edges;
        self.subjects.set_head(subject, head);
        inserted.map(|_| ())
    }

    /// Ends a relationship with `stamp`, if it stands.
    fn end(&mut self, stamp: Stamp, object: u32, list: u32, subject: u32) {
        let Some(at) = self.edges.find(object, list, subject) else {
            return;
        };
        let mut head = self.subjects.head(subject);
        if let Some(edge) = self.edges.remove(at, &mut head) {
            self.subjects.set_head(subject, head);
            self.close(stamp, &edge);
        }
    }

    /// Keeps that a relationship stood until before `stamp`; what began with it never did.
    fn close(&mut self, stamp: Stamp, edge: &Edge) {
        if edge.from < stamp {
            let closed = Closed {
                object: edge.object,
                list: edge.list,
                subject: edge.subject,
                until: stamp,
                from: edge.from,
            };
            self.past.close(closed, edge.terms);
        }
    }

    /// The canonical order of subjects, by name.
    fn compare(&self, a: u32, b: u32) -> Ordering {
        let object = |object: u32| {
            let resource = self.objects.before(object).map(Label);
            let resource = resource.map(|label| self.labels.name(label));
            (resource, self.objects.get(object))
        };
        let name = |label: Label| self.labels.name(label);
        match (self.subjects.key(a), self.subjects.key(b)) {
            (Some(SubjectKey::Actor(a)), Some(SubjectKey::Actor(b))) => {
                self.actors.get(a).cmp(&self.actors.get(b))
            }
            (Some(SubjectKey::Every(a)), Some(SubjectKey::Every(b))) => name(a).cmp(name(b)),
            (Some(SubjectKey::Object(a)), Some(SubjectKey::Object(b))) => object(a).cmp(&object(b)),
            (Some(SubjectKey::Userset(a, x)), Some(SubjectKey::Userset(b, y))) => {
                object(a).cmp(&object(b)).then_with(|| name(x).cmp(name(y)))
            }
            (a, b) => a.map(SubjectKey::rank).cmp(&b.map(SubjectKey::rank)),
        }
    }
}
