//! When each block was made, for queries: a check about the state after a block is asked at the time
//! of the header that proves that state.

use hub_types::{Height, Timestamp};

use crate::store::{Column, StoreError, View};

/// The entry of a block in the column `blocks`: its height, its seconds and nanoseconds.
pub fn entry(height: Height, time: Timestamp) -> (Vec<u8>, Vec<u8>) {
    let mut value = time.seconds().to_be_bytes().to_vec();
    value.extend_from_slice(&time.nanos().to_be_bytes());
    (height.0.to_be_bytes().to_vec(), value)
}

/// When the block at `height` was made; `None` where this store has not seen it.
///
/// # Errors
/// The store's.
pub fn of(view: &View<'_>, height: u64) -> Result<Option<Timestamp>, StoreError> {
    let Some(bytes) = view.side(Column::Blocks, &height.to_be_bytes())? else {
        return Ok(None);
    };
    let parse = || {
        let (seconds, nanos) = bytes.split_first_chunk::<8>()?;
        let nanos = u32::from_be_bytes(nanos.try_into().ok()?);
        Timestamp::new(i64::from_be_bytes(*seconds), nanos).ok()
    };
    let time = parse().ok_or(StoreError::Undecodable {
        what: "a block's time",
    })?;
    Ok(Some(time))
}
