//! Columns on top of each other, where there are so many that nobody could see them at once.

use alloc::{vec, vec::Vec};

use super::layers::{Weights, CHANNEL, SCREEN};

/// What an edge within a column counts, in hundredths of a screen: it turns back where it should lead on.
const TURN: i64 = 3;

/// Puts columns that follow each other on top of each other where the drawing would else be much
/// wider than a screen that shows all of its height: long chains would be a ribbon.
pub(crate) fn fold(columns: Vec<usize>, sizes: &[(i64, i64)], weights: &Weights) -> Vec<usize> {
    let count = columns.iter().max().map_or(0, |last| last + 1);
    let mut loads = vec![0i64; count];
    columns
        .iter()
        .zip(sizes)
        .for_each(|(column, (_, height))| loads[*column] += height);
    let mut best: Option<(i64, Vec<usize>)> = None;
    for parts in (1..=count).rev() {
        // Each column for itself, or runs of them.
        let starts = if parts == count {
            (0..count).collect()
        } else {
            split(&loads, parts)
        };
        let place = |column: usize| starts.iter().take_while(|start| **start <= column).count() - 1;
        let folded: Vec<usize> = columns.iter().map(|column| place(*column)).collect();
        let mut outer = vec![(0i64, 0i64); starts.len()];
        for (column, (width, height)) in folded.iter().zip(sizes) {
            outer[*column].0 = outer[*column].0.max(width + CHANNEL);
            outer[*column].1 += height;
        }
        let width: i64 = outer.iter().map(|(width, _)| width).sum();
        let height = outer.iter().map(|(_, height)| *height).max().unwrap_or(0);
        let turns: i64 = weights
            .iter()
            .filter(|((a, b), _)| folded[*a] == folded[*b])
            .map(|(_, weight)| weight)
            .sum();
        // How many screens it takes in the worse direction, in hundredths, and how often edges turn.
        let cost = (width * 100 / SCREEN.0)
            .max(height * 100 / SCREEN.1)
            .max(100)
            + turns * TURN;
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, folded));
        }
    }
    let mut folded = best.map_or(columns, |(_, folded)| folded);
    relieve(&mut folded, sizes, weights);
    folded
}

/// Moves boxes that nothing leads to towards the left, and boxes that lead nowhere towards the right,
/// out of the tallest column as long as the drawing gets lower by it.
fn relieve(columns: &mut [usize], sizes: &[(i64, i64)], weights: &Weights) {
    let count = columns.iter().max().map_or(0, |last| last + 1);
    for _ in 0..columns.len() {
        let mut loads = vec![0i64; count];
        columns
            .iter()
            .zip(sizes)
            .for_each(|(column, (_, height))| loads[*column] += height);
        let Some(tallest) = (0..count).max_by_key(|column| (loads[*column], *column)) else {
            return;
        };
        if loads[tallest] <= SCREEN.1 {
            return;
        }
        let mut moves = Vec::new();
        for at in (0..columns.len()).filter(|at| columns[*at] == tallest) {
            let is_source = weights.keys().all(|(_, to)| *to != at);
            let is_sink = weights.keys().all(|(from, _)| *from != at);
            let left = if is_source { 0 } else { tallest };
            let right = if is_sink { count - 1 } else { tallest };
            for goal in (left..=right).filter(|goal| *goal != tallest) {
                let load = loads[goal] + sizes[at].1;
                if load < loads[tallest] {
                    moves.push((goal.abs_diff(tallest), load, at, goal));
                }
            }
        }
        let Some((_, _, at, goal)) = moves.into_iter().min() else {
            return;
        };
        columns[at] = goal;
    }
}

/// Parts `loads` into runs whose greatest sum is least: the start of each.
fn split(loads: &[i64], parts: usize) -> Vec<usize> {
    let runs = |limit: i64| {
        let mut starts = vec![0];
        let mut sum = 0;
        for (at, load) in loads.iter().enumerate() {
            if sum + load > limit && sum > 0 {
                starts.push(at);
                sum = 0;
            }
            sum += load;
        }
        starts
    };
    let (mut low, mut high) = (
        loads.iter().copied().max().unwrap_or(0),
        loads.iter().sum::<i64>(),
    );
    while low < high {
        let middle = (low + high) / 2;
        if runs(middle).len() <= parts {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    runs(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_chain_fits_a_screen_and_a_short_one_stays() {
        let chain = |count: usize| -> Vec<usize> {
            let weights: Weights = (1..count).map(|at| ((at - 1, at), 1)).collect();
            fold((0..count).collect(), &vec![(300, 200); count], &weights)
        };
        assert_eq!(chain(3), [0, 1, 2]);
        let folded = chain(12);
        assert!(
            folded.windows(2).all(|pair| pair[0] <= pair[1]),
            "{folded:?}"
        );
        let columns = folded.last().map_or(0, |last| last + 1);
        assert!((3..=5).contains(&columns), "{folded:?}");
    }
}
