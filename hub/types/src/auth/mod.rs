//! Accounts: who may send transactions, and with which number.

pub mod error;
pub mod events;
pub mod keys;
pub mod records;

pub use error::AuthError;
pub use records::{Account, AccountCounter, Params};
