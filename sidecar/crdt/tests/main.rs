//! The crate from outside: published fixtures, our own vectors, properties and hostile input.
#![allow(missing_docs, reason = "tests are sentences already")]
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod codec;
mod dag;
mod fixtures;
mod format;
mod hostile;
mod oracle;
mod plan;
mod properties;
mod rules;
mod vectors;
mod world;
