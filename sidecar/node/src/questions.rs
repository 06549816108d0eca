//! Permission questions over gRPC, for programs that run beside the sidecar.
//!
//! They are about what the hub records, which the hub tells everybody; of documents nothing is told
//! that the hub does not know. So no token is asked for, and the address is one of this machine
//! unless its operator says otherwise.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;

use crate::authority::Authority;

/// Takes the address.
///
/// # Errors
/// A sentence that names the setting to change.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("permission questions cannot listen on {address} ({error}); change listen.questions in config.toml")
    })
}

/// Serves until `stop` changes.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    authority: Arc<Authority>,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = Result<(), tonic::transport::Error>> {
    // Small answers must not wait for the acknowledgement of the one before.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = async move {
        let _ = stop.changed().await;
    };
    hub_ask::bounded()
        .add_service(hub_ask::serve_on(authority))
        .serve_with_incoming_shutdown(incoming, stopped)
}
