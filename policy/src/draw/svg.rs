//! A page written as SVG 1.1: shapes and texts, no scripts, nothing that is fetched.
//!
//! Invariant: every text of a policy or a relationship passes [`escape`] on its way in.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;

use super::{
    arrange::Placed,
    frame::{Ink, Lane, Text},
    legend::Sign,
    page::{page, Page, Words, SIGN},
    picture::{Edge, EdgeKind, Group, Mark, Matter, Picture, RowKind, Shape, Tone},
    style::{class, css, Scheme},
    text::Face,
};

/// How a drawing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SvgOptions {
    /// Without the XML header, for a page of HTML to hold.
    pub embedded: bool,
    /// Its colours.
    pub scheme: Scheme,
}

/// Radius of corners.
const CORNER: i64 = 6;

/// Writes `picture`.
pub(crate) fn write(picture: &Picture, options: SvgOptions) -> String {
    let page = page(picture);
    let mut svg = String::new();
    if !options.embedded {
        svg.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    let (width, height) = (page.width, page.height);
    // Ids must differ within a page of HTML that holds several drawings.
    let id = format!("drawing-{:016x}", digest(picture));
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"holdfast-drawing\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">"
    );
    let _ = writeln!(
        svg,
        "<title id=\"{id}-title\">{}</title>",
        escape(&picture.title)
    );
    let _ = writeln!(
        svg,
        "<desc id=\"{id}-desc\">{}</desc>",
        escape(&description(picture))
    );
    let mut hues: Vec<usize> = picture
        .groups
        .iter()
        .filter_map(|group| group.hue)
        .collect();
    hues.sort_unstable_by_key(|hue| class(Some(*hue)));
    hues.dedup_by_key(|hue| class(Some(*hue)));
    let _ = writeln!(svg, "<style>\n{}</style>", css(options.scheme, &hues));
    let _ = writeln!(
        svg,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    );
    let mut sheet = Sheet {
        svg,
        answered: picture.edges.iter().any(|edge| edge.highlighted),
    };
    for (at, line) in page.words.iter().enumerate() {
        sheet.words(line, if at == 0 { "" } else { "quiet" });
    }
    for (group, placed) in picture.groups.iter().zip(&page.boxes) {
        sheet.group(group, placed);
    }
    sheet.edges(picture, &page);
    for (sign, x, y, words) in &page.legend {
        sheet.sign(*sign, *x, *y);
        sheet.words(words, "quiet");
    }
    sheet.svg.push_str("</svg>\n");
    sheet.svg
}

/// What the drawing shows, for who cannot see it.
fn description(picture: &Picture) -> String {
    let what = match picture.matter {
        Matter::Schema => "Resources with their relations and permissions",
        Matter::Relationships => "Objects and actors with their relationships",
    };
    let labels: Vec<&str> = picture
        .groups
        .iter()
        .take(40)
        .map(|group| group.label.as_str())
        .collect();
    let more = if picture.groups.len() > labels.len() {
        " and more"
    } else {
        ""
    };
    format!(
        "{what}: {}{more}; {} edges. {}",
        labels.join(", "),
        picture.edges.len(),
        picture.caption
    )
}

/// FNV-1a over what the picture names (Fowler, Noll, Vo): tells drawings apart, secures nothing.
fn digest(picture: &Picture) -> u64 {
    let labels = picture.groups.iter().map(|group| group.label.as_str());
    let hints = picture.edges.iter().map(|edge| edge.hint.as_str());
    let bytes = core::iter::once(picture.title.as_str())
        .chain(labels)
        .chain(hints)
        .flat_map(str::bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Text as it may stand in an element or attribute: XML's own signs as references, and in place of
/// what XML 1.0 has no room for, or what would turn the order of the text around it, U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                escaped.push('\u{fffd}');
            }
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

struct Sheet {
    svg: String,
    /// Whether an answer is highlighted, and the rest stands back.
    answered: bool,
}

impl Sheet {
    fn put(&mut self, line: &str) {
        self.svg.push_str(line);
        self.svg.push('\n');
    }

    fn words(&mut self, words: &Words, class: &str) {
        self.text(
            words.x,
            words.y,
            words.width,
            &words.text,
            words.face,
            class,
        );
    }

    fn text(&mut self, x: i64, y: i64, width: i64, text: &str, face: Face, class: &str) {
        if text.is_empty() {
            return;
        }
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        let weight = if face.bold {
            " font-weight=\"bold\""
        } else {
            ""
        };
        // Other letters than ASCII are estimated too coarsely to be fitted.
        let fitted = if text.is_ascii() && text.len() > 1 {
            format!(" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\"")
        } else {
            String::new()
        };
        let line = format!(
            "<text{class} x=\"{x}\" y=\"{y}\" font-size=\"{}\"{weight}{fitted}>{}</text>",
            face.size,
            escape(text)
        );
        self.put(&line);
    }

    fn group(&mut self, group: &Group, placed: &Placed) {
        let (x, y, frame) = (placed.x, placed.y, &placed.frame);
        let (width, height) = (frame.width, frame.height);
        let strong = if group.highlighted { " strong" } else { "" };
        let faded =
            if self.answered && !group.highlighted && group.rows.iter().all(|row| !row.highlighted)
            {
                " faded"
            } else {
                ""
            };
        self.put(&format!(
            "<g class=\"{}{strong}{faded}\">",
            class(group.hue)
        ));
        self.put(&format!("<title>{}</title>", escape(&group.hint)));
        let radius = match group.shape {
            Shape::Pill => height.min(24) / 2,
            Shape::Table => CORNER,
        };
        let rect = |class: &str| {
            format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>")
        };
        if group.shape == Shape::Pill || frame.rows.is_empty() {
            self.put(&rect("head"));
        } else {
            self.put(&rect("body"));
            self.computed(group, placed);
            let (right, below) = (x + width, y + frame.head.height);
            self.put(&format!(
                "<path class=\"head\" d=\"M{x} {below}V{}Q{x} {y} {} {y}H{}Q{right} {y} {right} {}V{below}Z\"/>",
                y + CORNER,
                x + CORNER,
                right - CORNER,
                y + CORNER
            ));
        }
        self.put(&rect("frame"));
        for lane in &frame.lanes {
            self.lane(lane, x, y);
        }
        for (row, band) in group.rows.iter().zip(&frame.rows) {
            if !row.hint.is_empty() {
                self.put(&format!(
                    "<rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\" fill=\"#000\" fill-opacity=\"0\"><title>{}</title></rect>",
                    y + band.top,
                    band.height,
                    escape(&row.hint)
                ));
            }
        }
        for text in &frame.texts {
            self.label(text, x, y);
        }
        if !group.note.is_empty() {
            self.put(&format!(
                "<text class=\"quiet\" x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"end\">{}</text>",
                x + width - 10,
                y + frame.head.height / 2 + 4,
                Face::SMALL.size,
                escape(&group.note)
            ));
        }
        self.put("</g>");
    }

    /// The ground of the permissions, and a rule above them.
    fn computed(&mut self, group: &Group, placed: &Placed) {
        let frame = &placed.frame;
        let rows = group.rows.iter().zip(&frame.rows);
        let Some((_, first)) = rows
            .clone()
            .find(|(row, _)| row.kind == RowKind::Permission)
        else {
            return;
        };
        let (x, top) = (placed.x, placed.y + first.top);
        let (right, bottom) = (x + frame.width, placed.y + frame.height);
        self.put(&format!(
            "<path class=\"computed\" d=\"M{x} {top}H{right}V{}Q{right} {bottom} {} {bottom}H{}Q{x} {bottom} {x} {}Z\"/>",
            bottom - CORNER,
            right - CORNER,
            x + CORNER,
            bottom - CORNER
        ));
        if first.top > frame.head.height {
            self.put(&format!("<path class=\"rule\" d=\"M{x} {top}H{right}\"/>"));
        }
    }

    fn label(&mut self, text: &Text, x: i64, y: i64) {
        let (x, y) = (x + text.x, y + text.y);
        let class = match text.ink {
            Ink::Head | Ink::Name | Ink::Detail(Tone::Plain) => "",
            Ink::Detail(Tone::Quiet) => "quiet",
            Ink::Detail(Tone::Intersected) => "and",
            Ink::Detail(Tone::Subtracted) => "minus",
            Ink::Detail(Tone::Chip) => {
                self.chip(x, y, text.width);
                ""
            }
        };
        self.text(x, y, text.width, &text.text, text.face, class);
    }

    fn chip(&mut self, x: i64, y: i64, width: i64) {
        self.put(&format!(
            "<rect class=\"chip\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"12\" rx=\"3\"/>",
            x - 4,
            y - 9,
            width + 8
        ));
    }

    fn lane(&mut self, lane: &Lane, x: i64, y: i64) {
        let (left, end, mid) = (x + lane.x, x + lane.end, y + lane.y);
        let (top, bottom) = (y + lane.top, y + lane.bottom);
        self.put(&format!(
            "<path class=\"lane\" d=\"M{left} {top}V{bottom}M{left} {mid}H{end}\"/>"
        ));
        for (at, mark) in &lane.marks {
            self.mark(*mark, left, y + at);
        }
    }

    fn mark(&mut self, mark: Mark, x: i64, y: i64) {
        match mark {
            Mark::Plain => self.put(&format!(
                "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>"
            )),
            Mark::Through => self.put(&format!(
                "<path class=\"dot\" d=\"M{} {}L{} {y}L{} {}Z\"/>",
                x - 3,
                y - 4,
                x + 4,
                x - 3,
                y + 4
            )),
            Mark::Intersected => {
                self.put(&format!(
                    "<circle class=\"ring and\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"
                ));
                self.put(&format!(
                    "<circle class=\"ring and\" cx=\"{x}\" cy=\"{y}\" r=\"1\"/>"
                ));
            }
            Mark::Subtracted => {
                self.put(&format!(
                    "<circle class=\"ring minus\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"
                ));
                self.put(&format!(
                    "<path class=\"ring minus\" d=\"M{} {y}H{}\"/>",
                    x - 2,
                    x + 2
                ));
            }
        }
    }

    /// Edges that the answer rests on come last, above the others.
    fn edges(&mut self, picture: &Picture, page: &Page) {
        for highlighted in [false, true] {
            for (edge, route) in picture.edges.iter().zip(&page.routes) {
                if edge.highlighted == highlighted {
                    self.edge(picture, edge, route);
                }
            }
        }
    }

    fn edge(&mut self, picture: &Picture, edge: &Edge, route: &[(i64, i64)]) {
        let hue = match edge.kind {
            EdgeKind::Ignored | EdgeKind::Missing => None,
            _ => picture
                .groups
                .get(edge.to.group)
                .and_then(|group| group.hue),
        };
        let mut classes = format!("edge {}", class(hue));
        if edge.mark == Mark::Subtracted || edge.kind == EdgeKind::Missing {
            classes.push_str(" minus");
        }
        if edge.highlighted {
            classes.push_str(" strong");
        } else if self.answered && edge.kind != EdgeKind::Missing {
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

    fn sign(&mut self, sign: Sign, x: i64, y: i64) {
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
                self.text(
                    x,
                    y + 4,
                    super::text::width(words, face),
                    words,
                    face,
                    "quiet",
                );
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
