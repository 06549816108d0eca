//! Account addresses, as Cosmos chains make them, so that wallets show the right one.

use alloc::string::{String, ToString};
use core::{fmt, str::FromStr};

use bech32::{primitives::decode::CheckedHrpstring, Bech32, Hrp};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

use crate::{IdentityError, KeyKind, PublicKey};

/// The human-readable part of every account address.
pub const ADDRESS_PREFIX: &str = "hold";

const HRP: Hrp = Hrp::parse_unchecked(ADDRESS_PREFIX);

/// The address of an account: 20 bytes, written in bech32 (BIP-173) with the prefix `hold`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountAddress([u8; 20]);

impl AccountAddress {
    /// The address of a key: RIPEMD-160 of SHA-256 of the compressed key for secp256k1, the
    /// first 20 bytes of SHA-256 for ed25519 (Cosmos ADR-028).
    ///
    /// # Errors
    /// [`IdentityError::NoAccount`] for P-256: the hub takes no transactions signed so.
    pub fn of(key: &PublicKey) -> Result<Self, IdentityError> {
        let digest = Sha256::digest(key.as_bytes());
        match key.kind() {
            KeyKind::Secp256k1 => Ok(Self(Ripemd160::digest(digest).into())),
            KeyKind::Ed25519 => {
                let mut bytes = [0; 20];
                bytes.copy_from_slice(&digest[..20]);
                Ok(Self(bytes))
            }
            kind @ KeyKind::P256 => Err(IdentityError::NoAccount { kind }),
        }
    }

    /// Parses the canonical (lower case) text form.
    ///
    /// # Errors
    /// The `Address…` variants of [`IdentityError`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let parsed =
            CheckedHrpstring::new::<Bech32>(text).map_err(|_| IdentityError::AddressBech32)?;
        if parsed.hrp() != HRP {
            return Err(IdentityError::AddressPrefix);
        }
        let mut bytes = [0; 20];
        let found = parsed.byte_iter().len();
        if found != bytes.len() {
            return Err(IdentityError::AddressLength { found });
        }
        bytes
            .iter_mut()
            .zip(parsed.byte_iter())
            .for_each(|(to, from)| *to = from);
        let address = Self(bytes);
        if address.to_string() != text {
            return Err(IdentityError::AddressCanonical);
        }
        Ok(address)
    }

    /// Takes 20 bytes from a record or message.
    ///
    /// # Errors
    /// [`IdentityError::AddressLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, IdentityError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| IdentityError::AddressLength { found: bytes.len() })
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl From<[u8; 20]> for AccountAddress {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl FromStr for AccountAddress {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = bech32::encode_lower::<Bech32>(HRP, &self.0).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl fmt::Debug for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountAddress({self})")
    }
}
