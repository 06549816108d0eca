//! What obligations at one object come down to, as far as it has been settled: one way to meet them,
//! under construction. Nothing here knows other objects than by the obligations that a step leaves to
//! them.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{
    relationships::NodeId,
    theorems::decide::{
        effort::{Effort, Exhausted},
        model::{Fact, Form, FormId, Link, Model},
        obligation::{together, Kind, Obligation},
        ways::{implied, Demands, Lost, Way},
    },
};

/// Something demanded of a form, on behalf of the obligation at a place in [`Branch::met`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    kind: Kind,
    form: FormId,
    pub origin: usize,
}

/// One way to meet a task that has several.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice {
    Form(Kind, FormId),
    /// A link leads to such an object, or to any one.
    Step(Link, Option<Obligation>),
    /// The fact is recorded.
    Fact(Fact),
    /// Nothing leads on along the links of the form.
    Nowhere(FormId),
}

/// A way under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Branch {
    facts: BTreeMap<Fact, bool>,
    /// Obligations that have been taken up, in order.
    met: Vec<Obligation>,
    /// Which derivation hangs on which: places in `met`.
    hangs: Vec<(usize, usize)>,
    tasks: Vec<Task>,
    /// Tasks of which one part must be chosen.
    open: Vec<Task>,
    /// There must be such another object, or any one.
    steps: BTreeSet<(Link, Option<Obligation>)>,
    /// There must be none.
    nowhere: BTreeSet<Link>,
    /// All other objects along a link must be so.
    all: BTreeMap<Link, BTreeSet<Obligation>>,
}

impl Branch {
    pub fn new(model: &Model<'_>, demands: &[Obligation]) -> Option<Self> {
        let mut branch = Self::default();
        for demand in demands {
            branch.meet(model, *demand, None).then_some(())?;
        }
        Some(branch)
    }

    /// What a copy of it costs.
    pub fn size(&self) -> usize {
        let all: usize = self.all.values().map(BTreeSet::len).sum();
        1 + (self.facts.len() + self.met.len() + self.open.len() + self.steps.len() + all) / 8
    }

    /// Takes up an obligation of this object. Whether it can be met, as far as can be seen.
    fn meet(&mut self, model: &Model<'_>, demand: Obligation, origin: Option<usize>) -> bool {
        let known = self.met.iter().position(|other| *other == demand);
        if known.is_none() {
            if self.met.iter().any(|other| other.excludes(demand, model)) {
                return false;
            }
            if self.met.iter().any(|other| other.implies(demand)) {
                return true;
            }
        }
        let place = known.unwrap_or(self.met.len());
        if let Some(origin) = origin.filter(|_| demand.kind.is_derived()) {
            self.hangs.push((origin, place));
        }
        if known.is_none() {
            self.met.push(demand);
            match model.body(demand.node) {
                Some(form) => self.tasks.push(Task {
                    kind: demand.kind,
                    form,
                    origin: place,
                }),
                None => return false,
            }
        }
        true
    }

    fn fact(&mut self, fact: Fact, holds: bool) -> bool {
        *self.facts.entry(fact).or_insert(holds) == holds
    }

    /// Rules links out. Whether none of them is there.
    fn leads_nowhere<'a>(&mut self, links: impl IntoIterator<Item = &'a Link>) -> bool {
        self.nowhere.extend(links);
        let nowhere = &self.nowhere;
        !self.steps.iter().any(|(link, _)| nowhere.contains(link))
    }

    /// Settles all that leaves no choice. Whether it can be met, as far as can be seen.
    pub fn run(&mut self, model: &Model<'_>, effort: &mut Effort) -> Result<bool, Exhausted> {
        while let Some(Task { kind, form, origin }) = self.tasks.pop() {
            effort.take(1)?;
            let mut push = |kind, form| self.tasks.push(Task { kind, form, origin });
            let possible = match (model.form(form), kind.is_upward()) {
                (Form::Never, upward) => !upward,
                (Form::Fact(fact), upward) => self.fact(*fact, upward),
                (Form::Node(node), _) => self.meet(model, model.oblige(kind, *node), Some(origin)),
                (Form::And(left, right), true) | (Form::Or(left, right), false) => {
                    push(kind, *left);
                    push(kind, *right);
                    true
                }
                (Form::Minus(left, right), true) => {
                    push(kind, *left);
                    push(kind.of_negated(), *right);
                    true
                }
                (Form::Some(links), false) => {
                    effort.take(links.len())?;
                    for (link, node) in links {
                        let all = self.all.entry(*link).or_default();
                        all.insert(model.oblige(kind, *node));
                    }
                    true
                }
                (
                    Form::All {
                        links,
                        dead,
                        blocked,
                    },
                    true,
                ) => {
                    effort.take(links.len())?;
                    for (link, node) in links {
                        let all = self.all.entry(*link).or_default();
                        all.insert(model.oblige(kind, *node));
                    }
                    // One of the links must be there.
                    self.open.push(Task { kind, form, origin });
                    self.leads_nowhere(dead)
                        && blocked.is_none_or(|blocked| self.fact(blocked, false))
                }
                (Form::Or(..) | Form::Some(_), true)
                | (Form::And(..) | Form::Minus(..) | Form::All { .. }, false) => {
                    self.open.push(Task { kind, form, origin });
                    true
                }
            };
            if !possible {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether, as far as it has come, it demands all that one of the ways found demands, or of
    /// another object what is lost.
    pub fn is_needless(
        &self,
        found: &[Way],
        lost: &Lost,
        effort: &mut Effort,
    ) -> Result<bool, Exhausted> {
        let mut steps: Vec<(Link, Demands)> = Vec::new();
        for (link, demand) in &self.steps {
            let all = self.all.get(link).into_iter().flatten();
            let demands: Demands = all.chain(demand).copied().collect();
            if lost.covers(&demands, effort)? {
                return Ok(true);
            }
            steps.push((*link, demands));
        }
        effort.take(found.len())?;
        Ok(found.iter().any(|way| way.is_less_than(&steps)))
    }

    /// Takes the open task with the fewest options and gives these; `None` where nothing is open.
    pub fn choose(
        &mut self,
        model: &Model<'_>,
        effort: &mut Effort,
    ) -> Result<Option<(Task, Vec<Choice>)>, Exhausted> {
        let mut best: Option<(usize, Vec<Choice>)> = None;
        let mut at = 0;
        while let Some(task) = self.open.get(at) {
            let options = options(model, *task);
            effort.take(1 + options.len())?;
            if options
                .iter()
                .any(|option| self.is_met(model, task.kind, *option))
            {
                self.open.remove(at);
                continue;
            }
            let possible: Vec<Choice> = options
                .into_iter()
                .filter(|option| self.is_possible(model, *option))
                .collect();
            if best
                .as_ref()
                .is_none_or(|(_, found)| possible.len() < found.len())
            {
                best = Some((at, possible));
            }
            at += 1;
        }
        Ok(best.map(|(at, options)| (self.open.remove(at), options)))
    }

    /// Whether the option is met already, and choosing it costs nothing: then no other need be
    /// looked at. Not so of what must be derived by nodes, which may close a circle.
    fn is_met(&self, model: &Model<'_>, kind: Kind, option: Choice) -> bool {
        let (of, form) = match option {
            Choice::Form(of, form) => (of, form),
            Choice::Fact(fact) => return self.facts.get(&fact) == Some(&true),
            Choice::Nowhere(_) | Choice::Step(..) => return false,
        };
        match model.form(form) {
            Form::Never => !of.is_upward(),
            Form::Fact(fact) => self.facts.get(fact) == Some(&of.is_upward()),
            Form::Node(node) => {
                let demand = model.oblige(of, *node);
                !(kind.is_derived() && demand.kind.is_derived())
                    && self.met.iter().any(|other| other.implies(demand))
            }
            _ => false,
        }
    }

    /// Whether nothing seen so far stands against the option.
    fn is_possible(&self, model: &Model<'_>, option: Choice) -> bool {
        match option {
            Choice::Form(kind, form) => match model.form(form) {
                Form::Never => !kind.is_upward(),
                Form::Fact(fact) => self.facts.get(fact) != Some(&!kind.is_upward()),
                Form::Node(node) => {
                    let demand = model.oblige(kind, *node);
                    !self.met.iter().any(|other| other.excludes(demand, model))
                }
                _ => true,
            },
            Choice::Step(link, demand) => {
                let mut all = self.all.get(&link).into_iter().flatten();
                !self.nowhere.contains(&link)
                    && !demand.is_some_and(|one| all.any(|other| other.excludes(one, model)))
            }
            Choice::Fact(fact) => self.facts.get(&fact) != Some(&false),
            Choice::Nowhere(_) => true,
        }
    }

    /// Goes on with an option. Whether it can be met, as far as can be seen.
    pub fn take(&mut self, model: &Model<'_>, option: Choice, origin: usize) -> bool {
        if !self.is_possible(model, option) {
            return false;
        }
        match option {
            Choice::Form(kind, form) => self.tasks.push(Task { kind, form, origin }),
            Choice::Step(link, demand) => {
                self.steps.insert((link, demand));
            }
            Choice::Fact(fact) => return self.fact(fact, true),
            Choice::Nowhere(form) => {
                if let Form::All { links, dead, .. } = model.form(form) {
                    return self.leads_nowhere(links.iter().map(|(link, _)| link).chain(dead));
                }
            }
        }
        true
    }

    /// The way that this has become, where no derivation goes round in a circle and no step demands
    /// what cannot be.
    pub fn complete(&self, model: &Model<'_>) -> Option<Way> {
        if self.goes_round() {
            return None;
        }
        let mut steps: Vec<(Link, Demands)> = Vec::new();
        for (link, demand) in &self.steps {
            let all = self.all.get(link).into_iter().flatten();
            let demands: Vec<Obligation> = all.chain(demand).copied().collect();
            steps.push((*link, together(demands, model)?));
        }
        // One other object may do for several steps.
        let mut kept: Vec<(Link, Demands)> = Vec::new();
        for (at, (link, demands)) in steps.iter().enumerate() {
            let mut others = steps.iter().enumerate();
            let is_within = others.any(|(other, (along, more))| {
                other != at
                    && along == link
                    && implied(demands, more)
                    && (other < at || !implied(more, demands))
            });
            if !is_within {
                kept.push((*link, demands.clone()));
            }
        }
        let facts = self.facts.iter().filter(|(_, holds)| **holds);
        Some(Way {
            steps: kept,
            facts: facts.map(|(fact, _)| *fact).collect(),
        })
    }

    /// Whether a derivation hangs on itself at this object.
    fn goes_round(&self) -> bool {
        // Takes away, again and again, what hangs on nothing that is left: a circle stays.
        let mut left: BTreeSet<usize> = self.hangs.iter().map(|(from, _)| *from).collect();
        loop {
            let hanging = self.hangs.iter().filter(|(_, to)| left.contains(to));
            let hanging: BTreeSet<usize> = hanging
                .map(|(from, _)| *from)
                .filter(|from| left.contains(from))
                .collect();
            if hanging.len() == left.len() {
                return !hanging.is_empty();
            }
            left = hanging;
        }
    }
}

/// The parts of an open task of which one must be met: nearest first.
fn options(model: &Model<'_>, task: Task) -> Vec<Choice> {
    let step = |kind| {
        move |(link, node): &(Link, NodeId)| Choice::Step(*link, Some(model.oblige(kind, *node)))
    };
    let mut near = Vec::new();
    let mut steps = Vec::new();
    let mut waiting = alloc::vec![(task.kind, task.form)];
    while let Some((kind, form)) = waiting.pop() {
        match (model.form(form), kind.is_upward()) {
            (Form::Or(left, right), true) | (Form::And(left, right), false) => {
                waiting.push((kind, *right));
                waiting.push((kind, *left));
            }
            (Form::Minus(left, right), false) => {
                waiting.push((kind.of_negated(), *right));
                waiting.push((kind, *left));
            }
            (Form::Some(links), true) => steps.extend(links.iter().map(step(kind))),
            // Its own task has settled that all of them grant: that there is one is left.
            (Form::All { links, .. }, true) if form == task.form => {
                steps.extend(links.iter().map(step(kind)));
            }
            (
                Form::All {
                    links,
                    dead,
                    blocked,
                },
                false,
            ) => {
                near.push(Choice::Nowhere(form));
                near.extend(blocked.map(Choice::Fact));
                steps.extend(dead.iter().map(|link| Choice::Step(*link, None)));
                steps.extend(links.iter().map(step(kind)));
            }
            _ => near.push(Choice::Form(kind, form)),
        }
    }
    near.extend(steps);
    near
}
