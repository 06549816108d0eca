//! Holdfast: `wire`.
