//! Sidecars among themselves: libp2p over TCP with Noise and yamux, one protocol of bounded
//! frames, given peers. `docs/spec/network.md` is the written form.
//!
//! What this folder knows of documents it asks [`crate::documents`]; what leaves through it passes
//! [`crate::guard`] (Invariant 8).

pub mod client;
pub mod codec;
pub mod messages;
pub mod peer;
pub mod peer_identity;
pub mod quota;
pub mod serve;
pub mod swarm;
