//! Holdfast: `localnet`.
