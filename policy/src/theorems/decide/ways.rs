//! All ways to meet demands on one object, each as facts of the object and as steps to others with
//! demands of their own: a search that takes choices apart, narrowest first, and stops now and then.

use alloc::vec::Vec;

use crate::theorems::decide::{
    branch::Branch,
    effort::{Effort, Exhausted},
    model::{Fact, Link, Model},
    obligation::Obligation,
};

/// Obligations of one object: sorted, none implied by another one.
pub(crate) type Demands = Vec<Obligation>;

/// One way to meet all demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Other objects, each along a link, each with its demands.
    pub steps: Vec<(Link, Demands)>,
    /// Facts that must be recorded; all others must not.
    pub facts: Vec<Fact>,
}

impl Way {
    /// Whether it demands nothing that `steps` do not: each of its steps is there, with as many
    /// demands or more. Then nothing is lost by looking at this way alone.
    pub fn is_less_than(&self, steps: &[(Link, Demands)]) -> bool {
        self.steps.iter().all(|(link, demands)| {
            let mut others = steps.iter().filter(|(other, _)| other == link);
            others.any(|(_, more)| implied(demands, more))
        })
    }
}

pub(super) fn implied(demands: &[Obligation], by: &[Obligation]) -> bool {
    let mut demands = demands.iter();
    demands.all(|demand| by.iter().any(|other| other.implies(*demand)))
}

/// Demands that no world can meet; what demands more cannot be met either.
#[derive(Debug, Default)]
pub(crate) struct Lost(Vec<Demands>);

impl Lost {
    pub fn add(&mut self, demands: &Demands) {
        if !self.0.iter().any(|lost| implied(lost, demands)) {
            self.0.retain(|lost| !implied(demands, lost));
            self.0.push(demands.clone());
        }
    }

    pub fn covers(&self, demands: &[Obligation], effort: &mut Effort) -> Result<bool, Exhausted> {
        effort.take(self.0.len())?;
        Ok(self.0.iter().any(|lost| implied(lost, demands)))
    }
}

/// The search for ways to meet demands, which stops now and then: often the first ways are enough.
#[derive(Debug)]
pub(crate) struct Search {
    waiting: Vec<Branch>,
    found: Vec<Way>,
}

impl Search {
    pub fn new(model: &Model<'_>, demands: &[Obligation]) -> Self {
        Self {
            waiting: Branch::new(model, demands).into_iter().collect(),
            found: Vec::new(),
        }
    }

    /// Whether all ways have been found.
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next ways, but for those that demand more than another one or what is `lost`. One that
    /// needs no other object ends the search.
    pub fn next(
        &mut self,
        model: &Model<'_>,
        lost: &Lost,
        effort: &mut Effort,
    ) -> Result<Vec<Way>, Exhausted> {
        let known = self.found.len();
        while self.found.len() < known + WAYS_AT_ONCE {
            let Some(mut branch) = self.waiting.pop() else {
                break;
            };
            effort.take(1)?;
            let is_possible = branch.run(model, effort)?;
            if !is_possible || branch.is_needless(&self.found, lost, effort)? {
                continue;
            }
            if let Some((task, options)) = branch.choose(model, effort)? {
                // The last one is looked at first: those that need no other object stand in front.
                for option in options.into_iter().rev() {
                    effort.take(branch.size())?;
                    let mut taken = branch.clone();
                    if taken.take(model, option, task.origin) {
                        self.waiting.push(taken);
                    }
                }
            } else if let Some(way) = branch.complete(model) {
                if way.steps.is_empty() {
                    self.waiting.clear();
                }
                self.found.push(way);
            }
        }
        let found = self.found.get(known..).unwrap_or_default();
        // Of those that are new, only the ones that demand the least.
        let mut least: Vec<Way> = Vec::new();
        for way in found.iter().rev() {
            effort.take(1 + least.len())?;
            if !least.iter().any(|other| other.is_less_than(&way.steps)) {
                least.push(way.clone());
            }
        }
        least.reverse();
        Ok(least)
    }
}

/// How many ways a search gives before it is asked for more: so many that a small world is found
/// where there is one, and so few that what is lost is learned early.
const WAYS_AT_ONCE: usize = 32;
