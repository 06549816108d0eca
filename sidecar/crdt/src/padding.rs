//! To which size the content of a body is padded.
//!
//! Sizes leak: whoever sees only headers could tell `yes` from `no` by the length of a body.
//! Content is therefore padded to the sizes of Padmé (Nikitin et al., "Reducing Metadata Leakage
//! from Encrypted Files and Communication with PURBs", PoPETs 2019, §4): a length leaks no more
//! than O(log log n) bits, for at most 12 per cent of overhead. Short content, which is most of
//! it, goes to one size.

use crate::{codec::head_bytes, limits::CONTENT_BYTES_MIN};

/// The smallest allowed size that is not below `len`.
pub(crate) fn padded(len: usize) -> usize {
    if len <= CONTENT_BYTES_MIN {
        return CONTENT_BYTES_MIN;
    }
    let exponent = len.ilog2();
    let mantissa = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - mantissa)) - 1;
    (len + mask) & !mask
}

/// How many zeros make content padded, given its length with an empty byte string as padding.
///
/// The head of the byte string grows with it, so a few sizes cannot be hit; then it is the next
/// size that can. The result depends on `len` alone, so each content has one padding.
pub(crate) fn padding(len: usize) -> usize {
    let mut size = padded(len);
    loop {
        let room = size - len;
        for head in [1, 2, 3, 5] {
            if let Some(zeros) = (room + 1).checked_sub(head) {
                if head_bytes(zeros) == head {
                    return zeros;
                }
            }
        }
        size = padded(size + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_padded_to_an_allowed_size_with_little_overhead() {
        let mut sizes = std::collections::BTreeSet::new();
        for len in 20..300_000 {
            let zeros = padding(len);
            let size = len - 1 + head_bytes(zeros) + zeros;
            assert_eq!(
                size,
                padded(size),
                "{len} is padded to {size}, which is no allowed size"
            );
            assert!(
                size >= len && size <= len.max(230) * 9 / 8 + 17,
                "{len} becomes {size}"
            );
            sizes.insert(size);
        }
        assert!(sizes.len() < 200, "{} sizes tell too much", sizes.len());
    }
}
