//! Between CometBFT's types and ours.

use hub_types::{BlockHash, Height, Timestamp};
use tendermint::{block, Hash, Time};

use crate::LightError;

/// A height.
#[must_use]
pub fn height_of(height: block::Height) -> Height {
    Height(height.value())
}

/// A time. CometBFT's are between the years 1 and 9999, and so are ours.
///
/// # Errors
/// [`LightError::Malformed`] for a time outside of them.
pub fn time_of(time: Time) -> Result<Timestamp, LightError> {
    let nanos = time.unix_timestamp_nanos().rem_euclid(1_000_000_000);
    let wrong = |_| LightError::Malformed {
        what: "time",
        reason: "out of range".into(),
    };
    let nanos = u32::try_from(nanos).expect("a rest below 10^9");
    Timestamp::new(time.unix_timestamp(), nanos).map_err(wrong)
}

/// A time for CometBFT's types.
///
/// # Errors
/// [`LightError::Malformed`] for a time that they do not take.
pub fn to_tendermint_time(time: Timestamp) -> Result<Time, LightError> {
    Time::from_unix_timestamp(time.seconds(), time.nanos()).map_err(|_| LightError::Malformed {
        what: "time",
        reason: "out of range".into(),
    })
}

/// A block's hash; headers hash to 32 bytes always.
#[must_use]
pub fn block_hash(header: &block::Header) -> BlockHash {
    hash32(header.hash())
}

/// 32 bytes of a hash; zeros for CometBFT's "no hash".
pub(crate) fn hash32(hash: Hash) -> BlockHash {
    match hash {
        Hash::Sha256(bytes) => BlockHash::new(bytes),
        Hash::None => BlockHash::new([0; 32]),
    }
}
