//! All that one subject may do on one object.

use alloc::{string::String, vec::Vec};

use crate::{
    ask::shared::{Decided, Shared},
    asked::Asked,
    check::resolve_resource,
    limits::Limits,
    question::{CheckError, Circumstances, Question},
    relationship::{ObjectRef, Subject},
    relationships::{ObjectId, Relationships},
    schema::NodeKind,
};

/// One permission or relation of the object's resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionDecided {
    /// Its name.
    pub name: String,
    /// What `check` answers; also its errors, such as of a condition that failed.
    pub decided: Result<Decided, CheckError>,
}

/// All that a subject may do on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Every permission and relation of the object's resource, sorted by name.
    pub names: Vec<PermissionDecided>,
    /// Steps of the walk that decided all of them.
    pub steps: u64,
}

/// Decides every permission and relation of the object's resource for one subject. What they share is
/// walked once; `limits` is for all of them together.
///
/// # Errors
/// [`CheckError::UnknownResource`]; [`CheckError::TooManySteps`], and what cannot be read. Errors of
/// one permission stand in its place.
pub fn permissions_of<R: Relationships + ?Sized>(
    relationships: &R,
    subject: &Subject,
    object: &ObjectRef,
    circumstances: &Circumstances,
    limits: Limits,
) -> Result<Permissions, CheckError> {
    let policy = relationships.policy();
    let resource = resolve_resource(policy, object.resource())?;
    let id = relationships.object(object).unwrap_or(ObjectId::NOWHERE);
    let question = Question {
        object: object.clone(),
        permission: String::new(),
        subject: subject.clone(),
    };
    let asked = Asked::new(relationships, &question, id);
    let mut shared = Shared::new(relationships, asked, circumstances, limits);
    let mut names = Vec::new();
    let of_resource = policy.resources.get(resource.0 as usize);
    for (name, node) in of_resource.into_iter().flat_map(|found| &found.by_name) {
        let kind = policy.body_node(*node).map(|node| node.kind);
        if kind.is_none_or(|kind| kind == NodeKind::Management) {
            continue;
        }
        let decided = match shared.decide(id, *node) {
            Err(error) if error.ends_all() => return Err(error),
            decided => decided,
        };
        names.push(PermissionDecided {
            name: name.clone(),
            decided,
        });
    }
    Ok(Permissions {
        names,
        steps: shared.steps(),
    })
}
