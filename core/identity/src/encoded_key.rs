//! Public keys that are only carried, not verified with.

use crate::{IdentityError, KeyKind, PublicKey};

/// The bytes of a public key of a kind, not known to be a point of its curve.
///
/// Records carry keys so. Finding the point costs 4 µs (ed25519) to 12 µs (ECDSA), and most who
/// read a record never verify with its key; [`EncodedKey::decode`] is for those who do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncodedKey {
    kind: KeyKind,
    bytes: [u8; 33],
}

impl EncodedKey {
    /// Takes the bytes: 32 for ed25519; 33 for the ECDSA curves (SEC 1 compressed, first byte 2
    /// or 3).
    ///
    /// # Errors
    /// [`IdentityError::KeyLength`]; [`IdentityError::KeyPoint`] for another first byte.
    pub fn new(kind: KeyKind, bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() != kind.key_bytes() {
            return Err(IdentityError::KeyLength {
                kind,
                found: bytes.len(),
            });
        }
        // SEC 1 knows a compact form (first byte 5) of the same length; it is not canonical.
        if kind != KeyKind::Ed25519 && !matches!(bytes[0], 2 | 3) {
            return Err(IdentityError::KeyPoint { kind });
        }
        let mut padded = [0; 33];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self {
            kind,
            bytes: padded,
        })
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bytes, as [`EncodedKey::new`] took them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.kind.key_bytes()]
    }

    /// Finds the point.
    ///
    /// # Errors
    /// [`IdentityError::KeyPoint`].
    pub fn decode(&self) -> Result<PublicKey, IdentityError> {
        PublicKey::from_encoded(*self)
    }
}

impl From<PublicKey> for EncodedKey {
    fn from(key: PublicKey) -> Self {
        key.encoded()
    }
}
