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

/// Whether this program repeats what an engine of that version decided. What version 1 decided,
/// version 2 decides alike, at the same cost and from the same bytes; the conditions, expiries and
/// other things that it knows beside stand in no policy of version 1.
#[must_use]
pub const fn knows_engine(version: u32) -> bool {
    version >= 1 && version <= ::policy::ENGINE_VERSION
}
