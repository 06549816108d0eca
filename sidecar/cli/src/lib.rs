//! Holdfast: `cli`.
