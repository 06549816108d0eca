//! The hub's store: a tree of trees, flat values and logs over one RocksDB.
//!
//! The store knows bytes only: trees of keys and values, logs of leaves, side columns. What they
//! mean is spelled in `hub-types`. It keeps one promise that all else leans on: what is on disk is
//! the state after exactly one height, because everything a block changes is written in a single
//! synced batch ([`Store::commit`]).
//!
//! * [`Column`] lists the column families and what each is for.
//! * [`View`] reads one consistent snapshot, at the tip or at a retained height, with proofs.
//! * [`Layer`] and [`State`] are the write side: nested overlays that a transaction fills and a
//!   block coalesces.
//! * [`TreeUpdate`] and [`StagedBlock`] turn a finished block into nodes, stale marks and a batch.

mod columns;
mod error;
mod logs;
mod meta;
mod open;
mod overlay;
mod prune;
mod raw_keys;
mod staged;
mod tree;
mod view;

#[cfg(test)]
mod tests;

pub use columns::Column;
pub use error::StoreError;
pub use logs::{append_to_log, LogName, LogReader};
pub use meta::Committed;
pub use open::{Store, StoreOptions};
#[cfg(test)]
pub use overlay::Empty;
pub use overlay::{Base, Entry, Layer, SideWrites, Space, State, TreeWrites};
pub use raw_keys::TreeId;
pub use staged::StagedBlock;
pub use tree::TreeUpdate;
pub use view::View;
