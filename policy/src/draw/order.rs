//! In which order slots stand in their columns, so that few lines cross.
//!
//! Barycentres (Sugiyama, Tagawa, Toda, 1981) over the places where lines meet boxes, not over the
//! boxes' numbers, and between sweeps exchanges of neighbours. The number of sweeps is fixed and
//! ties keep the order that was, so the result is the same everywhere.

use alloc::{vec, vec::Vec};

/// A slot: a box, or a bend of a line that passes the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub column: usize,
    pub height: i64,
    pub is_box: bool,
}

/// A line between neighbouring columns; offsets count from the tops of the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub left: usize,
    pub left_offset: i64,
    pub right: usize,
    pub right_offset: i64,
}

/// Slots, links by the column on their left, and links within a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub slots: Vec<Slot>,
    pub links: Vec<Vec<Link>>,
    pub turns: Vec<Link>,
}

/// Which slots stand in each column, from the top.
pub(crate) type Order = Vec<Vec<usize>>;

/// Sweeps over all columns, there and back counted as one.
const SWEEPS: usize = 24;
/// Sweeps where there are more slots than [`SLOTS_FEW`].
const SWEEPS_LARGE: usize = 4;
const SLOTS_FEW: usize = 4_000;
/// Rounds of exchanges of neighbours after a sweep.
const EXCHANGES: usize = 8;
/// What it counts, in crossings, if a line within a column passes one slot more: it runs past what
/// leaves that slot.
const TURN: i64 = 2;

/// Room between two boxes of a column.
pub(crate) const APART: i64 = 30;

/// Room between two slots that follow each other: more around boxes.
pub(crate) fn gap(above: Slot, below: Slot) -> i64 {
    match (above.is_box, below.is_box) {
        (true, true) => APART,
        (false, false) => 0,
        _ => 12,
    }
}

/// The best order found.
pub(crate) fn order(columns: &Columns) -> Order {
    let work = Work::new(columns);
    let count = columns.links.len() + 1;
    let mut first: Order = vec![Vec::new(); count];
    let mut bends = first.clone();
    for (at, slot) in columns.slots.iter().enumerate() {
        let all = if slot.is_box { &mut first } else { &mut bends };
        if let Some(column) = all.get_mut(slot.column) {
            column.push(at);
        }
    }
    // What passes a column passes in its middle if nothing speaks against it, so that what a long
    // line leads to stands around it and not farther down from column to column.
    for (column, bends) in first.iter_mut().zip(bends) {
        let middle = column.len() / 2;
        column.splice(middle..middle, bends);
    }
    let mut second = first.clone();
    second.iter_mut().for_each(|column| column.reverse());
    let large = columns.slots.len() > SLOTS_FEW;
    let sweeps = if large { SWEEPS_LARGE } else { SWEEPS };
    let mut best: Option<(i64, Order)> = None;
    for mut order in [first, second] {
        let mut tops = vec![0; columns.slots.len()];
        order
            .iter()
            .for_each(|column| work.stack(column, &mut tops));
        for sweep in 0..sweeps {
            let leftwards = sweep % 2 == 1;
            for step in 0..count {
                let at = if leftwards { count - 1 - step } else { step };
                if let Some(column) = order.get_mut(at) {
                    work.sort(column, &mut tops, leftwards);
                }
            }
            if !large {
                work.exchange(&mut order, &mut tops);
            }
            let cost = work.crossings(&tops) + TURN * work.passed(&order);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, order.clone()));
            }
        }
    }
    best.map(|(_, order)| order).unwrap_or_default()
}

/// How many pairs of lines cross between two columns in this order; for tests and comparisons.
#[cfg(test)]
pub(crate) fn crossings(columns: &Columns, order: &Order) -> i64 {
    let work = Work::new(columns);
    let mut tops = vec![0; columns.slots.len()];
    order
        .iter()
        .for_each(|column| work.stack(column, &mut tops));
    work.crossings(&tops)
}

/// An end of a link as one slot sees it: its own offset, the other slot, the other's offset.
type Tie = (i64, usize, i64);

struct Work<'a> {
    columns: &'a Columns,
    to_left: Vec<Vec<Tie>>,
    to_right: Vec<Vec<Tie>>,
    within: Vec<Vec<Tie>>,
}

impl<'a> Work<'a> {
    fn new(columns: &'a Columns) -> Self {
        let mut to_left = vec![Vec::new(); columns.slots.len()];
        let mut to_right = vec![Vec::new(); columns.slots.len()];
        for link in columns.links.iter().flatten() {
            to_left[link.right].push((link.right_offset, link.left, link.left_offset));
            to_right[link.left].push((link.left_offset, link.right, link.right_offset));
        }
        let mut within = vec![Vec::new(); columns.slots.len()];
        for link in columns.turns.iter().filter(|link| link.left != link.right) {
            within[link.right].push((link.right_offset, link.left, link.left_offset));
            within[link.left].push((link.left_offset, link.right, link.right_offset));
        }
        Self {
            columns,
            to_left,
            to_right,
            within,
        }
    }

    /// Puts the slots of a column below each other, around the middle of all columns.
    fn stack(&self, column: &[usize], tops: &mut [i64]) {
        let mut below = 0;
        let mut last: Option<Slot> = None;
        for at in column {
            let slot = self.columns.slots[*at];
            below += last.map_or(0, |last| gap(last, slot));
            tops[*at] = below;
            below += slot.height;
            last = Some(slot);
        }
        column.iter().for_each(|at| tops[*at] -= below / 2);
    }

    /// Sorts a column by where its lines on one side lead.
    fn sort(&self, column: &mut [usize], tops: &mut [i64], by_right: bool) {
        let ties = if by_right {
            &self.to_right
        } else {
            &self.to_left
        };
        let goal = |at: usize| {
            let (ties, within) = (&ties[at], &self.within[at]);
            let half = self.columns.slots[at].height / 2;
            let all = ties.iter().chain(within);
            let sum: i64 = all
                .map(|(own, other, offset)| tops[*other] + offset - own)
                .sum();
            match (ties.len() + within.len()) as i64 {
                0 => tops[at] + half,
                count => sum / count + half,
            }
        };
        let mut keyed: Vec<(i64, usize)> = column.iter().map(|at| (goal(*at), *at)).collect();
        keyed.sort_by_key(|(goal, _)| *goal);
        column
            .iter_mut()
            .zip(keyed)
            .for_each(|(at, (_, slot))| *at = slot);
        self.stack(column, tops);
    }

    /// Exchanges neighbours as long as that takes crossings away.
    fn exchange(&self, order: &mut Order, tops: &mut [i64]) {
        for _ in 0..EXCHANGES {
            let mut gained = false;
            for column in order.iter_mut() {
                for place in 1..column.len() {
                    let (above, below) = (column[place - 1], column[place]);
                    let now = self.between(above, below, tops);
                    let then = self.between(below, above, tops);
                    if then < now {
                        column.swap(place - 1, place);
                        gained = true;
                    }
                }
                self.stack(column, tops);
            }
            if !gained {
                return;
            }
        }
    }

    /// Crossings among the lines of two neighbours of a column if one stands above the other, and what
    /// lines within the column count then.
    fn between(&self, above: usize, below: usize, tops: &[i64]) -> i64 {
        let count = |ties: &[Vec<Tie>]| {
            let place = |tie: &Tie| tops[tie.1] + tie.2;
            let pairs = ties[above]
                .iter()
                .flat_map(|a| ties[below].iter().map(move |b| (a, b)));
            pairs.filter(|(a, b)| place(a) > place(b)).count() as i64
        };
        // Those of the upper one that lead down, and those of the lower one that lead up, pass the other.
        let others = |at: usize| {
            self.within[at]
                .iter()
                .map(|tie| tie.1)
                .filter(move |to| *to != above && *to != below)
        };
        let top = tops[above].min(tops[below]);
        let down = others(above).filter(|to| tops[*to] > top).count();
        let up = others(below).filter(|to| tops[*to] <= top).count();
        count(&self.to_left) + count(&self.to_right) + TURN * (down + up) as i64
    }

    /// How many slots the lines within columns pass.
    fn passed(&self, order: &Order) -> i64 {
        let mut places = vec![0i64; self.columns.slots.len()];
        for column in order {
            column
                .iter()
                .zip(0..)
                .for_each(|(at, place)| places[*at] = place);
        }
        let turns = self.columns.turns.iter();
        turns
            .map(|link| {
                (places[link.left] - places[link.right])
                    .abs()
                    .saturating_sub(1)
                    .max(0)
            })
            .sum()
    }

    fn crossings(&self, tops: &[i64]) -> i64 {
        let links = self.columns.links.iter();
        links
            .map(|links| {
                let mut ends: Vec<(i64, i64)> = links
                    .iter()
                    .map(|link| {
                        (
                            tops[link.left] + link.left_offset,
                            tops[link.right] + link.right_offset,
                        )
                    })
                    .collect();
                ends.sort_unstable();
                inversions(ends.into_iter().map(|(_, right)| right).collect())
            })
            .sum()
    }
}

/// How many pairs of `values` stand in the wrong order: merge sort from the bottom up.
fn inversions(mut values: Vec<i64>) -> i64 {
    let mut count = 0;
    let mut run = 1;
    while run < values.len() {
        let mut merged = Vec::with_capacity(values.len());
        for pair in values.chunks(2 * run) {
            let (left, right) = pair.split_at(run.min(pair.len()));
            let (mut a, mut b) = (0, 0);
            while let (Some(x), Some(y)) = (left.get(a), right.get(b)) {
                if x <= y {
                    merged.push(*x);
                    a += 1;
                } else {
                    merged.push(*y);
                    b += 1;
                    count += (left.len() - a) as i64;
                }
            }
            merged.extend_from_slice(&left[a..]);
            merged.extend_from_slice(&right[b..]);
        }
        values = merged;
        run *= 2;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bipartite(left: usize, right: usize, links: &[(usize, usize)]) -> Columns {
        let slot = |column| Slot {
            column,
            height: 24,
            is_box: true,
        };
        let slots = (0..left)
            .map(|_| slot(0))
            .chain((0..right).map(|_| slot(1)));
        Columns {
            slots: slots.collect(),
            links: vec![links
                .iter()
                .map(|(a, b)| Link {
                    left: *a,
                    left_offset: 12,
                    right: left + b,
                    right_offset: 12,
                })
                .collect()],
            turns: Vec::new(),
        }
    }

    #[test]
    fn inversions_are_counted() {
        assert_eq!(inversions(vec![]), 0);
        assert_eq!(inversions(vec![1, 2, 2, 3]), 0);
        assert_eq!(inversions(vec![5, 4, 3, 2, 1]), 10);
        assert_eq!(inversions(vec![2, 1, 4, 3, 0]), 6);
    }

    #[test]
    fn what_need_not_cross_does_not() {
        let columns = bipartite(4, 4, &[(0, 3), (1, 2), (2, 1), (3, 0), (0, 2), (3, 1)]);
        let order = order(&columns);
        assert_eq!(crossings(&columns, &order), 0, "{order:?}");
    }
}
