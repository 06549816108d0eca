//! Queries: gRPC's method names are ABCI's paths, protobuf on both ways, one function behind both.

mod answer;
pub mod light;
pub mod prove;
mod router;

pub use answer::{QueryContext, QueryError};
pub use router::{abci, answer, METHODS};
