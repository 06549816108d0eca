//! Keys of the main tree that belong to policies. Keys of a policy's own tree are spelled by
//! `policy::keys`.

use alloc::vec::Vec;

use crate::{
    key::{spell, Module},
    PolicyId,
};

/// The [`super::PolicyRecord`] of a policy.
#[must_use]
pub fn policy(policy: &PolicyId) -> Vec<u8> {
    spell(Module::Policy, 1, &[policy.as_bytes()])
}
