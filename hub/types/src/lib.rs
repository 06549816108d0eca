//! What the hub's state and transactions are made of.
//!
//! Each module (`auth`, `bank`, `policy`, `audit`, `blocks`) has the same files: `keys` (the only
//! place that spells a state key), `messages`, `records`, `events`, `error`. What a transaction
//! says becomes a [`Transaction`] once, at the door; what a tree holds becomes a [`Record`] once,
//! when it is read. Inside, no string is really an id and no `Option` is always `Some`.
//!
//! Two things here are consensus and never change their meaning: the numbers of [`Code`] and the
//! bytes of keys, records and leaves. Both have snapshot tests.
//!
//! This crate knows no store, no block execution, no proofs and no network.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod code;
mod event;
mod gas;
mod genesis;
mod ids;
mod key;
mod quantities;
mod record;
#[cfg(test)]
mod tests;

pub mod audit;
pub mod auth;
pub mod bank;
pub mod blocks;
pub mod document;
pub mod policy;
pub mod transaction;

pub use code::{Code, CODESPACE};
pub use event::Event;
pub use gas::{GasSchedule, BLOCK_GAS_MAX, GAS_SCHEDULE_VERSION};
pub use genesis::{Genesis, GenesisAccount, GenesisError};
pub use ids::{BlockHash, IdError, LogId, PolicyId, TransactionHash};
pub use quantities::{Amount, Gas, Height, QuantityError, Timestamp};
pub use record::{hash_from, range_from_wire, range_to_wire, Record, RecordError};
pub use transaction::{Message, MessageError, Transaction, TransactionBuilder, TransactionError};

/// The only denomination.
pub const FEE_DENOM: &str = "uhold";

/// The version of keys, records and leaves; stands in the parameters record, so that a reader of
/// another version refuses by name.
pub const STATE_FORMAT_VERSION: u32 = 1;
