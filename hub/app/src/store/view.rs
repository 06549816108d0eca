//! Reading one consistent snapshot: latest values, values at retained heights, proofs.

use jmt::storage::NodeKey;
use jmt::{JellyfishMerkleTree, KeyHash};
use rocksdb::{ColumnFamily, IteratorMode, Snapshot};
use sha2::Sha256;

use super::meta::COMMITTED_KEY;
use super::raw_keys;
use super::tree::{tree_error, TreeView};
use super::{Base, Column, Committed, Entry, Space, Store, StoreError, TreeId};

/// A consistent view of the committed state.
pub struct View<'a> {
    store: &'a Store,
    snapshot: Snapshot<'a>,
    committed: Option<Committed>,
}

impl<'a> View<'a> {
    /// Takes a snapshot. What it shows is read from the snapshot itself, so that height and
    /// content agree although a commit may happen meanwhile.
    pub(super) fn new(store: &'a Store) -> Result<View<'a>, StoreError> {
        let snapshot = store.db.snapshot();
        let committed = snapshot
            .get_cf(store.column(Column::Meta), COMMITTED_KEY)
            .map_err(StoreError::io("reading the last committed height"))?
            .map(|bytes| Committed::decode(&bytes))
            .transpose()?;
        Ok(View {
            store,
            snapshot,
            committed,
        })
    }

    /// The height and root that this view shows; `None` before the first commit.
    pub fn committed(&self) -> Option<&Committed> {
        self.committed.as_ref()
    }

    /// The latest value of `key` in `tree`.
    ///
    /// # Errors
    /// [`StoreError::Io`] and [`StoreError::Undecodable`].
    pub fn latest(&self, tree: &TreeId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.latest_entry(tree, key)?.map(|mut entry| {
            entry.drain(..8);
            entry
        }))
    }

    /// The value of `key` as of a version of `tree`: heights for the main tree.
    ///
    /// # Errors
    /// As [`View::latest`]. Whether the version is kept is the caller's to ask ([`View::check_height`]).
    pub fn at_version(
        &self,
        tree: &TreeId,
        key: &[u8],
        version: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let from = raw_keys::value(tree, key, version);
        let prefix = raw_keys::value_prefix(tree, key);
        let mut entries = self.snapshot.raw_iterator_cf(self.column(Column::Values));
        entries.seek(&from);
        entries
            .status()
            .map_err(StoreError::io("reading a value at a height"))?;
        match entries.item() {
            Some((key, stored)) if key.starts_with(&prefix) => match stored.split_first() {
                Some((1, value)) => Ok(Some(value.to_vec())),
                Some((0, _)) => Ok(None),
                _ => Err(StoreError::Undecodable {
                    what: "a value at a height",
                }),
            },
            _ => Ok(None),
        }
    }

    /// The greatest key in `from..=to` that `tree` had at `version`, with its value.
    ///
    /// # Errors
    /// As [`View::latest`].
    pub fn floor_at_version(
        &self,
        tree: &TreeId,
        from: &[u8],
        to: &[u8],
        version: u64,
    ) -> Result<Option<Entry>, StoreError> {
        if from > to {
            return Ok(None);
        }
        let mut entries = self.snapshot.raw_iterator_cf(self.column(Column::Values));
        // Version 0 sorts last among the entries of a key.
        entries.seek_for_prev(raw_keys::value(tree, to, 0));
        loop {
            entries
                .status()
                .map_err(StoreError::io("reading a key at a height"))?;
            let Some((key, _)) = entries
                .key()
                .and_then(|raw| raw_keys::parse_value(tree, raw))
            else {
                return Ok(None);
            };
            if key.as_slice() < from {
                return Ok(None);
            }
            if let Some(value) = self.at_version(tree, &key, version)? {
                return Ok(Some((key, value)));
            }
            // Before the newest entry of this key lies the greatest lesser key.
            entries.seek_for_prev(raw_keys::value(tree, &key, u64::MAX));
            if entries
                .key()
                .and_then(|raw| raw_keys::parse_value(tree, raw))
                .is_some_and(|(found, _)| found == key)
            {
                entries.prev();
            }
        }
    }

    /// Resolves a requested height: 0 is the latest.
    ///
    /// # Errors
    /// [`StoreError::HeightNotKept`], naming the heights that are.
    pub fn check_height(&self, height: u64) -> Result<u64, StoreError> {
        let (lowest, highest) = match &self.committed {
            Some(committed) => (
                committed.lowest_height.max(committed.initial_height),
                committed.height,
            ),
            None => (0, 0),
        };
        match height {
            0 if self.committed.is_some() => Ok(highest),
            height if self.committed.is_some() && (lowest..=highest).contains(&height) => {
                Ok(height)
            }
            height => Err(StoreError::HeightNotKept {
                height,
                lowest,
                highest,
            }),
        }
    }

    /// The value of `key` at `version`, with the ICS-23 proof of its presence or absence.
    ///
    /// # Errors
    /// [`StoreError::Tree`] when the version is not kept.
    pub fn prove(
        &self,
        tree: &TreeId,
        key: &[u8],
        version: u64,
    ) -> Result<(Option<Vec<u8>>, ics23::CommitmentProof), StoreError> {
        let reader = TreeView {
            view: self,
            tree: *tree,
            staged: None,
        };
        JellyfishMerkleTree::<_, Sha256>::new(&reader)
            .get_with_ics23_proof(key.to_vec(), version)
            .map_err(tree_error("proving a key"))
    }

    /// The root of `tree` at `version`, if that version is kept.
    ///
    /// # Errors
    /// [`StoreError::Tree`] when its nodes cannot be read.
    pub fn root(&self, tree: &TreeId, version: u64) -> Result<Option<[u8; 32]>, StoreError> {
        let reader = TreeView {
            view: self,
            tree: *tree,
            staged: None,
        };
        Ok(JellyfishMerkleTree::<_, Sha256>::new(&reader)
            .get_root_hash_option(version)
            .map_err(tree_error("reading a root"))?
            .map(|root| root.0))
    }

    /// An entry of a side column.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn side(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot
            .get_cf(self.column(column), key)
            .map_err(StoreError::io("reading an entry"))
    }

    /// Entries of a side column from `from` on while they start with `prefix`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn side_range(
        &self,
        column: Column,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let start = IteratorMode::From(from, rocksdb::Direction::Forward);
        let mut out = Vec::new();
        for entry in self.snapshot.iterator_cf(self.column(column), start) {
            let (key, value) = entry.map_err(StoreError::io("reading a range"))?;
            if out.len() == limit || !key.starts_with(prefix) {
                break;
            }
            out.push((key.into_vec(), value.into_vec()));
        }
        Ok(out)
    }

    /// Latest keys and values of `tree` under a key prefix, from `from` on, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn latest_range(
        &self,
        tree: &TreeId,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let tree_bytes = raw_keys::latest(tree, &[]).len();
        let raw_prefix = raw_keys::latest(tree, prefix);
        let raw_from = raw_keys::latest(tree, from.max(prefix));
        let entries = self.side_range(Column::Latest, &raw_prefix, &raw_from, limit)?;
        Ok(entries
            .into_iter()
            .map(|(key, value)| {
                (
                    key[tree_bytes..].to_vec(),
                    value.get(8..).unwrap_or_default().to_vec(),
                )
            })
            .collect())
    }

    pub(super) fn column(&self, column: Column) -> &ColumnFamily {
        self.store.column(column)
    }

    pub(super) fn raw_node(
        &self,
        tree: &TreeId,
        node_key: &NodeKey,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.side(Column::Nodes, &raw_keys::node(tree, node_key))
    }

    pub(super) fn preimage(&self, key_hash: &KeyHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.side(Column::Preimages, &key_hash.0)
    }

    pub(super) fn latest_version(
        &self,
        tree: &TreeId,
        key: &[u8],
    ) -> Result<Option<u64>, StoreError> {
        Ok(self
            .latest_entry(tree, key)?
            .and_then(|entry| entry.first_chunk::<8>().map(|v| u64::from_be_bytes(*v))))
    }

    fn latest_entry(&self, tree: &TreeId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let entry = self.side(Column::Latest, &raw_keys::latest(tree, key))?;
        match entry {
            Some(entry) if entry.len() < 8 => Err(StoreError::Undecodable {
                what: "a latest value",
            }),
            entry => Ok(entry),
        }
    }
}

impl Base for View<'_> {
    fn read(&self, space: &Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match space {
            Space::Tree(tree) => self.latest(tree, key),
            Space::Side(column) => self.side(*column, key),
        }
    }

    fn floor(
        &self,
        tree: &TreeId,
        from: &[u8],
        to: &[u8],
        skip: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Option<Entry>, StoreError> {
        if from > to {
            return Ok(None);
        }
        let raw_from = raw_keys::latest(tree, from);
        let raw_to = raw_keys::latest(tree, to);
        let tree_bytes = raw_from.len() - from.len();
        let mut entries = self.snapshot.raw_iterator_cf(self.column(Column::Latest));
        entries.seek_for_prev(&raw_to);
        while let Some((key, value)) = entries.item().filter(|(key, _)| *key >= &raw_from[..]) {
            let key = &key[tree_bytes..];
            if !skip(key) {
                let value = value.get(8..).unwrap_or_default();
                return Ok(Some((key.to_vec(), value.to_vec())));
            }
            entries.prev();
        }
        entries
            .status()
            .map_err(StoreError::io("reading the greatest key of a range"))?;
        Ok(None)
    }
}
