//! Holdfast: `node`.
