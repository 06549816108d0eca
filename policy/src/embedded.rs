//! A text inside of a YAML file: a schema, a policy, theorems. It is read by its own reader, whose
//! errors are then said in places of the file.

use alloc::{string::String, vec::Vec};

use crate::{fields::Placed, places::Places, schema::Position};

/// A text inside of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedText {
    /// The text, as YAML gives it.
    pub text: String,
    /// Places in the text, ascending, and where they are in the file: one for each line that stands
    /// by itself there.
    lines: Vec<(Position, Position)>,
}

impl EmbeddedText {
    pub(crate) fn new(file: &str, (text, start): Placed) -> Self {
        let places = Places::new(file, start, &text);
        let mut lines = Vec::new();
        let mut inner = Position { line: 1, column: 1 };
        let mut from = 0;
        for (offset, outer) in places.known() {
            for character in text.get(from..*offset).unwrap_or("").chars() {
                if character == '\n' {
                    inner.line += 1;
                    inner.column = 1;
                } else {
                    inner.column += 1;
                }
            }
            from = *offset;
            lines.push((inner, *outer));
        }
        Self { text, lines }
    }

    /// The place in the file of a place in the text.
    #[must_use]
    pub fn place(&self, of: Position) -> Position {
        let next = self.lines.partition_point(|(inner, _)| *inner <= of);
        match next.checked_sub(1).and_then(|at| self.lines.get(at)) {
            Some((inner, outer)) if inner.line == of.line => Position {
                line: outer.line,
                column: outer.column + of.column - inner.column,
            },
            Some((_, outer)) => *outer,
            None => of,
        }
    }
}
