//! The messages that Holdfast speaks: its own packages and the few of Cosmos that clients need.
//!
//! The `.proto` files under `proto/` are the source; they are compiled by `protox`, so no protoc
//! is needed. Field numbers of Cosmos packages are those of upstream, so CosmJS, Keplr and cosmrs
//! sign for Holdfast unchanged. No message holds a map, so an encoding has one order.
//!
//! Whatever is signed or hashed is read through [`canonical::decode`], which refuses bytes that
//! would be written differently: unknown fields, a default that is spelled out, a field twice,
//! bytes at the end.
//!
//! This crate knows what bytes look like and nothing of what they mean: `hub-types` parses them
//! into types that cannot be wrong.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod canonical;

pub use prost::{Message, Name};
pub use prost_types::{Any, Timestamp};

#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    reason = "generated from the .proto files, which hold the documentation"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use generated::{cosmos, holdfast, tendermint};

pub use holdfast::{audit::v1 as audit, light::v1 as light, policy::v1 as policy};

/// The encoded `FileDescriptorSet` of every file, imports included: for reflection, and for
/// `rpc`, which generates its services from it.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
