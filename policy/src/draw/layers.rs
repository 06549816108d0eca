//! Which column each box stands in: edges lead to the right, as far as circles let them.
//!
//! The first steps of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical
//! system structures", 1981). Circles are opened by the greedy order of Eades, Lin and Smyth ("A
//! fast and effective heuristic for the feedback arc set problem", 1993), here with weights; columns
//! are those of the longest paths, then each box goes where its edges are shortest, and columns
//! much taller than the others hand boxes on.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use petgraph::unionfind::UnionFind;

use super::fold::fold;

/// How often boxes are moved to where their edges are shorter. It settles in a few rounds; the
/// bound only keeps a strange graph from taking long.
const ROUNDS: usize = 32;

/// What a channel between two columns is taken to be wide.
pub(crate) const CHANNEL: i64 = 110;
/// What a screen shows, in pixels.
pub(crate) const SCREEN: (i64, i64) = (1_600, 900);

/// How many edges lead from one box to another; never from one to itself.
pub(crate) type Weights = BTreeMap<(usize, usize), i64>;

/// The boxes that edges connect, each part in ascending order; parts in the order of their first.
pub(crate) fn parts(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut sets: UnionFind<usize> = UnionFind::new(count);
    edges.for_each(|(from, to)| {
        sets.union(from, to);
    });
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..count {
        parts.entry(sets.find(at)).or_default().push(at);
    }
    let mut parts: Vec<Vec<usize>> = parts.into_values().collect();
    parts.sort();
    parts
}

/// The column of each box of these widths and heights, from 0 without gaps.
pub(crate) fn columns(sizes: &[(i64, i64)], weights: &Weights) -> Vec<usize> {
    let heights: Vec<i64> = sizes.iter().map(|(_, height)| *height).collect();
    let rank = sequence(sizes.len(), weights);
    let mut forward: Weights = BTreeMap::new();
    for ((from, to), weight) in weights {
        let ahead = rank.get(*from) < rank.get(*to);
        let key = if ahead { (*from, *to) } else { (*to, *from) };
        *forward.entry(key).or_default() += weight;
    }
    let graph = Graph::new(&heights, &forward);
    let mut columns = graph.longest_paths(&rank);
    graph.shorten(&mut columns);
    graph.level(&mut columns, limit(sizes));
    graph.shorten_within(&mut columns);
    fold(normalise(&columns), sizes, weights)
}

/// How tall columns may be: as tall as a screen, or so that all boxes fill its proportions.
fn limit(sizes: &[(i64, i64)]) -> i64 {
    let area: i64 = sizes
        .iter()
        .map(|(width, height)| (width + CHANNEL) * height)
        .sum();
    let tallest = sizes.iter().map(|(_, height)| *height).max().unwrap_or(0);
    (area * SCREEN.1 / SCREEN.0)
        .isqrt()
        .max(SCREEN.1)
        .max(tallest)
}

/// The place of each box in an order in which few edges lead back.
fn sequence(count: usize, weights: &Weights) -> Vec<usize> {
    let mut out = vec![0i64; count];
    let mut into = vec![0i64; count];
    for ((from, to), weight) in weights {
        out[*from] += weight;
        into[*to] += weight;
    }
    let mut left: Vec<usize> = Vec::new();
    let mut right: Vec<usize> = Vec::new();
    let mut rest: Vec<usize> = (0..count).collect();
    while !rest.is_empty() {
        let sink = rest.iter().position(|at| out[*at] == 0);
        let source = rest.iter().position(|at| into[*at] == 0);
        let heaviest = || {
            let key = |place: &usize| {
                (
                    out[rest[*place]] - into[rest[*place]],
                    core::cmp::Reverse(*place),
                )
            };
            (0..rest.len()).max_by_key(key).unwrap_or(0)
        };
        let place = sink.or(source).unwrap_or_else(heaviest);
        let taken = rest.remove(place);
        if sink.is_some() {
            right.push(taken);
        } else {
            left.push(taken);
        }
        for other in &rest {
            into[*other] -= weights.get(&(taken, *other)).copied().unwrap_or(0);
            out[*other] -= weights.get(&(*other, taken)).copied().unwrap_or(0);
        }
    }
    let mut rank = vec![0; count];
    let order = left.iter().chain(right.iter().rev());
    order.enumerate().for_each(|(place, at)| rank[*at] = place);
    rank
}

/// An acyclic graph, both ways.
struct Graph<'a> {
    heights: &'a [i64],
    after: Vec<Vec<(usize, i64)>>,
    before: Vec<Vec<(usize, i64)>>,
}

impl<'a> Graph<'a> {
    fn new(heights: &'a [i64], weights: &Weights) -> Self {
        let mut after = vec![Vec::new(); heights.len()];
        let mut before = vec![Vec::new(); heights.len()];
        for ((from, to), weight) in weights {
            after[*from].push((*to, *weight));
            before[*to].push((*from, *weight));
        }
        Self {
            heights,
            after,
            before,
        }
    }

    /// `rank` is an order in which all edges lead ahead.
    fn longest_paths(&self, rank: &[usize]) -> Vec<i64> {
        let mut order: Vec<usize> = (0..rank.len()).collect();
        order.sort_by_key(|at| rank[*at]);
        let mut columns = vec![0i64; rank.len()];
        for at in order {
            columns[at] = self.first(&columns, at).unwrap_or(0);
        }
        columns
    }

    /// The first column behind all that leads to `at`.
    fn first(&self, columns: &[i64], at: usize) -> Option<i64> {
        self.before[at]
            .iter()
            .map(|(other, _)| columns[*other] + 1)
            .max()
    }

    /// The last column before all that `at` leads to.
    fn last(&self, columns: &[i64], at: usize) -> Option<i64> {
        self.after[at]
            .iter()
            .map(|(other, _)| columns[*other] - 1)
            .min()
    }

    /// What one column to the right adds to the length of all edges.
    fn pull(&self, at: usize) -> i64 {
        let sum = |edges: &[(usize, i64)]| edges.iter().map(|(_, weight)| weight).sum::<i64>();
        sum(&self.before[at]) - sum(&self.after[at])
    }

    /// Moves each box as far as that makes edges shorter.
    fn shorten(&self, columns: &mut [i64]) {
        for _ in 0..ROUNDS {
            let mut moved = false;
            for at in 0..columns.len() {
                let (first, last) = (self.first(columns, at), self.last(columns, at));
                let goal = match self.pull(at) {
                    pull if pull < 0 => last,
                    pull if pull > 0 => first,
                    _ => None,
                };
                if let Some(goal) = goal.filter(|goal| *goal != columns[at]) {
                    columns[at] = goal;
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn loads(&self, columns: &[i64]) -> BTreeMap<i64, i64> {
        let mut loads = BTreeMap::new();
        for (at, column) in columns.iter().enumerate() {
            *loads.entry(*column).or_default() += self.heights[at];
        }
        loads
    }

    /// Hands boxes of columns that are too tall on to the nearest column that has room, or to a new
    /// one at either end, where their edges grow least.
    fn level(&self, columns: &mut [i64], limit: i64) {
        for _ in 0..columns.len() * 2 {
            let loads = self.loads(columns);
            let mut full: Vec<(i64, i64)> = loads
                .iter()
                .filter(|(_, load)| **load > limit)
                .map(|(column, load)| (-load, *column))
                .collect();
            full.sort_unstable();
            let handed = full
                .into_iter()
                .find_map(|(_, column)| self.hand_on(columns, &loads, column, limit));
            let Some((at, goal)) = handed else {
                return;
            };
            columns[at] = goal;
        }
    }

    /// Which box of a column goes where, if any can.
    fn hand_on(
        &self,
        columns: &[i64],
        loads: &BTreeMap<i64, i64>,
        full: i64,
        limit: i64,
    ) -> Option<(usize, i64)> {
        let left = loads.keys().next().map_or(0, |first| first - 1);
        let right = loads.keys().next_back().map_or(0, |last| last + 1);
        let load = |column: i64| loads.get(&column).copied().unwrap_or(0);
        let mut moves = Vec::new();
        for at in (0..columns.len()).filter(|at| columns[*at] == full) {
            let first = self.first(columns, at).unwrap_or(left);
            let last = self.last(columns, at).unwrap_or(right);
            let fits = |goal: &i64| load(*goal) + self.heights[at] <= limit;
            let before = (first..full).rev().find(fits);
            let after = (full + 1..=last).find(fits);
            for goal in before.into_iter().chain(after) {
                moves.push((self.pull(at) * (goal - full), (goal - full).abs(), at, goal));
            }
        }
        moves.into_iter().min().map(|(_, _, at, goal)| (at, goal))
    }

    /// Like [`Self::shorten`], one column at a time and never into one that is the taller for it.
    fn shorten_within(&self, columns: &mut [i64]) {
        for _ in 0..ROUNDS {
            let mut moved = false;
            for at in 0..columns.len() {
                let pull = self.pull(at);
                let goal = columns[at] - pull.signum();
                let first = self.first(columns, at).unwrap_or(i64::MIN);
                let last = self.last(columns, at).unwrap_or(i64::MAX);
                if pull == 0 || goal < first || goal > last {
                    continue;
                }
                let loads = self.loads(columns);
                let load = |column: i64| loads.get(&column).copied().unwrap_or(0);
                if load(goal) + self.heights[at] < load(columns[at]) {
                    columns[at] = goal;
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }
}

/// Numbers the columns that are used from 0.
fn normalise(columns: &[i64]) -> Vec<usize> {
    let mut used: Vec<i64> = columns.to_vec();
    used.sort_unstable();
    used.dedup();
    let place = |column: &i64| used.binary_search(column).unwrap_or(0);
    columns.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(edges: &[(usize, usize)]) -> Weights {
        let mut weights = Weights::new();
        edges
            .iter()
            .for_each(|edge| *weights.entry(*edge).or_default() += 1);
        weights
    }

    #[test]
    fn edges_lead_to_the_right() {
        let edges = [(0, 1), (1, 2), (0, 2), (3, 2), (2, 4)];
        let columns = columns(&[(10, 10); 5], &weights(&edges));
        for (from, to) in edges {
            assert!(columns[from] < columns[to], "{columns:?}");
        }
        assert_eq!(columns[3], 1, "as near as may be to what it leads to");
    }

    #[test]
    fn a_circle_is_opened_at_its_lightest_edge() {
        let mut weights = weights(&[(0, 1), (1, 2), (2, 0)]);
        *weights.entry((0, 1)).or_default() = 5;
        *weights.entry((1, 2)).or_default() = 5;
        assert_eq!(columns(&[(10, 10); 3], &weights), [0, 1, 2]);
    }

    #[test]
    fn columns_differ_little_in_height() {
        let edges: Vec<(usize, usize)> = (0..12).map(|at| (at, 12)).chain([(12, 13)]).collect();
        let columns = columns(&[(10, 200); 14], &weights(&edges));
        let most = (0..14)
            .map(|c| columns.iter().filter(|x| **x == c).count())
            .max();
        assert!(most.unwrap() <= 7, "{columns:?}");
    }

    #[test]
    fn parts_are_what_edges_connect() {
        assert_eq!(
            parts(5, [(3, 1), (4, 3)].into_iter()),
            [vec![0], vec![1, 3, 4], vec![2]]
        );
    }
}
