//! A history as of one revision.

use alloc::{sync::Arc, vec::Vec};

use crate::{
    change::CollectionRecord,
    name::{Actor, Name},
    reader::ReadError,
    relationship::ObjectRef,
    relationships::{ActorId, MemberRef, NodeId, ObjectId, Relationships, SetRef, Status, TermsId},
    schema::Policy,
    terms::Terms,
};

use super::{in_force, names::Member, Era, History, ObjectHistory, Revision, Stamp};

/// A history as of one revision. Cheap to make and to copy.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    history: &'a History,
    era: &'a Era,
    about: Revision,
    at: Stamp,
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History, era: &'a Era, about: Revision) -> Self {
        Self {
            history,
            era,
            about,
            at: about.revision as Stamp,
        }
    }

    /// The revision, its height and its time.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.about
    }

    /// The policy in force, for as long as the history lives.
    #[must_use]
    pub fn definition(&self) -> &'a Policy {
        &self.era.policy
    }

    /// A collection as of the revision.
    #[must_use]
    pub fn collection(&self, resource: &Name, name: &Name) -> Option<&'a CollectionRecord> {
        let versions = self
            .history
            .collections
            .get(&(resource.clone(), name.clone()))?;
        in_force(versions, self.at)
    }

    /// All collections as of the revision: resource, name, record; sorted.
    pub fn collections(
        &self,
    ) -> impl Iterator<Item = (&'a Name, &'a Name, &'a CollectionRecord)> + 'a {
        let at = self.at;
        let all = self.history.collections.iter();
        all.filter_map(move |((resource, name), versions)| {
            Some((resource, name, in_force(versions, at)?))
        })
    }

    /// Who owns `object`, where it is registered and not archived.
    #[must_use]
    pub fn owner(&self, object: &ObjectRef) -> Option<&'a Actor> {
        let object = self.object(object)?;
        let owner = self.owner_handle(object)?;
        self.history.names.actor_name(owner)
    }

    fn object_history(&self, object: ObjectId) -> Option<&'a ObjectHistory> {
        self.history.objects.get(object.0 as usize)
    }

    fn owner_handle(&self, object: ObjectId) -> Option<u32> {
        let history = self.object_history(object)?;
        let owner = in_force(&history.owners, self.at).copied()?;
        (!self.is_archived(history)).then_some(owner)
    }

    fn is_archived(&self, history: &ObjectHistory) -> bool {
        in_force(&history.archived, self.at) == Some(&true)
    }

    /// Whether an object's relationships count.
    fn grants(&self, object: ObjectId) -> bool {
        self.object_history(object)
            .is_some_and(|history| !self.is_archived(history))
    }
}

impl Relationships for View<'_> {
    fn policy(&self) -> &Policy {
        &self.era.policy
    }

    fn object(&self, object: &ObjectRef) -> Option<ObjectId> {
        self.history.names.find_object(object).map(ObjectId)
    }

    fn actor(&self, actor: &Actor) -> Option<ActorId> {
        self.history.names.find_actor(actor).map(ActorId)
    }

    fn status(&self, object: ObjectId) -> Result<Status, ReadError> {
        Ok(match self.object_history(object) {
            Some(history) if in_force(&history.owners, self.at).is_some() => {
                if self.is_archived(history) {
                    Status::Archived
                } else {
                    Status::Active
                }
            }
            _ => Status::Unregistered,
        })
    }

    fn is_owner(&self, object: ObjectId, actor: ActorId) -> Result<bool, ReadError> {
        Ok(self.owner_handle(object) == Some(actor.0))
    }

    fn contains(
        &self,
        object: ObjectId,
        relation: NodeId,
        actor: ActorId,
    ) -> Result<Option<TermsId>, ReadError> {
        let Some(label) = self.era.labels.get(relation.0 as usize) else {
            return Ok(None);
        };
        if !self.grants(object) {
            return Ok(None);
        }
        let key = (object.0, *label, actor.0);
        Ok(self.history.direct.holds(key, self.at))
    }

    fn sets(
        &self,
        object: ObjectId,
        relation: NodeId,
        into: &mut Vec<MemberRef>,
    ) -> Result<(), ReadError> {
        let Some(label) = self.era.labels.get(relation.0 as usize) else {
            return Ok(());
        };
        let Some(lists) = self.history.sets.get(&(object.0, *label)) else {
            return Ok(());
        };
        if !self.grants(object) {
            return Ok(());
        }
        let names = &self.history.names;
        let resource = |id: u32| {
            names
                .resource_of(id)
                .and_then(|label| Some((label, *self.era.resources.get(&label.0)?)))
        };
        lists.for_each(
            self.at,
            |a, b| names.compare(a, b),
            |member, terms| {
                let set = match member {
                    Member::Everyone => SetRef::Everyone,
                    Member::Every(label) => self
                        .era
                        .resources
                        .get(&label.0)
                        .map_or(SetRef::Foreign, |resource| SetRef::Every(*resource)),
                    Member::Object(id) => resource(id)
                        .map_or(SetRef::Foreign, |(_, r)| SetRef::Object(ObjectId(id), r)),
                    Member::Userset(id, relation) => resource(id)
                        .and_then(|(label, _)| self.era.nodes.get(&(label.0, relation.0)))
                        .map_or(SetRef::Foreign, |node| SetRef::Userset(ObjectId(id), *node)),
                };
                into.push(MemberRef { set, terms });
            },
        );
        Ok(())
    }

    fn terms(&self, terms: TermsId) -> Option<Arc<Terms>> {
        let at = terms.0.checked_sub(1)?;
        self.history.terms.get(at as usize).cloned()
    }
}
