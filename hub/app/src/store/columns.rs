//! The column families: one table, so that nobody opens a column under another name.

use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, Options};

/// A column family of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Format version, chain id, last committed height.
    Meta,
    /// tree, key -> version and latest value: what execution reads.
    Latest,
    /// tree, version, nibble path -> Jellyfish Merkle tree node.
    Nodes,
    /// tree, key hash, inverted version -> value as of that version, or that it was deleted.
    Values,
    /// key hash -> key. ICS-23 proofs of absence name the neighbours' keys, not their hashes.
    Preimages,
    /// height since which it is not needed any more, column, key: the work list of pruning.
    Stale,
    /// log, level, index -> hash of a complete subtree (RFC 6962).
    LogNodes,
    /// log, index -> the leaf's bytes.
    LogLeaves,
    /// policy, revision -> the changes that the revision's leaf commits to.
    Revisions,
    /// height -> the block's time, which queries want to know of a block beyond its leaf.
    Blocks,
}

impl Column {
    /// All columns, in the order in which they are opened.
    pub const ALL: [Column; 10] = [
        Column::Meta,
        Column::Latest,
        Column::Nodes,
        Column::Values,
        Column::Preimages,
        Column::Stale,
        Column::LogNodes,
        Column::LogLeaves,
        Column::Revisions,
        Column::Blocks,
    ];

    /// The name on disk. Never changed: a store written by an older binary must still open.
    pub fn name(self) -> &'static str {
        match self {
            Column::Meta => "meta",
            Column::Latest => "latest",
            Column::Nodes => "nodes",
            Column::Values => "values",
            Column::Preimages => "preimages",
            Column::Stale => "stale",
            Column::LogNodes => "log_nodes",
            Column::LogLeaves => "log_leaves",
            Column::Revisions => "revisions",
            Column::Blocks => "blocks",
        }
    }

    pub(super) fn descriptor(self, cache: &Cache) -> ColumnFamilyDescriptor {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_cache_index_and_filter_blocks(true);
        if matches!(self, Column::Latest | Column::Nodes | Column::Preimages) {
            // Point lookups, many of them for absent keys (first write of an account or page):
            // ten bits a key make 99 of 100 such lookups cost no disk read.
            table.set_bloom_filter(10.0, false);
        }
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        options.set_compression_type(rocksdb::DBCompressionType::Lz4);
        ColumnFamilyDescriptor::new(self.name(), options)
    }
}
