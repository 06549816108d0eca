//! The three kinds of keys, and what differs between them outside of the arithmetic.

use core::{fmt, str::FromStr};

use crate::IdentityError;

/// The kind of a key. The order is part of no format; the name and the multicodec are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// EdDSA over edwards25519, verified by ZIP-215.
    Ed25519,
    /// ECDSA over secp256k1 with SHA-256, low s.
    Secp256k1,
    /// ECDSA over NIST P-256 with SHA-256, low s.
    P256,
}

impl KeyKind {
    /// All kinds, for tests and listings.
    pub const ALL: [Self; 3] = [Self::Ed25519, Self::Secp256k1, Self::P256];

    /// The name, as written in commands and key files: `ed25519`, `secp256k1`, `p256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Secp256k1 => "secp256k1",
            Self::P256 => "p256",
        }
    }

    /// Length of a public key: 32 bytes (RFC 8032), or 33 (SEC 1, compressed).
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::Secp256k1 | Self::P256 => 33,
        }
    }

    /// The JWS algorithm of signatures by such a key (RFC 7518, RFC 8037, RFC 8812).
    pub const fn jose_algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::Secp256k1 => "ES256K",
            Self::P256 => "ES256",
        }
    }

    /// The multicodec of the public key, as the unsigned varint that `did:key` puts in front.
    pub const fn multicodec(self) -> [u8; 2] {
        match self {
            Self::Ed25519 => [0xed, 0x01],
            Self::Secp256k1 => [0xe7, 0x01],
            Self::P256 => [0x80, 0x24],
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyKind {
    type Err = IdentityError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(IdentityError::UnknownKind)
    }
}
