//! Statements about the answers that one subject gets on one object: `!`, `&`, `+` over names.

use alloc::{string::String, vec::Vec};

/// A formula in postfix form, so that nothing about it can be deep.
///
/// Its atoms are answers: *allow* is true, *deny* is false. So it is a formula of plain logic,
/// though the values behind the answers are three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula(pub(super) Vec<Step>);

/// One step over a stack of truth values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Pushes whether a relation, a permission or `manage(relation)` is allowed.
    Allowed(String),
    /// Turns the topmost value round.
    Not,
    /// Replaces the two topmost values by whether both are true.
    And,
    /// Replaces the two topmost values by whether one is true.
    Or,
}

impl Formula {
    /// The names that it speaks of, sorted, each once.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self
            .0
            .iter()
            .filter_map(|step| match step {
                Step::Allowed(name) => Some(name.as_str()),
                Step::Not | Step::And | Step::Or => None,
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How many steps it has.
    pub(super) fn size(&self) -> usize {
        self.0.len()
    }

    /// Its value where `allowed` tells the answers that are settled; `None` where it hangs on others.
    #[must_use]
    pub fn value(&self, allowed: impl Fn(&str) -> Option<bool>) -> Option<bool> {
        let mut stack: Vec<Option<bool>> = Vec::new();
        for step in &self.0 {
            let top = match step {
                Step::Allowed(name) => allowed(name),
                Step::Not => stack.pop()?.map(|value| !value),
                Step::And => settled_by(false, stack.pop()?, stack.pop()?),
                Step::Or => settled_by(true, stack.pop()?, stack.pop()?),
            };
            stack.push(top);
        }
        stack.pop()?
    }
}

/// *And* is settled by *false* on one side, *or* by *true*; else both sides are needed.
fn settled_by(value: bool, left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(one), _) | (_, Some(one)) if one == value => Some(value),
        (Some(_), Some(_)) => Some(!value),
        _ => None,
    }
}
