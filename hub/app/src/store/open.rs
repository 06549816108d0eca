//! Opening the store, and the one place that writes to it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use rocksdb::{Cache, ColumnFamily, Options, WriteOptions, DB};

use super::meta::COMMITTED_KEY;
use super::{Column, Committed, StagedBlock, StoreError, View};

/// The layout that this binary reads and writes.
const FORMAT: &str = "1";
const FORMAT_KEY: &[u8] = b"format";

/// What an operator may choose about the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// How many heights of state to keep for queries and proofs; 0 keeps all.
    pub retain_heights: u64,
    /// Memory for RocksDB's block cache, in megabytes.
    pub cache_megabytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            retain_heights: 100_000,
            cache_megabytes: 128,
        }
    }
}

/// The store of one hub node.
pub struct Store {
    pub(super) db: DB,
    path: PathBuf,
    options: StoreOptions,
    committed: RwLock<Option<Committed>>,
    pub(super) prune_cursor: Mutex<Vec<u8>>,
}

impl Store {
    /// Opens the store in `path`, or makes an empty one.
    ///
    /// With `chain_id`, a store that holds another chain is refused.
    ///
    /// # Errors
    /// One sentence for each of: locked, damaged, not a store of ours, another format, another
    /// chain. Nothing is written in these cases.
    pub fn open(
        path: &Path,
        chain_id: Option<&str>,
        options: StoreOptions,
    ) -> Result<Store, StoreError> {
        let existed = path.join("CURRENT").exists();
        if existed {
            check_columns(path)?;
        } else if is_occupied(path) {
            return Err(StoreError::Foreign {
                path: path.to_owned(),
                reason: "it has files, but none of a database".to_owned(),
            });
        }
        let cache = Cache::new_lru_cache(options.cache_megabytes.max(8) << 20);
        let mut db_options = Options::default();
        db_options.create_if_missing(true);
        db_options.create_missing_column_families(true);
        db_options.set_max_total_wal_size(256 << 20);
        db_options.set_keep_log_file_num(4);
        db_options.set_max_open_files(1024);
        let columns = Column::ALL.iter().map(|column| column.descriptor(&cache));
        let db = DB::open_cf_descriptors(&db_options, path, columns)
            .map_err(|error| open_error(path, error))?;
        let store = Store {
            db,
            path: path.to_owned(),
            options,
            committed: RwLock::new(None),
            prune_cursor: Mutex::new(Vec::new()),
        };
        store.check_format(existed)?;
        let committed = store.read_committed()?;
        if let (Some(committed), Some(expected)) = (&committed, chain_id) {
            if committed.chain_id != expected {
                return Err(StoreError::OtherChain {
                    path: path.to_owned(),
                    found: committed.chain_id.clone(),
                    expected: expected.to_owned(),
                });
            }
        }
        *store.write_committed() = committed;
        Ok(store)
    }

    /// The folder that the store lives in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state on disk, or `None` before the first commit.
    pub fn committed(&self) -> Option<Committed> {
        self.committed
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone()
    }

    /// How many heights are kept; 0 means all.
    pub fn retain_heights(&self) -> u64 {
        self.options.retain_heights
    }

    /// A consistent view of what is committed now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn view(&self) -> Result<View<'_>, StoreError> {
        View::new(self)
    }

    /// Writes a block's state in one synced batch: after a crash it is there whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Io`]; the state on disk is then still the previous height's.
    pub fn commit(&self, staged: StagedBlock) -> Result<(), StoreError> {
        let StagedBlock {
            mut batch,
            mut committed,
            stale_count,
        } = staged;
        let cursor = self.prune(&mut batch, &mut committed, stale_count)?;
        batch.put_cf(self.column(Column::Meta), COMMITTED_KEY, committed.encode());
        let mut write_options = WriteOptions::default();
        write_options.set_sync(true);
        self.db
            .write_opt(batch, &write_options)
            .map_err(StoreError::io("writing a block"))?;
        *self
            .prune_cursor
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = cursor;
        *self.write_committed() = Some(committed);
        Ok(())
    }

    pub(super) fn column(&self, column: Column) -> &ColumnFamily {
        self.db
            .cf_handle(column.name())
            .expect("all columns are opened in Store::open")
    }

    fn write_committed(&self) -> std::sync::RwLockWriteGuard<'_, Option<Committed>> {
        self.committed
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn read_committed(&self) -> Result<Option<Committed>, StoreError> {
        self.db
            .get_cf(self.column(Column::Meta), COMMITTED_KEY)
            .map_err(StoreError::io("reading the last committed height"))?
            .map(|bytes| Committed::decode(&bytes))
            .transpose()
    }

    fn check_format(&self, existed: bool) -> Result<(), StoreError> {
        let meta = self.column(Column::Meta);
        let found = self
            .db
            .get_cf(meta, FORMAT_KEY)
            .map_err(|error| open_error(&self.path, error))?;
        match found {
            Some(found) if found == FORMAT.as_bytes() => Ok(()),
            Some(found) => Err(StoreError::Format {
                path: self.path.clone(),
                found: String::from_utf8_lossy(&found).into_owned(),
                expected: FORMAT,
            }),
            // A crash between making the folder and this write leaves an empty database behind;
            // it holds nothing, so it may be taken over.
            None if !existed || self.is_empty() => self
                .db
                .put_cf(meta, FORMAT_KEY, FORMAT)
                .map_err(StoreError::io("making the store")),
            None => Err(StoreError::Foreign {
                path: self.path.clone(),
                reason: "a database without a format entry".to_owned(),
            }),
        }
    }

    fn is_empty(&self) -> bool {
        Column::ALL.iter().all(|column| {
            let mut entries = self.db.raw_iterator_cf(self.column(*column));
            entries.seek_to_first();
            !entries.valid() && entries.status().is_ok()
        })
    }
}

/// A RocksDB with other columns is somebody else's: opening it would add ours to it.
fn check_columns(path: &Path) -> Result<(), StoreError> {
    let found = DB::list_cf(&Options::default(), path).map_err(|error| open_error(path, error))?;
    let foreign = found.iter().find(|name| {
        *name != "default" && !Column::ALL.iter().any(|column| column.name() == *name)
    });
    match foreign {
        Some(name) => Err(StoreError::Foreign {
            path: path.to_owned(),
            reason: format!("a database with the column {name:?}"),
        }),
        None => Ok(()),
    }
}

fn is_occupied(path: &Path) -> bool {
    std::fs::read_dir(path)
        .map(|mut entries| entries.next().is_some())
        .unwrap_or(false)
}

fn open_error(path: &Path, error: rocksdb::Error) -> StoreError {
    let path = path.to_owned();
    let reason = error.into_string();
    if reason.contains("lock hold by") || reason.contains("LOCK:") || reason.contains("/LOCK") {
        StoreError::InUse { path }
    } else {
        StoreError::Damaged { path, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> StoreOptions {
        StoreOptions {
            retain_heights: 0,
            cache_megabytes: 8,
        }
    }

    fn refused(path: &Path) -> String {
        match Store::open(path, Some("a-1"), options()) {
            Ok(_) => panic!("the store must be refused"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_store_in_use_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Store::open(folder.path(), None, options()).unwrap();
        assert!(refused(folder.path()).contains("in use by another process"));
    }

    #[test]
    fn a_folder_with_other_files_is_foreign_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter.txt"), "dear").unwrap();
        assert!(refused(folder.path()).contains("not a hub's store"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_database_of_somebody_else_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let mut theirs = Options::default();
        theirs.create_if_missing(true);
        theirs.create_missing_column_families(true);
        drop(DB::open_cf(&theirs, folder.path(), ["wallets"]).unwrap());
        assert!(refused(folder.path()).contains("\"wallets\""));
    }

    #[test]
    fn a_damaged_store_is_named() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), None, options()).unwrap());
        std::fs::write(folder.path().join("CURRENT"), "garbage").unwrap();
        assert!(refused(folder.path()).contains("is damaged"));
    }

    #[test]
    fn another_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), None, options()).unwrap();
        store
            .db
            .put_cf(store.column(Column::Meta), FORMAT_KEY, "99")
            .unwrap();
        drop(store);
        assert!(refused(folder.path()).contains("has format 99"));
    }
}
