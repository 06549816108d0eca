//! Who has a permission on an object.

use alloc::{borrow::Cow, string::String, vec::Vec};

use crate::{
    asked::Asked,
    check::{resolve, resolve_resource},
    limits::Limits,
    question::{CheckError, Circumstances, Decision},
    relationship::ObjectRef,
    relationships::{ActorId, ObjectId, Reverse},
    schema::Policy,
};

use super::{
    named::{Kind, Named, Naming},
    shared::{Decided, Shared},
};

/// Which subjects are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Actors.
    Actors,
    /// Objects of a resource.
    Objects(&'a str),
    /// Usersets: of objects of a resource, of one of its relations or permissions.
    Usersets(&'a str, &'a str),
}

/// Who has a permission on an object: one page.
///
/// Subjects are texts: of actors the DID, of objects and of usersets the id of the object. Somebody
/// who stands in none of the lists is decided as `everyone` is. Where everyone has the permission,
/// those are still listed whom a relationship names that grants it, though not those whom one names
/// that takes away from others only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// Those who have it, sorted bytewise.
    pub allowed: Vec<String>,
    /// Those who may have it with more context, sorted, each with what is missing.
    pub conditional: Vec<(String, Vec<String>)>,
    /// Those who do not have it although everyone else has or may have it, sorted.
    pub excluded: Vec<String>,
    /// Whether any other subject of the kind has it, however many there are: through `*` or `R:*`.
    pub everyone: Decided,
    /// What to ask for `after`, where there may be more; `None`: that was the last page.
    pub next: Option<String>,
    /// What it took.
    pub steps: u64,
}

/// Lists who has `permission` on `object`, in the order of their texts: those after the text `after`,
/// `most` of them in all lists together (one at least). The lists are complete up to their end, or
/// there are none: everybody of whom [`crate::check`] says allow or conditional is in them.
///
/// Where `check` is an error, a subject is left out if it can never be an allow, whatever it is that
/// could not be told; that is no deny of it.
///
/// # Errors
/// As [`crate::check`], also where `wanted` names what the policy does not define. The bound on steps
/// is that of the whole lookup: [`Limits::LOOKUP`]. If one subject cannot be decided, there is no list.
#[allow(
    clippy::too_many_arguments,
    reason = "a question, where it is asked, and a page"
)]
pub fn lookup_subjects<R: Reverse + ?Sized>(
    relationships: &R,
    object: &ObjectRef,
    permission: &str,
    wanted: Wanted<'_>,
    circumstances: &Circumstances,
    limits: Limits,
    after: Option<&str>,
    most: usize,
) -> Result<Subjects, CheckError> {
    let policy = relationships.policy();
    let node = resolve(policy, object.resource(), permission)?;
    let kind = kind(policy, wanted)?;
    let id = relationships.object(object).unwrap_or(ObjectId::NOWHERE);
    let root = (id, node);
    let named = Named::below(root, kind, relationships, circumstances, limits.steps_max)?;
    let mut lookup = Lookup {
        relationships,
        circumstances,
        limits,
        root,
        kind,
        steps: named.steps,
    };
    let everyone = match named.all {
        true => lookup.everyone()?,
        false => Decided::DENY,
    };
    let text = |subject: &u32| match (kind, ObjectId(*subject)) {
        (Kind::Actors, _) => relationships.actor_text(ActorId(*subject)),
        (_, ObjectId::NOWHERE) => Cow::Borrowed(object.id()),
        (_, object) => relationships.object_id(object),
    };
    let mut sorted: Vec<(Cow<'_, str>, u32)> = named
        .subjects
        .iter()
        // Where nobody has it as one of all, nobody has it without being granted it by name.
        .filter(|subject| named.all || named.naming(**subject) > Naming::Subtracted)
        .map(|subject| (text(subject), *subject))
        .filter(|(text, _)| after.is_none_or(|after| **text > *after))
        .collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));

    let mut page = Subjects {
        allowed: Vec::new(),
        conditional: Vec::new(),
        excluded: Vec::new(),
        everyone,
        next: None,
        steps: 0,
    };
    let mut candidates = sorted.into_iter();
    for (text, subject) in candidates.by_ref() {
        let naming = named.naming(subject);
        let decided = match naming {
            Naming::Certain => Decided::ALLOW,
            Naming::Granting | Naming::Subtracted => lookup.decide(subject)?,
        };
        if !page.add(&text, naming, decided) {
            continue;
        }
        if page.len() >= most.max(1) {
            page.next = Some(text.into_owned());
            break;
        }
    }
    if candidates.len() == 0 {
        page.next = None;
    }
    page.steps = lookup.steps;
    Ok(page)
}

fn kind(policy: &Policy, wanted: Wanted<'_>) -> Result<Kind, CheckError> {
    Ok(match wanted {
        Wanted::Actors => Kind::Actors,
        Wanted::Objects(resource) => Kind::Objects(resolve_resource(policy, resource)?),
        Wanted::Usersets(resource, relation) => {
            Kind::Usersets(resolve(policy, resource, relation)?)
        }
    })
}

impl Subjects {
    fn len(&self) -> usize {
        self.allowed.len() + self.conditional.len() + self.excluded.len()
    }

    /// Lists a subject where it belongs; whether it does anywhere.
    fn add(&mut self, text: &str, naming: Naming, decided: Decided) -> bool {
        let is_granted = naming > Naming::Subtracted && decided.decision != Decision::Deny;
        if !is_granted && decided == self.everyone {
            return false;
        }
        match decided.decision {
            Decision::Allow => self.allowed.push(text.into()),
            Decision::Deny => self.excluded.push(text.into()),
            Decision::Conditional => self.conditional.push((text.into(), decided.missing)),
        }
        true
    }
}

struct Lookup<'a, R: ?Sized> {
    relationships: &'a R,
    circumstances: &'a Circumstances,
    limits: Limits,
    root: (ObjectId, crate::NodeId),
    kind: Kind,
    steps: u64,
}

impl<R: Reverse + ?Sized> Lookup<'_, R> {
    /// Decides for one whom no relationship names.
    fn everyone(&mut self) -> Result<Decided, CheckError> {
        self.ask(match self.kind {
            Kind::Actors => Asked::Actor(None),
            Kind::Objects(resource) => Asked::Every(Some(resource)),
            Kind::Usersets(_) => Asked::Userset(None),
        })
    }

    fn decide(&mut self, subject: u32) -> Result<Decided, CheckError> {
        self.ask(match self.kind {
            Kind::Actors => Asked::Actor(Some(ActorId(subject))),
            Kind::Objects(resource) => Asked::Object(Some(ObjectId(subject)), Some(resource)),
            Kind::Usersets(node) => Asked::Userset(Some((ObjectId(subject), node))),
        })
    }

    fn ask(&mut self, asked: Asked) -> Result<Decided, CheckError> {
        let limits = Limits {
            steps_max: self.limits.steps_max.saturating_sub(self.steps),
            ..self.limits
        };
        let (object, node) = self.root;
        let mut shared = Shared::new(self.relationships, asked, self.circumstances, limits);
        let decided = shared.decide(object, node);
        self.steps = self.steps.saturating_add(shared.steps());
        decided.map_err(|error| match error {
            CheckError::TooManySteps { .. } => CheckError::TooManySteps {
                limit: self.limits.steps_max,
            },
            error => error,
        })
    }
}
