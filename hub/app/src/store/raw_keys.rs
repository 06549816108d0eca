//! How trees, nodes, values and marks are laid out as bytes in RocksDB.
//!
//! These are the store's own keys; state keys are spelled in `hub-types` only. Fixed-width parts
//! come first, so no two keys of different things are equal (injective).

use jmt::storage::NodeKey;

/// One tree of the tree of trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TreeId {
    /// The main tree; its version is the height.
    Main,
    /// A policy's tree; its version is the revision.
    Policy([u8; 32]),
}

impl TreeId {
    /// Appends the tree's prefix. A tag and a fixed width each, so no prefix begins another.
    pub(super) fn prefix(&self, out: &mut Vec<u8>) {
        match self {
            TreeId::Main => out.push(0),
            TreeId::Policy(id) => {
                out.push(1);
                out.extend_from_slice(id);
            }
        }
    }
}

pub(super) fn latest(tree: &TreeId, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(33 + key.len());
    tree.prefix(&mut out);
    out.extend_from_slice(key);
    out
}

/// Version before path: a block's new nodes land next to each other.
pub(super) fn node(tree: &TreeId, node_key: &NodeKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    tree.prefix(&mut out);
    out.extend_from_slice(&node_key.version().to_be_bytes());
    let path = node_key.nibble_path();
    out.push(path.num_nibbles() as u8);
    let mut high = None;
    for nibble in path.nibbles() {
        let nibble = u8::from(nibble);
        match high.take() {
            None => high = Some(nibble << 4),
            Some(first) => out.push(first | nibble),
        }
    }
    out.extend(high);
    out
}

/// Sorted by key, then newest first: one seek finds the newest value at or below a version, and a
/// walk downwards finds the greatest key that existed at a version.
///
/// The key is escaped (0 becomes 0 255) and ended by 0 0, so that it sorts as the bare key does
/// and no key's entries lie among another's.
pub(super) fn value(tree: &TreeId, key: &[u8], version: u64) -> Vec<u8> {
    let mut out = value_prefix(tree, key);
    out.extend_from_slice(&(!version).to_be_bytes());
    out
}

pub(super) fn value_prefix(tree: &TreeId, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + key.len());
    tree.prefix(&mut out);
    for byte in key {
        out.push(*byte);
        if *byte == 0 {
            out.push(255);
        }
    }
    out.extend_from_slice(&[0, 0]);
    out
}

/// The bare key and the version of a [`value`] key of `tree`; `None` if it is none.
pub(super) fn parse_value(tree: &TreeId, raw: &[u8]) -> Option<(Vec<u8>, u64)> {
    let mut prefix = Vec::with_capacity(33);
    tree.prefix(&mut prefix);
    let (escaped, version) = raw.strip_prefix(&prefix[..])?.split_last_chunk::<8>()?;
    let escaped = escaped.strip_suffix(&[0, 0])?;
    let mut key = Vec::with_capacity(escaped.len());
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        key.push(*byte);
        if *byte == 0 && bytes.next() != Some(&255) {
            return None;
        }
    }
    Some((key, !u64::from_be_bytes(*version)))
}

/// What a stale mark points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StaleKind {
    Node,
    Value,
}

pub(super) fn stale(since_height: u64, kind: StaleKind, raw_key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(9 + raw_key.len());
    out.extend_from_slice(&since_height.to_be_bytes());
    out.push(match kind {
        StaleKind::Node => 0,
        StaleKind::Value => 1,
    });
    out.extend_from_slice(raw_key);
    out
}

/// The height, kind and raw key of a stale mark; `None` if it is not one.
pub(super) fn parse_stale(mark: &[u8]) -> Option<(u64, StaleKind, &[u8])> {
    let (height, rest) = mark.split_first_chunk::<8>()?;
    let (kind, raw_key) = rest.split_first()?;
    let kind = match kind {
        0 => StaleKind::Node,
        1 => StaleKind::Value,
        _ => return None,
    };
    Some((u64::from_be_bytes(*height), kind, raw_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jmt::storage::NibblePath;

    #[test]
    fn node_keys_of_different_paths_differ() {
        // A path cannot be made from outside of jmt but by reading one: nibbles, then bytes.
        let key = |nibbles: u64, bytes: &[u8]| {
            let mut encoded = nibbles.to_le_bytes().to_vec();
            encoded.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            encoded.extend_from_slice(bytes);
            let path: NibblePath = borsh::from_slice(&encoded).unwrap();
            node(&TreeId::Main, &NodeKey::new(7, path))
        };
        let all = [
            key(0, &[]),
            key(1, &[0x00]),
            key(2, &[0x00]),
            key(1, &[0x10]),
            key(2, &[0x10]),
        ];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn value_keys_sort_as_keys_do_and_read_back() {
        let tree = TreeId::Policy([3; 32]);
        let mut keys: Vec<&[u8]> = vec![b"a", b"a\0", b"a\0\0", b"a\0b", b"ab", b"b", b""];
        keys.sort();
        let mut raw = Vec::new();
        for key in keys {
            for version in [u64::MAX, 9, 8, 0] {
                let value = value(&tree, key, version);
                assert_eq!(parse_value(&tree, &value), Some((key.to_vec(), version)));
                raw.push(value);
            }
        }
        assert!(raw.is_sorted(), "by key, then newest first");
        assert_eq!(parse_value(&TreeId::Main, &raw[0]), None);
    }

    #[test]
    fn stale_marks_read_back_and_sort_by_height() {
        let mark = stale(300, StaleKind::Value, b"k");
        assert_eq!(parse_stale(&mark), Some((300, StaleKind::Value, &b"k"[..])));
        assert!(stale(2, StaleKind::Node, b"z") < mark);
        assert_eq!(parse_stale(b"short"), None);
    }
}
