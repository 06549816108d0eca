//! Runs the built `hold` as a person or a script would.

mod audit;
mod hold;
mod key;
mod offline;
