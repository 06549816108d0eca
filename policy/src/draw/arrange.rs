//! Arranges one connected part of a picture: columns, the order in them, heights. What comes after,
//! from tracks to corners, is in `routes`.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use super::{
    frame::{Frame, Ports, PITCH},
    layers::{columns, Weights},
    nets::{nets, Line, Net, Port, Side},
    order::{order, Columns, Link, Slot, APART},
    picture::Group,
    place::place,
};

/// A box and its top left corner.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub x: i64,
    pub y: i64,
    pub frame: Frame,
}

/// A part on its plane: its size, its boxes, and the corners of its lines, each from where it leaves
/// to where it arrives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plane {
    pub width: i64,
    pub height: i64,
    pub boxes: Vec<Placed>,
    pub routes: Vec<Vec<(i64, i64)>>,
}

/// How far an end is moved aside where it would lie on another line: less than half of a pitch, so
/// that it stays nearer to its own place than to the next.
const ASIDE: i64 = 4;

/// Arranges boxes and the lines between them, whose ends count among `groups`.
pub(crate) fn arrange(groups: &[&Group], lines: &[Line]) -> Plane {
    let bare = groups
        .iter()
        .map(|group| Frame::of(group, &Ports::default()));
    let sizes: Vec<(i64, i64)> = bare
        .map(|frame| (frame.width, frame.height + APART))
        .collect();
    let mut weights = Weights::new();
    for line in lines.iter().filter(|line| line.from.group != line.to.group) {
        *weights.entry((line.from.group, line.to.group)).or_default() += 1;
    }
    let columns = columns(&sizes, &weights);
    let nets = nets(lines, &columns);
    let mut work = Work::new(groups, columns, &nets);
    let rough = order(&work.graph());
    let tops = place(&work.graph(), &rough);
    work.sort_ports(&tops);
    let order = order(&work.graph());
    let tops = place(&work.graph(), &order);
    work.sort_ports(&tops);
    let tops = place(&work.graph(), &order);
    work.plane(lines, &tops)
}

/// A side of a row or of a head.
type Row = (usize, Side, Option<usize>);
/// Which net it is at a port, and whether it returns there.
type Met = (usize, bool);
/// Where a net meets a column: slots, and places from their tops.
pub(crate) type Ends = Vec<(usize, i64)>;

/// A part while it is arranged.
pub(crate) struct Work<'a> {
    pub groups: &'a [&'a Group],
    pub columns: Vec<usize>,
    pub column_count: usize,
    pub nets: &'a [Net],
    pub frames: Vec<Frame>,
    /// The nets that meet each row on each side, in the order of their ports.
    met: BTreeMap<Row, Vec<Met>>,
    /// Of each net, the slots of its bends by column.
    pub bends: Vec<BTreeMap<usize, usize>>,
    slots: Vec<Slot>,
    /// Nets whose ends in a column are moved aside.
    pub moved: BTreeSet<(usize, usize)>,
}

impl<'a> Work<'a> {
    fn new(groups: &'a [&'a Group], columns: Vec<usize>, nets: &'a [Net]) -> Self {
        let column_count = columns.iter().max().map_or(0, |last| last + 1);
        let mut met: BTreeMap<Row, Vec<Met>> = BTreeMap::new();
        for (at, net) in nets.iter().enumerate() {
            for port in net.ports() {
                met.entry((port.end.group, port.side, port.end.row))
                    .or_default()
                    .push((at, port.returns));
            }
        }
        let frames: Vec<Frame> = groups
            .iter()
            .enumerate()
            .map(|(at, group)| {
                let count = |row| {
                    let side = |side| met.get(&(at, side, row)).map_or(0, Vec::len);
                    side(Side::Left).max(side(Side::Right))
                };
                let ports = Ports {
                    head: count(None),
                    rows: (0..group.rows.len()).map(|row| count(Some(row))).collect(),
                };
                Frame::of(group, &ports)
            })
            .collect();
        let mut slots: Vec<Slot> = frames
            .iter()
            .zip(&columns)
            .map(|(frame, column)| Slot {
                column: *column,
                height: frame.height,
                is_box: true,
            })
            .collect();
        let mut bends = Vec::new();
        for net in nets {
            let column = |port: &Port| columns[port.end.group];
            let first = net.starts.iter().map(column).min().unwrap_or(0) + 1;
            let last = net.goals.iter().map(column).max().unwrap_or(0);
            let mut own = BTreeMap::new();
            for column in first..last {
                own.insert(column, slots.len());
                slots.push(Slot {
                    column,
                    height: PITCH,
                    is_box: false,
                });
            }
            bends.push(own);
        }
        Self {
            groups,
            columns,
            column_count,
            nets,
            frames,
            met,
            bends,
            slots,
            moved: BTreeSet::new(),
        }
    }

    /// Where a port stands on its box.
    pub fn offset(&self, net: usize, port: &Port) -> i64 {
        let met = self.met.get(&(port.end.group, port.side, port.end.row));
        let place =
            met.and_then(|nets| nets.iter().position(|other| *other == (net, port.returns)));
        let frame = &self.frames[port.end.group];
        let offset = frame.port(port.end.row, place.unwrap_or(0), met.map_or(1, Vec::len));
        match port.side {
            Side::Left => offset + self.aside(net, self.columns[port.end.group]),
            Side::Right => offset,
        }
    }

    /// Where the bend of a net stands in its slot.
    pub fn bend(&self, net: usize, column: usize) -> i64 {
        PITCH / 2 + self.aside(net, column)
    }

    /// How far the ends of a net in a column are moved out of the way of another.
    fn aside(&self, net: usize, column: usize) -> i64 {
        if self.moved.contains(&(net, column)) {
            ASIDE
        } else {
            0
        }
    }

    /// The slots at which a net meets the channel right of `column`, with offsets.
    pub fn ends(&self, at: usize, column: usize) -> (Ends, Ends) {
        let net = &self.nets[at];
        let of = |ports: &[Port], column: usize| -> Ends {
            let here = ports
                .iter()
                .filter(|port| self.columns[port.end.group] == column);
            let bend = self.bends[at]
                .get(&column)
                .map(|slot| (*slot, self.bend(at, column)));
            here.map(|port| (port.end.group, self.offset(at, port)))
                .chain(bend)
                .collect()
        };
        (of(&net.starts, column), of(&net.goals, column + 1))
    }

    fn graph(&self) -> Columns {
        let mut links = vec![Vec::new(); self.column_count.saturating_sub(1)];
        for (column, links) in links.iter_mut().enumerate() {
            for net in 0..self.nets.len() {
                let (left, right) = self.ends(net, column);
                for (left, left_offset) in &left {
                    links.extend(right.iter().map(|(right, right_offset)| Link {
                        left: *left,
                        left_offset: *left_offset,
                        right: *right,
                        right_offset: *right_offset,
                    }));
                }
            }
        }
        let loops = self
            .nets
            .iter()
            .enumerate()
            .filter(|(_, net)| net.goals.is_empty());
        let turns = loops.flat_map(|(at, net)| {
            let (to, from): (Vec<&Port>, Vec<&Port>) =
                net.starts.iter().partition(|port| port.returns);
            let pairs: Vec<(&Port, &Port)> = from
                .iter()
                .flat_map(|a| to.iter().map(|b| (*a, *b)))
                .collect();
            pairs.into_iter().map(move |(left, right)| Link {
                left: left.end.group,
                left_offset: self.offset(at, left),
                right: right.end.group,
                right_offset: self.offset(at, right),
            })
        });
        Columns {
            slots: self.slots.clone(),
            links,
            turns: turns.collect(),
        }
    }

    /// Sorts the ports of each row by where their nets go on to.
    fn sort_ports(&mut self, tops: &[i64]) {
        let keys: Vec<_> = self.met.keys().copied().collect();
        for key in keys {
            let (group, side, _) = key;
            let column = match side {
                Side::Right => Some(self.columns[group]),
                Side::Left => self.columns[group].checked_sub(1),
            };
            let goal = |net: usize| {
                let (left, right) = column
                    .map(|column| self.ends(net, column))
                    .unwrap_or_default();
                let other = if side == Side::Right { right } else { left };
                let other = if other.is_empty() {
                    self.ends(net, self.columns[group]).0
                } else {
                    other
                };
                let sum: i64 = other
                    .iter()
                    .map(|(slot, offset)| tops[*slot] + offset)
                    .sum();
                sum / (other.len() as i64).max(1)
            };
            let Some(nets) = self.met.get(&key) else {
                continue;
            };
            let mut keyed: Vec<_> = nets.iter().map(|net| (goal(net.0), *net)).collect();
            keyed.sort_unstable();
            self.met
                .insert(key, keyed.into_iter().map(|(_, net)| net).collect());
        }
    }
}
