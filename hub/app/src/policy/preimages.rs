//! Documents as the hub sees them: their records, without the preimages of their ids.
//!
//! A document's author and scope stand in the preimage of its id, which the hub does not keep. What
//! hangs on them is unknown here, never assumed away: under `-` a fact that is left out would allow.
//! docs/spec/policy.md §3 says which facts those are.

use std::sync::Arc;

use ::policy::{
    keys::object_key, ActorId, MemberRef, NodeId, ObjectId, ObjectRef, Policy, ReadError,
    RecordReader, Relationships, Status, SubjectRef, Terms, TermsId, TreeRelationships,
};
use hub_types::document::looks_derived;

/// A tree's relationships, where documents lack what their preimages say: the owner of one without
/// a record, and the scope. An archived document grants nothing, so nothing of it is missing.
pub struct WithoutPreimages<'t, 'p, R>(pub &'t TreeRelationships<'p, R>);

impl<R: RecordReader> WithoutPreimages<'_, '_, R> {
    /// The error that stands for what is missing about `object`, if it is a document.
    fn missing(&self, object: ObjectId) -> Option<(ReadError, std::rc::Rc<ObjectRef>)> {
        let object = self.0.object_of(object)?;
        looks_derived(object.id()).then(|| {
            let key = object_key(object.resource(), object.id());
            (ReadError::Unavailable { key }, object)
        })
    }

    /// Whether what is recorded in `relation` of `object` is all: the error that stands for its scope
    /// where that may stand there.
    fn scope_is_known(&self, object: ObjectId, relation: NodeId) -> Result<(), ReadError> {
        let Some((missing, document)) = self.missing(object) else {
            return Ok(());
        };
        let policy = self.0.policy();
        let relation = policy.node_name(relation);
        let may_hold_scope = policy
            .resources()
            .any(|scope| policy.relation_allows_object(document.resource(), relation, scope));
        if may_hold_scope && self.0.status(object)? != Status::Archived {
            return Err(missing);
        }
        Ok(())
    }
}

impl<R: RecordReader> Relationships for WithoutPreimages<'_, '_, R> {
    fn policy(&self) -> &Policy {
        self.0.policy()
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.0.object(object)
    }

    fn actor(&self, actor: &::policy::Actor) -> Option<ActorId> {
        self.0.actor(actor)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        self.0.status(object)
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        match self.missing(object) {
            Some((missing, _)) if self.status(object)? == Status::Unregistered => Err(missing),
            _ => self.0.is_owner(object, actor),
        }
    }

    // A preimage names no actor but the owner, and no object but the scope.
    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        match self.0.contains(object, relation, subject)? {
            None if matches!(subject, SubjectRef::Object(_)) => {
                self.scope_is_known(object, relation).map(|()| None)
            }
            known => Ok(known),
        }
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.0.usersets(object, relation, into)
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.0.targets(object, relation, into)?;
        self.scope_is_known(object, relation)
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        self.0.terms(terms)
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        self.0.object_name(object)
    }
}
