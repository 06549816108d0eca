//! What a command answers: for a person, for a script, and as an exit code.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{json, Value};

/// The form of what goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// One JSON value.
    Json,
}

/// What scripts get as exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 0: it was done, or the answer is yes.
    Yes,
    /// 1: the answer is no.
    No,
    /// 2: it could not be told, or something went wrong. Never a no in disguise (Invariant 3).
    Unknown,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(match verdict {
            Verdict::Yes => 0,
            Verdict::No => 1,
            Verdict::Unknown => 2,
        })
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// For people; ends without a newline.
    pub text: String,
    /// The same for scripts.
    pub json: Value,
    /// The exit code.
    pub verdict: Verdict,
}

impl Reply {
    /// Something was done, or the answer is yes.
    #[must_use]
    pub fn yes(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            verdict: Verdict::Yes,
        }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn with(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    /// Writes the answer to standard output.
    pub fn print(&self, form: Form) {
        let mut out = match form {
            Form::Text => printable(&self.text),
            Form::Json => pretty(&self.json),
        };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        write_out(&out);
    }
}

/// Writes an error with all its causes: to standard error for people, as JSON to standard output
/// for scripts.
pub fn print_error(error: &anyhow::Error, form: Form) {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    match form {
        Form::Text => {
            let mut text = format!("hold: {error}\n");
            for cause in causes {
                let _ = writeln!(text, "  because: {cause}");
            }
            eprint!("{}", printable(&text));
        }
        Form::Json => write_out(&format!(
            "{}\n",
            pretty(&json!({"error": error.to_string(), "causes": causes}))
        )),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

/// A reader that has gone away (`hold … | head`) is no error.
fn write_out(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Text that others wrote, as it may go to a terminal: lines stay, nothing moves the cursor.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => c,
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Rows of words in aligned columns, two spaces apart, without trailing blanks.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            line.trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Labels and values, one a line, the values aligned.
#[must_use]
pub fn fields(pairs: &[(&str, String)]) -> String {
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|(label, value)| vec![(*label).to_owned(), value.clone()])
        .collect();
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_clean() {
        let rows = [
            vec!["a".to_owned(), "long".to_owned(), String::new()],
            vec!["longer".to_owned(), "b".to_owned(), "c".to_owned()],
        ];
        assert_eq!(table(&rows), "a       long\nlonger  b     c");
        assert_eq!(fields(&[("did", "x".to_owned())]), "did  x");
    }

    #[test]
    fn nothing_that_others_wrote_moves_the_cursor() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\nc\u{9b}"),
            "a\u{fffd}[2Jb\u{fffd}\nc\u{fffd}"
        );
    }
}
