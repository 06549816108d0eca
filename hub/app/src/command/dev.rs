//! `hubd dev`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use hub_types::{Genesis, GenesisAccount};
use identity::ChainId;

use super::node::{end_on_signal, now, open_hub, start_logs, Listeners};
use crate::abci::HubApplication;
use crate::home::{
    load_or_make_validator_key, parse_account, GenesisFile, GenesisValidator, Home, HomeError,
};
use crate::serve::listen::{bound, listen};
use crate::serve::shutdown::Shutdown;
use crate::solo::{self, rpc, Engine, EngineOptions};
use crate::store::StoreOptions;

/// Arguments of `hubd dev`.
#[derive(Args)]
pub struct Dev {
    /// The home folder; a chain that is there goes on.
    #[arg(long)]
    home: PathBuf,
    /// Where CometBFT's RPC is served.
    #[arg(long, default_value = "127.0.0.1:26657")]
    rpc: String,
    /// Where gRPC is served; empty for not at all.
    #[arg(long, default_value = "")]
    grpc: String,
    /// Where /metrics and /healthz are served; empty for not at all.
    #[arg(long, default_value = "")]
    metrics: String,
    /// Milliseconds from one block to the next.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(5..))]
    block_ms: u64,
    /// The id of a new chain; a fresh one is made up unless given.
    #[arg(long)]
    chain_id: Option<String>,
    /// An account of a new chain, ADDRESS=AMOUNT in uhold; repeat for several.
    #[arg(long = "account", value_parser = parse_account)]
    accounts: Vec<GenesisAccount>,
    /// How many heights of state are kept for queries and proofs; 0 keeps all.
    #[arg(long, default_value_t = 0)]
    retain_heights: u64,
}

impl Dev {
    /// Runs the chain until a signal comes.
    ///
    /// # Errors
    /// One sentence: a port in use, a store that cannot be opened, a home of another chain.
    pub fn run(self) -> anyhow::Result<()> {
        start_logs();
        let listener = listen("RPC", &self.rpc, "--rpc")?;
        let listeners = Listeners::take(&self.grpc, &self.metrics)?;
        let home = Home::new(&self.home);
        home.make_folders()?;
        let key = load_or_make_validator_key(&home.validator_key())?;
        let genesis = self.genesis(&home, &key)?;
        let options = StoreOptions {
            retain_heights: self.retain_heights,
            ..StoreOptions::default()
        };
        let chain_id = genesis.chain_id().to_owned();
        let hub = open_hub(&home.state(), Some(&chain_id), options)?;
        let engine = Arc::new(Engine::open(
            EngineOptions {
                blocks: home.blocks(),
                genesis,
                validator_seed: *key.seed(),
            },
            HubApplication::new(hub.clone()),
        )?);
        let address = bound(&listener).map_or_else(String::new, |address| address.to_string());
        println!(
            "hubd dev: for development and tests only. One validator, its key in a file: nobody \
             but you vouches for this chain.\n\
             chain {chain_id} at height {height}, a block every {interval} ms, RPC http://{address}{rest}",
            height = engine.height(),
            interval = self.block_ms,
            rest = match listeners.describe().as_str() {
                "" => String::new(),
                text => format!(", {text}"),
            },
        );
        let interval = Duration::from_millis(self.block_ms);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(async move {
            let (sender, shutdown) = Shutdown::pair();
            let rpc = rpc::serve(listener, engine.clone(), shutdown.clone());
            let blocks = solo::run(engine, interval, shutdown.clone());
            tokio::try_join!(
                async { rpc.await.map_err(anyhow::Error::from) },
                async { blocks.await.map_err(anyhow::Error::from) },
                listeners.serve(hub, shutdown.clone()),
                end_on_signal(sender),
            )?;
            anyhow::Ok(())
        })
    }

    /// The home's genesis, or a new one.
    fn genesis(&self, home: &Home, key: &identity::SecretKey) -> anyhow::Result<GenesisFile> {
        let path = home.genesis();
        if path.exists() {
            let file = GenesisFile::load(&path)?;
            let asked = self.chain_id.as_deref();
            if asked.is_some_and(|asked| asked != file.chain_id()) {
                return Err(HomeError::Exists { path })
                    .with_context(|| format!("this home holds chain {}", file.chain_id()));
            }
            return Ok(file);
        }
        let chain = match &self.chain_id {
            Some(chain_id) => ChainId::parse(chain_id).context("--chain-id")?,
            None => fresh_chain_id()?,
        };
        anyhow::ensure!(
            !self.accounts.is_empty(),
            "a new chain needs an account that can pay: give --account ADDRESS=AMOUNT, with an address from `hold key new NAME`"
        );
        let genesis = Genesis::new(self.accounts.clone());
        let mut public_key = [0; 32];
        public_key.copy_from_slice(key.public_key().as_bytes());
        let validator = GenesisValidator {
            public_key,
            power: 10,
        };
        let file = GenesisFile::new(&chain, now(), &genesis, &[validator])?;
        file.save(&path)?;
        Ok(file)
    }
}

/// A chain id that no other chain has, so that no signature made for one is good on another.
fn fresh_chain_id() -> anyhow::Result<ChainId> {
    let mut random = [0; 6];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no entropy: {error}"))?;
    Ok(ChainId::parse(&format!("dev-{}", hex::encode(random)))?)
}
