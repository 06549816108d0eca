//! Leaves and paths in protobuf.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use merkle::Hash;

use crate::bundle::form::{self, ShownAs};
use crate::bundle::Wrong;
use crate::leaf::{Disclosure, Leaf, Link, Opening, Previous};

/// Hashes of one inclusion or consistency path: one a level and one more, at 48 levels.
const PATH_HASHES_MAX: usize = 50;

pub(crate) fn path_to_wire(path: &[Hash]) -> Vec<Vec<u8>> {
    path.iter().map(|hash| hash.to_vec()).collect()
}

pub(crate) fn path_from_wire(field: &'static str, path: &[Vec<u8>]) -> Result<Vec<Hash>, Wrong> {
    if path.len() > PATH_HASHES_MAX {
        return Err(Wrong::field(field, "more hashes than any log needs"));
    }
    path.iter()
        .map(|hash| hash_from_wire(field, hash))
        .collect()
}

pub(crate) fn hash_from_wire(field: &'static str, hash: &[u8]) -> Result<Hash, Wrong> {
    hash.try_into()
        .map_err(|_| Wrong::field(field, "a hash has 32 bytes"))
}

fn previous_to_wire(previous: &Previous) -> form::Previous {
    form::Previous {
        index: previous.index,
        leaf_hash: previous.leaf_hash.to_vec(),
    }
}

fn previous_from_wire(
    previous: Option<&form::Previous>,
    index: u64,
) -> Result<Option<Previous>, Wrong> {
    let Some(previous) = previous else {
        return Ok(None);
    };
    if previous.index >= index {
        return Err(Wrong::field("previous", "it points at no earlier leaf"));
    }
    Ok(Some(Previous {
        index: previous.index,
        leaf_hash: hash_from_wire("previous", &previous.leaf_hash)?,
    }))
}

pub(crate) fn shown_to_wire(shown: &Disclosure) -> form::Shown {
    let shown = match shown {
        Disclosure::Closed(leaf) => ShownAs::Closed(leaf.0.to_vec()),
        Disclosure::Linked(link) => ShownAs::Linked(form::Linked {
            content_commitment: link.content_commitment.to_vec(),
            previous: link.previous.as_ref().map(previous_to_wire),
        }),
        Disclosure::Opened(opening) => ShownAs::Opened(form::Opened {
            salt: opening.salt.to_vec(),
            content: opening.content_bytes().to_vec(),
            previous: opening.previous.as_ref().map(previous_to_wire),
        }),
    };
    form::Shown { shown: Some(shown) }
}

/// Reads what is shown of the leaf at `index`.
pub(crate) fn shown_from_wire(shown: &form::Shown, index: u64) -> Result<Disclosure, Wrong> {
    match &shown.shown {
        None => Err(Wrong::field("leaf", "nothing of it is shown")),
        Some(ShownAs::Closed(leaf)) => Ok(Disclosure::Closed(Leaf(hash_from_wire("leaf", leaf)?))),
        Some(ShownAs::Linked(linked)) => Ok(Disclosure::Linked(Link {
            content_commitment: hash_from_wire("content_commitment", &linked.content_commitment)?,
            previous: previous_from_wire(linked.previous.as_ref(), index)?,
        })),
        Some(ShownAs::Opened(opened)) => {
            let salt = opened
                .salt
                .as_slice()
                .try_into()
                .map_err(|_| Wrong::field("salt", "a salt has 16 bytes"))?;
            let previous = previous_from_wire(opened.previous.as_ref(), index)?;
            let opening = Opening::from_parts(salt, opened.content.clone(), previous)
                .map_err(|error| Wrong::Content(error.to_string()))?;
            Ok(Disclosure::Opened(Box::new(opening)))
        }
    }
}
