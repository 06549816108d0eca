//! The crate from the outside: bundles, receipts, and what a mutator does to them.

mod arrival;
mod authority;
mod bundle;
mod decisions;
mod earlier;
mod fixture;
mod kept;
mod leaves;
mod mutator;
mod receipt;
mod times;
