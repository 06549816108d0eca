//! A history as of one revision.

use alloc::{borrow::Cow, sync::Arc, vec::Vec};
use core::ops::ControlFlow;

use crate::{
    change::CollectionRecord,
    name::{Actor, Name},
    reader::ReadError,
    relationship::ObjectRef,
    relationships::{
        ActorId, MemberRef, NodeId, ObjectId, Relationships, ResourceId, Reverse, SetRef, Status,
        SubjectRef, TermsId,
    },
    schema::Policy,
    terms::Terms,
};

use super::{
    edges::list_of,
    in_force,
    names::{Label, OWNER},
    subjects::SubjectKey,
    Era, History, Revision, Stamp,
};

/// A history as of one revision. Cheap to make and to copy.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) history: &'a History,
    pub(super) era: &'a Era,
    about: Revision,
    at: Stamp,
    /// Whether anything stood at the revision that no longer stands.
    has_past: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History, era: &'a Era, about: Revision) -> Self {
        let at = about.revision as Stamp;
        Self {
            history,
            era,
            about,
            at,
            has_past: !history.past.is_before(at),
        }
    }

    /// The revision, its height and its time.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.about
    }

    /// The policy in force, for as long as the history lives.
    #[must_use]
    pub fn definition(&self) -> &'a Policy {
        &self.era.policy
    }

    /// A collection as of the revision.
    #[must_use]
    pub fn collection(&self, resource: &Name, name: &Name) -> Option<&'a CollectionRecord> {
        let versions = self
            .history
            .collections
            .get(&(resource.clone(), name.clone()))?;
        in_force(versions, self.at)
    }

    /// All collections as of the revision: resource, name, record; sorted.
    pub fn collections(
        &self,
    ) -> impl Iterator<Item = (&'a Name, &'a Name, &'a CollectionRecord)> + 'a {
        let at = self.at;
        let all = self.history.collections.iter();
        all.filter_map(move |((resource, name), versions)| {
            Some((resource, name, in_force(versions, at)?))
        })
    }

    /// Who owns `object`, where it is registered and not archived.
    #[must_use]
    pub fn owner(&self, object: &ObjectRef) -> Option<Actor> {
        let object = self.object(object)?;
        self.actor_name(Reverse::owner(self, object)?)
    }

    #[inline]
    fn is_archived(&self, object: u32) -> bool {
        let states = self.history.archived.get(&object);
        states.and_then(|states| in_force(states, self.at)) == Some(&true)
    }

    /// The terms on which a subject stood in a list, if it did.
    #[inline]
    fn stood(&self, object: u32, list: u32, subject: u32) -> Option<u32> {
        let edges = &self.history.edges;
        let edge = edges
            .find(object, list, subject)
            .and_then(|at| edges.get(at));
        match edge {
            Some(edge) if edge.from <= self.at => Some(edge.terms),
            _ if self.has_past => self.history.past.find(object, list, subject, self.at),
            _ => None,
        }
    }

    /// Subjects and terms of a list at the revision: those that still stand in the list's order, the
    /// others behind them.
    fn list(&self, object: u32, list: u32) -> impl Iterator<Item = (u32, u32)> + 'a {
        let at = self.at;
        let live = self.history.edges.list(object, list);
        let live = live.filter(move |(_, edge)| edge.from <= at);
        let closed = self
            .has_past
            .then(|| self.history.past.list(object, list, at));
        live.map(|(_, edge)| (edge.subject, edge.terms))
            .chain(closed.into_iter().flatten())
    }

    /// Where a subject stood: object, list, terms. Archived objects hold nobody.
    fn of_subject(&self, subject: u32) -> impl Iterator<Item = (u32, u32, u32)> + 'a {
        let (view, at) = (*self, self.at);
        let head = self.history.subjects.head(subject);
        let live = self.history.edges.of_subject(head);
        let live = live.filter(move |(_, edge)| edge.from <= at);
        let closed = self
            .has_past
            .then(|| self.history.past.of_subject(subject, at));
        live.map(|(_, edge)| (edge.object, edge.list, edge.terms))
            .chain(closed.into_iter().flatten())
            .filter(move |(object, ..)| !view.is_archived(*object))
    }

    #[inline]
    fn label(&self, node: NodeId) -> Option<Label> {
        self.era.labels.get(node.0 as usize).copied()
    }

    #[inline]
    fn actor_subject(&self, actor: ActorId) -> Option<u32> {
        self.history.subjects.find(SubjectKey::Actor(actor.0))
    }

    #[inline]
    fn resource_label(&self, object: u32) -> Option<Label> {
        self.history.objects.before(object).map(Label)
    }

    #[inline]
    fn set_ref(&self, key: SubjectKey) -> SetRef {
        let resource = |object: u32| {
            let label = self.resource_label(object)?;
            Some((label, self.era.resource(label)?))
        };
        let found = match key {
            SubjectKey::Object(id) => {
                resource(id).map(|(_, resource)| SetRef::Object(ObjectId(id), resource))
            }
            SubjectKey::Userset(id, relation) => resource(id)
                .and_then(|(label, _)| self.era.nodes.get(&(label, relation)))
                .map(|node| SetRef::Userset(ObjectId(id), *node)),
            _ => None,
        };
        found.unwrap_or(SetRef::Foreign)
    }

    /// Appends the members of these kinds and those behind them.
    #[inline]
    fn members_from(
        &self,
        rank: u8,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) {
        let Some(label) = self.label(relation) else {
            return;
        };
        if self.is_archived(object.0) {
            return;
        }
        let list = list_of(label, true);
        let subjects = &self.history.subjects;
        let member = |subject: u32, terms: u32| {
            let key = subjects.key(subject).filter(|key| key.rank() >= rank)?;
            Some(MemberRef {
                set: self.set_ref(key),
                terms: TermsId(terms),
            })
        };
        if !self.has_past {
            let live = self.history.edges.list(object.0, list);
            for (_, edge) in live.filter(|(_, edge)| edge.from <= self.at) {
                // One by one: `extend` asks each time how many are to come.
                if let Some(member) = member(edge.subject, edge.terms) {
                    into.push(member);
                }
            }
            return;
        }
        let mut all: Vec<(u32, u32)> = self.list(object.0, list).collect();
        all.sort_by(|(a, _), (b, _)| self.history.compare(*a, *b));
        into.extend(
            all.into_iter()
                .filter_map(|(subject, terms)| member(subject, terms)),
        );
    }

    #[inline]
    pub(super) fn subject_of(&self, subject: SubjectRef) -> Option<u32> {
        let policy = &self.era.policy;
        let label = |name: &str| self.history.labels.find(name);
        let key = match subject {
            SubjectRef::Actor(actor) => SubjectKey::Actor(actor.0),
            SubjectRef::Everyone => SubjectKey::Everyone,
            SubjectRef::Every(resource) => {
                SubjectKey::Every(label(policy.resource_name(resource))?)
            }
            SubjectRef::Object(object) => SubjectKey::Object(object.0),
            SubjectRef::Userset(object, node) => {
                SubjectKey::Userset(object.0, label(policy.node_name(node))?)
            }
        };
        self.history.subjects.find(key)
    }

    /// Visits the relations of the policy in which a subject stood.
    fn visit_held(
        &self,
        subject: u32,
        visit: &mut dyn FnMut(ObjectId, NodeId, TermsId) -> ControlFlow<()>,
    ) {
        // Mostly a subject stands in the same relation of many objects.
        let mut last = None;
        for (object, list, terms) in self.of_subject(subject) {
            let Some(resource) = self.resource_label(object) else {
                continue;
            };
            let named = (resource, Label(list as u16));
            let node = match last {
                Some((known, node)) if known == named => Some(node),
                _ => self.era.recorded.get(&named).copied(),
            };
            let Some(node) = node else {
                continue;
            };
            last = Some((named, node));
            if visit(ObjectId(object), node, TermsId(terms)).is_break() {
                return;
            }
        }
    }
}

impl Relationships for View<'_> {
    fn policy(&self) -> &Policy {
        &self.era.policy
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.history.find_object(object).map(ObjectId)
    }

    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        self.history.find_actor(actor).map(ActorId)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        let registered = self.list(object.0, list_of(OWNER, false)).next().is_some();
        Ok(match registered {
            false => Status::Unregistered,
            true if self.is_archived(object.0) => Status::Archived,
            true => Status::Active,
        })
    }

    #[inline]
    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        let Some(subject) = self.actor_subject(actor) else {
            return Ok(false);
        };
        if !self.has_past && self.history.edges.owner(object.0) != Some(subject) {
            return Ok(false);
        }
        let owns = self.stood(object.0, list_of(OWNER, false), subject);
        Ok(owns.is_some() && !self.is_archived(object.0))
    }

    #[inline]
    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        let (Some(label), Some(number)) = (self.label(relation), self.subject_of(subject)) else {
            return Ok(None);
        };
        let sets = !matches!(subject, SubjectRef::Actor(_));
        let terms = self.stood(object.0, list_of(label, sets), number);
        Ok(terms.filter(|_| !self.is_archived(object.0)).map(TermsId))
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let from = SubjectKey::Userset(0, OWNER).rank();
        self.members_from(from, object, relation, into);
        Ok(())
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let from = SubjectKey::Object(0).rank();
        self.members_from(from, object, relation, into);
        Ok(())
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        let at = terms.0.checked_sub(1)?;
        self.history.terms.get(at as usize).cloned()
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        let resource = self.history.labels.name(self.resource_label(object.0)?);
        ObjectRef::new(resource, self.history.objects.text(object.0)).ok()
    }
}

impl Reverse for View<'_> {
    fn actors(
        &self,
        object: ObjectId,
        relation: NodeId,
        visit: &mut dyn FnMut(ActorId, TermsId) -> ControlFlow<()>,
    ) {
        let Some(label) = self.label(relation) else {
            return;
        };
        if self.is_archived(object.0) {
            return;
        }
        for (subject, terms) in self.list(object.0, list_of(label, false)) {
            let Some(SubjectKey::Actor(actor)) = self.history.subjects.key(subject) else {
                continue;
            };
            if visit(ActorId(actor), TermsId(terms)).is_break() {
                return;
            }
        }
    }

    fn owner(&self, object: ObjectId) -> Option<ActorId> {
        if self.is_archived(object.0) {
            return None;
        }
        let (subject, _) = self.list(object.0, list_of(OWNER, false)).next()?;
        match self.history.subjects.key(subject)? {
            SubjectKey::Actor(actor) => Some(ActorId(actor)),
            _ => None,
        }
    }

    fn owned(&self, actor: ActorId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        let Some(subject) = self.actor_subject(actor) else {
            return;
        };
        for (object, list, _) in self.of_subject(subject) {
            if list == list_of(OWNER, false) && visit(ObjectId(object)).is_break() {
                return;
            }
        }
    }

    fn held(
        &self,
        subject: SubjectRef,
        visit: &mut dyn FnMut(ObjectId, NodeId, TermsId) -> ControlFlow<()>,
    ) {
        if let Some(subject) = self.subject_of(subject) {
            self.visit_held(subject, visit);
        }
    }

    fn objects(&self, resource: ResourceId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        let name = self.era.policy.resource_name(resource);
        let Some(label) = self.history.labels.find(name) else {
            return;
        };
        for at in 0..self.history.objects.len() as u32 {
            if self.resource_label(at) == Some(label) && visit(ObjectId(at)).is_break() {
                return;
            }
        }
    }

    fn resource_of(&self, object: ObjectId) -> Option<ResourceId> {
        let label = self.resource_label(object.0)?;
        self.era.resource(label)
    }

    fn actor_name(&self, actor: ActorId) -> Option<Actor> {
        Actor::new(self.history.actors.text(actor.0)).ok()
    }

    fn object_id(&self, object: ObjectId) -> Cow<'_, str> {
        Cow::Borrowed(self.history.objects.text(object.0))
    }

    fn actor_text(&self, actor: ActorId) -> Cow<'_, str> {
        Cow::Borrowed(self.history.actors.text(actor.0))
    }
}
