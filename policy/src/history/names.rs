//! Names as numbers.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};
use core::cmp::Ordering;

use crate::{name::Actor, relationship::ObjectRef};

/// The name of a resource, relation or permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Label(pub u32);

/// A member of a relation that is no actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Everyone,
    Every(Label),
    Object(u32),
    Userset(u32, Label),
}

/// Interned names. Found by comparison, not by hash: names are chosen by strangers.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    objects: BTreeMap<ObjectRef, u32>,
    by_object: Vec<(ObjectRef, Label)>,
    actors: BTreeMap<Actor, u32>,
    by_actor: Vec<Actor>,
    labels: BTreeMap<String, Label>,
    by_label: Vec<String>,
}

impl Names {
    pub(super) fn object(&mut self, object: &ObjectRef) -> u32 {
        if let Some(id) = self.objects.get(object) {
            return *id;
        }
        let resource = self.label(object.resource());
        let id = self.by_object.len() as u32;
        self.objects.insert(object.clone(), id);
        self.by_object.push((object.clone(), resource));
        id
    }

    pub(super) fn find_object(&self, object: &ObjectRef) -> Option<u32> {
        self.objects.get(object).copied()
    }

    /// The label of an object's resource.
    pub(super) fn resource_of(&self, object: u32) -> Option<Label> {
        self.by_object
            .get(object as usize)
            .map(|(_, resource)| *resource)
    }

    pub(super) fn actor(&mut self, actor: &Actor) -> u32 {
        if let Some(id) = self.actors.get(actor) {
            return *id;
        }
        let id = self.by_actor.len() as u32;
        self.actors.insert(actor.clone(), id);
        self.by_actor.push(actor.clone());
        id
    }

    pub(super) fn find_actor(&self, actor: &Actor) -> Option<u32> {
        self.actors.get(actor).copied()
    }

    pub(super) fn actor_name(&self, actor: u32) -> Option<&Actor> {
        self.by_actor.get(actor as usize)
    }

    pub(super) fn label(&mut self, name: &str) -> Label {
        if let Some(label) = self.labels.get(name) {
            return *label;
        }
        let label = Label(self.by_label.len() as u32);
        self.labels.insert(name.to_owned(), label);
        self.by_label.push(name.to_owned());
        label
    }

    /// The canonical order of subjects: everyone, objects, usersets; then by name.
    pub(super) fn compare(&self, a: &Member, b: &Member) -> Ordering {
        let rank = |member: &Member| match member {
            Member::Everyone => 0,
            Member::Every(_) => 1,
            Member::Object(_) => 2,
            Member::Userset(..) => 3,
        };
        let object = |id: u32| self.by_object.get(id as usize).map(|(object, _)| object);
        let label = |label: Label| self.by_label.get(label.0 as usize);
        match (a, b) {
            (Member::Every(a), Member::Every(b)) => label(*a).cmp(&label(*b)),
            (Member::Object(a), Member::Object(b)) => object(*a).cmp(&object(*b)),
            (Member::Userset(a, x), Member::Userset(b, y)) => object(*a)
                .cmp(&object(*b))
                .then_with(|| label(*x).cmp(&label(*y))),
            _ => rank(a).cmp(&rank(b)),
        }
    }
}
