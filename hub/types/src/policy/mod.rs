//! Policies on the hub: messages, records, and the log of changes. What a policy *means* is the
//! crate `policy`'s; here are its names on the chain.

pub mod convert;
pub mod error;
pub mod events;
pub mod keys;
pub mod messages;
pub mod records;

pub use error::PolicyModuleError;
pub use messages::{
    CreatePolicy, DefineCollection, Precondition, RegisterObject, SetRelationships,
};
pub use records::{changes_root, Change, ChangeKind, PolicyLeaf, PolicyRecord};
