//! Contextual relationships: laid over what is recorded, for one request.
//!
//! They are as good as recorded ones: admitted by the policy, in their place in the canonical order,
//! so a walk takes the same steps as over records that really hold them. One with the object, relation
//! and subject of a recorded one stands in its place, with its own terms. An object needs no record
//! for them; an archived one grants nothing, these included.

mod reverse;

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::cmp::Ordering;

use crate::{
    limits::CONTEXTUAL_MAX,
    name::{excerpt, Actor},
    reader::ReadError,
    relationship::{ObjectRef, Relationship, Subject},
    relationships::{
        ActorId, MemberRef, NodeId, ObjectId, Relationships, SetRef, Status, SubjectRef, TermsId,
    },
    schema::{Policy, RelationshipError},
    terms::Terms,
};

/// Why contextual relationships cannot be laid over others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// There are too many.
    #[error("{count} contextual relationships are more than the {CONTEXTUAL_MAX} that a request may have; record what is always so")]
    TooMany {
        /// How many were given.
        count: usize,
    },
    /// The policy does not admit one.
    #[error("contextual relationship {relationship:?}: {reason}")]
    NotAdmitted {
        /// Which, cut to a printable length.
        relationship: String,
        /// Why not.
        reason: Box<RelationshipError>,
    },
    /// Two have the same object, relation and subject.
    #[error("contextual relationship {relationship:?} is given twice; leave one out")]
    Twice {
        /// Which, cut to a printable length.
        relationship: String,
    },
}

/// Relationships with contextual ones laid over them. Documents are laid over the whole
/// ([`crate::WithDocuments`]), since what a preimage says stands before all members.
pub struct Overlay<'a, R> {
    below: &'a R,
    /// By object, relation and subject.
    entries: BTreeMap<(ObjectId, NodeId, SubjectRef), TermsId>,
    /// Members that lead on, by object and relation, in canonical order.
    sets: BTreeMap<(ObjectId, NodeId), Vec<MemberRef>>,
    by_subject: BTreeMap<SubjectRef, Vec<(ObjectId, NodeId)>>,
    /// Objects and actors that the layer below has never heard of.
    objects: Vec<ObjectRef>,
    actors: Vec<Actor>,
    terms: Vec<Arc<Terms>>,
}

/// Handles from here up are this layer's own, below those of [`crate::WithDocuments`], so that either
/// can be laid over the other. Stores count up from zero and end long before.
const OWN_HANDLES: u32 = 1 << 30;
const OWN_HANDLES_END: u32 = 1 << 31;

/// Handles of terms from here up are this layer's own.
const OWN_TERMS: u32 = 1 << 31;

/// The place of a handle among this layer's own.
fn own(handle: u32) -> Option<usize> {
    let own = (OWN_HANDLES..OWN_HANDLES_END).contains(&handle);
    own.then_some((handle.wrapping_sub(OWN_HANDLES)) as usize)
}

fn is_own(subject: SubjectRef) -> bool {
    match subject {
        SubjectRef::Actor(actor) => own(actor.0).is_some(),
        SubjectRef::Object(object) | SubjectRef::Userset(object, _) => own(object.0).is_some(),
        SubjectRef::Everyone | SubjectRef::Every(_) => false,
    }
}

impl<'a, R: Relationships> Overlay<'a, R> {
    /// Lays `relationships` over `below`.
    ///
    /// # Errors
    /// [`OverlayError`] names the first one that is wrong.
    pub fn new(below: &'a R, relationships: &[Relationship]) -> Result<Self, OverlayError> {
        if relationships.len() > CONTEXTUAL_MAX {
            return Err(OverlayError::TooMany {
                count: relationships.len(),
            });
        }
        let mut layer = Self {
            below,
            entries: BTreeMap::new(),
            sets: BTreeMap::new(),
            by_subject: BTreeMap::new(),
            objects: Vec::new(),
            actors: Vec::new(),
            terms: Vec::new(),
        };
        let mut sorted: Vec<&Relationship> = relationships.iter().collect();
        sorted.sort_unstable_by_key(|one| (&one.object, &one.relation, &one.subject));
        for relationship in sorted {
            layer.add(relationship)?;
        }
        Ok(layer)
    }

    /// Adds a relationship; those of one relation come in the order of their subjects.
    fn add(&mut self, relationship: &Relationship) -> Result<(), OverlayError> {
        let policy = self.below.policy();
        let refused = |reason| OverlayError::NotAdmitted {
            relationship: excerpt(&relationship.to_string()),
            reason: Box::new(reason),
        };
        policy.admits(relationship).map_err(refused)?;
        let resource = policy.resource(relationship.object.resource());
        let relation = resource
            .and_then(|resource| policy.node(resource, relationship.relation.as_str()))
            .and_then(|node| policy.recorded(node));
        let object = self.object_handle(&relationship.object);
        let (Some(relation), Some(subject)) = (relation, self.subject(&relationship.subject))
        else {
            return Ok(()); // admitted, so both are defined
        };
        let terms = self.terms_handle(&relationship.terms);
        let place = (object, relation);
        let before = self.entries.insert((object, relation, subject), terms);
        if before.is_some() {
            return Err(OverlayError::Twice {
                relationship: excerpt(&relationship.to_string()),
            });
        }
        self.by_subject.entry(subject).or_default().push(place);
        if let Some(set) = self.set(subject) {
            let sets = self.sets.entry(place).or_default();
            sets.push(MemberRef { set, terms });
        }
        Ok(())
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

    fn terms_handle(&mut self, terms: &Terms) -> TermsId {
        if terms.is_none() {
            return TermsId::NONE;
        }
        self.terms.push(Arc::new(terms.clone()));
        TermsId(OWN_TERMS + self.terms.len() as u32 - 1)
    }

    fn subject(&mut self, subject: &Subject) -> Option<SubjectRef> {
        let policy = self.below.policy();
        Some(match subject {
            Subject::Actor(actor) => SubjectRef::Actor(self.actor_handle(actor)),
            Subject::Everyone => SubjectRef::Everyone,
            Subject::Every(resource) => SubjectRef::Every(policy.resource(resource.as_str())?),
            Subject::Object(object) => SubjectRef::Object(self.object_handle(object)),
            Subject::Userset { object, relation } => {
                let resource = policy.resource(object.resource())?;
                let node = policy.node(resource, relation.as_str())?;
                SubjectRef::Userset(self.object_handle(object), node)
            }
        })
    }

    fn set(&self, subject: SubjectRef) -> Option<SetRef> {
        Some(match subject {
            SubjectRef::Actor(_) | SubjectRef::Everyone | SubjectRef::Every(_) => return None,
            SubjectRef::Object(object) => {
                let resource = self.object_name(object)?;
                let resource = self.below.policy().resource(resource.resource())?;
                SetRef::Object(object, resource)
            }
            SubjectRef::Userset(object, node) => SetRef::Userset(object, node),
        })
    }

    fn is_archived(&self, object: ObjectId) -> Result<bool, ReadError> {
        Ok(self.status(object)? == Status::Archived)
    }

    /// The canonical order of members; `None` where one names nothing that the policy defines.
    fn compare(&self, a: SetRef, b: SetRef) -> Option<Ordering> {
        let policy = self.below.policy();
        let objects = |a: ObjectId, b: ObjectId| match a == b {
            true => Ordering::Equal,
            false => self.object_name(a).cmp(&self.object_name(b)),
        };
        Some(match (a, b) {
            (SetRef::Foreign, _) | (_, SetRef::Foreign) => return None,
            (SetRef::Object(a, _), SetRef::Object(b, _)) => objects(a, b),
            (SetRef::Userset(a, m), SetRef::Userset(b, n)) => {
                objects(a, b).then_with(|| policy.node_name(m).cmp(policy.node_name(n)))
            }
            (SetRef::Object(..), SetRef::Userset(..)) => Ordering::Less,
            (SetRef::Userset(..), SetRef::Object(..)) => Ordering::Greater,
        })
    }

    /// Puts own members where they belong among those from `start` on.
    fn add_own(
        &self,
        object: ObjectId,
        relation: NodeId,
        wanted: impl Fn(SetRef) -> bool,
        start: usize,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let Some(all) = self.sets.get(&(object, relation)) else {
            return Ok(());
        };
        if self.is_archived(object)? {
            return Ok(());
        }
        let mut at = start;
        for member in all.iter().filter(|member| wanted(member.set)) {
            // One that names nothing is never followed, so it stands well on either side.
            let order = |other: &MemberRef| self.compare(other.set, member.set);
            let mut found = Ordering::Greater;
            while let Some(other) = into.get(at) {
                match order(other) {
                    None | Some(Ordering::Less) => at += 1,
                    Some(order) => {
                        found = order;
                        break;
                    }
                }
            }
            match (found, into.get_mut(at)) {
                (Ordering::Equal, Some(other)) => *other = *member,
                _ => into.insert(at, *member),
            }
            at += 1;
        }
        Ok(())
    }
}

impl<R: Relationships> Relationships for Overlay<'_, R> {
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
        match own(object.0) {
            Some(_) => Ok(Status::Unregistered),
            None => self.below.status(object),
        }
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        if own(object.0).is_some() || own(actor.0).is_some() {
            return Ok(false);
        }
        self.below.is_owner(object, actor)
    }

    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        if let Some(terms) = self.entries.get(&(object, relation, subject)) {
            return Ok((!self.is_archived(object)?).then_some(*terms));
        }
        if own(object.0).is_some() || is_own(subject) {
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
        let start = into.len();
        if own(object.0).is_none() {
            self.below.usersets(object, relation, into)?;
        }
        let is_userset = |set| matches!(set, SetRef::Userset(..));
        self.add_own(object, relation, is_userset, start, into)
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let start = into.len();
        if own(object.0).is_none() {
            self.below.targets(object, relation, into)?;
        }
        self.add_own(object, relation, |_| true, start, into)
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        match terms.0.checked_sub(OWN_TERMS) {
            Some(at) => self.terms.get(at as usize).cloned(),
            None => self.below.terms(terms),
        }
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        match own(object.0) {
            Some(at) => self.objects.get(at).cloned(),
            None => self.below.object_name(object),
        }
    }
}
