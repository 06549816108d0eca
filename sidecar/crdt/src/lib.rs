//! Holdfast: `crdt`.
