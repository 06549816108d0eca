//! Single-use token ids: each is spent once, also across a restart within the five minutes.
//!
//! An id is spent in memory when the request is let in, and on disk in the same batch as what the
//! request writes. So a crash in between loses the id only together with the write, and a replay
//! then does the write for the first time.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hashbrown::HashMap;

use crate::limits::REPLAY_IDS_MAX;
use crate::token::{TokenError, TokenId};

#[derive(Default)]
struct Spent {
    until: HashMap<TokenId, u64>,
    /// Ids by the second in which they may be forgotten.
    by_end: BTreeMap<u64, Vec<TokenId>>,
}

/// The ids that were spent and whose tokens have not ended.
#[derive(Default)]
pub struct SingleUse {
    spent: Mutex<Spent>,
}

impl SingleUse {
    /// Restores what the store remembers.
    #[must_use]
    pub fn restore(ids: impl IntoIterator<Item = (TokenId, u64)>) -> Self {
        let mut spent = Spent::default();
        for (id, end) in ids {
            spent.until.insert(id, end);
            spent.by_end.entry(end).or_default().push(id);
        }
        Self {
            spent: Mutex::new(spent),
        }
    }

    /// Spends `id`, which may be forgotten after the second `end`.
    ///
    /// # Errors
    /// [`TokenError::Replayed`] when it was spent before; [`TokenError::TooMany`] when
    /// [`REPLAY_IDS_MAX`] ids are remembered: refusing a write is better than forgetting an id.
    pub fn spend(&self, id: TokenId, end: u64, now_seconds: u64) -> Result<(), TokenError> {
        let mut spent = self
            .spent
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let kept = spent.by_end.split_off(&now_seconds);
        let ended = std::mem::replace(&mut spent.by_end, kept);
        for id in ended.into_values().flatten() {
            spent.until.remove(&id);
        }
        if spent.until.contains_key(&id) {
            return Err(TokenError::Replayed);
        }
        if spent.until.len() >= REPLAY_IDS_MAX {
            return Err(TokenError::TooMany);
        }
        spent.until.insert(id, end);
        spent.by_end.entry(end).or_default().push(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_spent_once_until_its_token_has_ended() {
        let ids = SingleUse::restore([([1; 16], 100)]);
        assert_eq!(ids.spend([1; 16], 100, 50), Err(TokenError::Replayed));
        assert_eq!(ids.spend([2; 16], 120, 50), Ok(()));
        assert_eq!(ids.spend([2; 16], 120, 120), Err(TokenError::Replayed));
        assert_eq!(
            ids.spend([1; 16], 200, 101),
            Ok(()),
            "the first token has ended by then"
        );
    }
}
