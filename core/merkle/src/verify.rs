//! Verifying proofs, without any storage (RFC 9162 §2.1.3.2 and §2.1.4.2, which state the
//! verification that RFC 6962 leaves to the reader; the trees are the same).
//!
//! The length of a proof follows from its sizes alone and is checked first, so there is exactly
//! one proof of each claim and nothing can be hidden in one.

use crate::{hash_children, Hash, MerkleError, SIZE_MAX};

/// Verifies that the leaf with this hash stands at `index` in the log of `size` leaves and
/// root `root`.
///
/// # Errors
/// [`MerkleError::RootDiffers`], and as [`root_from_inclusion`].
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    match root_from_inclusion(leaf_hash, index, size, proof)? == *root {
        true => Ok(()),
        false => Err(MerkleError::RootDiffers),
    }
}

/// The root to which a proof of inclusion leads. It proves something only once it is compared
/// with a root that is trusted.
///
/// # Errors
/// [`MerkleError::SizeTooLarge`], [`MerkleError::IndexOutside`], [`MerkleError::ProofLength`].
pub fn root_from_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
) -> Result<Hash, MerkleError> {
    if size > SIZE_MAX {
        return Err(MerkleError::SizeTooLarge { size });
    }
    if index >= size {
        return Err(MerkleError::IndexOutside { index, size });
    }
    check_length(inclusion_length(index, size), proof)?;
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if node & 1 == 1 || node == last {
            hash = hash_children(sibling, &hash);
            // On the right edge, climb to the next level at which there is a left sibling.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = hash_children(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    Ok(hash)
}

/// Verifies that the log of `new_size` leaves extends the one of `old_size` leaves: the first
/// `old_size` leaves of both are the same.
///
/// # Errors
/// [`MerkleError::OldSizeZero`], [`MerkleError::SizeShrinks`], [`MerkleError::SizeTooLarge`],
/// [`MerkleError::ProofLength`], [`MerkleError::OldRootDiffers`], [`MerkleError::NewRootDiffers`].
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), MerkleError> {
    if new_size > SIZE_MAX {
        return Err(MerkleError::SizeTooLarge { size: new_size });
    }
    if old_size == 0 {
        return Err(MerkleError::OldSizeZero);
    }
    if old_size > new_size {
        return Err(MerkleError::SizeShrinks {
            old: old_size,
            new: new_size,
        });
    }
    check_length(consistency_length(old_size, new_size), proof)?;
    if old_size == new_size {
        return match old_root == new_root {
            true => Ok(()),
            false => Err(MerkleError::NewRootDiffers),
        };
    }
    // Start at the largest complete node that ends where the old log ends. If it is the whole
    // old log, the proof leaves it out, because the verifier has it.
    let level = old_size.trailing_zeros();
    let (mut node, mut last) = ((old_size - 1) >> level, (new_size - 1) >> level);
    let (start, rest) = match proof.split_first() {
        Some((first, rest)) if !old_size.is_power_of_two() => (first, rest),
        _ => (old_root, proof),
    };
    let (mut old, mut new) = (*start, *start);
    for sibling in rest {
        if node & 1 == 1 || node == last {
            old = hash_children(sibling, &old);
            new = hash_children(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = hash_children(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if old != *old_root {
        return Err(MerkleError::OldRootDiffers);
    }
    if new != *new_root {
        return Err(MerkleError::NewRootDiffers);
    }
    Ok(())
}

fn check_length(expected: usize, proof: &[Hash]) -> Result<(), MerkleError> {
    match proof.len() == expected {
        true => Ok(()),
        false => Err(MerkleError::ProofLength {
            expected,
            found: proof.len(),
        }),
    }
}

/// One hash a level below the point where the paths to this leaf and to the last leaf part, and
/// above it one for each left sibling.
fn inclusion_length(index: u64, size: u64) -> usize {
    let parts = u64::BITS - (index ^ (size - 1)).leading_zeros();
    (parts + (index >> parts).count_ones()) as usize
}

/// As the inclusion of the old log's last complete node in the new log, and that node itself
/// unless it is the whole old log.
fn consistency_length(old: u64, new: u64) -> usize {
    if old == new {
        return 0;
    }
    let level = old.trailing_zeros();
    let path = inclusion_length((old - 1) >> level, ((new - 1) >> level) + 1);
    path + usize::from(!old.is_power_of_two())
}
