//! Our own test files: a policy, relationships, questions and the answers that must come out.
//!
//! The format is as strict as policies are. [`run`] runs them, and the test files of others; who
//! calls it gives it the bytes of the files that they name. It is written down in
//! `docs/spec/policy-tests.md`.

mod check;
mod context;
mod file;
mod lookup;
mod recognise;
mod relationships;
mod run;

pub use check::{Answer, Check};
pub use context::Context;
pub use file::{Source, Test, TestFile};
pub use lookup::{ExpectedSubject, LookupObjects, LookupSubjects};
pub use recognise::{recognise, FileKind};
pub use relationships::{read_relationships, PlacedRelationship};
pub use run::{run, run_theorems, Outcome, Place, Report, Setting, Verdict};
