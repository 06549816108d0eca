//! `hubd start`.

use std::path::PathBuf;

use clap::Args;

use super::node::{end_on_signal, open_hub, start_logs, Listeners};
use crate::abci::{self, HubApplication};
use crate::home::{Config, Home};
use crate::serve::shutdown::Shutdown;
use crate::store::StoreOptions;

/// Arguments of `hubd start`; each overrides its entry in `hubd.toml`.
#[derive(Args)]
pub struct Start {
    /// The home folder; made with default configuration if there is none.
    #[arg(long)]
    home: PathBuf,
    /// Where CometBFT connects to (its `proxy_app`).
    #[arg(long)]
    abci: Option<String>,
    /// Where gRPC is served; empty for not at all.
    #[arg(long)]
    grpc: Option<String>,
    /// Where /metrics and /healthz are served; empty for not at all.
    #[arg(long)]
    metrics: Option<String>,
    /// How many heights of state are kept for queries and proofs; 0 keeps all.
    #[arg(long)]
    retain_heights: Option<u64>,
}

impl Start {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// One sentence: a port in use, a store that cannot be opened, a wrong configuration.
    pub fn run(self) -> anyhow::Result<()> {
        start_logs();
        let home = Home::new(&self.home);
        home.make_folders()?;
        if !home.config().exists() {
            Config::default().save(&home.config())?;
        }
        let mut config = Config::load(&home.config())?;
        override_with(&mut config.abci, self.abci);
        override_with(&mut config.grpc, self.grpc);
        override_with(&mut config.metrics, self.metrics);
        if let Some(retain_heights) = self.retain_heights {
            config.retain_heights = retain_heights;
        }
        let listeners = Listeners::take(&config.grpc, &config.metrics)?;
        let options = StoreOptions {
            retain_heights: config.retain_heights,
            cache_megabytes: config.cache_megabytes,
        };
        let chain_id = (!config.chain_id.is_empty()).then_some(config.chain_id.as_str());
        let hub = open_hub(&home.state(), chain_id, options)?;
        let server = abci::serve(&config.abci, HubApplication::new(hub.clone()))?;
        tracing::info!(
            "hubd {}: ABCI {}, {}",
            env!("CARGO_PKG_VERSION"),
            server.address(),
            listeners.describe()
        );
        // CometBFT's connections are served by threads of their own. They end with the process:
        // only Commit writes, in one batch, so ending between two calls loses nothing.
        std::thread::spawn(move || {
            if let Err(error) = server.run() {
                panic!("{error}");
            }
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(async move {
            let (sender, shutdown) = Shutdown::pair();
            tokio::try_join!(
                listeners.serve(hub, shutdown.clone()),
                end_on_signal(sender)
            )?;
            Ok(())
        })
    }
}

fn override_with(entry: &mut String, argument: Option<String>) {
    if let Some(argument) = argument {
        *entry = argument;
    }
}
