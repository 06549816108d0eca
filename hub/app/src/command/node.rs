//! What `start` and `dev` have in common: logs, store, application, listeners, ending in order.

use std::io::IsTerminal;
use std::net::TcpListener;
use std::sync::Arc;

use hub_types::Timestamp;
use tracing_subscriber::EnvFilter;

use crate::chain::hub::Hub;
use crate::serve::listen::{bound, listen, ListenError};
use crate::serve::metrics::Metrics;
use crate::serve::shutdown::{signalled, Shutdown, ShutdownSender};
use crate::serve::{grpc, health};
use crate::store::{Store, StoreError, StoreOptions};

/// Logs go to standard error, coloured where that is a terminal; `RUST_LOG` chooses what, `info` unless
/// set.
pub fn start_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Fails only when a subscriber is installed already (tests).
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}

/// The wall clock, for what is no consensus: the time of a new genesis.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::new(since.as_secs() as i64, 0).unwrap_or_default()
}

/// Opens the store and puts the application over it.
///
/// # Errors
/// The store's sentence.
pub fn open_hub(
    path: &std::path::Path,
    chain_id: Option<&str>,
    options: StoreOptions,
) -> Result<Arc<Hub>, StoreError> {
    let store = Arc::new(Store::open(path, chain_id, options)?);
    Ok(Arc::new(Hub::new(store, Arc::new(Metrics::new()))))
}

/// Addresses for what every node serves besides its engine; taken before anything is served.
pub struct Listeners {
    grpc: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    /// Takes the addresses; an empty one is not served.
    ///
    /// # Errors
    /// [`ListenError`], a sentence that names the setting to change.
    pub fn take(grpc: &str, metrics: &str) -> Result<Listeners, ListenError> {
        let optional = |what, address: &str, setting| match address {
            "" => Ok(None),
            address => listen(what, address, setting).map(Some),
        };
        Ok(Listeners {
            grpc: optional("gRPC", grpc, "--grpc")?,
            metrics: optional("metrics", metrics, "--metrics")?,
        })
    }

    /// What is served where, for the log.
    pub fn describe(&self) -> String {
        let name = |what: &str, listener: &Option<TcpListener>| {
            listener
                .as_ref()
                .and_then(bound)
                .map(|address| format!("{what} {address}"))
        };
        let parts: Vec<String> = [name("gRPC", &self.grpc), name("metrics", &self.metrics)]
            .into_iter()
            .flatten()
            .collect();
        parts.join(", ")
    }

    /// Serves until shutdown.
    ///
    /// # Errors
    /// The first server that fails.
    pub async fn serve(self, hub: Arc<Hub>, shutdown: Shutdown) -> anyhow::Result<()> {
        let grpc = async {
            match self.grpc {
                Some(listener) => grpc::serve(listener, hub.clone(), shutdown.clone()).await,
                None => {
                    shutdown.clone().requested().await;
                    Ok(())
                }
            }
        };
        let metrics = async {
            match self.metrics {
                Some(listener) => health::serve(listener, hub.clone(), shutdown.clone())
                    .await
                    .map_err(anyhow::Error::from),
                None => {
                    shutdown.clone().requested().await;
                    Ok(())
                }
            }
        };
        tokio::try_join!(grpc, metrics)?;
        Ok(())
    }
}

/// Asks everybody to end when SIGTERM or SIGINT comes.
pub async fn end_on_signal(sender: ShutdownSender) -> anyhow::Result<()> {
    let name = signalled().await?;
    tracing::info!("{name}: ending");
    sender.request();
    Ok(())
}
