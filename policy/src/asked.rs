//! The subject of a question, as the walk compares it.

use crate::{
    question::Question,
    relationship::{ObjectRef, Subject},
    relationships::{ActorId, NodeId, ObjectId, Relationships, SetRef},
    schema::Types,
};

/// Who is asked about, as handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Actor(Option<ActorId>),
    Everyone,
    Object(Option<ObjectId>),
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
        match &question.subject {
            Subject::Actor(actor) => Self::Actor(relationships.actor(actor)),
            Subject::Everyone => Self::Everyone,
            Subject::Object(object) => Self::Object(handle(object)),
            Subject::Userset { object, relation } => {
                let policy = relationships.policy();
                let node = policy
                    .resource(object.resource())
                    .and_then(|r| policy.node(r, relation.as_str()));
                Self::Userset(handle(object).zip(node))
            }
        }
    }

    /// Whether a member that is no userset is the one asked about, or stands for it.
    pub(crate) fn is(self, member: SetRef, types: &Types) -> bool {
        match member {
            SetRef::Everyone => types.everyone && matches!(self, Self::Actor(_) | Self::Everyone),
            SetRef::Object(id, resource) => {
                self == Self::Object(Some(id)) && types.objects.contains(&resource)
            }
            SetRef::Userset(..) | SetRef::Foreign => false,
        }
    }
}
