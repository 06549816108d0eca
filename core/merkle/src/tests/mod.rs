//! The crate against published vectors, against a naive oracle, and against damaged proofs.

mod damage;
mod naive;
mod oracle;
mod suite;
mod tiles;
