//! Holdfast: `tests`.
