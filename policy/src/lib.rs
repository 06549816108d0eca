//! Holdfast: `policy`.
