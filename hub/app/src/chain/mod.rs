//! The state machine: transactions, blocks, and what they share.

pub mod block;
pub mod block_time;
pub mod context;
pub mod dispatch;
pub mod failure;
pub mod hub;
pub mod known;
pub mod policies;
pub mod readers;
pub mod signatures;
pub mod transaction;
