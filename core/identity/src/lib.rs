//! Holdfast: `identity`.
