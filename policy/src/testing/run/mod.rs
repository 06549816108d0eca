//! Runs test files: our own, store files of OpenFGA, validation files of SpiceDB, theorems of acp.
//!
//! Pure: the time is an argument and other files come through a function. What is wrong with a file
//! is a failure with its place, and what hangs on that is skipped; nothing that could not be asked
//! counts as passed. `docs/spec/policy-tests.md` says what each kind expects.

mod facts;
mod openfga;
mod ours;
mod report;
mod setting;
mod spicedb;
mod subjects;
mod words;

pub use report::{Outcome, Place, Report, Verdict};
pub use setting::Setting;
use setting::{Run, START};

use super::recognise::{recognise, FileKind};

/// Runs a test file, which is recognised by what stands in it. `file` is what the report calls it.
#[must_use]
pub fn run(file: &str, text: &str, setting: &Setting<'_>) -> Report {
    let mut run = Run {
        file,
        setting,
        report: Report::default(),
    };
    match recognise(text) {
        Err(wrong) => {
            let place = run.place(wrong.position);
            run.broken(place, "the file", "a test file", wrong.message);
        }
        Ok(FileKind::Ours) => ours::run(&mut run, text),
        Ok(FileKind::Openfga) => openfga::run(&mut run, text),
        Ok(FileKind::Spicedb) => spicedb::run(&mut run, text),
    }
    run.report
}

/// Runs theorems in the notation of acp: a policy, relationships and theorems, each a file with its
/// name.
#[must_use]
pub fn run_theorems(
    policy: (&str, &str),
    relationships: Option<(&str, &str)>,
    theorems: (&str, &str),
    setting: &Setting<'_>,
) -> Report {
    let mut run = Run {
        file: theorems.0,
        setting,
        report: Report::default(),
    };
    ours::run_theorem_files(&mut run, policy, relationships, theorems);
    run.report
}
