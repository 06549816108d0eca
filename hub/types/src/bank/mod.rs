//! Coins. Balances stand in the records of accounts ([`crate::auth::Account`]).

pub mod error;
pub mod events;
pub mod keys;
pub mod messages;
pub mod records;

pub use error::BankError;
pub use messages::Send;
pub use records::Supply;
