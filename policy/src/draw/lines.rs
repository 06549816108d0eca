//! Lines as SVG, and the legend's signs, which are drawn like what they stand for.

use alloc::{format, string::String};
use core::fmt::Write;

use super::{
    legend::Sign,
    page::{Page, SIGN},
    picture::{Edge, EdgeKind, Mark, Picture, RowKind},
    sheet::{escape, Sheet, CORNER},
    style::class,
    text::{width, Face},
};

impl Sheet {
    /// Edges that the answer rests on come last, above the others.
    pub fn edges(&mut self, picture: &Picture, page: &Page) {
        for highlighted in [false, true] {
            for (edge, route) in picture.edges.iter().zip(&page.routes) {
                if edge.highlighted == highlighted {
                    self.edge(picture, edge, route);
                }
            }
        }
    }

    fn edge(&mut self, picture: &Picture, edge: &Edge, route: &[(i64, i64)]) {
        let hue = picture.hue(edge);
        let mut classes = format!("edge {}", class(hue));
        if edge.mark == Mark::Subtracted || edge.kind == EdgeKind::Missing {
            classes.push_str(" minus");
        }
        if edge.highlighted {
            classes.push_str(" strong");
        } else if !self.told.is_empty() && edge.kind != EdgeKind::Missing {
            classes.push_str(" faded");
        }
        self.put(&format!(
            "<g class=\"{classes}\"><title>{}</title>",
            escape(&edge.hint)
        ));
        self.stroke(edge.kind, edge.mark == Mark::Subtracted, route);
        if edge.mark == Mark::Intersected {
            if let [(x, y), (next, _), ..] = route {
                let toward = if next > x { 1 } else { -1 };
                self.mark(Mark::Intersected, x + 10 * toward, *y);
            }
        }
        self.put("</g>");
    }

    /// A line with its tip; the corners are round.
    fn stroke(&mut self, kind: EdgeKind, subtracted: bool, route: &[(i64, i64)]) {
        let class = match kind {
            EdgeKind::Holds | EdgeKind::Members => "line holds",
            EdgeKind::Ignored => "line dotted",
            EdgeKind::Missing => "line dashed",
            EdgeKind::Any | EdgeKind::Every if subtracted => "line dashed",
            EdgeKind::Any | EdgeKind::Every => "line",
        };
        let [.., (before, _), (x, y)] = route else {
            return;
        };
        let back = if before < x { -1 } else { 1 };
        self.put(&format!("<path class=\"{class}\" d=\"{}\"/>", path(route)));
        let tip = |open: &str, from: i64| {
            format!(
                "<path class=\"tip{open}\" d=\"M{} {}L{} {y}L{} {}Z\"/>",
                from + 7 * back,
                y - 4,
                from,
                from + 7 * back,
                y + 4
            )
        };
        match kind {
            EdgeKind::Holds | EdgeKind::Members => self.put(&tip(" open", *x)),
            EdgeKind::Every => {
                self.put(&tip("", *x));
                self.put(&tip("", x + 7 * back));
            }
            _ => self.put(&tip("", *x)),
        }
    }

    pub fn sign(&mut self, sign: Sign, x: i64, y: i64) {
        match sign {
            Sign::Row(kind) => {
                let ground = if kind == RowKind::Permission {
                    "computed"
                } else {
                    "body"
                };
                let rect = |class: &str| {
                    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"30\" height=\"12\" rx=\"2\"/>", y - 6)
                };
                self.put(&format!(
                    "<g class=\"plain\">{}{}</g>",
                    rect(ground),
                    rect("frame")
                ));
            }
            Sign::Line { kind, subtracted } => {
                let minus = if subtracted || kind == EdgeKind::Missing {
                    " minus"
                } else {
                    ""
                };
                self.put(&format!("<g class=\"edge plain{minus}\">"));
                self.stroke(kind, subtracted, &[(x, y), (x + SIGN - 8, y)]);
                self.put("</g>");
            }
            Sign::Mark(mark) => {
                self.put("<g>");
                self.mark(mark, x + 6, y);
                self.put("</g>");
            }
            Sign::Chip => self.chip(x + 4, y + 3, 22),
            Sign::Highlight => {
                self.put("<g class=\"edge plain strong\">");
                self.stroke(EdgeKind::Any, false, &[(x, y), (x + SIGN - 8, y)]);
                self.put("</g>");
            }
            Sign::Words(words) => {
                let face = Face::SMALL;
                self.text(x, y + 4, width(words, face), words, face, "quiet");
            }
        }
    }
}

/// A line through corners, each rounded as far as its neighbours leave room.
fn path(route: &[(i64, i64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in route.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| route.get(at));
        match (before, route.get(at + 1)) {
            (None, _) => {
                let _ = write!(path, "M{x} {y}");
            }
            (Some(_), None) => {
                let _ = write!(path, "L{x} {y}");
            }
            (Some((a, b)), Some((c, d))) => {
                let length = |dx: i64, dy: i64| dx.abs() + dy.abs();
                let room = length(x - a, y - b).min(length(c - x, d - y)) / 2;
                let radius = room.min(CORNER);
                let from = (x + (a - x).signum() * radius, y + (b - y).signum() * radius);
                let to = (x + (c - x).signum() * radius, y + (d - y).signum() * radius);
                let _ = write!(path, "L{} {}Q{x} {y} {} {}", from.0, from.1, to.0, to.1);
            }
        }
    }
    path
}
