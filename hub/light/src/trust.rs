//! What is trusted: a point that a person gives, and what follows from it.

use alloc::string::ToString;
use core::{fmt, str::FromStr};

use hub_types::{BlockHash, Height, Timestamp};
use identity::ChainId;

use crate::{block_hash, height_of, time_of, LightBlock, LightError};

/// A block hash that somebody trusted gave, with its height: `HEIGHT:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustPoint {
    /// The height.
    pub height: Height,
    /// The block's hash.
    pub hash: BlockHash,
}

impl FromStr for TrustPoint {
    type Err = LightError;

    /// Reads `HEIGHT:HASH`; the digits may be upper case, as CometBFT writes them.
    fn from_str(text: &str) -> Result<Self, LightError> {
        let (height, hash) = text.split_once(':').ok_or(LightError::TrustPointText)?;
        let digits = !height.is_empty() && height.bytes().all(|byte| byte.is_ascii_digit());
        let height: u64 = match digits {
            true => height.parse().map_err(|_| LightError::TrustPointText)?,
            false => return Err(LightError::TrustPointText),
        };
        let hash =
            BlockHash::parse(&hash.to_lowercase()).map_err(|_| LightError::TrustPointText)?;
        match height {
            0 => Err(LightError::TrustPointText),
            height => Ok(Self {
                height: Height(height),
                hash,
            }),
        }
    }
}

impl fmt::Display for TrustPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.height, self.hash)
    }
}

/// What a verified header says: all that proofs need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The chain.
    pub chain_id: ChainId,
    /// The block.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
    /// Its hash.
    pub hash: BlockHash,
    /// The root of the main tree after the block before.
    pub app_hash: [u8; 32],
    /// The hash of its validators.
    pub validators_hash: BlockHash,
    /// The hash of the next block's validators.
    pub next_validators_hash: BlockHash,
}

impl Trusted {
    /// Takes what a header says, once somebody has verified it.
    ///
    /// # Errors
    /// [`LightError::Malformed`] for a chain id or a time that no Holdfast chain has,
    /// [`LightError::AppHash`].
    pub(crate) fn from_header(header: &tendermint::block::Header) -> Result<Self, LightError> {
        let chain_id =
            ChainId::parse(header.chain_id.as_str()).map_err(|error| LightError::Malformed {
                what: "chain id",
                reason: error.to_string(),
            })?;
        let app_hash = header.app_hash.as_bytes();
        Ok(Self {
            chain_id,
            height: height_of(header.height),
            time: time_of(header.time)?,
            hash: block_hash(header),
            app_hash: app_hash.try_into().map_err(|_| LightError::AppHash {
                found: app_hash.len(),
            })?,
            validators_hash: crate::block::hash32(header.validators_hash),
            next_validators_hash: crate::block::hash32(header.next_validators_hash),
        })
    }

    /// The block after which the state was as this header's app hash says.
    #[must_use]
    pub const fn state_height(&self) -> Height {
        self.height.previous()
    }

    /// The point from which others may start.
    #[must_use]
    pub const fn point(&self) -> TrustPoint {
        TrustPoint {
            height: self.height,
            hash: self.hash,
        }
    }
}

/// A block that was verified: what it says, and what leads on from it.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedBlock {
    pub(crate) trusted: Trusted,
    pub(crate) block: LightBlock,
}

impl VerifiedBlock {
    /// What its header says.
    #[must_use]
    pub const fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    /// The block, to be kept: with [`Trusted::point`] it is a start after a restart.
    #[must_use]
    pub const fn block(&self) -> &LightBlock {
        &self.block
    }
}
