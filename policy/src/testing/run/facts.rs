//! The relationships of a test file, checked against its policy.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Place, Run};
use crate::{
    history::{History, HistoryError},
    name::Actor,
    relationship::{ObjectRef, Relationship, Subject},
    schema::{Policy, OWNER},
};

/// Relationships that a policy admits, and who owns what.
#[derive(Clone, Default)]
pub(super) struct Facts {
    owners: Vec<(ObjectRef, Actor)>,
    relationships: Vec<Relationship>,
    owned: BTreeSet<ObjectRef>,
    seen: BTreeSet<Relationship>,
}

impl Facts {
    /// Adds a relationship; one of the relation `owner`, where that is implicit, registers its object.
    pub fn add(&mut self, policy: &Policy, relationship: &Relationship) -> Result<(), String> {
        let object = &relationship.object;
        match &relationship.subject {
            Subject::Actor(actor)
                if relationship.relation.as_str() == OWNER
                    && policy.implicit_owner()
                    && relationship.terms.is_none()
                    && policy.resource_exists(object.resource()) =>
            {
                if !self.owned.insert(object.clone()) {
                    return Err(format!("{object} has an owner already; remove one"));
                }
                self.owners.push((object.clone(), actor.clone()));
            }
            _ => {
                policy.admits(relationship).map_err(|no| no.to_string())?;
                let Relationship {
                    object,
                    relation,
                    subject,
                    ..
                } = relationship.clone();
                if !self
                    .seen
                    .insert(Relationship::new(object, relation, subject))
                {
                    let wrong = "this relationship stands here for the second time; remove one";
                    return Err(wrong.into());
                }
                self.relationships.push(relationship.clone());
            }
        }
        Ok(())
    }

    /// What holds with `others` in addition; where both say something of the same, the others hold.
    pub fn with(&self, others: &Self) -> Self {
        let mut all = self.clone();
        all.owners
            .retain(|(object, _)| !others.owned.contains(object));
        all.owners.extend(others.owners.iter().cloned());
        // Setting a relationship again sets its terms.
        all.relationships
            .extend(others.relationships.iter().cloned());
        all
    }

    pub fn is_empty(&self) -> bool {
        self.owners.is_empty() && self.relationships.is_empty()
    }

    /// A world in which nothing else holds; objects need no owner in it. What goes wrong is a failure.
    pub fn world(&self, run: &mut Run<'_>, place: Place, policy: &Policy) -> Option<History> {
        match self.history(policy) {
            Ok(history) => Some(history),
            Err(wrong) => {
                let what = "relationships that fit into memory";
                run.broken(place, "the relationships", what, wrong.to_string());
                None
            }
        }
    }

    fn history(&self, policy: &Policy) -> Result<History, HistoryError> {
        let owners = self.owners.iter().map(|(object, owner)| (object, owner));
        History::of(policy.clone(), &self.relationships)?.owned(owners)
    }
}
