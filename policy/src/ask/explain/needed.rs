//! Which relationships would allow: tried by laying them over those that stand, until none of them can
//! be left out.
//!
//! The search counts a relationship once for each part of an expression that asks for it, so what it
//! finds may hold more than is needed; and the same relation may take away elsewhere what it grants
//! here. Both show when it is tried.

use alloc::{vec, vec::Vec};

use crate::{
    check::check,
    limits::{Limits, CONTEXTUAL_MAX},
    name::Name,
    overlay::Overlay,
    question::CheckError,
    relationship::Relationship,
    relationships::Relationships,
    schema::EXPIRATION,
};

use super::{denied::Addition, scene::Scene, Needed};

/// The additions as relationships, as few of them as allow, and whether it is known that none of them
/// can be left out.
pub(super) fn needed<R: Relationships + ?Sized>(
    scene: &mut Scene<'_, R>,
    additions: &[Addition],
) -> (Vec<Needed>, bool) {
    let mut needed: Vec<Needed> = additions
        .iter()
        .filter_map(|addition| in_names(scene, addition))
        .collect();
    needed.sort();
    needed.dedup();
    if needed.len() > CONTEXTUAL_MAX {
        scene.cut();
        return (vec![], false);
    }
    // On terms they may or may not hold. Without any it is denied, so of one nothing can be left out.
    if needed.iter().any(|needed| !needed.traits.is_empty()) {
        let is_minimal = needed.len() == 1;
        return (needed, is_minimal);
    }
    let mut trial = Trial {
        scene,
        steps_left: scene.limits.steps_max,
    };
    match trial.allows(&needed) {
        Some(true) => {}
        Some(false) => return (vec![], true),
        None => {
            scene.cut();
            return (vec![], false);
        }
    }
    // How many in a row cannot be left out; leaving out one can change that for all others.
    let mut firm = 0;
    let mut at = 0;
    while needed.len() > 1 && firm < needed.len() {
        at %= needed.len();
        let one = needed.remove(at);
        let allows = trial.allows(&needed);
        if allows == Some(true) {
            firm = 0;
            continue;
        }
        needed.insert(at, one);
        if allows.is_none() {
            scene.cut();
            return (needed, false);
        }
        firm += 1;
        at += 1;
    }
    (needed, true)
}

fn in_names<R: Relationships + ?Sized>(
    scene: &Scene<'_, R>,
    (object, relation, entry): &Addition,
) -> Option<Needed> {
    let name = Name::new(scene.policy.node_name(*relation)).ok()?;
    let condition = entry
        .condition
        .and_then(|id| scene.policy.named_condition(id));
    let condition = condition.map(|named| named.name.clone());
    let expires = entry.expires.then(|| EXPIRATION.into());
    let subject = scene.question.subject.clone();
    Some(Needed {
        relationship: Relationship::new(scene.object(*object), name, subject),
        traits: condition.into_iter().chain(expires).collect(),
    })
}

/// Asks the question again, with more relationships.
struct Trial<'s, 'a, R: ?Sized> {
    scene: &'s Scene<'a, R>,
    /// For all of them together.
    steps_left: u64,
}

impl<R: Relationships + ?Sized> Trial<'_, '_, R> {
    /// Whether the question is allowed with these; `None` where that takes too many steps.
    fn allows(&mut self, needed: &[Needed]) -> Option<bool> {
        let added: Vec<Relationship> = needed.iter().map(|one| one.relationship.clone()).collect();
        let Ok(overlay) = Overlay::new(&self.scene.relationships, &added) else {
            return Some(false);
        };
        let limits = Limits {
            steps_max: self.steps_left,
            ..self.scene.limits
        };
        match check(
            &overlay,
            self.scene.question,
            self.scene.circumstances,
            limits,
        ) {
            Ok(answer) => {
                self.steps_left = self.steps_left.saturating_sub(answer.steps);
                Some(answer.is_allow())
            }
            Err(CheckError::TooManySteps { .. }) => None,
            Err(_) => Some(false),
        }
    }
}
