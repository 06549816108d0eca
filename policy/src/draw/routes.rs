//! From heights to a plane: tracks in the channels, widths, and the corners of each line.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::{
    arrange::{Ends, Placed, Plane, Work},
    frame::PITCH,
    nets::{ports, Line, Port, Side},
    picture::Shape,
    tracks::{lying, tracks, Piece},
};

/// Room between two columns besides the tracks: on each side an arrow's head and a mark.
const CHANNEL: i64 = 22;
/// Between two tracks.
const TRACK: i64 = 10;
/// How often ends are moved aside in a channel.
const ASIDE_ROUNDS: usize = 4;

impl Work<'_> {
    pub fn plane(&mut self, lines: &[Line], tops: &[i64]) -> Plane {
        self.widen();
        let tracks = self.tracks(tops);
        let mut lefts = Vec::new();
        let mut channels = Vec::new();
        let mut x = 0;
        for (column, tracks) in tracks.iter().enumerate() {
            lefts.push(x);
            let here = self
                .columns
                .iter()
                .zip(&self.frames)
                .filter(|(at, _)| **at == column);
            x += here.map(|(_, frame)| frame.width).max().unwrap_or(0);
            channels.push(x + CHANNEL);
            let count = tracks
                .iter()
                .flatten()
                .max()
                .map_or(0, |last| *last as i64 + 1);
            if column + 1 < self.column_count {
                x += 2 * CHANNEL + (count - 1).max(0) * TRACK;
            } else if count > 0 {
                x += CHANNEL + count * TRACK;
            }
        }
        let boxes: Vec<Placed> = self
            .frames
            .iter()
            .enumerate()
            .map(|(at, frame)| Placed {
                x: lefts[self.columns[at]],
                y: tops[at],
                frame: frame.clone(),
            })
            .collect();
        let upright = |net: usize, column: usize| {
            let track = tracks
                .get(column)
                .and_then(|tracks| tracks.get(net).copied().flatten());
            track.map(|track| channels[column] + track as i64 * TRACK)
        };
        let mut routes = vec![Vec::new(); lines.len()];
        for (at, net) in self.nets.iter().enumerate() {
            for line in &net.lines {
                routes[*line] = self.route(at, &lines[*line], &boxes, tops, &upright);
            }
        }
        let height = boxes
            .iter()
            .map(|placed| placed.y + placed.frame.height)
            .max()
            .unwrap_or(0);
        let lowest = routes
            .iter()
            .flatten()
            .map(|(_, y)| *y + PITCH)
            .max()
            .unwrap_or(0);
        Plane {
            width: x,
            height: height.max(lowest),
            boxes,
            routes,
        }
    }

    /// The track of each net in each channel; moves ends aside that would lie on another line.
    fn tracks(&mut self, tops: &[i64]) -> Vec<Vec<Option<usize>>> {
        let mut all = Vec::new();
        for column in 0..self.column_count {
            let mut found = Vec::new();
            for _ in 0..ASIDE_ROUNDS {
                let pieces = self.pieces(column, tops);
                found = tracks(&pieces);
                let lying = lying(&pieces, &found);
                if lying.is_empty() {
                    break;
                }
                self.moved
                    .extend(lying.into_iter().map(|net| (net, column + 1)));
            }
            all.push(found);
        }
        all
    }

    /// Makes tables that stand below each other equally wide.
    fn widen(&mut self) {
        let mut widths: BTreeMap<usize, i64> = BTreeMap::new();
        let tables = |at: &usize| self.groups[*at].shape == Shape::Table;
        for at in (0..self.frames.len()).filter(tables) {
            let width = widths.entry(self.columns[at]).or_default();
            *width = (*width).max(self.frames[at].width);
        }
        for at in 0..self.frames.len() {
            if self.groups[at].shape == Shape::Table {
                self.frames[at].width = widths.get(&self.columns[at]).copied().unwrap_or(0);
            }
        }
    }

    /// Of each net, the heights at which it meets the channel right of `column`.
    fn pieces(&self, column: usize, tops: &[i64]) -> Vec<Piece> {
        let heights = |ends: Ends| {
            let mut heights: Vec<i64> = ends
                .into_iter()
                .map(|(slot, offset)| tops[slot] + offset)
                .collect();
            heights.sort_unstable();
            heights.dedup();
            heights
        };
        (0..self.nets.len())
            .map(|net| {
                let (left, right) = self.ends(net, column);
                Piece {
                    left: heights(left),
                    right: heights(right),
                }
            })
            .collect()
    }

    /// The corners of a line of a net.
    fn route(
        &self,
        net: usize,
        line: &Line,
        boxes: &[Placed],
        tops: &[i64],
        upright: &dyn Fn(usize, usize) -> Option<i64>,
    ) -> Vec<(i64, i64)> {
        let (first, last) = ports(line, &self.columns);
        let place = |port: &Port| {
            let placed = &boxes[port.end.group];
            let x = placed.x
                + if port.side == Side::Right {
                    placed.frame.width
                } else {
                    0
                };
            (x, placed.y + self.offset(net, port))
        };
        let (begin, end) = (place(&first), place(&last));
        let mut points = vec![begin];
        let mut y = begin.1;
        let (from, to) = (self.columns[first.end.group], self.columns[last.end.group]);
        for column in from..to.max(from + 1) {
            let next = match self.bends[net].get(&(column + 1)) {
                Some(slot) if column + 1 < to => tops[*slot] + self.bend(net, column + 1),
                _ => end.1,
            };
            if let Some(x) = upright(net, column).filter(|_| next != y) {
                points.push((x, y));
                points.push((x, next));
            }
            y = next;
        }
        points.push(end);
        let leads_back = from != to && first.end != line.from;
        if leads_back {
            points.reverse();
        }
        points
    }
}
