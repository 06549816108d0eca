//! The record of a policy, the leaves of its log, and the changes under them.

use alloc::{string::String, string::ToString, vec::Vec};

use ::policy::{
    limits::{DEFINITION_BYTES_MAX, SCHEMA_BYTES_MAX},
    Actor, CollectionRecord, Name, ObjectRef, Relationship,
};
use identity::{AccountAddress, Did};
use merkle::{CompactRange, Hash};
use wire::policy as proto;

use super::convert;
use crate::{
    document::Document,
    hash_from, range_from_wire, range_to_wire,
    record::{Record, RecordError, RANGE_BYTES_MAX},
    Height, PolicyId, Timestamp, TransactionHash,
};

/// A policy as it stands in the main tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRecord {
    /// Its id.
    pub id: PolicyId,
    /// Who created it.
    pub creator: Did,
    /// From which account.
    pub creator_account: AccountAddress,
    /// The log of [`PolicyLeaf`]: its size is the number of revisions.
    pub log: CompactRange,
    /// The root of its tree at the newest revision.
    pub tree_root: Hash,
    /// The block of the newest revision.
    pub last_height: Height,
    /// How many blocks after the height that it names an attestation may be anchored.
    pub anchor_lag: u64,
    /// How long a sidecar answers from the last block that it verified.
    pub max_staleness_seconds: u64,
    /// The engine that decides.
    pub engine_version: u32,
}

impl PolicyRecord {
    /// The newest revision; `None` only inside the block that creates the policy.
    #[must_use]
    pub const fn latest_revision(&self) -> Option<u64> {
        self.log.size().checked_sub(1)
    }
}

impl Record for PolicyRecord {
    type Wire = proto::PolicyRecord;
    const WHAT: &'static str = "a policy's record";
    const BYTES_MAX: usize = RANGE_BYTES_MAX + 512;

    fn to_wire(&self) -> Self::Wire {
        proto::PolicyRecord {
            id: self.id.to_vec(),
            creator: self.creator.to_string(),
            creator_account: self.creator_account.as_bytes().to_vec(),
            log: Some(range_to_wire(&self.log)),
            tree_root: self.tree_root.to_vec(),
            last_height: self.last_height.0,
            anchor_lag: self.anchor_lag,
            max_staleness_seconds: self.max_staleness_seconds,
            engine_version: self.engine_version,
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        Ok(Self {
            id: PolicyId::from_slice(&wire.id)
                .map_err(|e| RecordError::invalid::<Self>("id", e))?,
            creator: Did::parse(&wire.creator)
                .map_err(|e| RecordError::invalid::<Self>("creator", e))?,
            creator_account: AccountAddress::from_slice(&wire.creator_account)
                .map_err(|e| RecordError::invalid::<Self>("creator_account", e))?,
            log: range_from_wire(wire.log).map_err(|e| RecordError::invalid::<Self>("log", e))?,
            tree_root: hash_from(&wire.tree_root)
                .map_err(|e| RecordError::invalid::<Self>("tree_root", e))?,
            last_height: Height(wire.last_height),
            anchor_lag: wire.anchor_lag,
            max_staleness_seconds: wire.max_staleness_seconds,
            engine_version: wire.engine_version,
        })
    }
}

/// A revision: what one block did to a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLeaf {
    /// The policy.
    pub policy: PolicyId,
    /// The index of this leaf.
    pub revision: u64,
    /// The block.
    pub height: Height,
    /// The block's time.
    pub time: Timestamp,
    /// How many changes the block made.
    pub changes_count: u64,
    /// [`changes_root`] of them.
    pub changes_root: Hash,
    /// The root of the policy's tree after them.
    pub tree_root: Hash,
}

impl PolicyLeaf {
    /// What the policy crate's history wants to know of it.
    #[must_use]
    pub const fn to_revision(&self) -> ::policy::Revision {
        ::policy::Revision {
            revision: self.revision,
            height: self.height.0,
            time_seconds: self.time.seconds(),
            time_nanos: self.time.nanos(),
        }
    }

    /// The hash that stands in the policy's log.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        merkle::hash_leaf(&self.to_bytes())
    }
}

impl Record for PolicyLeaf {
    type Wire = proto::PolicyLeaf;
    const WHAT: &'static str = "a revision's leaf";
    const BYTES_MAX: usize = 192;

    fn to_wire(&self) -> Self::Wire {
        proto::PolicyLeaf {
            policy: self.policy.to_vec(),
            revision: self.revision,
            height: self.height.0,
            time_seconds: self.time.seconds(),
            time_nanos: self.time.nanos(),
            changes_count: self.changes_count,
            changes_root: self.changes_root.to_vec(),
            tree_root: self.tree_root.to_vec(),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        Ok(Self {
            policy: PolicyId::from_slice(&wire.policy)
                .map_err(|e| RecordError::invalid::<Self>("policy", e))?,
            revision: wire.revision,
            height: Height(wire.height),
            time: Timestamp::new(wire.time_seconds, wire.time_nanos)
                .map_err(|e| RecordError::invalid::<Self>("time", e))?,
            changes_count: wire.changes_count,
            changes_root: hash_from(&wire.changes_root)
                .map_err(|e| RecordError::invalid::<Self>("changes_root", e))?,
            tree_root: hash_from(&wire.tree_root)
                .map_err(|e| RecordError::invalid::<Self>("tree_root", e))?,
        })
    }
}

/// One change of a policy, with who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The transaction; `None` for genesis.
    pub transaction: Option<TransactionHash>,
    /// Who signed it.
    pub actor: Did,
    /// What it did.
    pub kind: ChangeKind,
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The policy came to be.
    Created {
        /// Its text.
        definition: String,
        /// See [`PolicyRecord`].
        anchor_lag: u64,
        /// See [`PolicyRecord`].
        max_staleness_seconds: u64,
        /// See [`PolicyRecord`].
        engine_version: u32,
    },
    /// A collection was defined, or got its next schema.
    CollectionDefined {
        /// The resource of its documents.
        resource: Name,
        /// Its name.
        name: Name,
        /// What stands in the policy's tree from now on.
        record: CollectionRecord,
    },
    /// A relationship came to be, or has other terms now.
    RelationshipSet(Relationship),
    /// A relationship ended; named without terms.
    RelationshipDeleted(Relationship),
    /// An object was registered; the change's actor owns it.
    ObjectRegistered {
        /// The object.
        object: ObjectRef,
        /// For a document: what its id is derived from.
        document: Option<Document>,
    },
}

impl Change {
    /// What the policy crate applies to trees and histories.
    #[must_use]
    pub fn to_policy(&self) -> ::policy::Change {
        use ::policy::Change as Policy;
        match &self.kind {
            ChangeKind::Created { definition, .. } => Policy::Defined {
                definition: definition.clone(),
            },
            ChangeKind::CollectionDefined {
                resource,
                name,
                record,
            } => Policy::CollectionDefined {
                resource: resource.clone(),
                name: name.clone(),
                record: record.clone(),
            },
            ChangeKind::RelationshipSet(relationship) => {
                Policy::RelationshipSet(relationship.clone())
            }
            ChangeKind::RelationshipDeleted(relationship) => {
                Policy::RelationshipDeleted(relationship.clone())
            }
            ChangeKind::ObjectRegistered { object, .. } => Policy::ObjectRegistered {
                object: object.clone(),
                owner: actor_of(&self.actor),
            },
        }
    }
}

/// A DID as the policy crate takes it.
#[must_use]
pub fn actor_of(did: &Did) -> Actor {
    Actor::new(did.as_str())
        .expect("a did:key is at most 57 bytes of visible ASCII without '#' and '@'")
}

impl Record for Change {
    type Wire = proto::Change;
    const WHAT: &'static str = "a change";
    /// A definition or a schema, and what stands around it.
    const BYTES_MAX: usize = if DEFINITION_BYTES_MAX > SCHEMA_BYTES_MAX {
        DEFINITION_BYTES_MAX + 1024
    } else {
        SCHEMA_BYTES_MAX + 1024
    };

    fn to_wire(&self) -> Self::Wire {
        use proto::change::Kind;
        let kind = match &self.kind {
            ChangeKind::Created {
                definition,
                anchor_lag,
                max_staleness_seconds,
                engine_version,
            } => Kind::Created(proto::PolicyCreated {
                definition: definition.clone(),
                anchor_lag: *anchor_lag,
                max_staleness_seconds: *max_staleness_seconds,
                engine_version: *engine_version,
            }),
            ChangeKind::CollectionDefined {
                resource,
                name,
                record,
            } => Kind::CollectionDefined(proto::CollectionDefined {
                resource: resource.as_str().into(),
                name: name.as_str().into(),
                scope_relation: record.scope_relation.as_str().into(),
                schema_cid: record.schema_cid.clone(),
                schema: record.schema.clone(),
                schema_version: record.version,
            }),
            ChangeKind::RelationshipSet(relationship) => {
                Kind::RelationshipSet(convert::relationship_to_wire(relationship))
            }
            ChangeKind::RelationshipDeleted(relationship) => {
                Kind::RelationshipDeleted(convert::relationship_to_wire(relationship))
            }
            ChangeKind::ObjectRegistered { object, document } => {
                Kind::ObjectRegistered(proto::ObjectRegistered {
                    object: Some(convert::object_to_wire(object)),
                    document: document.as_ref().map(Document::to_wire),
                })
            }
        };
        proto::Change {
            transaction: self
                .transaction
                .map(TransactionHash::to_vec)
                .unwrap_or_default(),
            actor: self.actor.to_string(),
            kind: Some(kind),
        }
    }

    fn from_wire(wire: Self::Wire) -> Result<Self, RecordError> {
        use proto::change::Kind;
        let wrong = |error: crate::MessageError| RecordError::invalid::<Self>("kind", error);
        let relationship = |field, wire: &proto::Relationship| {
            let read = convert::relationship_from_wire(field, wire).map_err(wrong)?;
            // A context has many spellings in JSON, and the hub writes one.
            match convert::relationship_to_wire(&read) == *wire {
                true => Ok(read),
                false => Err(RecordError::invalid::<Self>(
                    "kind",
                    "a context that is spelled otherwise than the hub does",
                )),
            }
        };
        let name =
            |text: &str| Name::new(text).map_err(|e| RecordError::invalid::<Self>("kind", e));
        let transaction = match wire.transaction.as_slice() {
            [] => None,
            hash => Some(
                TransactionHash::from_slice(hash)
                    .map_err(|e| RecordError::invalid::<Self>("transaction", e))?,
            ),
        };
        let actor =
            Did::parse(&wire.actor).map_err(|e| RecordError::invalid::<Self>("actor", e))?;
        let kind = match wire.kind {
            None => {
                return Err(RecordError::invalid::<Self>(
                    "kind",
                    "a kind that this version does not know",
                ))
            }
            Some(Kind::Created(created)) => ChangeKind::Created {
                definition: created.definition,
                anchor_lag: created.anchor_lag,
                max_staleness_seconds: created.max_staleness_seconds,
                engine_version: created.engine_version,
            },
            Some(Kind::CollectionDefined(defined)) => ChangeKind::CollectionDefined {
                resource: name(&defined.resource)?,
                name: name(&defined.name)?,
                record: CollectionRecord {
                    version: defined.schema_version,
                    scope_relation: name(&defined.scope_relation)?,
                    schema_cid: defined.schema_cid,
                    schema: defined.schema,
                },
            },
            Some(Kind::RelationshipSet(wire)) => {
                ChangeKind::RelationshipSet(relationship("relationship_set", &wire)?)
            }
            Some(Kind::RelationshipDeleted(wire)) => {
                let deleted = relationship("relationship_deleted", &wire)?;
                if !deleted.terms.is_none() {
                    return Err(RecordError::invalid::<Self>(
                        "kind",
                        "a deleted relationship with terms",
                    ));
                }
                ChangeKind::RelationshipDeleted(deleted)
            }
            Some(Kind::ObjectRegistered(registered)) => ChangeKind::ObjectRegistered {
                object: convert::object_from_wire("object", registered.object.as_ref())
                    .map_err(wrong)?,
                document: registered
                    .document
                    .as_ref()
                    .map(Document::from_wire)
                    .transpose()
                    .map_err(wrong)?,
            },
        };
        Ok(Self {
            transaction,
            actor,
            kind,
        })
    }
}

/// The root of the RFC 6962 tree over the encoded changes, in order.
#[must_use]
pub fn changes_root(changes: &[Change]) -> Hash {
    let leaves: Vec<Vec<u8>> = changes.iter().map(Record::to_bytes).collect();
    merkle::root_of(leaves)
}
