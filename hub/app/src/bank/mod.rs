//! Coins: sending them, and asking for balances.

pub mod execute;
pub mod queries;
