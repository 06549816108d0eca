//! Our own test files: a policy, relationships, questions and the answers that must come out.
//!
//! This is the format alone, as strict as policies are; who runs the tests gives it the bytes of
//! the files that it names. It is written down in `docs/spec/policy-tests.md`.

mod check;
mod context;
mod file;
mod lookup;
mod recognise;
mod relationships;

pub use check::{Answer, Check};
pub use context::Context;
pub use file::{Source, Test, TestFile};
pub use lookup::{ExpectedSubject, LookupObjects, LookupSubjects};
pub use recognise::{recognise, FileKind};
pub use relationships::{read_relationships, PlacedRelationship};
