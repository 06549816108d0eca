//! How far down each slot stands, so that lines are short and mostly straight.
//!
//! Column by column, every slot asks to stand where its lines would be straight; the column's order
//! and gaps must hold. The sum of the distances is least for the median of what a run of slots that
//! touch asks for: isotonic regression by pooling adjacent violators (Robertson, Wright and Dykstra,
//! *Order Restricted Statistical Inference*, 1988). Medians are values that were asked for, so lines
//! become exactly straight, and all places stay multiples of the grid.

use alloc::{vec, vec::Vec};

use super::order::{gap, Columns, Order};

const SWEEPS: usize = 12;
/// A line between two bends should be straight before anything else, one between two boxes last:
/// bends of a long line are many (Gansner and others, "A technique for drawing directed graphs",
/// 1993).
const WEIGHT_BENDS: i64 = 8;
const WEIGHT_BEND: i64 = 2;
const WEIGHT_BOXES: i64 = 1;

/// The top of each slot; the least is 0.
pub(crate) fn place(columns: &Columns, order: &Order) -> Vec<i64> {
    let ties = Ties::new(columns);
    let mut tops = vec![0i64; columns.slots.len()];
    order
        .iter()
        .for_each(|column| stack(columns, column, &mut tops));
    let mut best: Option<(i64, Vec<i64>)> = None;
    for sweep in 0..SWEEPS {
        let leftwards = sweep % 2 == 1;
        for step in 0..order.len() {
            let at = if leftwards {
                order.len() - 1 - step
            } else {
                step
            };
            let sides = if sweep + 4 < SWEEPS {
                [!leftwards, leftwards]
            } else {
                [true, true]
            };
            if let Some(column) = order.get(at) {
                settle(columns, column, &ties, sides, &mut tops);
            }
        }
        let length = ties.length(&tops);
        if best.as_ref().is_none_or(|(least, _)| length < *least) {
            best = Some((length, tops.clone()));
        }
    }
    let mut tops = best.map(|(_, tops)| tops).unwrap_or_default();
    let least = tops.iter().copied().min().unwrap_or(0);
    tops.iter_mut().for_each(|top| *top -= least);
    tops
}

fn stack(columns: &Columns, column: &[usize], tops: &mut [i64]) {
    let mut below = 0;
    let mut last = None;
    for at in column {
        let slot = columns.slots[*at];
        below += last.map_or(0, |last| gap(last, slot));
        tops[*at] = below;
        below += slot.height;
        last = Some(slot);
    }
}

/// For each slot and side: own offset, other slot, its offset, weight.
struct Ties {
    left: Vec<Vec<(i64, usize, i64, i64)>>,
    right: Vec<Vec<(i64, usize, i64, i64)>>,
}

impl Ties {
    fn new(columns: &Columns) -> Self {
        let mut left = vec![Vec::new(); columns.slots.len()];
        let mut right = left.clone();
        for link in columns.links.iter().flatten() {
            let boxes = [link.left, link.right]
                .iter()
                .filter(|at| columns.slots[**at].is_box)
                .count();
            let weight = [WEIGHT_BENDS, WEIGHT_BEND, WEIGHT_BOXES][boxes];
            left[link.right].push((link.right_offset, link.left, link.left_offset, weight));
            right[link.left].push((link.left_offset, link.right, link.right_offset, weight));
        }
        // Lines within a column ask for little, and on whichever side is looked at.
        for link in columns.turns.iter().filter(|link| link.left != link.right) {
            for ties in [&mut left, &mut right] {
                ties[link.right].push((
                    link.right_offset,
                    link.left,
                    link.left_offset,
                    WEIGHT_BOXES,
                ));
                ties[link.left].push((
                    link.left_offset,
                    link.right,
                    link.right_offset,
                    WEIGHT_BOXES,
                ));
            }
        }
        Self { left, right }
    }

    fn length(&self, tops: &[i64]) -> i64 {
        let of = |(at, ties): (usize, &Vec<(i64, usize, i64, i64)>)| -> i64 {
            ties.iter()
                .map(|(own, other, offset, weight)| {
                    (tops[at] + own - tops[*other] - offset).abs() * weight
                })
                .sum()
        };
        self.left.iter().enumerate().map(of).sum()
    }
}

/// A run of slots that touch, and what they ask for, counted from the run's top.
struct Run {
    /// How many slots it has.
    count: usize,
    goals: Vec<(i64, i64)>,
    top: i64,
}

impl Run {
    /// The weighted median of what is asked for, the lower of two.
    fn settle(&mut self) {
        self.goals.sort_unstable();
        let total: i64 = self.goals.iter().map(|(_, weight)| weight).sum();
        let mut sum = 0;
        for (goal, weight) in &self.goals {
            sum += weight;
            if sum * 2 >= total {
                self.top = *goal;
                return;
            }
        }
    }
}

/// Places one column by its lines to the left, to the right, or both.
fn settle(
    columns: &Columns,
    column: &[usize],
    ties: &Ties,
    [left, right]: [bool; 2],
    tops: &mut [i64],
) {
    let mut runs: Vec<Run> = Vec::new();
    // How far below the column's first slot each slot stands if all touch.
    let mut below = 0;
    let mut depths = Vec::with_capacity(column.len());
    let mut last = None;
    for at in column {
        let slot = columns.slots[*at];
        below += last.map_or(0, |last| gap(last, slot));
        depths.push(below);
        let mut goals: Vec<(i64, i64)> = Vec::new();
        for (wanted, ties) in [(left, &ties.left[*at]), (right, &ties.right[*at])] {
            if wanted {
                goals.extend(ties.iter().map(|(own, other, offset, weight)| {
                    (tops[*other] + offset - own - below, *weight)
                }));
            }
        }
        if goals.is_empty() {
            goals.push((tops[*at] - below, 1));
        }
        let mut run = Run {
            count: 1,
            goals,
            top: 0,
        };
        run.settle();
        while let Some(above) = runs.pop_if(|above| above.top > run.top) {
            run.count += above.count;
            run.goals.extend(above.goals);
            run.settle();
        }
        runs.push(run);
        below += slot.height;
        last = Some(slot);
    }
    let placed = runs
        .iter()
        .flat_map(|run| core::iter::repeat_n(run.top, run.count));
    for ((at, depth), top) in column.iter().zip(depths).zip(placed) {
        tops[*at] = top + depth;
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::{Link, Slot};
    use super::*;

    #[test]
    fn a_long_line_is_straight_and_nothing_overlaps() {
        let slot = |column, height, is_box| Slot {
            column,
            height,
            is_box,
        };
        let columns = Columns {
            slots: vec![
                slot(0, 60, true),
                slot(1, 120, true),
                slot(1, 12, false),
                slot(2, 12, false),
                slot(3, 48, true),
                slot(2, 48, true),
            ],
            links: [(0, 30, 2, 6), (2, 6, 3, 6), (3, 6, 4, 24)]
                .into_iter()
                .map(|(left, left_offset, right, right_offset)| {
                    vec![Link {
                        left,
                        left_offset,
                        right,
                        right_offset,
                    }]
                })
                .collect(),
            turns: Vec::new(),
        };
        let order = vec![vec![0], vec![1, 2], vec![3, 5], vec![4]];
        let tops = place(&columns, &order);
        let lines = [tops[0] + 30, tops[2] + 6, tops[3] + 6, tops[4] + 24];
        assert!(lines.iter().all(|at| *at == lines[0]), "{tops:?}");
        assert!(
            tops[2] >= tops[1] + 120 + 12 && tops[5] >= tops[3] + 12 + 12,
            "{tops:?}"
        );
        assert_eq!(tops.iter().min(), Some(&0));
    }
}
