//! The records of audit logs and the leaves of their logs of anchors.

use alloc::string::ToString;

use identity::Did;
use merkle::{CompactRange, Hash};
use wire::audit;

use crate::{
    hash_from, range_from_wire, range_to_wire,
    record::{Record, RecordError, RANGE_BYTES_MAX},
    Height, LogId, PolicyId, Timestamp,
};

/// An audit log as the hub knows it: who it belongs to, and what its last anchor said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its id.
    pub id: LogId,
    /// Whom it belongs to.
    pub operator: Did,
    /// What it is about.
    pub policy: PolicyId,
    /// Who signs its anchors.
    pub anchoring: Did,
    /// How many leaves it had at its last anchor; 0 before the first.
    pub size: u64,
    /// Its root at its last anchor; the root of the empty log before the first.
    pub root: Hash,
    /// The root of its tree of heads at its last anchor; zeros before the first.
    pub heads_root: Hash,
    /// The log of [`AnchorLeaf`].
    pub anchors: CompactRange,
    /// The block of the last anchor; 0 before the first.
    pub last_anchor_height: Height,
    /// Whether it has ended.
    pub sealed: bool,
}

impl LogRecord {
    /// A log that was never anchored.
    #[must_use]
    pub fn open(id: LogId, operator: Did, policy: PolicyId, anchoring: Did) -> Self {
        Self {
            id,
            operator,
            policy,
            anchoring,
            size: 0,
            root: merkle::EMPTY_ROOT,
            heads_root: [0; 32],
            anchors: CompactRange::new(),
            last_anchor_height: Height(0),
            sealed: false,
        }
    }
}

impl Record for LogRecord {
    type Wire = audit::LogRecord;
    const WHAT: &'static str = "an audit log's record";
    const BYTES_MAX: usize = RANGE_BYTES_MAX + 512;

    fn to_wire(&self) -> Self::Wire {
        audit::LogRecord {
            id: self.id.to_vec(),
            operator: self.operator.to_string(),
            policy: self.policy.to_vec(),
            anchoring: self.anchoring.to_string(),
            size: self.size,
            root: self.root.to_vec(),
            heads_root: self.heads_root.to_vec(),
            anchors: Some(range_to_wire(&self.anchors)),
            last_anchor_height: self.last_anchor_height.0,
            sealed: self.sealed,
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        Ok(Self {
            id: LogId::from_slice(&wire.id).map_err(|e| RecordError::invalid::<Self>("id", e))?,
            operator: Did::parse(&wire.operator)
                .map_err(|e| RecordError::invalid::<Self>("operator", e))?,
            policy: PolicyId::from_slice(&wire.policy)
                .map_err(|e| RecordError::invalid::<Self>("policy", e))?,
            anchoring: Did::parse(&wire.anchoring)
                .map_err(|e| RecordError::invalid::<Self>("anchoring", e))?,
            size: wire.size,
            root: hash_from(&wire.root).map_err(|e| RecordError::invalid::<Self>("root", e))?,
            heads_root: hash_from(&wire.heads_root)
                .map_err(|e| RecordError::invalid::<Self>("heads_root", e))?,
            anchors: range_from_wire(wire.anchors)
                .map_err(|e| RecordError::invalid::<Self>("anchors", e))?,
            last_anchor_height: Height(wire.last_anchor_height),
            sealed: wire.sealed,
        })
    }
}

/// One anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorLeaf {
    /// The audit log.
    pub log: LogId,
    /// The block that recorded it.
    pub height: Height,
    /// The block's time.
    pub time: Timestamp,
    /// How many leaves the log had.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The root of its tree of heads.
    pub heads_root: Hash,
}

impl Record for AnchorLeaf {
    type Wire = audit::AnchorLeaf;
    const WHAT: &'static str = "an anchor";
    const BYTES_MAX: usize = 192;

    fn to_wire(&self) -> Self::Wire {
        audit::AnchorLeaf {
            log: self.log.to_vec(),
            height: self.height.0,
            time_seconds: self.time.seconds(),
            time_nanos: self.time.nanos(),
            size: self.size,
            root: self.root.to_vec(),
            heads_root: self.heads_root.to_vec(),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        Ok(Self {
            log: LogId::from_slice(&wire.log)
                .map_err(|e| RecordError::invalid::<Self>("log", e))?,
            height: Height(wire.height),
            time: Timestamp::new(wire.time_seconds, wire.time_nanos)
                .map_err(|e| RecordError::invalid::<Self>("time", e))?,
            size: wire.size,
            root: hash_from(&wire.root).map_err(|e| RecordError::invalid::<Self>("root", e))?,
            heads_root: hash_from(&wire.heads_root)
                .map_err(|e| RecordError::invalid::<Self>("heads_root", e))?,
        })
    }
}

/// The log that an operator has open for a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLogRecord {
    /// The log.
    pub log: LogId,
}

impl Record for OpenLogRecord {
    type Wire = audit::OpenLog;
    const WHAT: &'static str = "an open log's record";
    const BYTES_MAX: usize = 48;

    fn to_wire(&self) -> Self::Wire {
        audit::OpenLog {
            log: self.log.to_vec(),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        let log =
            LogId::from_slice(&wire.log).map_err(|e| RecordError::invalid::<Self>("log", e))?;
        Ok(Self { log })
    }
}

/// All logs that were ever opened for a policy: an RFC 6962 log whose leaves are their ids, in
/// the order of opening. Whoever has as many ids and finds its root has them all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyLogs {
    /// The log of ids; a leaf is the 32 bytes of one.
    pub logs: CompactRange,
}

impl Record for PolicyLogs {
    type Wire = audit::PolicyLogs;
    const WHAT: &'static str = "the record of a policy's logs";
    const BYTES_MAX: usize = RANGE_BYTES_MAX + 16;

    fn to_wire(&self) -> Self::Wire {
        audit::PolicyLogs {
            logs: Some(range_to_wire(&self.logs)),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        let logs =
            range_from_wire(wire.logs).map_err(|e| RecordError::invalid::<Self>("logs", e))?;
        Ok(Self { logs })
    }
}
