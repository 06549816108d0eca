//! Holdfast: `hub-client`.
