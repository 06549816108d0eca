//! Raises and breaks whole Holdfast networks on one machine, with the real binaries.
//!
//! Everything here starts processes and moves bytes between them; nothing here decides anything
//! about state. The links between the parts pass through small proxies ([`link`]) so that a test
//! or a person can cut and heal them. Used by the `localnet` binary and by the whole-system tests.

pub mod bench;
pub mod binaries;
pub mod comet;
pub mod control;
pub mod hold;
pub mod http;
pub mod link;
pub mod network;
pub mod plant;
pub mod ports;
pub mod process;
pub mod story;
