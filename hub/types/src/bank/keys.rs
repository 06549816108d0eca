//! Keys of the main tree that belong to coins. A balance has none: it stands in its account's
//! record ([`crate::auth::keys::account`]).

use alloc::vec::Vec;

use crate::key::{spell, Module};

/// The [`super::Supply`].
#[must_use]
pub fn supply() -> Vec<u8> {
    spell(Module::Bank, 1, &[])
}
