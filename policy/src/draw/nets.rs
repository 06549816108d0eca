//! Edges that share an end share a line: a net is a star of edges around one end.
//!
//! Twenty relations that hold `group->member` are one line that twenty branches join, instead of
//! twenty lines. A net is all of one kind and colour, so whoever follows a branch from its free end
//! arrives at one place. An edge belongs to exactly one net, around that of its ends which has more
//! such edges. In the columns that a net passes it takes one slot, a bend.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::picture::{EdgeKind, End, Mark};

/// What of an edge matters for its line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub from: End,
    pub to: End,
    pub style: Style,
}

/// Lines of one style may be one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Style {
    pub kind: EdgeKind,
    /// Only whether it is [`Mark::Subtracted`]: then it is dashed.
    pub subtracted: bool,
    pub hue: Option<usize>,
    pub highlighted: bool,
}

impl Style {
    pub fn new(kind: EdgeKind, mark: Mark, hue: Option<usize>, highlighted: bool) -> Self {
        Self {
            kind,
            subtracted: mark == Mark::Subtracted,
            hue,
            highlighted,
        }
    }

    /// Whether its strokes would show where several lie on each other.
    fn is_broken(self) -> bool {
        self.subtracted || matches!(self.kind, EdgeKind::Ignored | EdgeKind::Missing)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Where a net meets a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Port {
    pub end: End,
    pub side: Side,
    /// Only where a line returns to the side that it left: at which of the two it arrives, which
    /// may be at the row that it left.
    pub returns: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Net {
    /// Ports on right sides of boxes, where lines begin as one reads.
    pub starts: Vec<Port>,
    /// Ports on left sides of boxes, farther right; none if the net stays with one box.
    pub goals: Vec<Port>,
    /// The places of its lines among all.
    pub lines: Vec<usize>,
}

impl Net {
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.starts.iter().chain(&self.goals)
    }
}

/// The two ports of a line: the one farther left first. Lines that stay in one column leave and
/// return on the right.
pub(crate) fn ports(line: &Line, columns: &[usize]) -> (Port, Port) {
    let (from, to) = (columns[line.from.group], columns[line.to.group]);
    let port = |end, side| Port {
        end,
        side,
        returns: false,
    };
    if from < to {
        (port(line.from, Side::Right), port(line.to, Side::Left))
    } else if to < from {
        (port(line.to, Side::Right), port(line.from, Side::Left))
    } else {
        let arrival = Port {
            returns: true,
            ..port(line.to, Side::Right)
        };
        (port(line.from, Side::Right), arrival)
    }
}

/// Parts `lines` into nets.
pub(crate) fn nets(lines: &[Line], columns: &[usize]) -> Vec<Net> {
    type Key = (Port, bool, Style, Option<usize>);
    let keys = |at: usize, line: &Line| -> [Key; 2] {
        let (left, right) = ports(line, columns);
        let ahead = columns[line.from.group] <= columns[line.to.group];
        let (first, second) = if ahead { (left, right) } else { (right, left) };
        // A net is of lines that arrive at one end, or of lines that leave it; never of both.
        let alone = line.style.is_broken().then_some(at);
        [
            (second, true, line.style, alone),
            (first, false, line.style, alone),
        ]
    };
    let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        for key in keys(at, line) {
            *counts.entry(key).or_default() += 1;
        }
    }
    let mut members: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let [arriving, leaving] = keys(at, line);
        let count = |key: &Key| counts.get(key).copied().unwrap_or(0);
        let key = if count(&leaving) > count(&arriving) {
            leaving
        } else {
            arriving
        };
        members.entry(key).or_default().push(at);
    }
    members
        .into_values()
        .map(|at| {
            let (mut starts, mut goals) = (vec![], vec![]);
            for line in at.iter().filter_map(|at| lines.get(*at)) {
                let (left, right) = ports(line, columns);
                starts.push(left);
                match right.side {
                    Side::Left => goals.push(right),
                    Side::Right => starts.push(right),
                }
            }
            for ports in [&mut starts, &mut goals] {
                ports.sort_unstable();
                ports.dedup();
            }
            Net {
                starts,
                goals,
                lines: at,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(from: (usize, usize), to: (usize, usize), subtracted: bool) -> Line {
        let end = |(group, row)| End {
            group,
            row: Some(row),
        };
        Line {
            from: end(from),
            to: end(to),
            style: Style {
                kind: EdgeKind::Members,
                subtracted,
                hue: None,
                highlighted: false,
            },
        }
    }

    #[test]
    fn lines_to_one_end_are_one_net() {
        let lines = [
            line((0, 0), (2, 0), false),
            line((1, 0), (2, 0), false),
            line((0, 0), (2, 1), false),
            line((2, 3), (2, 0), false),
        ];
        let nets = nets(&lines, &[0, 0, 1]);
        let members: Vec<&[usize]> = nets.iter().map(|net| net.lines.as_slice()).collect();
        assert_eq!(members, [[2].as_slice(), &[0, 1], &[3]]);
        assert_eq!((nets[1].starts.len(), nets[1].goals.len()), (2, 1));
        assert_eq!((nets[2].starts.len(), nets[2].goals.len()), (2, 0));
    }

    #[test]
    fn lines_from_one_end_are_one_net_where_they_are_more() {
        let lines: Vec<Line> = (1..5).map(|to| line((0, 0), (to, 0), false)).collect();
        assert_eq!(nets(&lines, &[0, 1, 1, 1, 1]).len(), 1);
    }

    #[test]
    fn dashed_lines_stay_apart() {
        let lines = [line((0, 0), (2, 0), true), line((1, 0), (2, 0), true)];
        assert_eq!(nets(&lines, &[0, 0, 1]).len(), 2);
    }
}
