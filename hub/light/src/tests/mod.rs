//! Real trees, forged headers, and every way to lie about them.

mod following;
mod headers;
mod hub;
mod logs;
mod policies;
mod proofs;
mod suite;
mod support;
mod wire_forms;
