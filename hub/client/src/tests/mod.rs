//! Nodes that lie, each in one way: every lie is named, and nothing of it is used.

mod fake_hub;
mod honest;
mod lies;
mod node;
mod sending;
mod trees;
