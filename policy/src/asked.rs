//! The subject of a question, as the walk compares it.

use crate::{
    question::Question,
    relationship::{ObjectRef, Subject},
    relationships::{ActorId, NodeId, ObjectId, Relationships, ResourceId, SetRef},
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
        let handle = |object: &ObjectRef| {
            if *object == question.object {
                Some(root)
            } else {
                relationships.object(object)
            }
        };
        let policy = relationships.policy();
        match &question.subject {
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

    /// Whether a member that is no userset is the one asked about, or stands for it.
    pub(crate) fn is(self, member: SetRef) -> bool {
        match (member, self) {
            (SetRef::Everyone, Self::Actor(_) | Self::Everyone) => true,
            (SetRef::Every(resource), Self::Every(Some(asked))) => resource == asked,
            (SetRef::Every(resource), Self::Object(_, Some(asked))) => resource == asked,
            (SetRef::Object(id, _), Self::Object(Some(asked), _)) => id == asked,
            _ => false,
        }
    }
}
