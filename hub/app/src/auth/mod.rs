//! Accounts: genesis and queries. Their part of execution (sequence, fee) is
//! [`crate::chain::transaction`]'s, because every transaction has it.

pub mod genesis;
pub mod queries;
