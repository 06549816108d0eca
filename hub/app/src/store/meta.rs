//! The few entries that say which state the store holds.

use super::StoreError;

/// Where [`Committed`] lies in the column `meta`.
pub(super) const COMMITTED_KEY: &[u8] = b"committed";

/// The state that the last commit left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The chain's id.
    pub chain_id: String,
    /// The chain's first height.
    pub initial_height: u64,
    /// The height whose state is on disk.
    pub height: u64,
    /// The main tree's root after that height.
    pub app_hash: [u8; 32],
    /// The block's time: seconds and nanoseconds since 1970.
    pub time: (i64, u32),
    /// State at heights below this one is not kept any more.
    pub lowest_height: u64,
}

impl Committed {
    /// Fixed widths, then the chain id: the entry is read at each start, never by others.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(68 + self.chain_id.len());
        out.extend_from_slice(&self.initial_height.to_be_bytes());
        out.extend_from_slice(&self.height.to_be_bytes());
        out.extend_from_slice(&self.lowest_height.to_be_bytes());
        out.extend_from_slice(&self.time.0.to_be_bytes());
        out.extend_from_slice(&self.time.1.to_be_bytes());
        out.extend_from_slice(&self.app_hash);
        out.extend_from_slice(self.chain_id.as_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Committed, StoreError> {
        let parse = || -> Option<Committed> {
            let (initial_height, rest) = bytes.split_first_chunk::<8>()?;
            let (height, rest) = rest.split_first_chunk::<8>()?;
            let (lowest_height, rest) = rest.split_first_chunk::<8>()?;
            let (seconds, rest) = rest.split_first_chunk::<8>()?;
            let (nanos, rest) = rest.split_first_chunk::<4>()?;
            let (app_hash, chain_id) = rest.split_first_chunk::<32>()?;
            Some(Committed {
                initial_height: u64::from_be_bytes(*initial_height),
                height: u64::from_be_bytes(*height),
                lowest_height: u64::from_be_bytes(*lowest_height),
                time: (i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanos)),
                app_hash: *app_hash,
                chain_id: core::str::from_utf8(chain_id).ok()?.to_owned(),
            })
        };
        parse().ok_or(StoreError::Undecodable {
            what: "the last committed height",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_reads_back_and_a_cut_entry_is_refused() {
        let committed = Committed {
            chain_id: "plant-1".to_owned(),
            initial_height: 1,
            height: 77,
            app_hash: [9; 32],
            time: (1_700_000_000, 5),
            lowest_height: 3,
        };
        let bytes = committed.encode();
        assert_eq!(Committed::decode(&bytes).unwrap(), committed);
        assert!(Committed::decode(&bytes[..60]).is_err());
    }
}
