//! Comma-separated values (RFC 4180): a header and rows, each with its line.

use alloc::{format, string::String, vec::Vec};

use super::error::{Class, Error, Span};
use crate::schema::Position;

/// A row: its line, and its fields.
pub(super) type Row = (usize, Vec<String>);

/// The rows of `text`, the header first; empty lines are left out.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Error> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut row_line, mut quoted) = (1, 1, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => row.push(core::mem::take(&mut field)),
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(core::mem::take(&mut field));
                push(&mut rows, row_line, core::mem::take(&mut row));
                row_line = line;
            }
            other => field.push(other),
        }
    }
    if quoted {
        let message = format!("the quotes that begin in line {row_line} do not end; add '\"'");
        return Err(error(row_line, message));
    }
    row.push(field);
    push(&mut rows, row_line, row);
    Ok(rows)
}

fn push(rows: &mut Vec<Row>, line: usize, row: Vec<String>) {
    if row.iter().any(|field| !field.is_empty()) {
        rows.push((line, row));
    }
}

pub(super) fn error(line: usize, message: String) -> Error {
    let start = Position { line, column: 1 };
    Error::new(Some(Span { start, end: start }), Class::Form, message)
}
