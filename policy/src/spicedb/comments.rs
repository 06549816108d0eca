//! Comments as documentation: the words without the marks around them.

use alloc::{format, string::String, vec::Vec};

use super::error::{refuse, ErrorClass, SpicedbError};
use crate::{limits::TEXT_BYTES_MAX, schema::Position};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Comment<'a> {
    /// With its marks.
    pub text: &'a str,
    pub position: Position,
    /// Number of the token that it stands before.
    pub before: usize,
    /// Whether it stands behind a token on the same line.
    pub trailing: bool,
    /// Whether an empty line follows it.
    pub blank_behind: bool,
}

/// The words of `comments`, one line each.
pub(crate) fn documentation(comments: &[Comment<'_>]) -> Result<String, SpicedbError> {
    let mut lines: Vec<String> = Vec::new();
    for comment in comments {
        let from = lines.len();
        match comment.text.strip_prefix("//") {
            Some(line) => lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().into()),
            None => {
                let inner = comment.text.strip_prefix("/*").unwrap_or(comment.text);
                let inner = inner.strip_suffix("*/").unwrap_or(inner);
                let inner = inner.trim_matches('*').replace("\r\n", "\n");
                lines.extend(
                    inner
                        .split(['\n', '\r'])
                        .map(|line| block_line(line).into()),
                );
                trim_empty(&mut lines, from);
            }
        }
    }
    trim_empty(&mut lines, 0);
    let text = lines.join("\n");
    match comments.first() {
        Some(first) if text.len() > TEXT_BYTES_MAX => Err(refuse(
            first.position,
            ErrorClass::TooLarge,
            format!("this documentation is longer than the {TEXT_BYTES_MAX} bytes that a policy keeps; shorten it"),
        )),
        _ => Ok(text),
    }
}

/// A line of a block comment, without the column of stars.
fn block_line(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix('*').unwrap_or(line);
    line.strip_prefix(' ').unwrap_or(line)
}

/// Takes empty lines off both ends of what stands from `from` on.
fn trim_empty(lines: &mut Vec<String>, from: usize) {
    let empty = |line: &String| line.trim().is_empty();
    while lines.len() > from && lines.last().is_some_and(empty) {
        lines.pop();
    }
    let leading = lines.iter().skip(from).take_while(|line| empty(line));
    let leading = leading.count();
    lines.drain(from..from + leading);
}

/// `text` as comment lines that read as `text` again, each after `indent`.
pub(crate) fn as_comment(text: &str, indent: &str) -> String {
    let mut comment = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let space = if line.is_empty() { "" } else { " " };
        comment.push_str(&format!("{indent}//{space}{line}\n"));
    }
    comment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_survives_being_written_and_read() {
        for (text, expected) in [
            ("// one", "one"),
            ("//one", "one"),
            ("//", ""),
            ("///  one", "/  one"),
            ("/** one */", "one"),
            ("/* one\n * two\n *\n *   three\n */", "one\ntwo\n\n  three"),
            ("/**/", ""),
            ("/***/", ""),
        ] {
            let comment = |text| Comment {
                text,
                position: Position { line: 1, column: 1 },
                before: 1,
                trailing: false,
                blank_behind: false,
            };
            let once = documentation(&[comment(text)]).unwrap();
            assert_eq!(once, expected, "{text:?}");
            let written = as_comment(&once, "");
            let lines: Vec<_> = written.lines().map(comment).collect();
            assert_eq!(documentation(&lines).unwrap(), once);
        }
    }
}
