//! Boxes as SVG: heads, rows, lanes and their marks.

use alloc::format;

use super::{
    arrange::Placed,
    details::CHIP_PADDING,
    frame::{Ink, Lane, Text},
    picture::{Group, Mark, RowKind, Shape, Tone},
    sheet::{escape, Sheet, CORNER},
    style::class,
    text::Face,
};

impl Sheet {
    pub fn group(&mut self, at: usize, group: &Group, placed: &Placed) {
        let (x, y, frame) = (placed.x, placed.y, &placed.frame);
        let (width, height) = (frame.width, frame.height);
        let strong = if group.highlighted { " strong" } else { "" };
        let faded = if self.told.is_empty() || self.told.contains(&at) {
            ""
        } else {
            " faded"
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

    pub fn chip(&mut self, x: i64, y: i64, width: i64) {
        self.put(&format!(
            "<rect class=\"chip\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"12\" rx=\"3\"/>",
            x - CHIP_PADDING,
            y - 9,
            width + 2 * CHIP_PADDING
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

    pub fn mark(&mut self, mark: Mark, x: i64, y: i64) {
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
}
