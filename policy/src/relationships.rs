//! The one trait through which the walk reads relationships.

use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};
use core::ops::ControlFlow;

use crate::{
    name::Actor, reader::ReadError, relationship::ObjectRef, schema::Policy, terms::Terms,
};

/// A resource of the policy that an implementor reads under: its place in the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub u16);

/// A relation, permission or management rule of one resource of that policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// An implementor's handle for an object. Handles mean nothing outside the implementor and decide
/// no order: the walk follows names (Invariant 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u32);

impl ObjectId {
    /// Stands for an object of which nothing is known: implementors read it as unregistered.
    pub const NOWHERE: Self = Self(u32::MAX);
}

/// Whether an object has a record of its own, and in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has none.
    Unregistered,
    /// It has an owner and grants what its relationships say.
    Active,
    /// It grants nothing.
    Archived,
}

/// An implementor's handle for an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub u32);

/// A member of a relation that leads on: to an object, or to whoever is in a userset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetRef {
    /// An object and its resource.
    Object(ObjectId, ResourceId),
    /// A userset; the node belongs to the object's resource.
    Userset(ObjectId, NodeId),
    /// Names something that this policy does not define (any more). Counted, never followed.
    Foreign,
}

/// An implementor's handle for the terms on which a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermsId(pub u32);

impl TermsId {
    /// No terms, in every implementor.
    pub const NONE: Self = Self(0);
}

/// A member of a relation that leads on, and the terms on which it stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberRef {
    /// The member.
    pub set: SetRef,
    /// Its terms.
    pub terms: TermsId,
}

impl MemberRef {
    /// A member without terms.
    #[must_use]
    pub fn bare(set: SetRef) -> Self {
        Self {
            set,
            terms: TermsId::NONE,
        }
    }
}

/// Relationships of one policy at one moment.
///
/// All implementors must give the same answers for the same facts, and lists in the canonical order
/// of [`crate::Subject`]: the walk's cost is consensus.
pub trait Relationships {
    /// The policy in force at that moment.
    fn policy(&self) -> &Policy;

    /// The handle of `object`; `None` where nothing is known of it.
    fn object(&self, object: &ObjectRef) -> Option<ObjectId>;

    /// The handle of `actor`; `None` where no relationship names it.
    fn actor(&self, actor: &Actor) -> Option<ActorId>;

    /// Whether the object has a record, and in which state.
    ///
    /// # Errors
    /// As the reader below says.
    fn status(&self, object: ObjectId) -> Result<Status, ReadError>;

    /// Whether `actor` owns `object`. Nobody owns an archived object.
    ///
    /// # Errors
    /// As the reader below says.
    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError>;

    /// Whether exactly this subject, which is no userset, stands in `relation` of `object`, and on
    /// what terms, held or not. An archived object has no members.
    ///
    /// # Errors
    /// As the reader below says.
    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError>;

    /// Appends the usersets in `relation` of `object`, in canonical order.
    ///
    /// # Errors
    /// As the reader below says; `into` may then hold some of them.
    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError>;

    /// Appends the objects and usersets in `relation` of `object`, in canonical order: what an arrow
    /// follows.
    ///
    /// # Errors
    /// As the reader below says; `into` may then hold some of them.
    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError>;

    /// The terms behind a handle; `None` for [`TermsId::NONE`] and for handles of others.
    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>>;

    /// The name behind a handle; `None` for handles of others.
    fn object_name(&self, object: ObjectId) -> Option<ObjectRef>;
}

/// Who or what stands in relations, as an implementor's handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectRef {
    /// An actor.
    Actor(ActorId),
    /// Every actor.
    Everyone,
    /// Every object of a resource.
    Every(ResourceId),
    /// An object.
    Object(ObjectId),
    /// A userset.
    Userset(ObjectId, NodeId),
}

/// Relationships that can be read from their subjects too: what lookups need, and no check ever does.
///
/// The order of visits is the implementor's; whoever shows results sorts them by name. A visitor that
/// breaks is not called again. Relations are named by the node that records their members. Archived
/// objects hold nobody, here as there.
pub trait Reverse: Relationships {
    /// Visits the actors of a relation of an object.
    fn actors(
        &self,
        object: ObjectId,
        relation: NodeId,
        visit: &mut dyn FnMut(ActorId, TermsId) -> ControlFlow<()>,
    );

    /// Who owns an object.
    fn owner(&self, object: ObjectId) -> Option<ActorId>;

    /// Visits the objects that an actor owns.
    fn owned(&self, actor: ActorId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>);

    /// Visits the relations of objects in which exactly this subject stands.
    fn held(
        &self,
        subject: SubjectRef,
        visit: &mut dyn FnMut(ObjectId, NodeId, TermsId) -> ControlFlow<()>,
    );

    /// Visits all objects of a resource of which anything is known.
    fn objects(&self, resource: ResourceId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>);

    /// The resource of an object; `None` where the policy does not define it.
    fn resource_of(&self, object: ObjectId) -> Option<ResourceId>;

    /// The name behind a handle.
    fn actor_name(&self, actor: ActorId) -> Option<Actor>;

    /// The id within its resource of an object; empty for handles of others. Lists are sorted by it.
    fn object_id(&self, object: ObjectId) -> Cow<'_, str> {
        let name = self.object_name(object);
        Cow::Owned(name.map_or_else(String::new, |name| name.id().into()))
    }

    /// The text of an actor; empty for handles of others. Lists are sorted by it.
    fn actor_text(&self, actor: ActorId) -> Cow<'_, str> {
        let name = self.actor_name(actor);
        Cow::Owned(name.map_or_else(String::new, |name| name.as_str().into()))
    }
}

impl<T: Relationships + ?Sized> Relationships for &T {
    fn policy(&self) -> &Policy {
        (**self).policy()
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        (**self).object(object)
    }

    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        (**self).actor(actor)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        (**self).status(object)
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        (**self).is_owner(object, actor)
    }

    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        (**self).contains(object, relation, subject)
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        (**self).usersets(object, relation, into)
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        (**self).targets(object, relation, into)
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        (**self).terms(terms)
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        (**self).object_name(object)
    }
}

impl<T: Reverse + ?Sized> Reverse for &T {
    fn actors(
        &self,
        object: ObjectId,
        relation: NodeId,
        visit: &mut dyn FnMut(ActorId, TermsId) -> ControlFlow<()>,
    ) {
        (**self).actors(object, relation, visit);
    }

    fn owner(&self, object: ObjectId) -> Option<ActorId> {
        (**self).owner(object)
    }

    fn owned(&self, actor: ActorId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        (**self).owned(actor, visit);
    }

    fn held(
        &self,
        subject: SubjectRef,
        visit: &mut dyn FnMut(ObjectId, NodeId, TermsId) -> ControlFlow<()>,
    ) {
        (**self).held(subject, visit);
    }

    fn objects(&self, resource: ResourceId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        (**self).objects(resource, visit);
    }

    fn resource_of(&self, object: ObjectId) -> Option<ResourceId> {
        (**self).resource_of(object)
    }

    fn actor_name(&self, actor: ActorId) -> Option<Actor> {
        (**self).actor_name(actor)
    }

    fn object_id(&self, object: ObjectId) -> Cow<'_, str> {
        (**self).object_id(object)
    }

    fn actor_text(&self, actor: ActorId) -> Cow<'_, str> {
        (**self).actor_text(actor)
    }
}
