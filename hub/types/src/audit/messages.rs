//! Messages about audit logs.

use alloc::{string::ToString, vec::Vec};

use identity::{AccountAddress, Did};
use merkle::Hash;
use wire::audit::{MsgAnchor, MsgOpenLog};

use crate::{hash_from, LogId, MessageError, PolicyId};

/// The most hashes of a consistency proof: one a level, and logs have at most 48.
pub const CONSISTENCY_HASHES_MAX: usize = 49;

/// Opens an audit log of the signer's DID for a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLog {
    /// The signer.
    pub creator: AccountAddress,
    /// What the log is about.
    pub policy: PolicyId,
    /// Who will sign anchors; `None` for the signer itself.
    pub anchoring: Option<Did>,
}

impl OpenLog {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> MsgOpenLog {
        MsgOpenLog {
            creator: self.creator.to_string(),
            policy: self.policy.to_vec(),
            anchoring: self
                .anchoring
                .as_ref()
                .map(Did::to_string)
                .unwrap_or_default(),
        }
    }

    /// Checks the protobuf form.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &MsgOpenLog) -> Result<Self, MessageError> {
        let anchoring = match wire.anchoring.as_str() {
            "" => None,
            text => Some(Did::parse(text).map_err(MessageError::at("anchoring"))?),
        };
        Ok(Self {
            creator: AccountAddress::parse(&wire.creator).map_err(MessageError::at("creator"))?,
            policy: PolicyId::from_slice(&wire.policy).map_err(MessageError::at("policy"))?,
            anchoring,
        })
    }
}

/// Anchors an audit log. The signer must be its anchoring DID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The signer.
    pub creator: AccountAddress,
    /// The log.
    pub log: LogId,
    /// Its size at the last anchor.
    pub old_size: u64,
    /// Its size now.
    pub size: u64,
    /// Its root now.
    pub root: Hash,
    /// The root of its tree of heads now.
    pub heads_root: Hash,
    /// The RFC 6962 consistency proof from `old_size` to `size`.
    pub consistency: Vec<Hash>,
}

impl Anchor {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> MsgAnchor {
        MsgAnchor {
            creator: self.creator.to_string(),
            log: self.log.to_vec(),
            old_size: self.old_size,
            size: self.size,
            root: self.root.to_vec(),
            heads_root: self.heads_root.to_vec(),
            consistency: self.consistency.iter().map(|hash| hash.to_vec()).collect(),
        }
    }

    /// Checks the protobuf form; the proof itself is checked against the log's record.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &MsgAnchor) -> Result<Self, MessageError> {
        let hash = |field, bytes: &[u8]| {
            hash_from(bytes).map_err(|_| MessageError::field(field, "a hash has 32 bytes"))
        };
        if wire.size < wire.old_size || wire.size > merkle::SIZE_MAX {
            return Err(MessageError::field(
                "size",
                "a log only grows, up to 2^48 - 1 leaves",
            ));
        }
        if wire.consistency.len() > CONSISTENCY_HASHES_MAX {
            return Err(MessageError::field(
                "consistency",
                "more hashes than any proof has",
            ));
        }
        Ok(Self {
            creator: AccountAddress::parse(&wire.creator).map_err(MessageError::at("creator"))?,
            log: LogId::from_slice(&wire.log).map_err(MessageError::at("log"))?,
            old_size: wire.old_size,
            size: wire.size,
            root: hash("root", &wire.root)?,
            heads_root: hash("heads_root", &wire.heads_root)?,
            consistency: wire
                .consistency
                .iter()
                .map(|bytes| hash("consistency", bytes))
                .collect::<Result<_, _>>()?,
        })
    }
}
