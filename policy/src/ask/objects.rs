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
    sorted::sort_by_text,
};

/// Objects on which a subject has a permission: one page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Ids of those on which it has it, sorted bytewise.
    pub allowed: Vec<String>,
    /// Ids of those on which it may have it with more context, sorted, each with what is missing.
    pub conditional: Vec<(String, Vec<String>)>,
    /// What to ask for `after`, where there may be more; `None`: that was the last page.
    pub next: Option<String>,
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
pub fn lookup_objects<R: Reverse + ?Sized>(
    relationships: &R,
    subject: &Subject,
    permission: &str,
    resource: &str,
    circumstances: &Circumstances,
    limits: Limits,
    after: Option<&str>,
    most: usize,
) -> Result<Objects, CheckError> {
    let target = resolve(relationships.policy(), resource, permission)?;
    let asked = Asked::about(relationships, subject);
    let found = candidates(relationships, asked, target, circumstances, limits)?;
    let named: Vec<(Cow<'_, str>, (ObjectId, bool))> = found
        .objects
        .into_iter()
        .map(|(object, certain)| match object {
            ObjectId::NOWHERE => (Cow::Borrowed(own_id(subject)), (object, certain)),
            _ => (relationships.object_id(object), (object, certain)),
        })
        .filter(|(id, ..)| after.is_none_or(|after| **id > *after))
        .collect();

    let left = Limits {
        steps_max: limits.steps_max.saturating_sub(found.steps),
        ..limits
    };
    let mut shared = Shared::new(relationships, asked, circumstances, left);
    let mut page = Objects::default();
    let mut brief = Brief::new(&found.marks, asked);
    let mut candidates = sort_by_text(named).into_iter();
    page.allowed.reserve(candidates.len().min(most));
    for (id, (object, certain)) in candidates.by_ref() {
        let mut decide = || match brief.look(&mut shared, object, target)? {
            Some(true) => Ok(Decided::ALLOW),
            Some(false) => Ok(Decided::DENY),
            None => shared.decide(object, target),
        };
        let decided = match certain {
            true => Decided::ALLOW,
            false => decide().map_err(|error| match error {
                CheckError::TooManySteps { .. } => CheckError::TooManySteps {
                    limit: limits.steps_max,
                },
                error => error,
            })?,
        };
        match decided.decision {
            Decision::Deny => continue,
            Decision::Allow => page.allowed.push((*id).into()),
            Decision::Conditional => {
                let missing = decided.missing;
                page.conditional.push(((*id).into(), missing));
            }
        }
        if page.allowed.len() + page.conditional.len() >= most.max(1) {
            page.next = Some(id.into_owned());
            break;
        }
    }
    if candidates.len() == 0 {
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
