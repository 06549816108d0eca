//! Anchors: this log's size and roots on the hub, once each, whatever crashes when.
//!
//! ```text
//! intent persisted ── submitted ── confirmed by proof ── receipt persisted ── attestations made
//! ```
//!
//! Each step can be repeated: an intent is one (old size, size, roots), the hub takes it only while
//! its record stands at the old size, and what the record says is proven before it is believed. So
//! after a crash anywhere the next step is found by looking at the hub, and no anchor is doubled
//! or lost (DESIGN §7).

mod fold;
mod record;
mod run;

pub use record::{
    heads_version, latest, list, newest_final, with_index, AnchorRecord, AnchorState, AnchorView,
};
pub use run::{Anchoring, Parts, Step};
