//! Queries: gRPC's method names are ABCI's paths, protobuf on both ways, one function behind both.

mod answer;
pub mod light;
mod router;
pub mod prove;

pub use answer::{QueryContext, QueryError};
pub use router::{abci, answer, METHODS};
