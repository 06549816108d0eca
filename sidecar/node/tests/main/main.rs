//! The sidecar whole: two of them, a hub by hand, peers that lie, disks that are pulled.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anchors;
mod api;
mod command;
mod durability;
mod guard;
mod hostile;
mod hubd;
mod peers;
mod questions;
mod snapshots;
mod story;
mod support;
mod terms;
mod trails;
mod witnesses;
