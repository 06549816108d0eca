//! What a run needs beside the file, and the report that it fills.

use alloc::{
    format,
    string::{String, ToString},
};

use super::report::{Outcome, Place, Report, Verdict};
use crate::{schema::Position, time::Time};

/// What a run needs beside the file: nothing here reads a clock or a disk.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// When everything is asked for which the file names no time.
    pub now: Time,
    /// Reads another file: the path that the test file names, relative to the folder of that. What
    /// paths it follows is up to it; an error is said to the person as it is.
    pub read: &'a dyn Fn(&str) -> Result<String, String>,
}

impl core::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Setting")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Where a file begins.
pub(super) const START: Position = Position { line: 1, column: 1 };

/// A run of one file.
pub(super) struct Run<'a> {
    pub file: &'a str,
    pub setting: &'a Setting<'a>,
    pub report: Report,
}

impl Run<'_> {
    /// A place in the file.
    pub fn place(&self, position: Position) -> Place {
        Place {
            file: self.file.into(),
            position,
        }
    }

    /// Reads a file that is named at `position`; what goes wrong is a failure.
    pub fn read(&mut self, path: &str, position: Position) -> Option<String> {
        match (self.setting.read)(path) {
            Ok(text) => Some(text),
            Err(wrong) => {
                let place = self.place(position);
                self.broken(place, "the file", &format!("{path} to be read"), wrong);
                None
            }
        }
    }

    /// Something in the files is wrong in itself.
    pub fn broken(
        &mut self,
        place: Place,
        name: impl Into<String>,
        expected: &str,
        why: impl Into<String>,
    ) {
        self.fail(place, name.into(), expected.into(), "an error", why);
    }

    pub fn fail(
        &mut self,
        place: Place,
        name: String,
        expected: String,
        got: impl Into<String>,
        why: impl Into<String>,
    ) {
        self.report.outcomes.push(Outcome {
            name: one_line(&name),
            place,
            verdict: Verdict::Failed,
            expected: one_line(&expected),
            got: one_line(&got.into()),
            why: one_line(&why.into()),
        });
    }

    pub fn pass(&mut self, place: Place, name: String, expected: String) {
        self.report.outcomes.push(Outcome {
            name: one_line(&name),
            place,
            verdict: Verdict::Passed,
            got: one_line(&expected),
            expected: one_line(&expected),
            why: String::new(),
        });
    }

    pub fn skip(&mut self, place: Place, name: String, expected: String, why: &str) {
        self.report.outcomes.push(Outcome {
            name: one_line(&name),
            place,
            verdict: Verdict::Skipped,
            expected: one_line(&expected),
            got: String::new(),
            why: one_line(why),
        });
    }
}

/// One line of text: what would break it becomes a space.
fn one_line(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_string();
    }
    let words = text.split(|c: char| c.is_control() || c == ' ');
    let mut line = String::with_capacity(text.len());
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
