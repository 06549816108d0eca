//! The subject of a question, as the walk compares it.

use crate::{
    question::Question,
    relationship::{ObjectRef, Subject},
    relationships::{ActorId, NodeId, ObjectId, Relationships, ResourceId, SubjectRef},
    types::SubjectType,
};

/// Who is asked about, as handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Actor(Option<ActorId>),
    Everyone,
    /// Every object of a resource; none of the policy's if it does not define it.
    Every(Option<ResourceId>),
    /// An object and its resource, as far as either is known.
    Object(Option<ObjectId>, Option<ResourceId>),
    Userset(Option<(ObjectId, NodeId)>),
}

impl Asked {
    pub(crate) fn new<R: Relationships + ?Sized>(
        relationships: &R,
        question: &Question,
        root: ObjectId,
    ) -> Self {
        // Two objects of which nothing is known share a handle; only the question's own is meant.
        Self::with(relationships, &question.subject, |object| {
            if *object == question.object {
                Some(root)
            } else {
                relationships.object(object)
            }
        })
    }

    /// A subject asked about by itself. An object of which nothing is known is the one that
    /// [`ObjectId::NOWHERE`] stands for.
    pub(crate) fn about<R: Relationships + ?Sized>(relationships: &R, subject: &Subject) -> Self {
        Self::with(relationships, subject, |object| {
            let known = relationships.object(object);
            Some(known.unwrap_or(ObjectId::NOWHERE))
        })
    }

    fn with<R: Relationships + ?Sized>(
        relationships: &R,
        subject: &Subject,
        handle: impl Fn(&ObjectRef) -> Option<ObjectId>,
    ) -> Self {
        let policy = relationships.policy();
        match subject {
            Subject::Actor(actor) => Self::Actor(relationships.actor(actor)),
            Subject::Everyone => Self::Everyone,
            Subject::Every(resource) => Self::Every(policy.resource(resource.as_str())),
            Subject::Object(object) => {
                Self::Object(handle(object), policy.resource(object.resource()))
            }
            Subject::Userset { object, relation } => {
                let node = policy
                    .resource(object.resource())
                    .and_then(|r| policy.node(r, relation.as_str()));
                Self::Userset(handle(object).zip(node))
            }
        }
    }

    /// Whether the object itself is asked about.
    #[inline]
    pub(crate) fn is_object(self, object: ObjectId) -> bool {
        matches!(self, Self::Object(Some(asked), _) if asked == object)
    }

    /// The members of a relation that are, or stand for, the one asked about: their types, and they
    /// themselves where relationships know them. Those that are usersets are not among them.
    #[inline]
    pub(crate) fn members(self) -> [Option<(SubjectType, Option<SubjectRef>)>; 2] {
        let everyone = (SubjectType::Everyone, Some(SubjectRef::Everyone));
        let every = |of| (SubjectType::Every(of), Some(SubjectRef::Every(of)));
        match self {
            Self::Actor(actor) => {
                let itself = (SubjectType::Actor, actor.map(SubjectRef::Actor));
                [Some(itself), Some(everyone)]
            }
            Self::Object(id, Some(resource)) => {
                let itself = (SubjectType::Object(resource), id.map(SubjectRef::Object));
                [Some(every(resource)), Some(itself)]
            }
            Self::Everyone => [Some(everyone), None],
            Self::Every(Some(resource)) => [Some(every(resource)), None],
            Self::Object(_, None) | Self::Every(None) | Self::Userset(_) => [None, None],
        }
    }
}
