//! How large a box is, and where its texts and lanes stand in it.
//!
//! All heights and all places where lines meet a box are multiples of [`GRID`], so that lines can be
//! straight. Lanes are the columns of marks left of the rows: a permission's lane runs past the rows
//! that it reads and has a mark at each.

use alloc::{string::String, vec, vec::Vec};

use super::{
    details::{set, CHIP_PADDING, LINE},
    picture::{Group, Mark, Read, Row, Shape, Tone},
    text::{fit, width, Face},
};

/// Half of the distance at which two lines may run side by side.
pub(crate) const GRID: i64 = 6;
/// Between two lines, and between two lines of text.
pub(crate) const PITCH: i64 = 2 * GRID;

const HEAD: i64 = 2 * PITCH;
const PADDING: i64 = 10;
const LANE: i64 = 9;
/// Labels and names are cut where they are wider than this.
const LABEL_MAX: i64 = 240;
const NAME_MAX: i64 = 150;

/// Top and height, from the top of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    pub top: i64,
    pub height: i64,
}

/// A text and its place from the top left of the box: the left end of its base line.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub text: String,
    pub face: Face,
    pub ink: Ink,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Head,
    Name,
    Detail(Tone),
}

/// The column of marks of one row.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub x: i64,
    /// Where it bends to the name of its row.
    pub y: i64,
    pub end: i64,
    /// From where to where it runs.
    pub top: i64,
    pub bottom: i64,
    pub marks: Vec<(i64, Mark)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub width: i64,
    pub height: i64,
    pub head: Band,
    pub rows: Vec<Band>,
    pub texts: Vec<Text>,
    pub lanes: Vec<Lane>,
}

/// How many lines meet the head and each row, on the side where more do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports {
    pub head: usize,
    pub rows: Vec<usize>,
}

impl Frame {
    pub fn of(group: &Group, ports: &Ports) -> Self {
        match group.shape {
            Shape::Pill => Self::pill(group, ports),
            Shape::Table => Self::table(group, ports),
        }
    }

    fn pill(group: &Group, ports: &Ports) -> Self {
        let label = fit(&group.label, Face::DETAIL, LABEL_MAX);
        let room = width(&label, Face::DETAIL);
        let height = PITCH * (ports.head.max(1) as i64 + 1);
        Self {
            width: room + 2 * PITCH,
            height,
            head: Band { top: 0, height },
            rows: Vec::new(),
            texts: vec![Text {
                x: PITCH,
                y: height / 2 + 4,
                width: room,
                text: label,
                face: Face::DETAIL,
                ink: Ink::Head,
            }],
            lanes: Vec::new(),
        }
    }

    fn table(group: &Group, ports: &Ports) -> Self {
        let lanes = assign(&group.rows);
        let count = lanes.iter().map(|(lane, _)| lane + 1).max().unwrap_or(0) as i64;
        let gutter = if count > 0 { count * LANE + LANE } else { 0 };
        let names: Vec<String> = group
            .rows
            .iter()
            .map(|row| fit(&row.name, Face::NAME, NAME_MAX))
            .collect();
        let name_room = names
            .iter()
            .map(|name| width(name, Face::NAME))
            .max()
            .unwrap_or(0);
        let name_left = PADDING + gutter;
        let detail_left = name_left + name_room + PADDING;
        let label = fit(&group.label, Face::HEADER, LABEL_MAX);
        let label_room = width(&label, Face::HEADER);
        let note_room = width(&group.note, Face::SMALL);

        let head = Band {
            top: 0,
            height: HEAD.max(PITCH * (ports.head as i64 + 1)),
        };
        let mut texts = vec![Text {
            x: PADDING,
            y: head.height / 2 + 5,
            width: label_room,
            text: label,
            face: Face::HEADER,
            ink: Ink::Head,
        }];
        let mut rows: Vec<Band> = Vec::new();
        let mut top = head.height;
        let mut right = detail_left - PADDING;
        for (at, (row, name)) in group.rows.iter().zip(names).enumerate() {
            let lines = set(&row.details);
            let slots = lines
                .len()
                .max(1)
                .max(ports.rows.get(at).copied().unwrap_or(0));
            let height = PITCH * (slots as i64 + 1);
            let base = top + PITCH + 4 - (lines.len().max(1) as i64 - 1) / 2;
            texts.push(Text {
                x: name_left,
                y: base,
                width: width(&name, Face::NAME),
                text: name,
                face: Face::NAME,
                ink: Ink::Name,
            });
            for (line, pieces) in lines.into_iter().enumerate() {
                for mut text in pieces {
                    text.x += detail_left;
                    text.y = base + line as i64 * LINE;
                    right = right.max(
                        text.x
                            + text.width
                            + if text.ink == Ink::Detail(Tone::Chip) {
                                CHIP_PADDING
                            } else {
                                0
                            },
                    );
                    texts.push(text);
                }
            }
            rows.push(Band { top, height });
            top += height;
        }
        let wanted = PADDING
            + label_room
            + if note_room > 0 {
                note_room + 2 * PADDING
            } else {
                0
            };
        let mid = |row: usize| rows.get(row).map_or(0, |band| band.top + PITCH);
        let lanes = lanes.into_iter().map(|(lane, row)| {
            let marks: Vec<(i64, Mark)> = group
                .rows
                .get(row)
                .map_or(&[][..], |row| &row.reads)
                .iter()
                .map(|read| (mid(read.row), read.mark))
                .collect();
            let y = mid(row);
            Lane {
                x: name_left - LANE - lane as i64 * LANE,
                y,
                end: name_left - 3,
                top: marks.iter().map(|(at, _)| *at).min().unwrap_or(y).min(y),
                bottom: marks.iter().map(|(at, _)| *at).max().unwrap_or(y).max(y),
                marks,
            }
        });
        let lanes = lanes.collect();
        Self {
            width: even(right.max(wanted) + PADDING),
            height: top,
            head,
            rows,
            texts,
            lanes,
        }
    }

    /// Where the `at`-th of `count` lines meets the head or a row.
    pub fn port(&self, row: Option<usize>, at: usize, count: usize) -> i64 {
        let (band, is_head) = match row.and_then(|row| self.rows.get(row)) {
            Some(band) => (*band, false),
            None => (self.head, true),
        };
        // In a row from its first line of text on; in a head around its middle.
        let first = if is_head {
            (band.height - PITCH * (count as i64 - 1)) / 2 / GRID * GRID
        } else {
            PITCH
        };
        band.top + first + PITCH * at as i64
    }
}

fn even(length: i64) -> i64 {
    (length + 1) / 2 * 2
}

/// A lane for each row that reads others, counted from the names outwards, so that lanes that run
/// past the same rows stand apart.
fn assign(rows: &[Row]) -> Vec<(usize, usize)> {
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut lanes = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let reads = || row.reads.iter().map(|Read { row, .. }| *row);
        let (Some(first), Some(last)) = (reads().min(), reads().max()) else {
            continue;
        };
        let span = (first.min(at), last.max(at));
        let free =
            |spans: &Vec<(usize, usize)>| spans.iter().all(|(a, b)| *b < span.0 || span.1 < *a);
        let lane = taken.iter().position(free).unwrap_or(taken.len());
        if lane == taken.len() {
            taken.push(Vec::new());
        }
        taken[lane].push(span);
        lanes.push((lane, at));
    }
    lanes
}
