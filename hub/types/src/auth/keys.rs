//! Keys of the main tree that belong to accounts.

use alloc::vec::Vec;

use identity::AccountAddress;

use crate::key::{spell, Module};

/// The [`super::Account`] at an address. It holds the balance as well, see [`crate::bank`].
#[must_use]
pub fn account(address: &AccountAddress) -> Vec<u8> {
    spell(Module::Auth, 1, &[address.as_bytes()])
}

/// The [`super::AccountCounter`].
#[must_use]
pub fn counter() -> Vec<u8> {
    spell(Module::Auth, 2, &[])
}

/// The [`super::Params`].
#[must_use]
pub fn params() -> Vec<u8> {
    spell(Module::Auth, 3, &[])
}

/// The account that fees go to. Nobody has its key: it is a hash of a name, not of a key.
#[must_use]
pub fn fee_collector() -> AccountAddress {
    let hash = identity::hash("holdfast/module-account/1", &[b"fees"]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[..20]);
    AccountAddress::from(address)
}
