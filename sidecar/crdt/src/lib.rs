//! The documents of a sidecar: signed commits, their DAG, and how they merge.
//!
//! A document is a DAG of commits. A commit is two DAG-CBOR blocks: a [`Header`], which its author
//! signs and whose CID names the commit, and a [`Body`] with the operations, which may be withheld
//! or erased. [`materialize`] makes the document's state from a [`Dag`]; [`DocumentState::append`]
//! and [`DocumentState::apply`] do the same step by step, to the same bytes.
//!
//! The one invariant: **state is a function of the blocks known and of which commits count, never
//! of arrival** (Invariant 4).
//!
//! The format is written down in `docs/spec/commit.md`, with vectors in `tests/vectors`.
//!
//! This crate knows no permissions: a schema gives names, a header lists names, and which commits
//! count is an argument. It knows no hub, no store, no clock and no network either.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod codec;
pub mod limits;

mod body;
mod cid;
mod commit;
mod dag;
mod draft;
mod error;
mod header;
mod heads;
mod ids;
mod materialize;
mod name;
mod operation;
mod padding;
mod schema;
mod state;
mod value;

pub use body::{encode_content, Body, BodyBlock, Envelope, Sealed, SALT_BYTES};
pub use cid::Cid;
pub use commit::Commit;
pub use dag::{Dag, Inserted};
pub use draft::{Draft, Prepared};
pub use error::Error;
pub use header::{Authority, Disclosure, DocumentRef, Header, HeaderBlock, HeaderParts, CREATE};
pub use heads::{decode_heads, encode_heads};
pub use ids::{
    CollectionId, CollectionPreimage, DocumentId, DocumentPreimage, Scope, DOCUMENT_NONCE_BYTES,
};
pub use materialize::materialize;
pub use operation::{Operation, OperationName};
pub use schema::{Field, FieldKind, Permissions, Schema, Schemas};
pub use state::{
    Applied, Counter, DocumentState, Element, FieldState, Register, Set, Stamp, Written,
};
pub use value::{Float, Value};
