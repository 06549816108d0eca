//! Policies: what messages do to them, the end of a block that changed some, and queries.
//!
//! The engine (crate `policy`) decides and says which bytes to write; here are authority, gas and
//! the log.

pub mod execute;
mod preimages;
pub mod queries;
pub mod seal;

pub use seal::revision_key;
