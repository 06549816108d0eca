//! Holdfast: `hub-light`.
