//! A signature as bytes; what makes it valid is the key's business.

use core::fmt;

use crate::IdentityError;

/// Length of a signature of every kind.
pub const SIGNATURE_BYTES: usize = 64;

/// A signature: `R || s` for ed25519 (RFC 8032), `r || s` big-endian for ECDSA (RFC 7518 §3.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl Signature {
    /// Takes exactly 64 bytes.
    ///
    /// # Errors
    /// [`IdentityError::SignatureLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, IdentityError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| IdentityError::SignatureLength { found: bytes.len() })
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    /// The 64 bytes, by value.
    pub const fn to_bytes(self) -> [u8; SIGNATURE_BYTES] {
        self.0
    }
}

impl From<[u8; SIGNATURE_BYTES]> for Signature {
    fn from(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
