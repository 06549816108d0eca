//! Holdfast: `hub-types`.
