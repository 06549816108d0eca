//! Holdfast: `merkle`.
