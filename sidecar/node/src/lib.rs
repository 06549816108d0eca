//! The sidecar: a local-first database beside an application, whose every permission is checked
//! against proven hub state and whose every act is in an anchored audit log.
//!
//! | folder | is for | does not know |
//! |---|---|---|
//! | [`store`] | one RocksDB, one writer, one synced batch a group of writes | what a commit means |
//! | [`authority`] | the proven replica of the followed policies | documents |
//! | [`guard`] | the one door for reads | how data is stored |
//! | [`documents`] | commits in, verdicts, state out | HTTP, libp2p |
//! | [`anchoring`] | log roots on the hub, receipts, attestations | peers |
//! | [`network`] | frames, peers, exchange | what may be seen |
//! | [`api`] | HTTP and JSON | anything but requests and answers |
//! | [`questions`] | permission questions over gRPC | documents |
//!
//! [`start`] puts them together; `main.rs` is the `sidecar` binary.

pub mod anchoring;
pub mod api;
pub mod attestations;
pub mod authority;
pub mod clock;
pub mod config;
pub mod documents;
pub mod failure;
pub mod guard;
pub mod leaves;
pub mod limits;
pub mod metrics;
pub mod network;
pub mod questions;
pub mod secrets;
pub mod single_use;
pub mod start;
pub mod store;
pub mod token;
pub mod trail;
