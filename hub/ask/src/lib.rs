//! Permission questions over gRPC (`holdfast.policy.v1.Permissions`), answered from a replica of the
//! hub's policies: a hub node's own, or that of a sidecar.
//!
//! What is answered here is the word of the node that is asked, for whoever runs it. Who must not
//! take its word asks for evidence (`Query.CheckPermission` with `prove`) or verifies a trail.
//!
//! A short question is asked on the thread that read the request: a check takes microseconds, and
//! handing it to another thread takes longer. What does not end within a few steps, and whatever
//! lists, is asked again on a thread of its own, a bounded number at a time.
//!
//! This crate knows no disk and no chain: where histories come from is a [`Source`].

mod asked;
mod failure;
mod limits;
mod parts;
mod questions;
mod server;
mod service;
mod source;
mod turns;

pub use failure::Unanswered;
pub use limits::{MESSAGE_BYTES_MAX, QUESTIONS_MAX};
pub use server::bounded;
pub use service::{serve_on, Permissions};
pub use source::{Reading, Source};
pub use turns::{Turn, Turns};
