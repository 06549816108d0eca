//! Keys of the main tree that belong to blocks.

use alloc::vec::Vec;

use crate::key::{spell, Module};

/// The [`super::BlockLog`].
#[must_use]
pub fn block_log() -> Vec<u8> {
    spell(Module::Blocks, 1, &[])
}
