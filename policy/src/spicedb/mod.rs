//! SpiceDB schemas, relationships and validation files, read and written.
//!
//! A schema becomes an [`Outline`](crate::outline::Outline) with the same answers, or is refused by
//! name and place: nothing is approximated. What maps to what stands in `docs/spec/spicedb.md`. The
//! formats are those of SpiceDB 1.56 (authzed.com/docs/spicedb/concepts/schema, …/caveats,
//! …/expiring-relationships, and the reference of validation files there).
//!
//! Everything here is pure and bounded; a file that another file names is read by the caller.

mod ast;
mod caveat;
mod comments;
pub(crate) mod context;
mod error;
mod expected;
mod export;
mod expression;
mod import;
mod lexer;
mod lookups;
mod members;
mod native;
mod native_expression;
mod parser;
mod partials;
mod relationship;
pub(crate) mod timestamp;
mod validate;
mod validation_file;
mod words;

pub use error::{ErrorClass, SpicedbError};
pub use expected::{ExpectedSubject, ExpectedSubjects};
pub use export::{export, ExportError, ExportOptions};
pub use import::{import, ImportOptions};
pub use lookups::{ExpectedIds, LookupResources, LookupSubjects, Lookups};
pub use relationship::{Object, Relationship, RelationshipCaveat, Subject};
pub use validation_file::{Assertion, ValidationFile, Verdict};
