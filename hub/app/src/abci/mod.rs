//! ABCI: the application as CometBFT 0.38 (and the solo engine) drives it.

mod application;
mod convert;
mod dispatch;
mod framing;
mod server;

pub use application::HubApplication;
pub use server::{serve, AbciServer, ServeError};
