//! Holdfast: `hub-app`.
