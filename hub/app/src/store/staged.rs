//! A finished block on its way to disk.

use rocksdb::WriteBatch;
use sha2::{Digest, Sha256};

use super::raw_keys::{self, StaleKind};
use super::{Column, Committed, StoreError, TreeUpdate, View};

/// Everything that a block changes, as one batch.
pub struct StagedBlock {
    pub(super) batch: WriteBatch,
    pub(super) committed: Committed,
    pub(super) stale_count: usize,
}

impl StagedBlock {
    /// Starts the batch of the block that leads to `committed`.
    pub fn new(committed: Committed) -> StagedBlock {
        StagedBlock {
            batch: WriteBatch::default(),
            committed,
            stale_count: 0,
        }
    }

    /// The state that the commit will leave.
    pub fn committed(&self) -> &Committed {
        &self.committed
    }

    /// Adds one tree's new nodes, values and stale marks. `before` is the update of the version
    /// below where that is in the same batch (genesis under the first block).
    ///
    /// # Errors
    /// When the value that is being replaced cannot be read.
    pub fn add_tree(
        &mut self,
        view: &View<'_>,
        update: &TreeUpdate,
        before: Option<&TreeUpdate>,
    ) -> Result<(), StoreError> {
        let tree = &update.tree;
        let height = self.committed.height;
        let nodes = view.column(Column::Nodes);
        for (node_key, node) in update.nodes.node_batch.nodes() {
            let bytes = borsh::to_vec(node).map_err(|_| StoreError::Undecodable {
                what: "a tree node in memory",
            })?;
            self.batch
                .put_cf(nodes, raw_keys::node(tree, node_key), bytes);
        }
        for stale in &update.nodes.stale_node_index_batch {
            self.mark_stale(
                view,
                height,
                StaleKind::Node,
                &raw_keys::node(tree, &stale.node_key),
            );
        }
        for (key, value) in &update.writes {
            let replaced = match before.and_then(|before| before.writes.get(key)) {
                Some(Some(_)) => before.map(|before| before.version),
                Some(None) => None,
                None => view.latest_version(tree, key)?,
            };
            self.add_value(view, update, replaced, key, value.as_deref());
        }
        Ok(())
    }

    /// Puts an entry into a side column (logs, revisions, blocks), or removes it.
    pub fn put_side(&mut self, view: &View<'_>, column: Column, key: &[u8], value: Option<&[u8]>) {
        match value {
            Some(value) => self.batch.put_cf(view.column(column), key, value),
            None => self.batch.delete_cf(view.column(column), key),
        }
    }

    fn add_value(
        &mut self,
        view: &View<'_>,
        update: &TreeUpdate,
        replaced: Option<u64>,
        key: &[u8],
        value: Option<&[u8]>,
    ) {
        let (tree, version, height) = (&update.tree, update.version, self.committed.height);
        let latest_key = raw_keys::latest(tree, key);
        if let Some(replaced) = replaced {
            let replaced = raw_keys::value(tree, key, replaced);
            self.mark_stale(view, height, StaleKind::Value, &replaced);
        } else if value.is_some() {
            let key_hash = Sha256::digest(key);
            self.batch
                .put_cf(view.column(Column::Preimages), key_hash, key);
        }
        let value_key = raw_keys::value(tree, key, version);
        let mut stored = Vec::with_capacity(1 + value.map_or(0, <[u8]>::len));
        stored.push(u8::from(value.is_some()));
        stored.extend_from_slice(value.unwrap_or_default());
        self.batch
            .put_cf(view.column(Column::Values), &value_key, stored);
        let latest = view.column(Column::Latest);
        match value {
            Some(value) => {
                let mut stored = Vec::with_capacity(8 + value.len());
                stored.extend_from_slice(&version.to_be_bytes());
                stored.extend_from_slice(value);
                self.batch.put_cf(latest, latest_key, stored);
            }
            None => {
                self.batch.delete_cf(latest, latest_key);
                // Where nothing is found, the answer is the same as where this mark is found; but it
                // hides the value that it replaced, so it goes a height later than that one, or
                // pruning in pieces could leave the value behind without it.
                self.mark_stale(view, height + 1, StaleKind::Value, &value_key);
            }
        }
    }

    fn mark_stale(&mut self, view: &View<'_>, height: u64, kind: StaleKind, raw_key: &[u8]) {
        self.stale_count += 1;
        self.batch.put_cf(
            view.column(Column::Stale),
            raw_keys::stale(height, kind, raw_key),
            [],
        );
    }
}
