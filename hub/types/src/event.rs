//! What execution tells indexers. Events are not consensus: CometBFT hashes code, data and gas
//! of a result only.

use alloc::{string::String, vec::Vec};

/// One event: a kind, and attributes in order. `hub-app` turns it into ABCI's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The kind, `holdfast.policy.created` for example.
    pub kind: &'static str,
    /// Names and values; all are indexed.
    pub attributes: Vec<(&'static str, String)>,
}

impl Event {
    /// An event without attributes.
    #[must_use]
    pub const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            attributes: Vec::new(),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl core::fmt::Display) -> Self {
        use alloc::string::ToString;
        self.attributes.push((name, value.to_string()));
        self
    }
}
