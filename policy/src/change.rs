//! What can happen to a policy: the alphabet that the hub's log and the replica share.

use alloc::{string::String, vec::Vec};

use crate::{
    name::{Actor, Name},
    relationship::{ObjectRef, Relationship},
};

/// One change of a policy. The hub decides whether it may happen; this crate knows what it does to
/// the tree ([`crate::apply`]) and to history ([`crate::History`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The policy was created with this text, or edited to it.
    Defined {
        /// The definition as it was sent.
        definition: String,
    },
    /// A collection was defined, or its next schema version.
    CollectionDefined {
        /// The resource whose documents it holds.
        resource: Name,
        /// Its name within the resource.
        name: Name,
        /// What stands in the tree from now on.
        record: CollectionRecord,
    },
    /// An object got a record and an owner.
    ObjectRegistered {
        /// The object.
        object: ObjectRef,
        /// Its owner.
        owner: Actor,
    },
    /// An object got another owner.
    ObjectTransferred {
        /// The object.
        object: ObjectRef,
        /// Its new owner.
        owner: Actor,
    },
    /// An object was archived: it grants nothing until it is unarchived.
    ObjectArchived {
        /// The object.
        object: ObjectRef,
    },
    /// An archived object is back, with what it had.
    ObjectUnarchived {
        /// The object.
        object: ObjectRef,
    },
    /// A relationship was set.
    RelationshipSet(Relationship),
    /// A relationship was deleted.
    RelationshipDeleted(Relationship),
}

/// A collection as it stands in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionRecord {
    /// Counts the schemas of the collection, from 1.
    pub version: u32,
    /// The relation through which a document reaches the object it was created in.
    pub scope_relation: Name,
    /// CID of the schema, binary.
    pub schema_cid: Vec<u8>,
    /// The schema itself.
    pub schema: Vec<u8>,
}
