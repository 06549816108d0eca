//! Tests with nodes that lie.
