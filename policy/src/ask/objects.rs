//! On which objects a subject has a permission.

use alloc::{borrow::Cow, string::String, vec::Vec};

use crate::{
    asked::Asked,
    check::resolve,
    limits::Limits,
    question::{CheckError, Circumstances, Decision},
    relationship::Subject,
    relationships::{ObjectId, Reverse},
};

use super::{
    brief::Brief,
    candidates::candidates,
    shared::{Decided, Shared},
    sorted::order_of,
};

/// Objects on which a subject has a permission: one page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects<'a> {
    /// Ids of those on which it has it, sorted bytewise.
    pub allowed: Vec<Cow<'a, str>>,
    /// Ids of those on which it may have it with more context, sorted, each with what is missing.
    pub conditional: Vec<(Cow<'a, str>, Vec<String>)>,
    /// What to ask for `after`, where there may be more; `None`: that was the last page.
    pub next: Option<Cow<'a, str>>,
    /// What it took.
    pub steps: u64,
}

/// Lists the objects of `resource` on which `subject` has `permission`, in the order of their ids:
/// those after the id `after`, `most` of them (one at least). The list is complete up to its end, or
/// there is none: every object of which [`crate::check`] says allow or conditional is on it, and no
/// other.
///
/// Where `check` is an error, the object is left out if it can never be an allow, whatever it is that
/// could not be told: candidates are found from the subject backwards, through what grants, and
/// nobody looks at what would only take away. So an object may be missing here without an error where
/// a check of it alone says that it could not tell; that is no deny of it.
///
/// # Errors
/// As [`crate::check`]. The bound on steps is that of the whole lookup: [`Limits::LOOKUP`]. If a
/// candidate cannot be decided, there is no list.
#[allow(
    clippy::too_many_arguments,
    reason = "a question, where it is asked, and a page"
)]
pub fn lookup_objects<'a, R: Reverse + ?Sized>(
    relationships: &'a R,
    subject: &Subject,
    permission: &str,
    resource: &str,
    circumstances: &Circumstances,
    limits: Limits,
    after: Option<&str>,
    most: usize,
) -> Result<Objects<'a>, CheckError> {
    let target = resolve(relationships.policy(), resource, permission)?;
    let asked = Asked::about(relationships, subject);
    let found = candidates(relationships, asked, target, circumstances, limits)?;
    let name = |object: ObjectId| match object {
        ObjectId::NOWHERE => Cow::Owned(own_id(subject).into()),
        _ => relationships.object_id(object),
    };
    let mut named: Vec<(Cow<'_, str>, ObjectId)> = Vec::with_capacity(found.objects.len());
    for object in found.objects {
        let id = name(object);
        if after.is_none_or(|after| *id > *after) {
            named.push((id, object));
        }
    }

    let left = Limits {
        steps_max: limits.steps_max.saturating_sub(found.steps),
        ..limits
    };
    let mut shared = Shared::new(relationships, asked, circumstances, left);
    let mut page = Objects::default();
    let mut brief = Brief::new(&found.marks, asked);
    let order = order_of(&named);
    let mut candidates = order.iter().filter_map(|at| named.get(*at as usize));
    page.allowed.reserve(named.len().min(most));
    for (id, object) in candidates.by_ref() {
        let mut decide = || match brief.look(&mut shared, *object, target)? {
            Some(true) => Ok(Decided::ALLOW),
            Some(false) => Ok(Decided::DENY),
            None => shared.decide(*object, target),
        };
        let decided = decide().map_err(|error| match error {
            CheckError::TooManySteps { .. } => CheckError::TooManySteps {
                limit: limits.steps_max,
            },
            error => error,
        })?;
        match decided.decision {
            Decision::Deny => continue,
            Decision::Allow => page.allowed.push(id.clone()),
            Decision::Conditional => {
                let missing = decided.missing;
                page.conditional.push((id.clone(), missing));
            }
        }
        if page.allowed.len() + page.conditional.len() >= most.max(1) {
            page.next = Some(id.clone());
            break;
        }
    }
    if candidates.next().is_none() {
        page.next = None;
    }
    page.steps = found.steps.saturating_add(shared.steps());
    Ok(page)
}

/// The id of a subject's object: of which nothing is known, if it has no handle.
fn own_id(subject: &Subject) -> &str {
    match subject {
        Subject::Object(object) | Subject::Userset { object, .. } => object.id(),
        Subject::Actor(_) | Subject::Everyone | Subject::Every(_) => "",
    }
}
