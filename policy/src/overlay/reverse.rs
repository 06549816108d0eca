//! Contextual relationships, read from their subjects.

use alloc::{borrow::Cow, vec::Vec};
use core::ops::ControlFlow;

use crate::{
    name::Actor,
    relationships::{
        ActorId, NodeId, ObjectId, Relationships, ResourceId, Reverse, Status, SubjectRef, TermsId,
    },
};

use super::{is_own, own, Overlay, OWN_HANDLES};

impl<R: Reverse> Overlay<'_, R> {
    /// Whether contextual relationships of an object count; reverse readers have nothing that fails.
    fn counts(&self, object: ObjectId) -> bool {
        self.status(object) != Ok(Status::Archived)
    }
}

impl<R: Reverse> Reverse for Overlay<'_, R> {
    fn actors(
        &self,
        object: ObjectId,
        relation: NodeId,
        visit: &mut dyn FnMut(ActorId, TermsId) -> ControlFlow<()>,
    ) {
        let mut broken = ControlFlow::Continue(());
        if own(object.0).is_none() {
            self.below.actors(object, relation, &mut |actor, terms| {
                let entry = (object, relation, SubjectRef::Actor(actor));
                if !self.entries.contains_key(&entry) {
                    broken = visit(actor, terms);
                }
                broken
            });
        }
        let first = SubjectRef::Actor(ActorId(0));
        let last = SubjectRef::Actor(ActorId(u32::MAX));
        let range = (object, relation, first)..=(object, relation, last);
        for ((_, _, subject), terms) in self.entries.range(range) {
            if broken.is_break() || !self.counts(object) {
                return;
            }
            if let SubjectRef::Actor(actor) = subject {
                broken = visit(*actor, *terms);
            }
        }
    }

    fn owner(&self, object: ObjectId) -> Option<ActorId> {
        match own(object.0) {
            Some(_) => None,
            None => self.below.owner(object),
        }
    }

    fn owned(&self, actor: ActorId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        if own(actor.0).is_none() {
            self.below.owned(actor, visit);
        }
    }

    fn held(
        &self,
        subject: SubjectRef,
        visit: &mut dyn FnMut(ObjectId, NodeId, TermsId) -> ControlFlow<()>,
    ) {
        let mut broken = ControlFlow::Continue(());
        let places: &[(ObjectId, NodeId)] =
            self.by_subject.get(&subject).map_or(&[], Vec::as_slice);
        if !is_own(subject) {
            self.below.held(subject, &mut |object, relation, terms| {
                if !places.contains(&(object, relation)) {
                    broken = visit(object, relation, terms);
                }
                broken
            });
        }
        for (object, relation) in places {
            if broken.is_break() {
                return;
            }
            let entry = (*object, *relation, subject);
            let terms = self.entries.get(&entry).filter(|_| self.counts(*object));
            if let Some(terms) = terms {
                broken = visit(*object, *relation, *terms);
            }
        }
    }

    fn objects(&self, resource: ResourceId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        let mut broken = ControlFlow::Continue(());
        self.below.objects(resource, &mut |object| {
            broken = visit(object);
            broken
        });
        for at in 0..self.objects.len() as u32 {
            let object = ObjectId(OWN_HANDLES + at);
            if broken.is_break() {
                return;
            }
            if self.resource_of(object) == Some(resource) {
                broken = visit(object);
            }
        }
    }

    fn resource_of(&self, object: ObjectId) -> Option<ResourceId> {
        match own(object.0) {
            Some(at) => self.policy().resource(self.objects.get(at)?.resource()),
            None => self.below.resource_of(object),
        }
    }

    fn actor_name(&self, actor: ActorId) -> Option<Actor> {
        match own(actor.0) {
            Some(at) => self.actors.get(at).cloned(),
            None => self.below.actor_name(actor),
        }
    }

    fn object_id(&self, object: ObjectId) -> Cow<'_, str> {
        match own(object.0) {
            Some(at) => Cow::Borrowed(self.objects.get(at).map_or("", |object| object.id())),
            None => self.below.object_id(object),
        }
    }

    fn actor_text(&self, actor: ActorId) -> Cow<'_, str> {
        match own(actor.0) {
            Some(at) => Cow::Borrowed(self.actors.get(at).map_or("", |actor| actor.as_str())),
            None => self.below.actor_text(actor),
        }
    }
}
