//! The name of a chain, checked once so that it can stand in signed bytes and file names.

use alloc::string::String;
use core::{fmt, str::FromStr};

use crate::IdentityError;

/// The longest chain id: CometBFT refuses a genesis with a longer one (`MaxChainIDLen`).
pub const CHAIN_ID_BYTES_MAX: usize = 50;

/// A chain id: 1 to 50 bytes of `A-Z a-z 0-9 . _ -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(String);

impl ChainId {
    /// Checks and takes a chain id.
    ///
    /// # Errors
    /// [`IdentityError::ChainIdLength`], [`IdentityError::ChainIdByte`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        if text.is_empty() || text.len() > CHAIN_ID_BYTES_MAX {
            return Err(IdentityError::ChainIdLength { found: text.len() });
        }
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        match text.as_bytes().iter().position(|byte| !allowed(byte)) {
            Some(position) => Err(IdentityError::ChainIdByte { position }),
            None => Ok(Self(text.into())),
        }
    }

    /// The chain id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChainId {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl AsRef<str> for ChainId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainId({})", self.0)
    }
}
