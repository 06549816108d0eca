//! The text of an SVG as it grows, and how texts come into it.
//!
//! Invariant: every text of a policy or a relationship passes [`escape`] on its way in.

use alloc::{collections::BTreeSet, format, string::String};

use super::{page::Words, text::Face};

/// Radius of corners.
pub(crate) const CORNER: i64 = 6;

/// What is written so far.
pub(crate) struct Sheet {
    pub svg: String,
    /// The groups that an answer tells of; the rest stands back if there are any.
    pub told: BTreeSet<usize>,
}

impl Sheet {
    pub fn put(&mut self, line: &str) {
        self.svg.push_str(line);
        self.svg.push('\n');
    }

    pub fn words(&mut self, words: &Words, class: &str) {
        self.text(
            words.x,
            words.y,
            words.width,
            &words.text,
            words.face,
            class,
        );
    }

    pub fn text(&mut self, x: i64, y: i64, width: i64, text: &str, face: Face, class: &str) {
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
