//! What an edit of a live policy does to what is recorded: which relationships it stops admitting, and
//! whose access grows or shrinks, with examples.
//!
//! It looks at the relationships there are, not at all that there could be (that is what theorems
//! decide), and asks the engine before and after: what it shows is what checks will answer.

use alloc::{
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::{fmt, ops::ControlFlow};

use crate::{
    ask::{lookup_subjects, Wanted},
    limits::{Limits, DIFFERENCE_LOOKUPS_MAX},
    question::{CheckError, Circumstances, Decision},
    relationship::{ObjectRef, Relationship},
    relationships::Reverse,
    schema::Policy,
};

/// What an edit does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Relationships that were admitted and no longer are, each with the reason: checks ignore them
    /// from then on.
    pub invalid: Vec<(Relationship, String)>,
    /// Names that only the new policy defines, as `resource#name`, sorted.
    pub added: Vec<String>,
    /// Names that only the old policy defines, sorted.
    pub removed: Vec<String>,
    /// Permissions and relations that both define and that somebody gains or loses, sorted.
    pub changed: Vec<AccessChange>,
    /// Objects whose access was not compared, because that would have cost more than
    /// [`DIFFERENCE_LOOKUPS_MAX`] look-ups.
    pub not_compared: usize,
}

/// What happens to one permission or relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessChange {
    /// Its resource.
    pub resource: String,
    /// Its name.
    pub name: String,
    /// How many (object, subject) pairs gain it.
    pub gained: usize,
    /// How many lose it.
    pub lost: usize,
    /// The first of those that gain it, as `object#name@subject`.
    pub gains: Vec<String>,
    /// The first of those that lose it.
    pub losses: Vec<String>,
}

impl Difference {
    /// Whether nothing changes for anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares two policies over the same relationships: `before` and `after` hold them under the old
/// policy and under the new one. `recorded` are those that may become invalid. At most `examples`
/// examples are given of each kind.
///
/// Costs a look-up of subjects for each object, name and kind of subject, before and after.
///
/// # Errors
/// As [`crate::lookup_subjects`]: where one list cannot be told, there is no comparison.
pub fn difference<A: Reverse, B: Reverse>(
    before: &A,
    after: &B,
    recorded: &[Relationship],
    circumstances: &Circumstances,
    examples: usize,
) -> Result<Difference, CheckError> {
    let (old, new) = (before.policy(), after.policy());
    let (old_names, new_names) = (names(old), names(new));
    let only = |these: &BTreeSet<(String, String)>, those: &BTreeSet<(String, String)>| {
        let apart = these.difference(those);
        apart
            .map(|(resource, name)| format!("{resource}#{name}"))
            .collect()
    };
    let mut difference = Difference {
        added: only(&new_names, &old_names),
        removed: only(&old_names, &new_names),
        ..Difference::default()
    };
    for relationship in recorded {
        if let (Ok(()), Err(reason)) = (old.admits(relationship), new.admits(relationship)) {
            let lost = (relationship.clone(), reason.to_string());
            difference.invalid.push(lost);
        }
    }
    let kinds = kinds(old, new);
    let mut left = DIFFERENCE_LOOKUPS_MAX;
    for (resource, name) in old_names.intersection(&new_names) {
        let mut change = AccessChange {
            resource: resource.clone(),
            name: name.clone(),
            gained: 0,
            lost: 0,
            gains: vec![],
            losses: vec![],
        };
        for object in objects(before, resource) {
            if left < 2 * kinds.len() {
                difference.not_compared += 1;
                continue;
            }
            for kind in &kinds {
                left -= 2;
                let was = held(before, &object, name, kind.as_deref(), circumstances)?;
                let is = held(after, &object, name, kind.as_deref(), circumstances)?;
                let (gained, lost) = was.compare(&is, kind.as_deref());
                let fact = |subject: &String| format!("{object}#{name}@{subject}");
                change.gained += gained.len();
                change.lost += lost.len();
                let room = |list: &Vec<String>| examples.saturating_sub(list.len());
                let more: Vec<String> = gained.iter().take(room(&change.gains)).map(fact).collect();
                change.gains.extend(more);
                let more: Vec<String> = lost.iter().take(room(&change.losses)).map(fact).collect();
                change.losses.extend(more);
            }
        }
        if change.gained + change.lost > 0 {
            difference.changed.push(change);
        }
    }
    Ok(difference)
}

/// All that a policy lets ask for, as (resource, name).
fn names(policy: &Policy) -> BTreeSet<(String, String)> {
    let of = |resource: &str| -> Vec<(String, String)> {
        let names = policy
            .relations(resource)
            .chain(policy.permissions(resource));
        names.map(|name| (resource.into(), name.into())).collect()
    };
    policy.resources().flat_map(of).collect()
}

/// Kinds of subjects: actors, and objects of the resources that some relation holds.
fn kinds(old: &Policy, new: &Policy) -> Vec<Option<String>> {
    let mut kinds = vec![None];
    let resources: BTreeSet<&str> = old.resources().collect();
    for resource in resources
        .into_iter()
        .filter(|name| new.resource_exists(name))
    {
        let held = |policy: &Policy| {
            policy.resources().any(|of| {
                policy
                    .relations(of)
                    .any(|r| policy.holds_objects(of, r, resource))
            })
        };
        if held(old) || held(new) {
            kinds.push(Some(resource.into()));
        }
    }
    kinds
}

fn objects<R: Reverse>(relationships: &R, resource: &str) -> BTreeSet<ObjectRef> {
    let mut found = BTreeSet::new();
    if let Some(id) = relationships.policy().resource(resource) {
        relationships.objects(id, &mut |object| {
            found.extend(relationships.object_name(object));
            ControlFlow::Continue(())
        });
    }
    found
}

/// Who has a name on an object.
#[derive(Default)]
struct Held {
    everyone: bool,
    allowed: BTreeSet<String>,
    excluded: BTreeSet<String>,
}

impl Held {
    fn has(&self, subject: &String) -> bool {
        self.allowed.contains(subject) || (self.everyone && !self.excluded.contains(subject))
    }

    /// Who gains and who loses from here to `after`, as subjects.
    fn compare(&self, after: &Self, kind: Option<&str>) -> (Vec<String>, Vec<String>) {
        let spelled = |subject: &String| match kind {
            None => subject.clone(),
            Some(resource) => format!("{resource}:{subject}"),
        };
        let (mut gained, mut lost) = (vec![], vec![]);
        let all = kind.map_or("*".into(), |resource| format!("{resource}:*"));
        match (self.everyone, after.everyone) {
            (false, true) => gained.push(all),
            (true, false) => lost.push(all),
            _ => {}
        }
        let sets = [
            &self.allowed,
            &self.excluded,
            &after.allowed,
            &after.excluded,
        ];
        let named: BTreeSet<&String> = sets.into_iter().flatten().collect();
        for subject in named {
            match (self.has(subject), after.has(subject)) {
                (false, true) => gained.push(spelled(subject)),
                (true, false) => lost.push(spelled(subject)),
                _ => {}
            }
        }
        (gained, lost)
    }
}

fn held<R: Reverse>(
    relationships: &R,
    object: &ObjectRef,
    name: &str,
    kind: Option<&str>,
    circumstances: &Circumstances,
) -> Result<Held, CheckError> {
    let wanted = kind.map_or(Wanted::Actors, Wanted::Objects);
    let mut held = Held::default();
    let mut after: Option<String> = None;
    loop {
        let page = lookup_subjects(
            relationships,
            object,
            name,
            wanted,
            circumstances,
            Limits::LOOKUP,
            after.as_deref(),
            usize::MAX,
        )?;
        held.everyone = page.everyone.decision == Decision::Allow;
        held.allowed.extend(page.allowed);
        held.excluded.extend(page.excluded);
        match page.next {
            None => return Ok(held),
            next => after = next,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing changes for anybody");
        }
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.added.iter().map(|name| format!("added    {name}")));
        lines.extend(self.removed.iter().map(|name| format!("removed  {name}")));
        for (relationship, reason) in &self.invalid {
            lines.push(format!("invalid  {relationship}"));
            lines.push(format!("         {reason}"));
        }
        for change in &self.changed {
            let AccessChange {
                resource,
                name,
                gained,
                lost,
                gains,
                losses,
            } = change;
            for (count, word, facts) in [(gained, "grows", gains), (lost, "shrinks", losses)] {
                if *count > 0 {
                    lines.push(format!("{word:<8} {resource}#{name}: {count}"));
                    lines.extend(facts.iter().map(|fact| format!("         {fact}")));
                    if *count > facts.len() {
                        lines.push(format!("         and {} more", count - facts.len()));
                    }
                }
            }
        }
        if self.not_compared > 0 {
            lines.push(format!(
                "not compared: {} times an object and a name, beyond {DIFFERENCE_LOOKUPS_MAX} look-ups; compare fewer relationships at once",
                self.not_compared
            ));
        }
        f.write_str(&lines.join("\n"))
    }
}
