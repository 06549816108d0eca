//! One spelling for each message.
//!
//! Protobuf lets one message be written in many ways. Where bytes are signed or hashed that would
//! give one meaning several names, so they are decoded, encoded again and compared. What does not
//! come back byte for byte is refused.

use alloc::vec::Vec;
use core::fmt;

use prost::{DecodeError, Message};

/// Why bytes were refused.
#[derive(Clone, Debug, PartialEq)]
pub enum CanonicalError {
    /// They are longer than the reader allows (Invariant 7).
    TooLong {
        /// How many there are.
        length: usize,
        /// How many are allowed.
        length_max: usize,
    },
    /// They are no such message.
    Malformed(DecodeError),
    /// They are such a message in another spelling: an unknown field, a default spelled out,
    /// fields out of order, or bytes at the end.
    NotCanonical {
        /// The first byte that would be written differently.
        offset: usize,
    },
}

impl fmt::Display for CanonicalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length, length_max } => {
                write!(
                    f,
                    "{length} bytes are too many; at most {length_max} are read"
                )
            }
            // Without std the decoder's error is no `Error`, so it cannot be a source.
            Self::Malformed(error) => write!(f, "not a protobuf of the expected message: {error}"),
            Self::NotCanonical { offset } => write!(
                f,
                "not the canonical encoding, first at byte {offset}: unknown fields, spelled-out \
                 defaults, another order and trailing bytes are refused"
            ),
        }
    }
}

impl core::error::Error for CanonicalError {}

/// Decodes `bytes`, and refuses them if the message would be encoded differently.
///
/// # Errors
/// [`CanonicalError::TooLong`] above `length_max` bytes (nothing is decoded then),
/// [`CanonicalError::Malformed`] where they are no `M`, [`CanonicalError::NotCanonical`] where
/// they are another spelling of one.
pub fn decode<M: Message + Default>(bytes: &[u8], length_max: usize) -> Result<M, CanonicalError> {
    if bytes.len() > length_max {
        return Err(CanonicalError::TooLong {
            length: bytes.len(),
            length_max,
        });
    }
    let message = M::decode(bytes).map_err(CanonicalError::Malformed)?;
    let again = message.encode_to_vec();
    if again == bytes {
        return Ok(message);
    }
    let offset = again
        .iter()
        .zip(bytes)
        .position(|(written, read)| written != read)
        .unwrap_or(again.len().min(bytes.len()));
    Err(CanonicalError::NotCanonical { offset })
}

/// Encodes `message`: the one spelling that [`decode`] takes back.
pub fn encode<M: Message>(message: &M) -> Vec<u8> {
    message.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;
    use crate::cosmos::base::v1beta1::Coin;

    fn coin() -> Vec<u8> {
        encode(&Coin {
            denom: "uhold".into(),
            amount: "7".into(),
        })
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let coin_again: Coin = decode(&coin(), 64).unwrap();
        assert_eq!(coin_again.amount, "7");
    }

    #[test]
    fn other_spellings_are_refused_where_they_differ() {
        let good = coin();
        let unknown_field = [&good[..], &[0x18, 1]].concat();
        let twice = [&good[..], &[0x12, 1, b'7']].concat();
        let swapped = [&good[7..], &good[..7]].concat();
        let spelled_out_default = vec![0x0a, 0];
        for (bytes, expected) in [
            (unknown_field, good.len()),
            (twice, good.len()),
            (swapped, 0),
            (spelled_out_default, 0),
        ] {
            assert_eq!(
                decode::<Coin>(&bytes, 64),
                Err(CanonicalError::NotCanonical { offset: expected }),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn a_padded_varint_is_refused() {
        // Length 5 of the denomination written in two bytes.
        let mut bytes = coin();
        bytes.splice(1..2, [0x85, 0x00]);
        assert!(Coin::decode(&bytes[..]).is_ok(), "protobuf itself takes it");
        assert_eq!(
            decode::<Coin>(&bytes, 64),
            Err(CanonicalError::NotCanonical { offset: 1 })
        );
    }

    #[test]
    fn every_cut_is_refused_or_is_another_message() {
        let good = coin();
        for end in 0..good.len() {
            if let Ok(shorter) = decode::<Coin>(&good[..end], 64) {
                assert_eq!(encode(&shorter), &good[..end]);
            }
        }
    }

    #[test]
    fn what_is_too_long_is_not_decoded() {
        assert_eq!(
            decode::<Coin>(&[0xff; 65], 64),
            Err(CanonicalError::TooLong {
                length: 65,
                length_max: 64
            })
        );
    }
}
