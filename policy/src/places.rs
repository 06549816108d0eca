//! Where a piece of a YAML scalar stands in the file: schemas and relationships are written inside
//! block scalars, and an error must name the line that a person looks at.
//!
//! A block scalar's lines stand in its value one after the other, without their indentation (YAML
//! 1.2 §8.1), so the two texts are walked side by side. Where that fails, and in plain and quoted
//! scalars of more than one line, the place is that of the scalar: never a wrong line.

use alloc::vec::Vec;

use crate::schema::Position;

/// The places of one scalar's value.
pub(crate) struct Places<'a> {
    value: &'a str,
    /// Offsets in the value, ascending, and where they stand in the file.
    known: Vec<(usize, Position)>,
}

impl<'a> Places<'a> {
    /// Of the scalar whose first character of content stands at `start` of `file`, and which reads as
    /// `value`.
    pub(crate) fn new(file: &str, start: Position, value: &'a str) -> Self {
        let first = file.lines().nth(start.line - 1).unwrap_or("");
        let indent = start.column - 1;
        let quote = first
            .chars()
            .nth(indent)
            .filter(|c| matches!(c, '"' | '\''));
        let known = match quote {
            Some(quote) if !value.starts_with(quote) => alloc::vec![(0, along(start, 1))],
            // The parser gives the place of the first character of content; what stands alone on
            // its line may go on with that indentation.
            _ if first.chars().take(indent).all(|c| c == ' ') => block(file, start, value),
            _ => alloc::vec![(0, start)],
        };
        Self { value, known }
    }

    /// Offsets in the value, ascending, and where they stand in the file.
    pub(crate) fn known(&self) -> &[(usize, Position)] {
        &self.known
    }

    /// The place of the byte at `offset` of the value.
    pub(crate) fn at(&self, offset: usize) -> Position {
        let next = self.known.partition_point(|(known, _)| *known <= offset);
        let Some((from, position)) = next.checked_sub(1).and_then(|at| self.known.get(at)) else {
            return Position { line: 1, column: 1 };
        };
        match self.value.get(*from..offset) {
            Some(between) if !between.contains('\n') => along(*position, between.chars().count()),
            _ => *position,
        }
    }
}

fn along(position: Position, characters: usize) -> Position {
    Position {
        column: position.column + characters,
        ..position
    }
}

fn block(file: &str, start: Position, value: &str) -> Vec<(usize, Position)> {
    // Kept line breaks may stand before the content.
    let mut at = value.len() - value.trim_start_matches('\n').len();
    let mut known = alloc::vec![(at, start)];
    let indent = start.column - 1;
    for (number, line) in file.lines().enumerate().skip(start.line - 1) {
        if line.trim().is_empty() {
            continue;
        }
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let Some(content) = line.get(indent..).filter(|_| spaces >= indent) else {
            break;
        };
        // Line breaks of the value, and the space that folding puts for one.
        let rest = value.get(at..).unwrap_or("");
        at += rest.len() - rest.trim_start_matches('\n').len();
        let mut rest = value.get(at..).unwrap_or("");
        if !rest.starts_with(content) {
            at += usize::from(rest.starts_with(' '));
            rest = value.get(at..).unwrap_or("");
        }
        if !rest.starts_with(content) {
            break;
        }
        let position = Position {
            line: number + 1,
            column: start.column,
        };
        known.push((at, position));
        at += content.len();
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{read_as, Kind, Value};

    const KIND: Kind = Kind {
        what: "the file",
        needs: "`a`",
        bytes_max: 1000,
        tabs: true,
    };

    fn place(file: &str, needle: &str) -> (usize, usize) {
        let Value::Map(entries) = read_as(file, &KIND).unwrap().value else {
            panic!("a map")
        };
        let node = &entries[0].node;
        let Value::Text(value) = &node.value else {
            panic!("a text")
        };
        let places = Places::new(file, node.position, value);
        let offset = value.find(needle).unwrap();
        let position = places.at(offset);
        (position.line, position.column)
    }

    #[test]
    fn a_piece_of_a_scalar_is_found_in_the_file() {
        for (file, expected) in [
            ("a: |\n  one\n  two X\n", (3, 7)),
            ("a: |+\n\n  one\n\n  two X\n\n", (5, 7)),
            ("a: >-\n  one\n  two X\n", (3, 7)),
            ("a: >-\n  one\n\n  two\n    three X\n  four\n", (5, 11)),
            ("a: |2+\n    one\n    two X\n", (3, 9)),
            ("a: one X\n", (1, 8)),
        ] {
            assert_eq!(place(file, "X"), expected, "{file:?}");
        }
    }
}
