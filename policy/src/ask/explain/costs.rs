//! The cheapest way to make something so, where ways are chosen among and added up (Knuth, "A
//! generalization of Dijkstra's algorithm", 1977).
//!
//! Every visit of a node costs something, so a cheapest way never leads back to itself.

use alloc::{collections::VecDeque, vec, vec::Vec};

/// What one relationship costs; nodes on the way only decide between ways with equally many.
pub(super) const RELATIONSHIP: u64 = 1 << 24;
/// What a node costs.
const NODE: u64 = 1;
/// What cannot be had.
pub(super) const NEVER: u64 = u64::MAX;
/// What is more than can be counted: what two parts lean on counts twice, what four do four times.
pub(super) const COUNTLESS: u64 = u64::MAX - 1;

/// A piece of what a place takes, in postfix order.
#[derive(Clone, Debug)]
pub(super) enum Item<F> {
    /// Something that is so, or would have to be, and what that costs.
    Fact(F, u64),
    /// The same, together with another place.
    Step(F, u64, usize),
    /// Another place.
    Visit(usize),
    /// The cheapest of so many pieces before.
    Least(usize),
    /// All of so many pieces before.
    All(usize),
}

struct Place<F> {
    items: Vec<Item<F>>,
    cost: u64,
    /// Which pieces are chosen at that cost.
    chosen: Vec<usize>,
    /// Places that this one is a piece of.
    above: Vec<usize>,
    /// Whether it waits to be evaluated.
    waits: bool,
}

pub(super) struct Graph<F> {
    places: Vec<Place<F>>,
}

impl<F> Graph<F> {
    pub(super) fn new() -> Self {
        Self { places: vec![] }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Makes a place of which nothing is known yet: it cannot be had.
    pub(super) fn add(&mut self) -> usize {
        self.places.push(Place {
            items: vec![],
            cost: NEVER,
            chosen: vec![],
            above: vec![],
            waits: true,
        });
        self.places.len() - 1
    }

    /// Says what a place takes.
    pub(super) fn set(&mut self, at: usize, items: Vec<Item<F>>) {
        for item in &items {
            if let Item::Step(_, _, child) | Item::Visit(child) = item {
                if let Some(child) = self.places.get_mut(*child) {
                    child.above.push(at);
                }
            }
        }
        if let Some(place) = self.places.get_mut(at) {
            place.items = items;
        }
    }

    /// Finds what each place costs, weighing at most as many pieces as are `left`; whether all of it is
    /// found. Where not, what is found is a way all
    /// the same, if not a cheapest one. Following the chosen pieces ends: what a place leads to costs
    /// less, or is as countless and was found before it.
    pub(super) fn solve(&mut self, left: &mut usize) -> bool {
        // Places lead to later ones, mostly, so that these are settled first.
        let mut waiting: VecDeque<usize> = (0..self.places.len()).rev().collect();
        while let Some(at) = waiting.pop_front() {
            let Some(place) = self.places.get_mut(at) else {
                continue;
            };
            place.waits = false;
            // What is above is weighed too, where this one turns out cheaper.
            let weight = 1 + place.items.len() + place.above.len();
            let Some(less) = left.checked_sub(weight) else {
                return false;
            };
            *left = less;
            let (cost, chosen) = self.evaluate(at);
            let Some(place) = self.places.get_mut(at).filter(|place| cost < place.cost) else {
                continue;
            };
            place.cost = cost;
            place.chosen = chosen;
            for above in place.above.clone() {
                let above_place = self.places.get_mut(above).filter(|place| !place.waits);
                if let Some(place) = above_place {
                    place.waits = true;
                    waiting.push_back(above);
                }
            }
        }
        true
    }

    pub(super) fn cost(&self, at: usize) -> u64 {
        self.places.get(at).map_or(NEVER, |place| place.cost)
    }

    /// The pieces of a place that are chosen.
    pub(super) fn chosen(&self, at: usize) -> Vec<&Item<F>> {
        let Some(Place { items, chosen, .. }) = self.places.get(at) else {
            return vec![];
        };
        chosen.iter().filter_map(|at| items.get(*at)).collect()
    }

    fn evaluate(&self, at: usize) -> (u64, Vec<usize>) {
        let items = self
            .places
            .get(at)
            .map_or(&[][..], |place| place.items.as_slice());
        let mut stack: Vec<(u64, Vec<usize>)> = vec![];
        for (at, item) in items.iter().enumerate() {
            let found = match item {
                Item::Fact(_, cost) => (*cost, vec![at]),
                Item::Step(_, cost, child) => (sum(*cost, self.cost(*child)), vec![at]),
                Item::Visit(child) => (self.cost(*child), vec![at]),
                Item::Least(count) => {
                    let from = stack.len().saturating_sub(*count);
                    let of = stack.split_off(from).into_iter();
                    of.min_by_key(|(cost, _)| *cost).unwrap_or((NEVER, vec![]))
                }
                Item::All(count) => {
                    let from = stack.len().saturating_sub(*count);
                    let of = stack.split_off(from).into_iter();
                    of.fold(
                        (0, vec![]),
                        |(before, mut all): (u64, Vec<usize>), (cost, more)| {
                            all.extend(more);
                            (sum(before, cost), all)
                        },
                    )
                }
            };
            stack.push(found);
        }
        let (cost, chosen) = stack.pop().unwrap_or((NEVER, vec![]));
        (sum(cost, NODE), chosen)
    }
}

fn sum(one: u64, other: u64) -> u64 {
    match one == NEVER || other == NEVER {
        true => NEVER,
        false => one.saturating_add(other).min(COUNTLESS),
    }
}
