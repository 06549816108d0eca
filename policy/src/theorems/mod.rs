//! Theorems: what must be true of a policy, written down beside it and decided.
//!
//! Two kinds ask one question of given relationships (who is authorized, who may delegate). The
//! third speaks of *every* set of relationships that the policy admits ("who can write can read"):
//! it is decided, not sampled, and where it is false there are relationships that show it. A
//! verdict never guesses: what could not be decided says so (Invariant 3).
//!
//! Notation, meaning, procedure and its proof: `docs/spec/theorems.md`.

mod decide;
mod error;
mod evaluate;
mod formula;
mod list;
mod parse;
mod statement;
mod text;
mod token;
mod verdict;

pub(crate) use decide::never_true;
pub use error::TheoremError;
pub use formula::Formula;
pub use list::RelationshipList;
pub use text::{Authorization, Delegation, Source, Statement, Theorems};
pub use verdict::{Counterexample, Failure, TheoremResult, Verdict};
