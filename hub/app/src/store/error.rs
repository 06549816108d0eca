//! What can go wrong with the store, in sentences for the person who runs the node.

use std::path::PathBuf;

/// A failure of the store. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock file.
    #[error("the store at {path} is in use by another process; stop that one first, or give this one its own home folder")]
    InUse {
        /// The store's folder.
        path: PathBuf,
    },
    /// RocksDB refuses to read what is there.
    #[error("the store at {path} is damaged ({reason}); put back a copy of the folder, or remove it and let the node replay the chain")]
    Damaged {
        /// The store's folder.
        path: PathBuf,
        /// RocksDB's own words.
        reason: String,
    },
    /// The folder holds something else.
    #[error("{path} is not a hub's store ({reason}); choose an empty folder as home")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// Written by a binary with another layout.
    #[error("the store at {path} has format {found}, this hubd reads format {expected}; use the hubd that wrote it")]
    Format {
        /// The store's folder.
        path: PathBuf,
        /// The format found.
        found: String,
        /// The format that this binary reads.
        expected: &'static str,
    },
    /// Belongs to another chain.
    #[error("the store at {path} belongs to chain {found:?}, not to {expected:?}; use the home folder of that chain")]
    OtherChain {
        /// The store's folder.
        path: PathBuf,
        /// The chain id in the store.
        found: String,
        /// The chain id that was asked for.
        expected: String,
    },
    /// The height was pruned or is not there yet.
    #[error("height {height} is not kept: this node answers for heights {lowest} to {highest}")]
    HeightNotKept {
        /// The height asked for.
        height: u64,
        /// The lowest height with state.
        lowest: u64,
        /// The highest height with state.
        highest: u64,
    },
    /// A read or write failed while running.
    #[error("the store failed while {doing}: {reason}; the disk may be full or failing")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// RocksDB's own words.
        reason: String,
    },
    /// Bytes that this store wrote do not decode.
    #[error("the store holds an entry that does not decode ({what}); it is damaged: put back a copy, or remove it and let the node replay the chain")]
    Undecodable {
        /// Which kind of entry.
        what: &'static str,
    },
    /// The tree could not be updated or read.
    #[error("the state tree failed while {doing}: {reason}")]
    Tree {
        /// What was being done.
        doing: &'static str,
        /// The tree's own words.
        reason: String,
    },
}

impl StoreError {
    pub(super) fn io(doing: &'static str) -> impl FnOnce(rocksdb::Error) -> StoreError {
        move |error| StoreError::Io {
            doing,
            reason: error.into_string(),
        }
    }
}
