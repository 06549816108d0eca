//! What is answered beside `check`: many questions at once, lists of objects and of subjects, trees,
//! reasons. Each is made of the canonical walk, so none of them can answer otherwise than `check`
//! does; what they do beside walking is finding out where to walk.
//!
//! None of this is consensus: its order of work and its bounds may change with any version.

mod brief;
mod candidates;
mod expand;
pub mod explain;
mod influence;
mod many;
mod named;
mod objects;
mod operands;
mod permissions;
mod plan;
mod shared;
mod sorted;
mod subjects;

pub use expand::{expand, Expanded, ExpandedMember, Expansion};
pub use influence::{reachable, Influence, Reached};
pub use many::{check_many, Many};
pub use objects::{lookup_objects, Objects};
pub use permissions::{permissions_of, PermissionDecided, Permissions};
pub use shared::Decided;
pub use subjects::{lookup_subjects, Subjects, Wanted};
