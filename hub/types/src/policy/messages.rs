//! Messages about policies.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use ::policy::{
    limits::{DEFINITION_BYTES_MAX, SCHEMA_BYTES_MAX, SCHEMA_CID_BYTES_MAX},
    Name, ObjectRef, Relationship,
};
use identity::AccountAddress;
use wire::policy as proto;

use super::convert;
use crate::{document::Document, MessageError, PolicyId};

/// The most relationships that one message sets and deletes together: a thousand proofs of a
/// derivation's worth of work, and a transaction stays far below its byte bound.
pub const RELATIONSHIPS_MAX: usize = 1_000;

/// The most changes that one block makes to one policy: fifty of the largest messages. Whoever
/// follows the policy takes a block's changes as one revision, whole, and refuses to take more than
/// twice as many (`hub_light`).
pub const BLOCK_CHANGES_MAX: usize = 50_000;

/// The most preconditions of one message.
pub const PRECONDITIONS_MAX: usize = 100;

/// The largest `anchor_lag`: a day of blocks at one a second. A lying witness backdates by this.
pub const ANCHOR_LAG_MAX: u64 = 86_400;

/// The longest `max_staleness_seconds`: a year. The light client's trusting period ends sooner.
pub const MAX_STALENESS_SECONDS_MAX: u64 = 366 * 86_400;

/// Creates a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePolicy {
    /// The signer.
    pub creator: AccountAddress,
    /// The policy's text, at most [`DEFINITION_BYTES_MAX`] bytes; execution compiles it.
    pub definition: String,
    /// How many blocks after the height that it names an attestation may be anchored, from 1.
    pub anchor_lag: u64,
    /// How long a sidecar answers from the last block that it verified, from 1.
    pub max_staleness_seconds: u64,
}

impl CreatePolicy {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> proto::MsgCreatePolicy {
        proto::MsgCreatePolicy {
            creator: self.creator.to_string(),
            definition: self.definition.clone(),
            anchor_lag: self.anchor_lag,
            max_staleness_seconds: self.max_staleness_seconds,
        }
    }

    /// Checks the protobuf form.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &proto::MsgCreatePolicy) -> Result<Self, MessageError> {
        if wire.definition.is_empty() || wire.definition.len() > DEFINITION_BYTES_MAX {
            return Err(MessageError::field(
                "definition",
                "a policy has 1 to 65,536 bytes",
            ));
        }
        if !(1..=ANCHOR_LAG_MAX).contains(&wire.anchor_lag) {
            return Err(MessageError::field("anchor_lag", "give 1 to 86,400 blocks"));
        }
        if !(1..=MAX_STALENESS_SECONDS_MAX).contains(&wire.max_staleness_seconds) {
            return Err(MessageError::field(
                "max_staleness_seconds",
                "give one second to 366 days",
            ));
        }
        Ok(Self {
            creator: AccountAddress::parse(&wire.creator).map_err(MessageError::at("creator"))?,
            definition: wire.definition.clone(),
            anchor_lag: wire.anchor_lag,
            max_staleness_seconds: wire.max_staleness_seconds,
        })
    }
}

/// Defines a collection, or its next schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefineCollection {
    /// The signer.
    pub creator: AccountAddress,
    /// The policy.
    pub policy: PolicyId,
    /// The resource of its documents.
    pub resource: Name,
    /// Its name.
    pub name: Name,
    /// The relation that a document has to the object that it was created in.
    pub scope_relation: Name,
    /// The CID of the schema, binary.
    pub schema_cid: Vec<u8>,
    /// The schema.
    pub schema: Vec<u8>,
}

impl DefineCollection {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> proto::MsgDefineCollection {
        proto::MsgDefineCollection {
            creator: self.creator.to_string(),
            policy: self.policy.to_vec(),
            resource: self.resource.as_str().into(),
            name: self.name.as_str().into(),
            scope_relation: self.scope_relation.as_str().into(),
            schema_cid: self.schema_cid.clone(),
            schema: self.schema.clone(),
        }
    }

    /// Checks the protobuf form.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &proto::MsgDefineCollection) -> Result<Self, MessageError> {
        if wire.schema_cid.is_empty() || wire.schema_cid.len() > SCHEMA_CID_BYTES_MAX {
            return Err(MessageError::field("schema_cid", "a CID has 1 to 64 bytes"));
        }
        if wire.schema.is_empty() || wire.schema.len() > SCHEMA_BYTES_MAX {
            return Err(MessageError::field(
                "schema",
                "a schema has 1 to 65,536 bytes",
            ));
        }
        if !crate::document::names_block(&wire.schema_cid, &wire.schema) {
            return Err(MessageError::field(
                "schema_cid",
                "it is not the CIDv1 (DAG-CBOR, sha2-256) of the schema",
            ));
        }
        Ok(Self {
            creator: AccountAddress::parse(&wire.creator).map_err(MessageError::at("creator"))?,
            policy: PolicyId::from_slice(&wire.policy).map_err(MessageError::at("policy"))?,
            resource: Name::new(&wire.resource).map_err(MessageError::at("resource"))?,
            name: Name::new(&wire.name).map_err(MessageError::at("name"))?,
            scope_relation: Name::new(&wire.scope_relation)
                .map_err(MessageError::at("scope_relation"))?,
            schema_cid: wire.schema_cid.clone(),
            schema: wire.schema.clone(),
        })
    }
}

/// What must hold before a batch is executed. It asks what is recorded, expired or not: a
/// relationship without terms means one on whatever terms, one with terms means exactly those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// This relationship is recorded.
    Present(Relationship),
    /// This relationship is not recorded.
    Absent(Relationship),
    /// This is the policy's newest revision before the block.
    Revision(u64),
}

/// Sets and deletes relationships, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRelationships {
    /// The signer.
    pub creator: AccountAddress,
    /// The policy.
    pub policy: PolicyId,
    /// What is set, each on its terms: they take the place of those on which it stood.
    pub set: Vec<Relationship>,
    /// What is deleted, after `set`, whatever its terms are; named without them.
    pub delete: Vec<Relationship>,
    /// What must hold before.
    pub preconditions: Vec<Precondition>,
}

impl SetRelationships {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> proto::MsgSetRelationships {
        use proto::precondition::Kind;
        let all = |list: &[Relationship]| list.iter().map(convert::relationship_to_wire).collect();
        let precondition = |precondition: &Precondition| proto::Precondition {
            kind: Some(match precondition {
                Precondition::Present(one) => Kind::Present(convert::relationship_to_wire(one)),
                Precondition::Absent(one) => Kind::Absent(convert::relationship_to_wire(one)),
                Precondition::Revision(revision) => Kind::Revision(*revision),
            }),
        };
        proto::MsgSetRelationships {
            creator: self.creator.to_string(),
            policy: self.policy.to_vec(),
            set: all(&self.set),
            delete: all(&self.delete),
            preconditions: self.preconditions.iter().map(precondition).collect(),
        }
    }

    /// Checks the protobuf form. Whether the policy allows the relationships is asked in
    /// execution.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &proto::MsgSetRelationships) -> Result<Self, MessageError> {
        let count = wire.set.len() + wire.delete.len();
        if count == 0 || count > RELATIONSHIPS_MAX {
            return Err(MessageError::field(
                "set, delete",
                "give 1 to 1,000 relationships",
            ));
        }
        if wire.preconditions.len() > PRECONDITIONS_MAX {
            return Err(MessageError::field("preconditions", "give at most 100"));
        }
        let all = |field, list: &[proto::Relationship]| {
            list.iter()
                .map(|one| convert::relationship_from_wire(field, one))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            creator: AccountAddress::parse(&wire.creator).map_err(MessageError::at("creator"))?,
            policy: PolicyId::from_slice(&wire.policy).map_err(MessageError::at("policy"))?,
            set: all("set", &wire.set)?,
            delete: {
                let delete = all("delete", &wire.delete)?;
                if delete.iter().any(|one| !one.terms.is_none()) {
                    return Err(MessageError::field(
                        "delete",
                        "a relationship is deleted whatever its terms are; leave them out",
                    ));
                }
                delete
            },
            preconditions: wire
                .preconditions
                .iter()
                .map(precondition_from_wire)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn precondition_from_wire(wire: &proto::Precondition) -> Result<Precondition, MessageError> {
    use proto::precondition::Kind;
    const FIELD: &str = "preconditions";
    match &wire.kind {
        None => Err(MessageError::field(FIELD, "an empty precondition")),
        Some(Kind::Present(one)) => {
            convert::relationship_from_wire(FIELD, one).map(Precondition::Present)
        }
        Some(Kind::Absent(one)) => {
            convert::relationship_from_wire(FIELD, one).map(Precondition::Absent)
        }
        Some(Kind::Revision(revision)) => Ok(Precondition::Revision(*revision)),
    }
}

/// Registers an object; the signer owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterObject {
    /// The signer.
    pub creator: AccountAddress,
    /// The policy.
    pub policy: PolicyId,
    /// The object.
    pub object: ObjectRef,
    /// For a document: what its id is derived from. Execution refuses anybody but its author, and
    /// refuses an object whose id looks like a document's without it.
    pub document: Option<Document>,
}

impl RegisterObject {
    /// The protobuf form.
    #[must_use]
    pub fn to_wire(&self) -> proto::MsgRegisterObject {
        proto::MsgRegisterObject {
            creator: self.creator.to_string(),
            policy: self.policy.to_vec(),
            object: Some(convert::object_to_wire(&self.object)),
            document: self.document.as_ref().map(Document::to_wire),
        }
    }

    /// Checks the protobuf form.
    ///
    /// # Errors
    /// [`MessageError::Field`] names the field that is wrong.
    pub fn from_wire(wire: &proto::MsgRegisterObject) -> Result<Self, MessageError> {
        let object = convert::object_from_wire("object", wire.object.as_ref())?;
        let document = wire
            .document
            .as_ref()
            .map(Document::from_wire)
            .transpose()?;
        if document.is_none() && crate::document::looks_derived(object.id()) {
            return Err(MessageError::field(
                "document",
                "this id looks like a document's; give what it is derived from",
            ));
        }
        Ok(Self {
            creator: AccountAddress::parse(&wire.creator).map_err(MessageError::at("creator"))?,
            policy: PolicyId::from_slice(&wire.policy).map_err(MessageError::at("policy"))?,
            object,
            document,
        })
    }
}
