//! RFC 6962 logs beside the trees: blocks, each policy's revisions, anchors, ids of audit logs.
//!
//! A record in the main tree holds size and compact range; leaves and inner hashes lie here, where
//! they cost a plain write. Both are written once and never changed, so a proof for any earlier
//! size can be made from them.

use merkle::{hash_leaf, CompactRange, Hash, Nodes};

use super::{Column, Space, State, StoreError, View};

/// One log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogName {
    /// The hashes of all blocks.
    Blocks,
    /// A policy's revisions.
    Policy([u8; 32]),
    /// An audit log's anchors.
    Anchors([u8; 32]),
    /// The ids of a policy's audit logs.
    PolicyLogs([u8; 32]),
}

impl LogName {
    fn prefix(&self) -> Vec<u8> {
        let (tag, id): (u8, &[u8]) = match self {
            LogName::Blocks => (0, &[]),
            LogName::Policy(id) => (1, id),
            LogName::Anchors(id) => (2, id),
            LogName::PolicyLogs(id) => (3, id),
        };
        let mut out = Vec::with_capacity(42);
        out.push(tag);
        out.extend_from_slice(id);
        out
    }

    fn node_key(&self, level: u8, index: u64) -> Vec<u8> {
        let mut out = self.prefix();
        out.push(level);
        out.extend_from_slice(&index.to_be_bytes());
        out
    }

    fn leaf_key(&self, index: u64) -> Vec<u8> {
        let mut out = self.prefix();
        out.extend_from_slice(&index.to_be_bytes());
        out
    }
}

/// Appends a leaf: moves `range`, which the caller keeps in the log's record, and writes the leaf
/// and the hashes that it completes.
///
/// # Errors
/// [`StoreError::Tree`] when the log is full (2^48 leaves).
pub fn append_to_log(
    state: &mut State<'_>,
    log: LogName,
    range: &mut CompactRange,
    leaf: &[u8],
) -> Result<(), StoreError> {
    let index = range.size();
    range
        .append_leaf_hash(hash_leaf(leaf), &mut |level, index, hash: Hash| {
            state.put(
                Space::Side(Column::LogNodes),
                log.node_key(level, index),
                Some(hash.to_vec()),
            );
        })
        .map_err(|error| StoreError::Tree {
            doing: "appending to a log",
            reason: error.to_string(),
        })?;
    state.put(
        Space::Side(Column::LogLeaves),
        log.leaf_key(index),
        Some(leaf.to_vec()),
    );
    Ok(())
}

/// Reads one log in a view.
pub struct LogReader<'a> {
    view: &'a View<'a>,
    log: LogName,
}

impl<'a> LogReader<'a> {
    /// A reader of `log`.
    pub fn new(view: &'a View<'a>, log: LogName) -> LogReader<'a> {
        LogReader { view, log }
    }

    /// A leaf's bytes.
    ///
    /// # Errors
    /// [`StoreError::Undecodable`] when the log has no such leaf: the caller knows its size.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, StoreError> {
        self.view
            .side(Column::LogLeaves, &self.log.leaf_key(index))?
            .ok_or(StoreError::Undecodable {
                what: "a missing leaf of a log",
            })
    }
}

impl Nodes for LogReader<'_> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, StoreError> {
        self.view
            .side(Column::LogNodes, &self.log.node_key(level, index))?
            .and_then(|hash| hash.try_into().ok())
            .ok_or(StoreError::Undecodable {
                what: "a missing hash of a log",
            })
    }
}
