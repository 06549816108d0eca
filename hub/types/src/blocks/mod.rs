//! The hashes of all earlier blocks, as one log. From it one trusted header proves every block
//! before it.

pub mod keys;
pub mod records;

pub use records::{BlockLeaf, BlockLog};
