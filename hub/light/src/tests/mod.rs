//! Real trees, forged headers, and every way to lie about them.

mod headers;
mod policies;
mod proofs;
mod suite;
mod support;
mod wire_forms;
