//! Holdfast: `rpc`.
