//! Whether demands on one object can be met by any world at all: a game on a graph of demands.
//!
//! One side chooses a way to meet the demands at an object, the other one follows a step of it to
//! the next object. The first side wins a play that ends (no steps are left), and one that goes on
//! for ever where nothing has to be derived any more. What it wins with, demands by demands, is a
//! world: an object for each. `docs/spec/theorems.md` proves both directions.
//!
//! The graph is made as far as it is needed: what has not been looked at counts as won, and only
//! what the best plan hopes for is looked at. A plan that hopes for nothing is a world; where no
//! plan is left there is none.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{
    relationships::ResourceId,
    theorems::decide::{
        effort::{Effort, Exhausted},
        model::{Fact, Link, Model},
        obligation::{together, Obligation},
        ways::{Demands, Lost, Search},
    },
};

/// Demands that have been seen, and the ways to meet them.
#[derive(Debug, Default)]
pub(crate) struct Game {
    places: BTreeMap<(Option<ResourceId>, Demands), usize>,
    positions: Vec<Position>,
    lost: Lost,
}

#[derive(Debug)]
struct Position {
    /// The resource of the object.
    resource: Option<ResourceId>,
    demands: Demands,
    /// The ways found so far.
    ways: Vec<Move>,
    /// The search for them; `None` until it is looked at.
    search: Option<Search>,
}

#[derive(Debug)]
struct Move {
    facts: Vec<Fact>,
    steps: Vec<(Link, usize)>,
}

/// What to do at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// It is lost.
    None,
    /// It has not been looked at, or not at all its ways.
    Hope,
    /// Take this way.
    Way(usize),
}

/// A world that meets demands: objects, the first of which is the one they are about.
#[derive(Debug)]
pub(crate) struct World {
    pub objects: Vec<Thing>,
}

/// One object of a world.
#[derive(Debug)]
pub(crate) struct Thing {
    pub resource: Option<ResourceId>,
    pub facts: Vec<Fact>,
    /// Links to other objects, by place.
    pub links: Vec<(Link, usize)>,
}

impl Game {
    /// A world in which some object meets all of `obligations`, where there is one: of those whose
    /// longest path of links is shortest.
    pub fn world(
        &mut self,
        model: &Model<'_>,
        obligations: Vec<Obligation>,
        effort: &mut Effort,
    ) -> Result<Option<World>, Exhausted> {
        let Some(demands) = together(obligations, model) else {
            return Ok(None);
        };
        let first = demands.first();
        let node = first.and_then(|demand| model.policy().body_node(demand.node));
        let root = self.place(node.map(|node| node.resource), demands);
        loop {
            let plans = self.plans(effort)?;
            if plans.get(root) == Some(&Plan::None) {
                return Ok(None);
            }
            let order = self.reached(&plans, root);
            effort.take(order.len())?;
            let is_hope = |place: &usize| plans.get(*place) == Some(&Plan::Hope);
            let hopes: Vec<usize> = order.iter().copied().filter(is_hope).collect();
            if hopes.is_empty() {
                extern crate std;
                for place in &order {
                    let p = &self.positions[*place];
                    std::println!(
                        "    {place}: {:?} plan {:?}",
                        p.demands
                            .iter()
                            .map(|d| (model.policy().node_name(d.node), d.kind))
                            .collect::<Vec<_>>(),
                        plans[*place]
                    );
                }
                return Ok(Some(self.realize(&plans, &order)));
            }
            for place in hopes {
                self.look(model, place, effort)?;
            }
        }
    }

    fn place(&mut self, resource: Option<ResourceId>, demands: Demands) -> usize {
        let key = (resource, demands);
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        self.positions.push(Position {
            resource,
            demands: key.1.clone(),
            ways: Vec::new(),
            search: None,
        });
        self.places.insert(key, self.positions.len() - 1);
        self.positions.len() - 1
    }

    /// Finds ways of a position, or more of them.
    fn look(
        &mut self,
        model: &Model<'_>,
        place: usize,
        effort: &mut Effort,
    ) -> Result<(), Exhausted> {
        let Some(position) = self.positions.get_mut(place) else {
            return Ok(());
        };
        let search = &mut position.search;
        let search = search.get_or_insert_with(|| Search::new(model, &position.demands));
        let mut moves = Vec::new();
        for way in search.next(model, &self.lost, effort)? {
            effort.take(1 + way.steps.len())?;
            let steps = way.steps.into_iter();
            moves.push(Move {
                facts: way.facts,
                steps: steps
                    .map(|(link, demands)| (link, self.place(model.target(link), demands)))
                    .collect(),
            });
        }
        if let Some(position) = self.positions.get_mut(place) {
            position.ways.extend(moves);
        }
        Ok(())
    }

    /// What to do at each position. What is found to be lost is remembered.
    fn plans(&mut self, effort: &mut Effort) -> Result<Vec<Plan>, Exhausted> {
        let mut plans = alloc::vec![Plan::None; self.positions.len()];
        // More ways of a position are hoped for only where those that are known are lost.
        self.spread(&mut plans, |position| position.search.is_none(), effort)?;
        self.spread(&mut plans, |position| !position.is_over(), effort)?;
        for (position, plan) in self.positions.iter().zip(&plans) {
            if *plan == Plan::None {
                effort.take(1)?;
                self.lost.add(&position.demands);
            }
        }
        Ok(plans)
    }

    /// Adds hopes, and what leads to positions that have a plan.
    fn spread(
        &self,
        plans: &mut [Plan],
        is_hope: impl Fn(&Position) -> bool,
        effort: &mut Effort,
    ) -> Result<(), Exhausted> {
        for (position, plan) in self.positions.iter().zip(&mut *plans) {
            if *plan == Plan::None && is_hope(position) {
                *plan = Plan::Hope;
            }
        }
        // Plays that end come first, the shortest before the others: they make the smallest worlds.
        self.attract(plans, effort)?;
        self.stay(plans, effort)?;
        self.attract(plans, effort)
    }

    /// Adds what leads to positions that have a plan.
    fn attract(&self, plans: &mut [Plan], effort: &mut Effort) -> Result<(), Exhausted> {
        loop {
            // A round sees the rounds before it only, so that no plan goes round in a circle.
            let mut won: Vec<(usize, usize)> = Vec::new();
            let good = |place: usize| plans.get(place).is_some_and(|plan| *plan != Plan::None);
            for (place, position) in self.positions.iter().enumerate() {
                if !good(place) {
                    won.extend(position.way(good, effort)?.map(|way| (place, way)));
                }
            }
            if won.is_empty() {
                return Ok(());
            }
            for (place, way) in won {
                if let Some(plan) = plans.get_mut(place) {
                    *plan = Plan::Way(way);
                }
            }
        }
    }

    /// Adds positions where nothing has to be derived and from which one can go on for ever among
    /// such positions, or come to one that has a plan.
    fn stay(&self, plans: &mut [Plan], effort: &mut Effort) -> Result<(), Exhausted> {
        let still = |(position, plan): (&Position, &Plan)| {
            *plan == Plan::None && position.demands.iter().all(|d| !d.kind.is_derived())
        };
        let mut safe: Vec<bool> = self.positions.iter().zip(&*plans).map(still).collect();
        loop {
            let mut ways: Vec<(usize, usize)> = Vec::new();
            let mut lost: Vec<usize> = Vec::new();
            let good = |place: usize| {
                safe.get(place) == Some(&true)
                    || plans.get(place).is_some_and(|plan| *plan != Plan::None)
            };
            for (place, position) in self.positions.iter().enumerate() {
                if safe.get(place) != Some(&true) {
                    continue;
                }
                match position.way(good, effort)? {
                    Some(way) => ways.push((place, way)),
                    None => lost.push(place),
                }
            }
            if lost.is_empty() {
                for (place, way) in ways {
                    if let Some(plan) = plans.get_mut(place) {
                        *plan = Plan::Way(way);
                    }
                }
                return Ok(());
            }
            for place in lost {
                if let Some(safe) = safe.get_mut(place) {
                    *safe = false;
                }
            }
        }
    }

    /// The positions that the plans lead to, from `root` on.
    fn reached(&self, plans: &[Plan], root: usize) -> Vec<usize> {
        let mut order = alloc::vec![root];
        let mut seen: BTreeSet<usize> = [root].into();
        let mut next = 0;
        while let Some(place) = order.get(next).copied() {
            next += 1;
            let steps = self.planned(plans, place).map(|way| way.steps.as_slice());
            for (_, target) in steps.unwrap_or_default() {
                if seen.insert(*target) {
                    order.push(*target);
                }
            }
        }
        order
    }

    fn planned(&self, plans: &[Plan], place: usize) -> Option<&Move> {
        let Plan::Way(way) = plans.get(place)? else {
            return None;
        };
        self.positions.get(place)?.ways.get(*way)
    }

    /// The world that the plans make of the positions in `order`.
    fn realize(&self, plans: &[Plan], order: &[usize]) -> World {
        let places = order.iter().enumerate();
        let objects: BTreeMap<usize, usize> = places.map(|(at, place)| (*place, at)).collect();
        let thing = |place: &usize| {
            let position = self.positions.get(*place);
            let way = self.planned(plans, *place);
            let steps = way.map_or(&[][..], |way| &way.steps);
            let link = |(link, target): &(Link, usize)| Some((*link, *objects.get(target)?));
            Thing {
                resource: position.and_then(|position| position.resource),
                facts: way.map_or_else(Vec::new, |way| way.facts.clone()),
                links: steps.iter().filter_map(link).collect(),
            }
        };
        World {
            objects: order.iter().map(thing).collect(),
        }
    }
}

impl Position {
    /// Whether all its ways are known.
    fn is_over(&self) -> bool {
        self.search.as_ref().is_some_and(Search::is_over)
    }

    /// The way of which all steps are `good` that takes the fewest steps, then facts.
    fn way(
        &self,
        good: impl Fn(usize) -> bool,
        effort: &mut Effort,
    ) -> Result<Option<usize>, Exhausted> {
        effort.take(1 + self.ways.len())?;
        let good = self
            .ways
            .iter()
            .enumerate()
            .filter(|(_, way)| way.steps.iter().all(|(_, place)| good(*place)));
        let best = good.min_by_key(|(_, way)| (way.steps.len(), way.facts.len()));
        Ok(best.map(|(at, _)| at))
    }
}
