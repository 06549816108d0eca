//! Puts a sidecar together, and takes it apart again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hub_client::{HttpTransport, Options, Transport};
use hub_light::TrustPoint;
use hub_types::{BlockHash, Height, PolicyId};
use identity::{Did, SecretKey};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::anchoring::{Anchoring, Parts as AnchoringParts};
use crate::api::{self, Served};
use crate::attestations::Attestations;
use crate::authority::hub::Hub;
use crate::authority::{run as follow_hub, Authority, Follow, LightHub};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, PolicyId as PolicyBytes};
use crate::documents::{Documents, Parts as DocumentsParts};
use crate::limits::QUEUE_LENGTH;
use crate::metrics::Metrics;
use crate::network::messages::Hello;
use crate::network::peer::{self, Network};
use crate::network::peer_identity::{delegate, keypair};
use crate::network::quota::Quotas;
use crate::network::serve::{Exchange, Parts as ExchangeParts};
use crate::network::swarm;
use crate::questions;
use crate::secrets::{self, Keyring, Passphrase};
use crate::single_use::SingleUse;
use crate::store::keys::meta;
use crate::store::{Column, Identity, Store, StoreError};
use crate::token::{Expected, TokenId};
use crate::trail::{Exporter, Parts as ExporterParts};

/// File names within the home.
pub mod files {
    /// The sidecar's own key.
    pub const NETWORK_KEY: &str = "network.key";
    /// The operator's key, where `init` put it.
    pub const OPERATOR_KEY: &str = "operator.key";
    /// Keys of local actors.
    pub const KEYRING: &str = "keyring";
    /// The store.
    pub const STORE: &str = "store";
    /// Snapshots of replicas; may be deleted.
    pub const REPLICAS: &str = "replicas";
    /// The newest verified header.
    pub const TRUST: &str = "trust.bin";
}

/// How long running requests may take to end after the signal to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The last second of a delegation that the sidecar makes for itself with the operator's key.
/// It is made anew at each start, so it need not outlive one run by much.
const DELEGATION_SECONDS: u64 = 30 * 24 * 3600;

/// How often windows of quotas are looked at.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(1);

/// Why the sidecar does not start or go on: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A key.
    #[error(transparent)]
    Secret(#[from] secrets::SecretError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network.
    #[error(transparent)]
    Network(#[from] swarm::NetworkError),
    /// The hub's client.
    #[error("the light client cannot start: {0}")]
    Hub(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What a sidecar is made of that tests replace.
pub struct Replaceable {
    /// The hub.
    pub hub: Arc<dyn Hub>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The sidecar's key.
    pub network_key: SecretKey,
    /// The operator's key.
    pub operator_key: Option<SecretKey>,
    /// Keys of local actors.
    pub keyring: Keyring,
}

/// A running sidecar.
pub struct Sidecar {
    /// Its documents.
    pub documents: Arc<Documents>,
    /// Its replicas.
    pub authority: Arc<Authority>,
    /// Its peers.
    pub network: Arc<Network>,
    /// Its counters.
    pub metrics: Arc<Metrics>,
    /// Where the API listens.
    pub api: std::net::SocketAddr,
    /// Where permission questions are answered over gRPC, if they are.
    pub questions: Option<std::net::SocketAddr>,
    /// Its DID.
    pub did: Did,
    /// Its peer id.
    pub peer_id: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<Result<(), StoreError>>>,
    server: JoinHandle<std::io::Result<()>>,
    answering: Option<JoinHandle<Result<(), tonic::transport::Error>>>,
}

/// Reads configuration and keys at `home`, and starts the sidecar.
///
/// # Errors
/// [`StartError`], one sentence.
pub async fn start_at(home: &Path) -> Result<Sidecar, StartError> {
    let config = crate::config::load(home)?;
    let passphrase = Passphrase::from_environment()?;
    let network_key = secrets::read(&home.join(files::NETWORK_KEY), passphrase.as_ref())?;
    let operator_key = match &config.operator_key {
        None => None,
        Some(path) => Some(secrets::read(path, passphrase.as_ref())?),
    };
    if let Some(key) = &operator_key {
        if key.did() != config.operator {
            return Err(StartError::Other(format!(
                "the operator's key is that of {}, but operator.did says {}",
                key.did(),
                config.operator
            )));
        }
    }
    let keyring = Keyring::load(&home.join(files::KEYRING), passphrase.as_ref())?;
    let hub = Arc::new(light_hub(&config, operator_key.as_ref())?);
    let clock = Arc::new(SystemClock::default());
    start(
        &config,
        Replaceable {
            hub,
            clock,
            network_key,
            operator_key,
            keyring,
        },
    )
    .await
}

fn light_hub(config: &Config, key: Option<&SecretKey>) -> Result<LightHub, StartError> {
    let point = TrustPoint {
        height: Height(config.trust.0),
        hash: BlockHash::new(config.trust.1),
    };
    let transports = config
        .hub_rpc
        .iter()
        .map(|url| {
            HttpTransport::new(url)
                .map(|transport| Arc::new(transport) as Arc<dyn Transport>)
                .map_err(|error| StartError::Hub(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut options = Options::new(config.chain_id.clone(), point, transports)
        .with_state_file(config.home.join(files::TRUST));
    options.trusting_period = Duration::from_secs(config.trusting_period_seconds);
    let key = key.map(copy).transpose()?;
    LightHub::open(options, config.operator.clone(), key, config.anchoring.fee)
        .map_err(|error| StartError::Hub(error.to_string()))
}

/// Keys are not cloned by accident; where two parts sign, each has its own copy.
fn copy(key: &SecretKey) -> Result<SecretKey, StartError> {
    SecretKey::from_seed(key.kind(), *key.seed())
        .map_err(|error| StartError::Other(error.to_string()))
}

/// The policies to follow: those of the configuration, and those followed at run time.
fn followed(config: &Config, store: &Store) -> Result<BTreeMap<String, PolicyBytes>, StoreError> {
    let mut policies = config.policies.clone();
    store.scan(Column::Meta, meta::FOLLOWED, &[], |key, value| {
        let wrong = || StoreError::Record(Column::Meta.name());
        let alias = std::str::from_utf8(&key[meta::FOLLOWED.len()..]).map_err(|_| wrong())?;
        let id = PolicyBytes::try_from(value).map_err(|_| wrong())?;
        policies.entry(alias.to_owned()).or_insert(id);
        Ok::<bool, StoreError>(true)
    })?;
    Ok(policies)
}

fn spent_tokens(store: &Store, now_seconds: u64) -> Result<SingleUse, StoreError> {
    let mut ids = Vec::new();
    store.scan(Column::TokenIds, &[], &[], |key, value| {
        let wrong = || StoreError::Record(Column::TokenIds.name());
        let id = TokenId::try_from(key).map_err(|_| wrong())?;
        let end = u64::from_be_bytes(value.try_into().map_err(|_| wrong())?);
        if end >= now_seconds {
            ids.push((id, end));
        }
        Ok::<bool, StoreError>(true)
    })?;
    Ok(SingleUse::restore(ids))
}

fn introduction(config: &Config, parts: &Replaceable, sidecar: &Did) -> Hello {
    let now = parts.clock.wall_ms() / 1000;
    let delegation = match (&config.delegation, &parts.operator_key) {
        (Some(delegation), _) => Some(delegation.clone()),
        (None, Some(key)) => {
            let not_after = now + DELEGATION_SECONDS;
            let signature = delegate(key, &config.chain_id, sidecar, not_after);
            Some((signature.as_bytes().to_vec(), not_after))
        }
        (None, None) => None,
    };
    match delegation {
        Some((delegation, not_after)) => Hello {
            operator: config.operator.to_string(),
            not_after,
            delegation,
            feed: None,
        },
        None => Hello::default(),
    }
}

/// Starts a sidecar from its parts.
///
/// # Errors
/// [`StartError`], one sentence.
pub async fn start(config: &Config, parts: Replaceable) -> Result<Sidecar, StartError> {
    let sidecar = parts.network_key.did();
    let keys = keypair(&parts.network_key).map_err(|error| StartError::Other(error.to_string()))?;
    let peer_id = keys.public().to_peer_id().to_base58();
    let metrics = Arc::new(Metrics::default());
    let identity = Identity {
        chain_id: config.chain_id.to_string(),
        sidecar: sidecar.to_string(),
    };
    let store_path = config.home.join(files::STORE);
    let store = Arc::new(Store::open(&store_path, &identity, metrics.clone())?);
    let policies = followed(config, &store)?;
    let authority = Arc::new(Authority::restore(
        config.chain_id.clone(),
        &policies,
        &store,
        &config.home.join(files::REPLICAS),
        parts.clock.clone(),
        metrics.clone(),
    )?);
    let hello = introduction(config, &parts, &sidecar);
    let anchored = match &config.anchoring.policy {
        Some(alias) => policies.get(alias),
        None => policies.values().next(),
    }
    .map(|id| PolicyId::new(*id));
    let documents = Arc::new(Documents::open(DocumentsParts {
        store: store.clone(),
        authority: authority.clone(),
        clock: parts.clock.clone(),
        metrics: metrics.clone(),
        chain: config.chain_id.clone(),
        keyring: Arc::new(parts.keyring),
        operator: config.operator.clone(),
        log_policy: anchored,
    })?);
    let attestations = Arc::new(Attestations::new(
        documents.clone(),
        parts.hub.clone(),
        metrics.clone(),
    ));
    let quotas = Arc::new(Quotas::default());
    let epoch_base = u64::from_be_bytes(secrets::random()?) >> 1;
    let exchange = Arc::new(Exchange::new(ExchangeParts {
        documents: documents.clone(),
        attestations: attestations.clone(),
        authority: authority.clone(),
        clock: parts.clock.clone(),
        quotas: quotas.clone(),
        metrics: metrics.clone(),
        chain: config.chain_id.clone(),
        hello,
        epoch_base,
    }));
    let listener = api::listen(config.api).await.map_err(StartError::Other)?;
    let api_address = listener
        .local_addr()
        .map_err(|error| StartError::Other(error.to_string()))?;
    let answers = match config.questions {
        None => None,
        Some(address) => Some(
            questions::listen(address)
                .await
                .map_err(StartError::Other)?,
        ),
    };
    let questions_address = answers
        .as_ref()
        .map(|listener| listener.local_addr())
        .transpose()
        .map_err(|error| StartError::Other(error.to_string()))?;
    let (events, happened) = mpsc::channel(QUEUE_LENGTH);
    let sealing = parts.operator_key.as_ref().unwrap_or(&parts.network_key);
    let issuer = Arc::new(copy(sealing)?);
    let (asker, _) = swarm::start(swarm::Parts {
        key: parts.network_key,
        chain: config.chain_id.clone(),
        listen: Some(config.listen.clone()),
        peers: config.peers.clone(),
        responder: exchange.clone(),
        events,
        metrics: metrics.clone(),
        clock: parts.clock.clone(),
        quotas,
    })?;
    let (stop, stopped) = watch::channel(false);
    let network = Arc::new(peer::start(
        asker,
        exchange,
        happened,
        metrics.clone(),
        stopped.clone(),
    ));
    let mut tasks = vec![tokio::spawn(follow_hub(
        Follow {
            authority: authority.clone(),
            hub: parts.hub.clone(),
            store: store.clone(),
            clock: parts.clock.clone(),
            metrics: metrics.clone(),
        },
        stopped.clone(),
    ))];
    tasks.push(tokio::spawn(housekeeping(
        documents.clone(),
        attestations.clone(),
        authority.clone(),
        parts.clock.clone(),
        stopped.clone(),
    )));
    tasks.push(tokio::spawn(attestations.clone().run(stopped.clone())));
    if let (Some(policy), true, true) = (
        anchored,
        config.anchoring.enabled,
        parts.operator_key.is_some(),
    ) {
        let anchoring = Anchoring::new(AnchoringParts {
            store: store.clone(),
            hub: parts.hub.clone(),
            documents: documents.clone(),
            attestations,
            metrics: metrics.clone(),
            policy,
            operator: config.operator.clone(),
            interval: Duration::from_millis(config.anchoring.interval_ms),
        });
        tasks.push(tokio::spawn(anchoring.run(stopped.clone())));
    }
    let served = Arc::new(Served {
        documents: documents.clone(),
        expected: Expected {
            audience: sidecar.clone(),
            chain: config.chain_id.clone(),
        },
        single_use: spent_tokens(&store, parts.clock.wall_ms() / 1000)?,
        exporter: anchored.map(|policy| {
            Arc::new(Exporter::new(ExporterParts {
                documents: documents.clone(),
                authority: authority.clone(),
                hub: parts.hub.clone(),
                chain: config.chain_id.clone(),
                policy,
                issuer,
            }))
        }),
        network: network.clone(),
        metrics: metrics.clone(),
        operator: config.operator.clone(),
        peer_id: peer_id.clone(),
        log_reads: config.log_reads,
    });
    let answering = answers.map(|listener| {
        tokio::spawn(questions::serve(
            listener,
            authority.clone(),
            stopped.clone(),
        ))
    });
    let server = tokio::spawn(api::serve(listener, served, stopped));
    Ok(Sidecar {
        documents,
        authority,
        network,
        metrics,
        api: api_address,
        questions: questions_address,
        did: sidecar,
        peer_id,
        stop,
        tasks,
        server,
        answering,
    })
}

/// Looks again at what waits whenever the replica moved, and ends windows of quotas.
async fn housekeeping(
    documents: Arc<Documents>,
    attestations: Arc<Attestations>,
    authority: Arc<Authority>,
    clock: Arc<dyn Clock>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let mut status = authority.status();
    let mut tick = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    let mut pruned_seconds = 0;
    loop {
        tokio::select! {
            changed = status.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                // What fails here is told in the log, and tried again with the next block.
                if let Err(failure) = documents.replica_advanced().await {
                    tracing::warn!(%failure, "waiting commits could not be looked at");
                }
                // Only now: some are about those commits.
                attestations.moved();
            }
            _ = tick.tick() => {
                documents.end_denial_window(false).await?;
                let now = clock.wall_ms() / 1000;
                if now.saturating_sub(pruned_seconds) >= 60 {
                    pruned_seconds = now;
                    prune_tokens(documents.store(), now).await?;
                }
            }
            _ = stop.changed() => {
                return documents.end_denial_window(true).await;
            }
        }
    }
}

/// Forgets token ids whose tokens have ended.
async fn prune_tokens(store: &Store, now_seconds: u64) -> Result<(), StoreError> {
    let mut puts = Vec::new();
    store.scan(Column::TokenIds, &[], &[], |key, value| {
        let end = value.try_into().map(u64::from_be_bytes).unwrap_or(0);
        if end < now_seconds {
            puts.push((Column::TokenIds, key.to_vec(), None));
        }
        Ok::<bool, StoreError>(puts.len() < 100_000)
    })?;
    if !puts.is_empty() {
        store
            .submit(crate::store::Write {
                puts,
                ..crate::store::Write::default()
            })
            .await?;
    }
    Ok(())
}

impl Sidecar {
    /// Runs until `signal` is done or a task fails, then stops in order.
    ///
    /// # Errors
    /// [`StartError`] of the task that failed.
    pub async fn run_until(
        mut self,
        signal: impl std::future::Future<Output = ()>,
    ) -> Result<(), StartError> {
        let failed = {
            let tasks = futures::future::select_all(self.tasks.iter_mut());
            tokio::select! {
                () = signal => None,
                (result, index, _) = tasks => Some((result, index)),
            }
        };
        match failed {
            None => self.stop().await,
            Some((result, index)) => {
                drop(self.tasks.remove(index));
                self.stop().await?;
                match result {
                    Ok(result) => Ok(result?),
                    Err(panic) => Err(StartError::Other(format!("a task failed: {panic}"))),
                }
            }
        }
    }

    /// Stops: no new requests, running ones end, tasks end, the store closes.
    ///
    /// # Errors
    /// [`StartError`] of the first task that failed.
    pub async fn stop(self) -> Result<(), StartError> {
        self.stop.send_replace(true);
        let mut first = Ok(());
        for mut task in self.tasks {
            match tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut task).await {
                Ok(Ok(Err(error))) if first.is_ok() => first = Err(error.into()),
                Ok(_) => {}
                Err(_) => task.abort(),
            }
        }
        let mut server = self.server;
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut server)
            .await
            .is_err()
        {
            server.abort();
        }
        if let Some(mut answering) = self.answering {
            if tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut answering)
                .await
                .is_err()
            {
                answering.abort();
            }
        }
        // The network's tasks end with the last that asks; then the store closes, and whoever
        // waits for this may open it again.
        let mut closing = self.documents.store().closing();
        drop((self.documents, self.authority, self.network));
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, closing.changed())
            .await
            .is_err()
        {
            tracing::warn!("the store is still in use by a task that does not end");
        }
        first
    }

    /// Ends as kill -9 does: nothing is finished, nothing is told.
    pub fn kill(self) {
        for task in &self.tasks {
            task.abort();
        }
        self.server.abort();
        if let Some(answering) = &self.answering {
            answering.abort();
        }
        self.stop.send_replace(true);
    }
}
