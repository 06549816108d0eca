//! The whole drawing on one sheet: title, parts side by side, legend. Everything has its place here;
//! writing it down decides nothing more.

use alloc::{string::String, vec, vec::Vec};

use super::{
    arrange::{arrange, Placed, Plane},
    layers::parts,
    legend::{legend, Sign},
    nets::{Line, Style},
    picture::{Edge, End, Group, Picture},
    text::{fit, width, wrap, Face},
};

/// A text and the left end of its base line.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub text: String,
    pub face: Face,
}

#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub width: i64,
    pub height: i64,
    /// The title first.
    pub words: Vec<Words>,
    /// By the picture's groups.
    pub boxes: Vec<Placed>,
    /// By the picture's edges.
    pub routes: Vec<Vec<(i64, i64)>>,
    /// Signs, the left end and middle line of each, and what they mean.
    pub legend: Vec<(Sign, i64, i64, Words)>,
}

const MARGIN: i64 = 24;
/// Between parts that nothing connects.
const APART: i64 = 36;
/// The narrowest sheet: title and legend need room.
const WIDTH_MIN: i64 = 560;
/// The widest row of parts where no part alone is wider.
const WIDTH_GOAL: i64 = 1_500;
const CAPTION_LINES: usize = 3;
const LINE: i64 = 16;
/// Room for a sign of the legend before its words.
pub(crate) const SIGN: i64 = 40;
const LEGEND_LINE: i64 = 20;

/// Lays `picture` out.
pub(crate) fn page(picture: &Picture) -> Page {
    let lines: Vec<Line> = picture
        .edges
        .iter()
        .map(|edge| line(picture, edge))
        .collect();
    let ends = lines.iter().map(|line| (line.from.group, line.to.group));
    let parts = parts(picture.groups.len(), ends);
    let mut planes: Vec<(Vec<usize>, Vec<usize>, Plane)> = parts
        .into_iter()
        .map(|part| plane(picture, &lines, part))
        .collect();
    // Tall ones first, so that rows of parts waste little; of equal ones the first.
    planes.sort_by_key(|(_, _, plane)| core::cmp::Reverse(plane.height));

    let widest = planes
        .iter()
        .map(|(_, _, plane)| plane.width)
        .max()
        .unwrap_or(0);
    let inner = widest.max(WIDTH_GOAL);
    let (mut x, mut y, mut tallest, mut right) = (0, 0, 0, 0);
    let mut corners = Vec::new();
    for (_, _, plane) in &planes {
        if x > 0 && x + plane.width > inner {
            y += tallest + APART;
            (x, tallest) = (0, 0);
        }
        corners.push((x, y));
        x += plane.width + APART;
        right = right.max(x - APART);
        tallest = tallest.max(plane.height);
    }
    let inner = right.max(WIDTH_MIN - 2 * MARGIN);

    let mut words = head(picture, inner);
    let top = words.last().map_or(MARGIN, |last| last.y + MARGIN);
    let mut boxes: Vec<Option<Placed>> = vec![None; picture.groups.len()];
    let mut routes = vec![Vec::new(); picture.edges.len()];
    for ((groups, edges, plane), (x, y)) in planes.into_iter().zip(corners) {
        let (x, y) = (x + MARGIN, y + top);
        for (group, mut placed) in groups.into_iter().zip(plane.boxes) {
            placed.x += x;
            placed.y += y;
            boxes[group] = Some(placed);
        }
        for (edge, route) in edges.into_iter().zip(plane.routes) {
            routes[edge] = route.into_iter().map(|(a, b)| (a + x, b + y)).collect();
        }
    }
    let mut y = top + y + tallest + MARGIN;
    for note in &picture.notes {
        for text in wrap(note, Face::DETAIL, inner, CAPTION_LINES) {
            words.push(set(text, Face::DETAIL, MARGIN, y + LINE / 2));
            y += LINE;
        }
    }
    let legend = foot(picture, inner, &mut y);
    Page {
        width: inner + 2 * MARGIN,
        height: y + MARGIN,
        words,
        boxes: boxes.into_iter().flatten().collect(),
        routes,
        legend,
    }
}

fn line(picture: &Picture, edge: &Edge) -> Line {
    Line {
        from: edge.from,
        to: edge.to,
        style: Style::new(edge.kind, edge.mark, picture.hue(edge), edge.highlighted),
    }
}

/// Lays out one part: its groups, its edges, its plane.
fn plane(picture: &Picture, lines: &[Line], part: Vec<usize>) -> (Vec<usize>, Vec<usize>, Plane) {
    let groups: Vec<&Group> = part
        .iter()
        .filter_map(|at| picture.groups.get(*at))
        .collect();
    let mut edges = Vec::new();
    let mut own = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let local = |end: End| {
            let group = part.binary_search(&end.group).ok()?;
            Some(End { group, ..end })
        };
        if let (Some(from), Some(to)) = (local(line.from), local(line.to)) {
            edges.push(at);
            own.push(Line { from, to, ..*line });
        }
    }
    let plane = arrange(&groups, &own);
    (part, edges, plane)
}

fn set(text: String, face: Face, x: i64, y: i64) -> Words {
    Words {
        x,
        y,
        width: width(&text, face),
        text,
        face,
    }
}

/// Title and caption.
fn head(picture: &Picture, room: i64) -> Vec<Words> {
    let mut y = MARGIN + Face::TITLE.size - 4;
    let mut words = vec![set(
        fit(&picture.title, Face::TITLE, room),
        Face::TITLE,
        MARGIN,
        y,
    )];
    y += 6;
    for text in wrap(
        &picture.caption,
        Face::NAME_PLAIN,
        room.min(900),
        CAPTION_LINES,
    ) {
        y += LINE;
        words.push(set(text, Face::NAME_PLAIN, MARGIN, y));
    }
    words
}

/// The legend, in rows from `y` on, which is moved below it.
fn foot(picture: &Picture, room: i64, y: &mut i64) -> Vec<(Sign, i64, i64, Words)> {
    let mut x = 0;
    let mut all = Vec::new();
    for (sign, meaning) in legend(picture) {
        let lead = match sign {
            Sign::Words(text) => width(text, Face::SMALL) + 8,
            Sign::Mark(_) => SIGN / 2,
            _ => SIGN,
        };
        let text = set(meaning.into(), Face::DETAIL, 0, 0);
        let taken = lead + text.width;
        if x > 0 && x + taken > room {
            x = 0;
            *y += LEGEND_LINE;
        }
        let words = Words {
            x: MARGIN + x + lead,
            y: *y + 4,
            ..text
        };
        all.push((sign, MARGIN + x, *y, words));
        x += taken + MARGIN;
    }
    all
}
