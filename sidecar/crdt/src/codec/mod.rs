//! Strict DAG-CBOR, read and written in one pass.
//!
//! DAG-CBOR (<https://ipld.io/specs/codecs/dag-cbor/spec/>) is the subset of CBOR (RFC 8949) in
//! which each piece of data has exactly one encoding: shortest heads, definite lengths, map keys
//! that are strings in length-first order without repetition, 64-bit floats that are finite numbers,
//! and no tag but 42, a CID. The invariant of this module: **whatever it reads, it would write with
//! the same bytes**, so a CID names one meaning and no second block can carry it.
//!
//! It is our own because the general codecs build a tree with `f64` in it, recurse without a
//! bound, and pass some encodings that are not canonical. Tests hold it against
//! `serde_ipld_dagcbor` and against the published fixtures.

mod data;
mod reader;
mod writer;

pub use data::Data;
pub(crate) use reader::{excerpt, is_canonical, list_of};
pub use reader::{CodecError, Kind, Reader};
pub(crate) use writer::head_bytes;
pub use writer::Writer;
