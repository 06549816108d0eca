//! Opens the database, and is the only place that names its column families.

use std::path::Path;
use std::sync::Arc;

use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, Options, DB};

use super::StoreError;

/// The column families. What each holds, and how its keys are spelled, stands in [`super::keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// Single values: format, chain id, identity, counters, log size, proven records.
    Meta,
    /// Commit → its header, signature and body.
    Blocks,
    /// Document and commit → what is known of the commit: height, author, verdict.
    Commits,
    /// Document → its record: collection, tips, leaf chain.
    Documents,
    /// Collection and document → nothing; the documents of a collection in order.
    Collections,
    /// Document and commit → a deferred commit with the reason why it waits.
    Pending,
    /// Log index → leaf and its content.
    Leaves,
    /// Level and index → 256 node hashes of the log (C2SP tlog-tiles' shape).
    Tiles,
    /// Node key → node of the heads tree.
    HeadsNodes,
    /// Key hash and version → value of the heads tree.
    HeadsValues,
    /// Policy and revision → leaf and changes as they were proven.
    Policies,
    /// Document, commit and log → attestation.
    Attestations,
    /// Sequence → anchor intent, and its receipt once there is one.
    Anchors,
    /// Author, document and commit → nothing; the late commits of an author.
    Late,
    /// Used single-use token id → when it ends.
    TokenIds,
    /// Number of a change → document, or attestation; what peers are told in order.
    Feed,
}

impl Column {
    /// All columns, in the order in which they are opened.
    pub const ALL: [Column; 16] = [
        Column::Meta,
        Column::Blocks,
        Column::Commits,
        Column::Documents,
        Column::Collections,
        Column::Pending,
        Column::Leaves,
        Column::Tiles,
        Column::HeadsNodes,
        Column::HeadsValues,
        Column::Policies,
        Column::Attestations,
        Column::Anchors,
        Column::Late,
        Column::TokenIds,
        Column::Feed,
    ];

    /// The name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Column::Meta => "meta",
            Column::Blocks => "blocks",
            Column::Commits => "commits",
            Column::Documents => "documents",
            Column::Collections => "collections",
            Column::Pending => "pending",
            Column::Leaves => "leaves",
            Column::Tiles => "tiles",
            Column::HeadsNodes => "heads_nodes",
            Column::HeadsValues => "heads_values",
            Column::Policies => "policies",
            Column::Attestations => "attestations",
            Column::Anchors => "anchors",
            Column::Late => "late",
            Column::TokenIds => "token_ids",
            Column::Feed => "feed",
        }
    }

    /// Whether most lookups ask for keys that do not exist, so that a bloom filter pays.
    const fn is_looked_up_in_vain(self) -> bool {
        matches!(
            self,
            Column::Blocks | Column::Commits | Column::Documents | Column::TokenIds
        )
    }
}

/// Memory for blocks of all columns together: an index of a few hundred thousand documents.
const BLOCK_CACHE_BYTES: usize = 128 * 1024 * 1024;

/// A column's write buffer; with 25,000 creates a second the blocks column fills one in 2 s.
const WRITE_BUFFER_BYTES: usize = 32 * 1024 * 1024;

/// Opens the database at `path`, creating it when there is none.
///
/// # Errors
/// [`StoreError::Locked`] when another process has it open, [`StoreError::Corrupt`] when RocksDB
/// cannot read it, each with what to do.
pub(super) fn open(path: &Path) -> Result<Arc<DB>, StoreError> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_background_jobs(2);
    options.set_max_total_wal_size(256 * 1024 * 1024);
    options.set_keep_log_file_num(2);
    options.set_max_open_files(512);
    // A torn last record is what kill -9 leaves; anything else in the log is damage, and is told.
    options.set_wal_recovery_mode(rocksdb::DBRecoveryMode::TolerateCorruptedTailRecords);

    let descriptors = Column::ALL.iter().map(|column| {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&cache);
        if column.is_looked_up_in_vain() {
            table.set_bloom_filter(10.0, false);
        }
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_write_buffer_size(WRITE_BUFFER_BYTES);
        ColumnFamilyDescriptor::new(column.name(), options)
    });
    DB::open_cf_descriptors(&options, path, descriptors)
        .map(Arc::new)
        .map_err(|error| StoreError::from_open(path, &error))
}
