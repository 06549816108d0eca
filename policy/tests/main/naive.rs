//! Relationships in a list that is searched from end to end: the second reader of subjects.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use policy::{
    Actor, ActorId, MemberRef, NodeId, ObjectId, ObjectRef, Policy, ReadError, Relationship,
    Relationships, ResourceId, Reverse, SetRef, Status, Subject, SubjectRef, Terms, TermsId,
};

use crate::{
    cast::{object, relationships},
    oracle::{universe, World},
};

pub struct Naive<'a> {
    policy: &'a Policy,
    owners: Vec<(ObjectRef, Actor)>,
    archived: BTreeSet<ObjectRef>,
    all: Vec<Relationship>,
    objects: Vec<ObjectRef>,
    actors: Vec<Actor>,
}

impl<'a> Naive<'a> {
    pub fn new(policy: &'a Policy, world: &World) -> Self {
        let owners: Vec<(ObjectRef, Actor)> = world
            .owners
            .iter()
            .map(|(o, owner)| (object(o), Actor::new(owner).unwrap()))
            .collect();
        let all = relationships(&world.facts);
        let mut actors: BTreeSet<Actor> = owners.iter().map(|(_, owner)| owner.clone()).collect();
        for relationship in &all {
            if let Subject::Actor(actor) = &relationship.subject {
                actors.insert(actor.clone());
            }
        }
        let unlaid = World {
            documents: vec![],
            contextual: Default::default(),
            ..world.clone()
        };
        Self {
            policy,
            owners,
            archived: world.archived.iter().map(object).collect(),
            all,
            // Handles must not matter: the last come first.
            objects: universe(&unlaid).iter().rev().map(object).collect(),
            actors: actors.into_iter().rev().collect(),
        }
    }

    fn name(&self, object: ObjectId) -> Option<&ObjectRef> {
        self.objects.get(object.0 as usize)
    }

    fn grants(&self, object: &ObjectRef) -> bool {
        !self.archived.contains(object)
    }

    fn handle(&self, object: &ObjectRef) -> Option<ObjectId> {
        let at = self.objects.iter().position(|known| known == object)?;
        Some(ObjectId(at as u32))
    }

    fn actor_handle(&self, actor: &Actor) -> Option<ActorId> {
        let at = self.actors.iter().position(|known| known == actor)?;
        Some(ActorId(at as u32))
    }

    /// The relationships of a relation, each with its terms' handle.
    fn of(&self, object: ObjectId, relation: NodeId) -> Vec<(&Relationship, TermsId)> {
        let (name, relation) = (self.name(object), self.policy.node_name(relation));
        self.all
            .iter()
            .enumerate()
            .filter(|(_, one)| Some(&one.object) == name && one.relation.as_str() == relation)
            .filter(|(_, one)| self.grants(&one.object))
            .map(|(at, one)| (one, self.terms_id(at)))
            .collect()
    }

    /// Whether a handle stands for a subject.
    fn is(&self, one: &Subject, subject: SubjectRef) -> bool {
        match (one, subject) {
            (Subject::Actor(actor), SubjectRef::Actor(id)) => self.actor_handle(actor) == Some(id),
            (one, SubjectRef::Everyone) => *one == Subject::Everyone,
            (Subject::Every(resource), SubjectRef::Every(id)) => {
                self.policy.resource(resource.as_str()) == Some(id)
            }
            (one, SubjectRef::Object(id)) => {
                matches!(self.set(one), SetRef::Object(found, _) if found == id)
            }
            (one, SubjectRef::Userset(id, node)) => self.set(one) == SetRef::Userset(id, node),
            _ => false,
        }
    }

    /// Those of a relation's members that are wanted, in canonical order.
    fn members(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
        wanted: impl Fn(&Subject) -> bool,
    ) {
        let mut all = self.of(object, relation);
        all.retain(|(one, _)| wanted(&one.subject));
        all.sort_by(|(a, _), (b, _)| a.subject.cmp(&b.subject));
        into.extend(all.into_iter().map(|(one, terms)| MemberRef {
            set: self.set(&one.subject),
            terms,
        }));
    }

    fn terms_id(&self, at: usize) -> TermsId {
        match self.all[at].terms.is_none() {
            true => TermsId::NONE,
            false => TermsId(at as u32 + 1),
        }
    }

    fn set(&self, subject: &Subject) -> SetRef {
        let named = |object: &ObjectRef| {
            let resource = self.policy.resource(object.resource())?;
            Some((self.handle(object)?, resource))
        };
        let found = match subject {
            Subject::Actor(_) | Subject::Everyone | Subject::Every(_) => None,
            Subject::Object(object) => named(object).map(|(o, r)| SetRef::Object(o, r)),
            Subject::Userset { object, relation } => named(object).and_then(|(o, r)| {
                let node = self.policy.node(r, relation.as_str())?;
                Some(SetRef::Userset(o, node))
            }),
        };
        found.unwrap_or(SetRef::Foreign)
    }
}

impl Relationships for Naive<'_> {
    fn policy(&self) -> &Policy {
        self.policy
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.handle(object)
    }

    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        self.actor_handle(actor)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        let name = self.name(object);
        let registered = self.owners.iter().any(|(of, _)| Some(of) == name);
        Ok(match name {
            Some(name) if registered && self.archived.contains(name) => Status::Archived,
            Some(_) if registered => Status::Active,
            _ => Status::Unregistered,
        })
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        Ok(Reverse::owner(self, object) == Some(actor))
    }

    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        subject: SubjectRef,
    ) -> Result<Option<TermsId>, ReadError> {
        let mut all = self.of(object, relation).into_iter();
        let found = all.find(|(one, _)| self.is(&one.subject, subject));
        Ok(found.map(|(_, terms)| terms))
    }

    fn usersets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.members(object, relation, into, |subject| {
            matches!(subject, Subject::Userset { .. })
        });
        Ok(())
    }

    fn targets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        self.members(object, relation, into, |subject| {
            matches!(subject, Subject::Userset { .. } | Subject::Object(_))
        });
        Ok(())
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        let at = terms.0.checked_sub(1)? as usize;
        Some(Arc::new(self.all.get(at)?.terms.clone()))
    }

    fn object_name(&self, object: ObjectId) -> Option<ObjectRef> {
        self.name(object).cloned()
    }
}

impl Reverse for Naive<'_> {
    fn actors(
        &self,
        object: ObjectId,
        relation: NodeId,
        visit: &mut dyn FnMut(ActorId, TermsId) -> ControlFlow<()>,
    ) {
        let _ = self
            .of(object, relation)
            .into_iter()
            .filter_map(|(one, terms)| match &one.subject {
                Subject::Actor(actor) => Some((self.actor_handle(actor)?, terms)),
                _ => None,
            })
            .try_for_each(|(actor, terms)| visit(actor, terms));
    }

    fn owner(&self, object: ObjectId) -> Option<ActorId> {
        let name = self.name(object).filter(|name| self.grants(name))?;
        let (_, owner) = self.owners.iter().find(|(of, _)| of == name)?;
        self.actor_handle(owner)
    }

    fn owned(&self, actor: ActorId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        let name = self.actor_name(actor);
        let _ = self
            .owners
            .iter()
            .filter(|(of, owner)| Some(owner) == name.as_ref() && self.grants(of))
            .filter_map(|(of, _)| self.handle(of))
            .try_for_each(visit);
    }

    fn held(
        &self,
        subject: SubjectRef,
        visit: &mut dyn FnMut(ObjectId, NodeId, TermsId) -> ControlFlow<()>,
    ) {
        let _ = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, one)| self.is(&one.subject, subject) && self.grants(&one.object))
            .filter_map(|(at, one)| {
                let resource = self.policy.resource(one.object.resource())?;
                let node = self.policy.node(resource, one.relation.as_str())?;
                let object = self.handle(&one.object)?;
                Some((object, self.policy.recorded(node)?, self.terms_id(at)))
            })
            .try_for_each(|(object, node, terms)| visit(object, node, terms));
    }

    fn objects(&self, resource: ResourceId, visit: &mut dyn FnMut(ObjectId) -> ControlFlow<()>) {
        let _ = (0..self.objects.len() as u32)
            .map(ObjectId)
            .filter(|id| self.resource_of(*id) == Some(resource))
            .try_for_each(visit);
    }

    fn resource_of(&self, object: ObjectId) -> Option<ResourceId> {
        self.policy.resource(self.name(object)?.resource())
    }

    fn actor_name(&self, actor: ActorId) -> Option<Actor> {
        self.actors.get(actor.0 as usize).cloned()
    }
}
