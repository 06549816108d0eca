//! The shell around the application: ports, metrics, shutdown, panics.

pub mod grpc;
pub mod health;
mod histories;
pub mod listen;
pub mod metrics;
pub mod panic;
pub mod shutdown;
