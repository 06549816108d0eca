//! Documents need no registration: what every reader derives from a document's preimage, laid over
//! what the hub records.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use crate::{
    name::{Actor, Name},
    reader::ReadError,
    relationship::ObjectRef,
    relationships::{
        ActorId, MemberRef, NodeId, ObjectId, Relationships, ResourceId, SetRef, Status,
        SubjectRef, TermsId,
    },
    schema::{Body, Policy},
    terms::Terms,
    types::{Allowed, SubjectType},
};

/// What the preimage of a document's id says, checked by the caller against that id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentFacts {
    /// The document.
    pub object: ObjectRef,
    /// Its author, who owns it as long as the hub has no record of it. `None` when the question is
    /// whether it may be created: ownership never permits creation, so a record that the author made
    /// beforehand counts for nothing then, and its scope alone speaks.
    pub owner: Option<Actor>,
    /// The relation that its collection names for the scope.
    pub scope_relation: Name,
    /// The object that it was created in.
    pub scope: ObjectRef,
}

/// Relationships with derived documents laid over them.
///
/// A document's scope stands in its scope relation, before the members that are recorded. Its
/// author owns it while the layer below has no record of it; from then on only that record says who
/// owns it. An archived document grants nothing, its scope included. A document whose creation is
/// asked about (facts without an owner) has no record here, whatever the layer below holds.
pub struct WithDocuments<'a, R> {
    below: &'a R,
    documents: BTreeMap<ObjectId, Derived>,
    /// Objects and actors that the layer below has never heard of; a handle is a place in it, counted
    /// down from the highest.
    objects: Vec<ObjectRef>,
    actors: Vec<Actor>,
}

struct Derived {
    owner: Option<ActorId>,
    scope_relation: Option<NodeId>,
    scope: SetRef,
    /// Whether the relation admits the scope, which stands there without terms.
    is_admitted: bool,
}

/// Handles from here up are this layer's own. The layer below counts up from zero, and a policy of
/// two thousand million objects is beyond every other bound.
const OWN_HANDLES: u32 = 1 << 31;

impl<'a, R: Relationships> WithDocuments<'a, R> {
    /// Lays `facts` over `below`. Facts that the policy has no place for (an unknown resource or
    /// scope relation) add nothing; of two facts about one document the first counts.
    pub fn new(below: &'a R, facts: &[DocumentFacts]) -> Self {
        let mut layer = Self {
            below,
            documents: BTreeMap::new(),
            objects: Vec::new(),
            actors: Vec::new(),
        };
        for fact in facts {
            let policy = below.policy();
            let id = layer.object_handle(&fact.object);
            let scope_id = layer.object_handle(&fact.scope);
            let owner = fact.owner.as_ref().map(|actor| layer.actor_handle(actor));
            let resource =
                |object: &ObjectRef| -> Option<ResourceId> { policy.resource(object.resource()) };
            let scope_relation = resource(&fact.object)
                .and_then(|r| policy.node(r, fact.scope_relation.as_str()))
                .and_then(|node| policy.recorded(node));
            let scope = resource(&fact.scope);
            let body = scope_relation.and_then(|node| policy.body_node(node));
            let derived = Derived {
                owner,
                scope_relation,
                scope: scope.map_or(SetRef::Foreign, |r| SetRef::Object(scope_id, r)),
                is_admitted: match (body.map(|node| &node.body), scope) {
                    (Some(Body::Relation(types)), Some(scope)) => {
                        types.admits(Allowed::bare(SubjectType::Object(scope)))
                    }
                    _ => false,
                },
            };
            layer.documents.entry(id).or_insert(derived);
        }
        layer
    }

    fn object_handle(&mut self, object: &ObjectRef) -> ObjectId {
        self.object(object).unwrap_or_else(|| {
            self.objects.push(object.clone());
            ObjectId(OWN_HANDLES + self.objects.len() as u32 - 1)
        })
    }

    fn actor_handle(&mut self, actor: &Actor) -> ActorId {
        self.actor(actor).unwrap_or_else(|| {
            self.actors.push(actor.clone());
            ActorId(OWN_HANDLES + self.actors.len() as u32 - 1)
        })
    }

    /// What says the scope of a document, where `relation` is the one that holds it.
    fn scope(&self, object: ObjectId, relation: NodeId) -> Result<Option<&Derived>, ReadError> {
        let document = self.derived(object);
        let document = document.filter(|document| document.scope_relation == Some(relation));
        Ok(match document {
            Some(document) if self.status(object)? != Status::Archived => Some(document),
            _ => None,
        })
    }

    fn derived(&self, object: ObjectId) -> Option<&Derived> {
        self.documents.get(&object)
    }

    /// Whether what the layer below holds about `object` counts: not where it never heard of it, and
    /// not where the object's creation is asked about. It is not even read then, so evidence for a
    /// creation needs no record of the document.
    fn counts_below(&self, object: ObjectId) -> bool {
        object.0 < OWN_HANDLES
            && self
                .derived(object)
                .is_none_or(|document| document.owner.is_some())
    }
}

impl<R: Relationships> Relationships for WithDocuments<'_, R> {
    fn policy(&self) -> &Policy {
        self.below.policy()
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.below.object(object).or_else(|| {
            let at = self.objects.iter().position(|own| own == object)?;
            Some(ObjectId(OWN_HANDLES + at as u32))
        })
    }

    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        self.below.actor(actor).or_else(|| {
            let at = self.actors.iter().position(|own| own == actor)?;
            Some(ActorId(OWN_HANDLES + at as u32))
        })
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        if !self.counts_below(object) {
            return Ok(Status::Unregistered);
        }
        self.below.status(object)
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        match self.derived(object).and_then(|document| document.owner) {
            Some(owner) if self.status(object)? == Status::Unregistered => Ok(owner == actor),
            _ if !self.counts_below(object) => Ok(false),
            _ => self.below.is_owner(object, actor),
        }
    }

    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        // Recorded as well, it stands there twice: without terms, and on those that are recorded. The
        // union of both is the former where the types list it, else the latter.
        let is_scope = self.scope(object, relation)?.is_some_and(|document| {
            let is = |id| subject == SubjectRef::Object(id);
            document.is_admitted && matches!(document.scope, SetRef::Object(id, _) if is(id))
        });
        if is_scope {
            return Ok(Some(TermsId::NONE));
        }
        let unheard = match subject {
            SubjectRef::Actor(actor) => actor.0 >= OWN_HANDLES,
            SubjectRef::Object(object) => object.0 >= OWN_HANDLES,
            SubjectRef::Everyone | SubjectRef::Every(_) | SubjectRef::Userset(..) => false,
        };
        if unheard || !self.counts_below(object) {
            return Ok(None);
        }
        self.below.contains(object, relation, subject)
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        if !self.counts_below(object) {
            return Ok(());
        }
        self.below.usersets(object, relation, into)
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let document = self.scope(object, relation)?;
        into.extend(document.map(|document| MemberRef::bare(document.scope)));
        if !self.counts_below(object) {
            return Ok(());
        }
        self.below.targets(object, relation, into)
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        self.below.terms(terms)
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        match object.0.checked_sub(OWN_HANDLES) {
            Some(at) => self.objects.get(at as usize).cloned(),
            None => self.below.object_name(object),
        }
    }
}
