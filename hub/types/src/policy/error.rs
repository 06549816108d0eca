//! What messages about policies can run into.

use alloc::string::String;

use ::policy::{ApplyError, CheckError, ObjectRef, PolicyError, RelationshipError};
use identity::Did;

use super::messages::BLOCK_CHANGES_MAX;
use crate::{Code, PolicyId};

/// Why a policy was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyModuleError {
    /// No such policy.
    #[error("there is no policy {policy}")]
    UnknownPolicy {
        /// The policy.
        policy: PolicyId,
    },
    /// The definition does not compile.
    #[error("the definition does not compile")]
    Definition(#[source] PolicyError),
    /// The actor may not do this.
    #[error("{actor} may not {what}{}; ask whoever manages it", lacking(*.is_conditional))]
    NotPermitted {
        /// Who signed.
        actor: Did,
        /// What was tried, `set cell:1#operator` for example.
        what: String,
        /// Whether that hangs on conditions which ask for context. A transaction gives none, so what
        /// hangs on one is denied.
        is_conditional: bool,
    },
    /// The policy does not allow this relationship.
    #[error("the policy does not allow relationship {relationship}")]
    Relationship {
        /// Its text.
        relationship: String,
        /// Why.
        #[source]
        source: RelationshipError,
    },
    /// A precondition does not hold.
    #[error("precondition {index} does not hold; read the policy again and decide anew")]
    Precondition {
        /// Its place in the message, from 0.
        index: usize,
    },
    /// The policy has no such resource.
    #[error("the policy defines no resource {resource:?}")]
    UnknownResource {
        /// The resource.
        resource: String,
    },
    /// The object has an owner.
    #[error("{object} is registered already")]
    AlreadyRegistered {
        /// The object.
        object: ObjectRef,
    },
    /// The object has no record, and what was tried needs one.
    #[error("{object} is not registered; register it first")]
    NotRegistered {
        /// The object.
        object: ObjectRef,
    },
    /// The id is not that of the document that the message describes.
    #[error("{object} is not the document that the message describes, which is {expected}")]
    DocumentId {
        /// The object of the message.
        object: ObjectRef,
        /// The object that follows from the preimage.
        expected: ObjectRef,
    },
    /// Somebody other than its author registers a document.
    #[error("{object} was created by {author}, and nobody else registers it")]
    NotAuthor {
        /// The document.
        object: ObjectRef,
        /// Who may.
        author: Did,
    },
    /// The document's collection does not exist.
    #[error("the policy has no collection {name:?} of resource {resource:?}")]
    UnknownCollection {
        /// The resource.
        resource: String,
        /// The name.
        name: String,
    },
    /// The collection cannot be defined so.
    #[error("the collection cannot be defined so: {reason}")]
    Collection {
        /// Why.
        reason: &'static str,
    },
    /// The permission could not be decided. Never an allow (Invariant 3).
    #[error("the permission could not be decided")]
    Undecided(#[source] CheckError),
    /// One change more than a policy takes in a block.
    #[error("policy {policy} has changed {BLOCK_CHANGES_MAX} times in this block; send again for the next one")]
    TooManyChanges {
        /// The policy.
        policy: PolicyId,
    },
    /// The records do not take the change.
    #[error("the change cannot be applied")]
    Apply(#[source] ApplyError),
}

/// Why a conditional answer is a deny here.
const fn lacking(is_conditional: bool) -> &'static str {
    match is_conditional {
        true => ": it hangs on conditions that ask for context, and a transaction gives none",
        false => "",
    }
}

impl PolicyModuleError {
    /// The number that consensus sees.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownPolicy { .. } => Code::UnknownPolicy,
            Self::Definition(_) => Code::Definition,
            Self::NotPermitted { .. } => Code::NotPermitted,
            Self::Relationship { .. } => Code::Relationship,
            Self::Precondition { .. } => Code::Precondition,
            Self::UnknownResource { .. } => Code::UnknownResource,
            Self::AlreadyRegistered { .. } => Code::AlreadyRegistered,
            Self::NotRegistered { .. } => Code::NotRegistered,
            Self::DocumentId { .. } => Code::DocumentId,
            Self::NotAuthor { .. } => Code::NotAuthor,
            Self::UnknownCollection { .. } => Code::UnknownCollection,
            Self::Collection { .. } => Code::Collection,
            Self::Undecided(_) => Code::Undecided,
            Self::TooManyChanges { .. } => Code::TooManyChanges,
            Self::Apply(error) => match error {
                ApplyError::AlreadyRegistered { .. } => Code::AlreadyRegistered,
                ApplyError::NotRegistered { .. } | ApplyError::Archived { .. } => {
                    Code::NotRegistered
                }
                ApplyError::TooManySets { .. }
                | ApplyError::TooManyRelations { .. }
                | ApplyError::RecordFull { .. } => Code::RelationFull,
                ApplyError::OutOfBounds { .. } => Code::Collection,
                ApplyError::Read(_) => Code::Undecided,
            },
        }
    }
}
