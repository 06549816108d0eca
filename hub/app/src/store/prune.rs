//! Pruning: each commit removes a little of what no retained height needs any more.
//!
//! The work list is the stale index, which is written from the first block on; a Jellyfish Merkle
//! tree cannot be pruned without it. Marks are sorted by the height since which a node or value
//! is stale: a node stale since `s` serves heights below `s` only.

use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::raw_keys::{parse_stale, StaleKind};
use super::{Column, Committed, Store, StoreError};

/// The least number of marks worked off a block. Twice what the block itself made stale is
/// allowed on top, so the list shrinks after `retain_heights` was lowered, and no block pays for
/// all of it.
const PRUNE_MIN: usize = 2_000;

impl Store {
    /// Adds deletions to `batch` and returns where the next block goes on.
    ///
    /// `committed.lowest_height` moves up with the retained window at once: from then on the
    /// heights below are refused, pruned already or not.
    pub(super) fn prune(
        &self,
        batch: &mut WriteBatch,
        committed: &mut Committed,
        stale_count: usize,
    ) -> Result<Vec<u8>, StoreError> {
        let cursor = self
            .prune_cursor
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        let retain = self.retain_heights();
        if retain == 0 {
            return Ok(cursor);
        }
        let lowest = (committed.height + 1).saturating_sub(retain);
        committed.lowest_height = committed.lowest_height.max(lowest);
        let budget = PRUNE_MIN + 2 * stale_count;
        let mut next = cursor.clone();
        let start = IteratorMode::From(&cursor, Direction::Forward);
        for mark in self
            .db
            .iterator_cf(self.column(Column::Stale), start)
            .take(budget)
        {
            let (mark, _) = mark.map_err(StoreError::io("reading the stale index"))?;
            let (since, kind, raw_key) = parse_stale(&mark).ok_or(StoreError::Undecodable {
                what: "a stale mark",
            })?;
            // Marks of this very height are in the batch still, and may sort before one that the
            // last block made (of a deletion, which counts from the height after it).
            if since > committed.lowest_height || since >= committed.height {
                break;
            }
            let column = match kind {
                StaleKind::Node => Column::Nodes,
                StaleKind::Value => Column::Values,
            };
            batch.delete_cf(self.column(column), raw_key);
            batch.delete_cf(self.column(Column::Stale), &mark);
            next = mark.into_vec();
        }
        Ok(next)
    }
}
