//! The sidecar's disk: one RocksDB, one writer, one synchronous batch for each group of writes.
//!
//! Invariant 5 hangs here: a write is acknowledged when the batch that holds it *and its leaves*
//! has been synced, and no earlier. All writes go through [`writer`]; reads go anywhere.

mod columns;
mod heads;
pub mod keys;
pub mod log;
pub mod records;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use prost::Message as _;
use rocksdb::{Direction, IteratorMode, WriteBatch, WriteOptions, DB};
use tokio::sync::{oneshot, watch};

pub use columns::Column;
pub use heads::{HeadsTree, HeadsUpdate};
pub use writer::{Expected, LeafDraft, NewCommit, NewDocument, Put, Write, Written};

use self::log::{LogSnapshot, Tail};
use self::records::{decode, Belongs, Blocks, CommitRecord, DocumentRecord, LeafRecord};
use crate::metrics::Metrics;
use keys::{meta, Digest};

/// Why the store cannot do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the store at {0} is in use by another process; stop the other sidecar first")]
    Locked(PathBuf),
    /// It cannot be read.
    #[error("the store at {path} is damaged ({message}); restore it from a backup, or move it away and let peers fill a new one")]
    Corrupt {
        /// Where.
        path: PathBuf,
        /// What RocksDB says.
        message: String,
    },
    /// It cannot be opened for another reason.
    #[error("the store at {path} cannot be opened: {message}")]
    Open {
        /// Where.
        path: PathBuf,
        /// What RocksDB says.
        message: String,
    },
    /// It belongs to another chain.
    #[error("the store belongs to the chain {found}, but the configuration says {expected}; use another home for another chain")]
    ForeignChain {
        /// In the store.
        found: String,
        /// In the configuration.
        expected: String,
    },
    /// It belongs to another sidecar.
    #[error("the store belongs to the sidecar {found}, but network.key is the key of {expected}; put the right key back")]
    ForeignSidecar {
        /// In the store.
        found: String,
        /// In the configuration.
        expected: String,
    },
    /// Its format is another one.
    #[error(
        "the store has format {found}, this program reads format {}; use the version that wrote it",
        keys::FORMAT
    )]
    Format {
        /// In the store.
        found: u64,
    },
    /// A record cannot be read.
    #[error("the store is damaged: a record of `{0}` cannot be read; restore it from a backup")]
    Record(&'static str),
    /// The log does not hold together.
    #[error(
        "the store is damaged: the audit log does not hold together, {0}; restore it from a backup"
    )]
    Log(&'static str),
    /// The log is full.
    #[error("the audit log holds 2^48 leaves and takes no more; open a new log")]
    LogFull,
    /// A read failed.
    #[error("the store cannot be read: {0}")]
    Read(String),
    /// A write failed; the writer stops, since what is on disk is unknown from then on.
    #[error("the store cannot be written, so the sidecar takes no more writes: {0}; free some disk space and restart")]
    Write(String),
    /// The writer has stopped.
    #[error("the store takes no more writes; restart the sidecar")]
    Stopped,
    /// A leaf's content breaks a bound.
    #[error("a log leaf cannot be written: {0}")]
    Leaf(String),
}

impl StoreError {
    fn from_open(path: &Path, error: &rocksdb::Error) -> Self {
        let path = path.to_owned();
        let message = error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        match error.kind() {
            rocksdb::ErrorKind::IOError if message.contains("lock") => StoreError::Locked(path),
            rocksdb::ErrorKind::Corruption | rocksdb::ErrorKind::InvalidArgument => {
                StoreError::Corrupt { path, message }
            }
            rocksdb::ErrorKind::IOError if message.contains("No such file") => {
                StoreError::Corrupt { path, message }
            }
            _ => StoreError::Open { path, message },
        }
    }

    fn read(error: &rocksdb::Error) -> Self {
        StoreError::Read(error.to_string())
    }
}

pub(crate) fn get(db: &DB, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let family = db
        .cf_handle(column.name())
        .ok_or(StoreError::Record(column.name()))?;
    db.get_cf(&family, key)
        .map_err(|error| StoreError::read(&error))
}

/// Whom the store belongs to.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The chain.
    pub chain_id: String,
    /// The sidecar's DID.
    pub sidecar: String,
}

/// A write on its way to the disk.
#[must_use = "nothing is acknowledged before it is durable"]
pub struct Acknowledgement(oneshot::Receiver<Result<Written, StoreError>>);

impl Acknowledgement {
    /// Waits until the write is durable.
    ///
    /// # Errors
    /// [`StoreError`] of the writer.
    pub async fn durable(self) -> Result<Written, StoreError> {
        self.0.await.map_err(|_| StoreError::Stopped)?
    }
}

/// What changed in a group, told after it was synced.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// Digests of documents with new commits.
    pub documents: Vec<Digest>,
}

/// The store. Cheap to share; dropping the last one lets the writer finish its queue.
pub struct Store {
    db: Arc<DB>,
    tail: Arc<RwLock<Tail>>,
    writer: writer::Handle,
    size: watch::Receiver<u64>,
    changes: tokio::sync::broadcast::Sender<Changed>,
    /// The last field, so that it is dropped when the database is closed.
    closing: watch::Sender<()>,
}

impl Store {
    /// Opens the store at `path` for `identity`, and starts its writer.
    ///
    /// # Errors
    /// [`StoreError`], each variant one sentence that says what to do.
    pub fn open(
        path: &Path,
        identity: &Identity,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let db = columns::open(path)?;
        belongs(&db, identity)?;
        let range = match get(&db, Column::Meta, meta::LOG)? {
            None => merkle::CompactRange::default(),
            Some(bytes) => merkle::CompactRange::from_bytes(&bytes)
                .map_err(|_| StoreError::Log("its size cannot be read"))?,
        };
        let tail = Arc::new(RwLock::new(Tail::restore(&db, range.clone())?));
        let (size_sender, size) = watch::channel(range.size());
        // A listener that lags by more than this many groups starts over from the feed.
        let (changes, _) = tokio::sync::broadcast::channel(1024);
        let writer = writer::start(writer::Parts {
            db: db.clone(),
            tail: tail.clone(),
            size: size_sender,
            changes: changes.clone(),
            metrics,
        })?;
        Ok(Self {
            db,
            tail,
            writer,
            size,
            changes,
            closing: watch::channel(()).0,
        })
    }

    /// Hands a write to the writer. The receiver is told when it is durable.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when the writer has stopped.
    pub async fn submit(&self, write: Write) -> Result<Written, StoreError> {
        self.enqueue(write).await?.durable().await
    }

    /// Hands a write to the writer without waiting; writes that one task hands over are written in
    /// that order, and a later one never without the earlier ones.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when the writer has stopped.
    pub async fn enqueue(&self, write: Write) -> Result<Acknowledgement, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.send(write, reply).await?;
        Ok(Acknowledgement(answer))
    }

    /// As [`Store::submit`], for threads.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when the writer has stopped.
    pub fn submit_blocking(&self, write: Write) -> Result<Written, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.send_blocking(write, reply)?;
        answer.blocking_recv().map_err(|_| StoreError::Stopped)?
    }

    /// Its `changed` fails once the database is closed and may be opened again.
    #[must_use]
    pub fn closing(&self) -> watch::Receiver<()> {
        self.closing.subscribe()
    }

    /// Number of leaves that are durable; changes after each group.
    #[must_use]
    pub fn size(&self) -> watch::Receiver<u64> {
        self.size.clone()
    }

    /// What each group changed, after it was synced.
    #[must_use]
    pub fn changes(&self) -> tokio::sync::broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// The log as it stands.
    #[must_use]
    pub fn log(&self) -> LogSnapshot {
        let tail = self
            .tail
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        LogSnapshot {
            db: self.db.clone(),
            tail,
        }
    }

    /// The raw value of a key.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(&self.db, column, key)
    }

    /// Entries of `column` whose key starts with `prefix`, from `from` on, until `visit` says no.
    ///
    /// # Errors
    /// [`StoreError::Read`], and whatever `visit` returns.
    pub fn scan<E: From<StoreError>>(
        &self,
        column: Column,
        prefix: &[u8],
        from: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let family = self
            .db
            .cf_handle(column.name())
            .ok_or(StoreError::Record(column.name()))?;
        let start = if from > prefix { from } else { prefix };
        let mode = IteratorMode::From(start, Direction::Forward);
        for entry in self.db.iterator_cf(&family, mode) {
            let (key, value) = entry.map_err(|error| StoreError::read(&error))?;
            if !key.starts_with(prefix) || !visit(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    /// The record of a document.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::Record`].
    pub fn document(&self, document: &Digest) -> Result<Option<DocumentRecord>, StoreError> {
        self.get(Column::Documents, document)?
            .map(|bytes| decode(Column::Documents, &bytes))
            .transpose()
    }

    /// The blocks of a commit.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::Record`].
    pub fn blocks(&self, commit: &Digest) -> Result<Option<Blocks>, StoreError> {
        self.get(Column::Blocks, commit)?
            .map(|bytes| decode(Column::Blocks, &bytes))
            .transpose()
    }

    /// What is known of a commit of a document.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::Record`].
    pub fn commit(
        &self,
        document: &Digest,
        commit: &Digest,
    ) -> Result<Option<CommitRecord>, StoreError> {
        self.get(Column::Commits, &keys::pair(document, commit))?
            .map(|bytes| decode(Column::Commits, &bytes))
            .transpose()
    }

    /// A leaf with what opens it.
    ///
    /// # Errors
    /// [`StoreError::Log`] when there is none, [`StoreError::Record`].
    pub fn leaf(&self, index: u64) -> Result<LeafRecord, StoreError> {
        let bytes = self
            .get(Column::Leaves, &keys::number(index))?
            .ok_or(StoreError::Log("a leaf is missing"))?;
        decode(Column::Leaves, &bytes)
    }

    /// The heads tree.
    #[must_use]
    pub fn heads_tree(&self) -> HeadsTree {
        HeadsTree::new(self.db.clone())
    }
}

/// Checks whom the store belongs to, or writes it into a new one.
fn belongs(db: &DB, identity: &Identity) -> Result<(), StoreError> {
    if let Some(bytes) = get(db, Column::Meta, meta::BELONGS)? {
        let found: Belongs = decode(Column::Meta, &bytes)?;
        if found.format != keys::FORMAT {
            return Err(StoreError::Format {
                found: found.format,
            });
        }
        if found.chain_id != identity.chain_id {
            return Err(StoreError::ForeignChain {
                found: found.chain_id,
                expected: identity.chain_id.clone(),
            });
        }
        if found.sidecar != identity.sidecar {
            return Err(StoreError::ForeignSidecar {
                found: found.sidecar,
                expected: identity.sidecar.clone(),
            });
        }
        return Ok(());
    }
    let value = Belongs {
        format: keys::FORMAT,
        chain_id: identity.chain_id.clone(),
        sidecar: identity.sidecar.clone(),
    };
    let family = db
        .cf_handle(Column::Meta.name())
        .ok_or(StoreError::Record("meta"))?;
    let mut batch = WriteBatch::default();
    batch.put_cf(&family, meta::BELONGS, value.encode_to_vec());
    db.write_opt(batch, &synced())
        .map_err(|error| StoreError::Write(error.to_string()))
}

/// Every write waits for the disk.
fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}
