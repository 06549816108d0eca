//! Where the upright parts of lines run in the channel between two columns.
//!
//! After Sander ("Layout of directed hypergraphs with orthogonal hyperedges", 2003): for each two
//! pieces that are in each other's way, one order has fewer crossings than the other; a greedy
//! order follows those wishes, and each piece takes the first track on which nothing before it runs.
//! One wish is nearly a law: where one piece leaves the left side at the height at which another
//! arrives on the right, the first must turn off first, or both would lie on each other.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use super::frame::PITCH;

/// The part of a net in one channel: the heights at which it meets the columns, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub left: Vec<i64>,
    pub right: Vec<i64>,
}

impl Piece {
    /// From where to where it runs upright; `None` if it runs straight through.
    pub fn span(&self) -> Option<(i64, i64)> {
        let all = || self.left.iter().chain(&self.right).copied();
        let (top, bottom) = (all().min()?, all().max()?);
        (top < bottom).then_some((top, bottom))
    }
}

/// What lying on another line counts, in crossings.
const OVERLAP: i64 = 1_000;
/// Heights nearer than this are one to the eye.
const NEAR: i64 = PITCH / 3;
/// Uprights on one track keep this apart.
const APART: i64 = PITCH;
/// More pieces than this are put on tracks in the order of their heights: the wishes of all pairs
/// would take too long.
const PIECES_MANY: usize = 600;

/// The track of each piece, counted from the left; `None` for one that runs straight.
pub(crate) fn tracks(pieces: &[Piece]) -> Vec<Option<usize>> {
    let bent: Vec<(usize, (i64, i64))> = pieces
        .iter()
        .enumerate()
        .filter_map(|(at, piece)| Some((at, piece.span()?)))
        .collect();
    let mut tracks = vec![None; pieces.len()];
    let mut used: Vec<Vec<(i64, i64)>> = Vec::new();
    let mut placed: Vec<(usize, (i64, i64), usize)> = Vec::new();
    for place in sequence(pieces, &bent) {
        let (at, span) = bent[place];
        let meets = |other: &(i64, i64)| other.0 < span.1 + APART && span.0 < other.1 + APART;
        // Behind everything before it that it meets, so that the order holds.
        let after = placed
            .iter()
            .filter(|(other, range, _)| meets(range) || touches(&pieces[*other], &pieces[at]))
            .map(|(_, _, track)| track + 1)
            .max()
            .unwrap_or(0);
        let track = (after..).find(|track| {
            used.get(*track)
                .is_none_or(|spans| !spans.iter().any(meets))
        });
        let track = track.unwrap_or(after);
        if used.len() <= track {
            used.resize(track + 1, Vec::new());
        }
        used[track].push(span);
        placed.push((at, span, track));
        tracks[at] = Some(track);
    }
    tracks
}

/// The pieces whose right ends lie on the left ends of others that turn off behind them: no order of
/// tracks was free of that, as where two pieces exchange their heights.
pub(crate) fn lying(pieces: &[Piece], tracks: &[Option<usize>]) -> Vec<usize> {
    let bent: Vec<(usize, usize)> = tracks
        .iter()
        .enumerate()
        .filter_map(|(at, track)| Some((at, (*track)?)))
        .collect();
    if bent.len() > PIECES_MANY {
        return Vec::new();
    }
    let behind = |(at, track): &(usize, usize)| {
        bent.iter().any(|(other, later)| {
            later > track && near(&pieces[*other].left, &pieces[*at].right) > 0
        })
    };
    bent.iter()
        .filter(|piece| behind(piece))
        .map(|(at, _)| *at)
        .collect()
}

/// Whether the order of two pieces matters although their uprights do not meet.
fn touches(a: &Piece, b: &Piece) -> bool {
    near(&a.left, &b.right) > 0 || near(&b.left, &a.right) > 0
}

fn near(a: &[i64], b: &[i64]) -> i64 {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x - y).abs()));
    pairs.filter(|distance| *distance < NEAR).count() as i64
}

/// Crossings of two pieces if `a` turns off left of `b`.
fn cost(a: &Piece, a_span: (i64, i64), b: &Piece, b_span: (i64, i64)) -> i64 {
    let inside = |heights: &[i64], span: (i64, i64)| {
        heights
            .iter()
            .filter(|at| span.0 < **at && **at < span.1)
            .count() as i64
    };
    // `a` goes on to the right past the upright of `b`, and `b` comes from the left past that of `a`;
    // where they do so at one height, they lie on each other.
    inside(&a.right, b_span) + inside(&b.left, a_span) + OVERLAP * near(&a.right, &b.left)
}

/// The order from the left in which few wishes are broken, as places in `bent`: greedily, what
/// wishes to stand left more than it is wished away comes first (Eades, Lin and Smyth, 1993).
fn sequence(pieces: &[Piece], bent: &[(usize, (i64, i64))]) -> Vec<usize> {
    let count = bent.len();
    if count > PIECES_MANY {
        let mut all: Vec<usize> = (0..count).collect();
        all.sort_by_key(|place| (bent[*place].1, *place));
        return all;
    }
    // `wish[a][b]` > 0: a should stand left of b.
    let mut wish = vec![vec![0i64; count]; count];
    for a in 0..count {
        for b in a + 1..count {
            let ((at_a, span_a), (at_b, span_b)) = (bent[a], bent[b]);
            let (first, second) = (&pieces[at_a], &pieces[at_b]);
            let gain = cost(second, span_b, first, span_a) - cost(first, span_a, second, span_b);
            wish[a][b] = gain;
            wish[b][a] = -gain;
        }
    }
    let mut rest: BTreeSet<usize> = (0..count).collect();
    let mut score: Vec<i64> = wish.iter().map(|row| row.iter().sum()).collect();
    let mut unmet: Vec<i64> = wish
        .iter()
        .map(|row| row.iter().filter(|w| **w < 0).sum())
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(next) = rest
        .iter()
        .copied()
        .max_by_key(|at| (unmet[*at] == 0, score[*at], core::cmp::Reverse(*at)))
    {
        rest.remove(&next);
        order.push(next);
        for other in &rest {
            score[*other] -= wish[*other][next];
            if wish[*other][next] < 0 {
                unmet[*other] -= wish[*other][next];
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(left: &[i64], right: &[i64]) -> Piece {
        Piece {
            left: left.to_vec(),
            right: right.to_vec(),
        }
    }

    #[test]
    fn a_straight_piece_takes_no_track() {
        assert_eq!(tracks(&[piece(&[6], &[6])]), [None]);
    }

    #[test]
    fn pieces_that_go_down_side_by_side_do_not_cross() {
        let found = tracks(&[piece(&[0], &[60]), piece(&[12], &[72])]);
        assert_eq!(found, [Some(1), Some(0)]);
    }

    #[test]
    fn pieces_far_from_each_other_share_a_track() {
        let found = tracks(&[piece(&[0], &[24]), piece(&[100], &[148])]);
        assert_eq!(found, [Some(0), Some(0)]);
    }

    #[test]
    fn what_leaves_where_another_arrives_turns_off_first() {
        let found = tracks(&[piece(&[0], &[60]), piece(&[60], &[120])]);
        assert!(found[1] < found[0], "{found:?}");
    }

    #[test]
    fn many_pieces_keep_apart() {
        let pieces: Vec<Piece> = (0..700)
            .map(|at| piece(&[at * 12], &[at * 12 + 60]))
            .collect();
        let found = tracks(&pieces);
        for a in 0..pieces.len() {
            for b in a + 1..(a + 6).min(pieces.len()) {
                assert_ne!(found[a], found[b]);
            }
        }
    }
}
