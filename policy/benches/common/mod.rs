//! What the benches share: how long to measure, how to, what to print, what to ask.
//!
//! A bench that is run without `--bench` (`cargo test --benches`, and so `make test`) asks each
//! question once, of small graphs, and times nothing: it keeps compiling and its answers stay right.

pub mod graphs;
pub mod measure;
pub mod report;
pub mod world;
