//! Policies as everybody writes them: two spaces a level, quotes only where they are needed, comments
//! where they were.
//!
//! Nothing is moved: neither the order of a policy nor whether it is written as lists or as maps means
//! anything to the compiler, but it does to its author.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use crate::{
    outline::scalar,
    schema::{Policy, PolicyError, Position},
    yaml::{self, error, Entry, Node, Value},
};

/// Rewrites a policy's text. What it means stays the same, its comments stay beside what they stood
/// beside, and formatting it again changes nothing.
///
/// # Errors
/// [`PolicyError`] where it is no policy.
pub fn format_policy(definition: &str) -> Result<String, PolicyError> {
    Policy::parse(definition)?;
    let root = yaml::read(definition)?;
    let mut writer = Writer {
        out: String::new(),
        comments: comments(definition, &root),
        blanks: blank_lines(definition),
    };
    match &root.value {
        Value::Map(entries) => writer.map(entries, 0, false),
        Value::Null | Value::Text(_) | Value::List(_) => {}
    }
    writer.rest();
    // Whoever relies on the text gets another one only if it says the same.
    match yaml::read(&writer.out) {
        Ok(again) if same(&again.value, &root.value) => Ok(writer.out),
        _ => Err(error(
            Position { line: 1, column: 1 },
            "this policy cannot be rewritten without changing it; please report it",
        )),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
        }
        (Value::Map(a), Value::Map(b)) => {
            let pairs = || a.iter().zip(b);
            a.len() == b.len()
                && pairs().all(|(a, b)| a.key == b.key && same(&a.node.value, &b.node.value))
        }
        _ => false,
    }
}

/// A comment: its line, whether something stands before it there, its text from the `#` on.
struct Comment {
    line: usize,
    behind: bool,
    text: String,
}

/// The comments of a text. A `#` within a scalar is none.
fn comments(text: &str, root: &Node) -> Vec<Comment> {
    let lines: Vec<&str> = text.lines().collect();
    let mut scalars: Vec<(Position, Position)> = Vec::new();
    let mut open = alloc::vec![root];
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Text(_) => scalars.push((node.position, end_of(&lines, node))),
            Value::List(items) => open.extend(items),
            Value::Map(entries) => open.extend(entries.iter().map(|entry| &entry.node)),
            Value::Null => {}
        }
    }
    scalars.sort_unstable();
    let within = |at: Position| {
        let after = scalars.partition_point(|(start, _)| *start <= at);
        let last = after.checked_sub(1).and_then(|last| scalars.get(last));
        last.is_some_and(|(_, end)| at < *end)
    };
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut before = ' ';
        let mut blank = true;
        for (column, (at, character)) in line.char_indices().enumerate() {
            let place = Position {
                line: number + 1,
                column: column + 1,
            };
            if character == '#' && before.is_whitespace() && !within(place) {
                found.push(Comment {
                    line: number + 1,
                    behind: !blank,
                    text: line.get(at..).unwrap_or_default().trim_end().to_owned(),
                });
                break;
            }
            blank &= character.is_whitespace();
            before = character;
        }
    }
    found
}

/// Where a scalar ends, as it stands in the text: what the parser calls its end may lie behind
/// comments that follow it.
fn end_of(lines: &[&str], node: &Node) -> Position {
    let Position { line, column } = node.position;
    let first = lines.get(line.saturating_sub(1)).copied().unwrap_or("");
    let opening = first.chars().nth(column.saturating_sub(1));
    let Some(quote @ ('"' | '\'')) = opening else {
        if !matches!(opening, Some('|' | '>')) {
            return node.end;
        }
        // A block goes on as long as its lines are indented like its first one.
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let mut within = lines.iter().enumerate().skip(line);
        let content = |(_, text): &(usize, &&str)| !text.trim().is_empty();
        let first = within
            .clone()
            .find(content)
            .map_or(0, |(_, text)| indent(text));
        let after = within.find(|(_, text)| !text.trim().is_empty() && indent(text) < first);
        return Position {
            line: after.map_or(lines.len(), |(number, _)| number) + 1,
            column: 1,
        };
    };
    let mut escaped = false;
    let mut skip = column;
    for (number, text) in lines.iter().enumerate().skip(line - 1) {
        for (at, character) in text.chars().enumerate().skip(core::mem::take(&mut skip)) {
            if character == quote && !escaped {
                return Position {
                    line: number + 1,
                    column: at + 2,
                };
            }
            escaped = quote == '"' && character == '\\' && !escaped;
        }
    }
    node.end
}

/// The lines before which an empty one stands.
fn blank_lines(text: &str) -> Vec<usize> {
    let mut after_blank = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let blank = line.trim().is_empty();
        if after_blank && !blank {
            found.push(number + 1);
        }
        after_blank = blank;
    }
    found
}

struct Writer {
    out: String,
    /// Those that are not written yet, in order.
    comments: Vec<Comment>,
    blanks: Vec<usize>,
}

impl Writer {
    /// What stood on lines before `line`: comments, and one empty line for each gap.
    fn lead(&mut self, line: usize, level: usize) {
        while self
            .comments
            .first()
            .is_some_and(|comment| comment.line < line || (comment.line == line && !comment.behind))
        {
            let comment = self.comments.remove(0);
            self.gap(comment.line);
            self.indent(level);
            self.out.push_str(&comment.text);
            self.out.push('\n');
        }
        self.gap(line);
    }

    fn gap(&mut self, line: usize) {
        let before = self.blanks.partition_point(|blank| *blank <= line);
        if self.blanks.drain(..before).next().is_some() && !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    /// The comment that stood behind something on `line`, and the line's end.
    fn finish(&mut self, line: usize) {
        if self
            .comments
            .first()
            .is_some_and(|comment| comment.line == line)
        {
            let comment = self.comments.remove(0);
            self.out.push(' ');
            self.out.push_str(&comment.text);
        }
        self.out.push('\n');
    }

    fn rest(&mut self) {
        self.lead(usize::MAX, 0);
    }

    fn indent(&mut self, level: usize) {
        (0..level).for_each(|_| self.out.push_str("  "));
    }

    /// Entries at `level`; the first one's line has begun if it stands behind a `-`.
    fn map(&mut self, entries: &[Entry], level: usize, mut begun: bool) {
        for entry in entries {
            if !core::mem::take(&mut begun) {
                self.lead(entry.position.line, level);
                self.indent(level);
            }
            self.out.push_str(&scalar(&entry.key));
            self.out.push(':');
            self.value(&entry.node, level, entry.position.line);
        }
    }

    /// A value behind its key, which stands on `line` at `level`.
    fn value(&mut self, node: &Node, level: usize, line: usize) {
        match &node.value {
            Value::Null => self.finish(line),
            Value::Text(text) => self.text(text, level, node),
            Value::List(items) if items.is_empty() => {
                self.out.push_str(" []");
                self.finish(line);
            }
            Value::Map(entries) if entries.is_empty() => {
                self.out.push_str(" {}");
                self.finish(line);
            }
            // Lists of words stay on the key's line if they stood there.
            Value::List(items) if node.position.line == line && items.iter().all(is_word) => {
                let words: Vec<String> = items.iter().filter_map(word).collect();
                self.out.push_str(&format!(" [{}]", words.join(", ")));
                self.finish(node.end.line);
            }
            Value::List(items) => {
                self.finish(line);
                for item in items {
                    self.item(item, level);
                }
            }
            Value::Map(entries) => {
                self.finish(line);
                self.map(entries, level + 1, false);
            }
        }
    }

    fn item(&mut self, item: &Node, level: usize) {
        self.lead(item.position.line, level);
        self.indent(level);
        self.out.push('-');
        match &item.value {
            Value::Map(entries) if !entries.is_empty() => {
                self.out.push(' ');
                self.map(entries, level + 1, true);
            }
            _ => self.value(item, level, item.position.line),
        }
    }

    /// A text: on the line if it is one line, else as a literal block (YAML 1.2 §8.1.2).
    fn text(&mut self, text: &str, level: usize, node: &Node) {
        let lines = text.strip_suffix('\n').unwrap_or(text);
        let block = lines.contains('\n')
            && !lines.ends_with('\n')
            && !lines.starts_with([' ', '\n'])
            && !text.chars().any(|c| c.is_control() && c != '\n');
        if !block {
            self.out.push(' ');
            self.out.push_str(&scalar(text));
            self.finish(node.position.line);
            return;
        }
        let keeps_end = text.ends_with('\n');
        self.out.push_str(if keeps_end { " |" } else { " |-" });
        self.finish(node.position.line);
        for line in lines.split('\n') {
            if !line.is_empty() {
                self.indent(level + 1);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }
}

fn is_word(node: &Node) -> bool {
    matches!(node.value, Value::Text(_))
}

fn word(node: &Node) -> Option<String> {
    match &node.value {
        // Within brackets, what parts their entries needs quotes.
        Value::Text(text) if text.contains([',', '[', ']', '{', '}']) => {
            Some(format!("{:?}", text))
        }
        Value::Text(text) => Some(scalar(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_and_nothing_changes_twice() {
        let text = "# A plant.\nname:   'plant'   # its name\n\n\n\nresources:\n    # What is made.\n    - name: batch # of things\n      doc: \"with a # in it\"\n      relations:\n          - {name: reader, types: [actor , \"*\"]} # who reads\n          # The end of relations.\n      permissions:\n          - name: read\n            expr: reader   -   owner\n# The end.\n";
        let expected = "# A plant.\nname: plant # its name\n\nresources:\n# What is made.\n- name: batch # of things\n  doc: \"with a # in it\"\n  relations:\n  - name: reader # who reads\n    types: [actor, \"*\"]\n  # The end of relations.\n  permissions:\n  - name: read\n    expr: reader   -   owner\n# The end.\n";
        let formatted = format_policy(text).unwrap();
        assert_eq!(formatted, expected);
        assert_eq!(format_policy(&formatted).unwrap(), formatted);
    }

    #[test]
    fn long_texts_become_blocks() {
        let text = "description: |\n    one # one\n    two\n # after\nresources: {a: {doc: \"x\\n y\", relations: {r: }}}\n";
        let expected = "description: |\n  one # one\n  two\n# after\nresources:\n  a:\n    doc: |-\n      x\n       y\n    relations:\n      r:\n";
        let formatted = format_policy(text).unwrap();
        assert_eq!(formatted, expected);
        assert_eq!(format_policy(&formatted).unwrap(), formatted);
        assert!(format_policy("resources: []").is_err());
    }
}
