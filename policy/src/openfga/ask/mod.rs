//! Questions as OpenFGA asks them: check, list objects, list users, over a model and tuples, with
//! contextual tuples and context.
//!
//! The engine answers; this is the door to it that OpenFGA's users know. Beyond what the engine
//! refuses, a question may name only what the model defines, and there are two answers, not three:
//! where a condition lacks context there is none, but a refusal that names what is missing. It is
//! never taken for a no (Invariant 3).

mod check;
mod lists;
mod refusal;
mod world;

pub use refusal::{Refusal, RefusalKind};
pub use world::{Asking, ModelWorld};
