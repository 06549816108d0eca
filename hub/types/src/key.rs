//! How a key of the main tree is spelled: module, kind, then each component behind its length.

use alloc::vec::Vec;

/// One byte for each module; never renumbered, a module that ends leaves its byte unused.
#[derive(Clone, Copy)]
pub(crate) enum Module {
    Blocks = 1,
    Auth = 2,
    Bank = 3,
    Policy = 4,
    Audit = 5,
}

/// Spells a key. Injective: the first two bytes say how many components follow, and each is
/// preceded by its length in two bytes, so no two tuples give the same bytes and no key is a
/// prefix of another one of its kind.
pub(crate) fn spell(module: Module, kind: u8, components: &[&[u8]]) -> Vec<u8> {
    let length = 2 + components
        .iter()
        .map(|component| 2 + component.len())
        .sum::<usize>();
    let mut key = Vec::with_capacity(length);
    key.extend([module as u8, kind]);
    for component in components {
        let length = u16::try_from(component.len())
            .expect("components are ids, DIDs and addresses, all below 64 kB");
        key.extend(length.to_be_bytes());
        key.extend_from_slice(component);
    }
    key
}
