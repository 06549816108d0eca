//! What came of running test files.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::schema::Position;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the caller or another file names it.
    pub file: String,
    /// The place in it.
    pub position: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}", self.file)
    }
}

/// What became of one expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It came true.
    Passed,
    /// It did not, or what it is about is wrong in itself.
    Failed,
    /// It was not looked at, because something that it needs had failed.
    Skipped,
}

/// One expectation, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The test, and what it asks.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What became of it.
    pub verdict: Verdict,
    /// What was to come out.
    pub expected: String,
    /// What came out; empty if nothing was asked.
    pub got: String,
    /// Of what failed or was skipped: the reason, on one line.
    pub why: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, place, why, ..
        } = self;
        let (expected, got) = (&self.expected, &self.got);
        match self.verdict {
            Verdict::Passed => write!(f, "{place}: {name}: {expected}"),
            Verdict::Skipped => write!(f, "{place}: {name}: skipped: {why}"),
            Verdict::Failed if why.is_empty() => {
                write!(f, "{place}: {name}: expected {expected}, got {got}")
            }
            Verdict::Failed => write!(f, "{place}: {name}: expected {expected}, got {got}: {why}"),
        }
    }
}

/// What came of test files: everything that they expect, in the order in which it was asked.
///
/// It shows each failure on a line of its own, and the totals on the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// All expectations.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// How many expectations met this end.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let outcomes = self.outcomes.iter();
        outcomes
            .filter(|outcome| outcome.verdict == verdict)
            .count()
    }

    /// Adds what came of another file.
    pub fn append(&mut self, mut other: Self) {
        self.outcomes.append(&mut other.outcomes);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = |outcome: &&Outcome| outcome.verdict == Verdict::Failed;
        for outcome in self.outcomes.iter().filter(failed) {
            writeln!(f, "{outcome}")?;
        }
        let [passed, failed, skipped] =
            [Verdict::Passed, Verdict::Failed, Verdict::Skipped].map(|of| self.count(of));
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}
