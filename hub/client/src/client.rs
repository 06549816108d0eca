//! The client: nodes that answer, a light client that decides what may be used of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use hub_light::{TrustPoint, Trusted};
use hub_types::{Height, Record};
use identity::{AccountAddress, ChainId};
use tokio::sync::Mutex;

use crate::chain::Chain;
use crate::clock::{Clock, SystemClock};
use crate::error::{Attempt, ClientError, Fault};
use crate::rpc::Rpc;
use crate::transport::{BoxFuture, Transport};

/// How old a trusted header may be: two weeks, below the three in which stake is usually unbound.
pub const TRUSTING_PERIOD: Duration = Duration::from_secs(14 * 24 * 3600);

/// How far a header may be from the future: clocks of honest validators differ by less.
pub const CLOCK_DRIFT: Duration = Duration::from_secs(10);

/// How old the newest header may be before a node counts as behind. The chain makes a block every
/// 120 ms when idle; a minute forgives a machine that was asleep.
pub const HEADER_AGE_MAX: Duration = Duration::from_secs(60);

/// How a client starts.
#[derive(Clone)]
pub struct Options {
    /// The chain.
    pub chain_id: ChainId,
    /// The block that a person trusts.
    pub trust: TrustPoint,
    /// The nodes, tried in turn.
    pub transports: Vec<Arc<dyn Transport>>,
    /// Where the newest verified header is kept between runs.
    pub state_file: Option<PathBuf>,
    /// How old a trusted header may be.
    pub trusting_period: Duration,
    /// How far a header may be from the future.
    pub clock_drift: Duration,
    /// How old a node's newest header may be.
    pub header_age_max: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// The usual bounds, the system's clock, nothing kept.
    #[must_use]
    pub fn new(chain_id: ChainId, trust: TrustPoint, transports: Vec<Arc<dyn Transport>>) -> Self {
        Self {
            chain_id,
            trust,
            transports,
            state_file: None,
            trusting_period: TRUSTING_PERIOD,
            clock_drift: CLOCK_DRIFT,
            header_age_max: HEADER_AGE_MAX,
            clock: Arc::new(SystemClock),
        }
    }

    /// Keeps the newest verified header in `path`.
    #[must_use]
    pub fn with_state_file(mut self, path: PathBuf) -> Self {
        self.state_file = Some(path);
        self
    }
}

/// A value with the header under which it was proven. The state after block `state_height` stands
/// under the header of the block after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven<T> {
    /// The value.
    pub value: T,
    /// The block after which this is the state.
    pub state_height: Height,
    /// The header that it is proven under.
    pub header: Trusted,
}

impl<T> Proven<T> {
    /// The same proof of something made from the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Proven<U> {
        Proven {
            value: change(self.value),
            state_height: self.state_height,
            header: self.header,
        }
    }
}

/// A verifying client of one hub. Cheap to share behind an [`Arc`].
pub struct HubClient {
    chain: Chain,
    transports: Vec<Arc<dyn Transport>>,
    /// The node that answered last; asked first.
    preferred: AtomicUsize,
    /// The next sequence of accounts that this process sent for.
    sequences: Mutex<BTreeMap<AccountAddress, u64>>,
    /// Answers that did not verify since the start, newest last, bounded.
    complaints: std::sync::Mutex<Vec<Attempt>>,
}

/// How many complaints are kept.
const COMPLAINTS_MAX: usize = 64;

impl HubClient {
    /// A client that starts from its state file where there is one, else from the trust point.
    /// Sends nothing.
    ///
    /// # Errors
    /// [`ClientError::NoNodes`], [`ClientError::StateFile`].
    pub fn open(options: Options) -> Result<Self, ClientError> {
        if options.transports.is_empty() {
            return Err(ClientError::NoNodes);
        }
        let transports = options.transports.clone();
        Ok(Self {
            chain: Chain::open(options)?,
            transports,
            preferred: AtomicUsize::new(0),
            sequences: Mutex::new(BTreeMap::new()),
            complaints: std::sync::Mutex::new(Vec::new()),
        })
    }

    /// The chain.
    #[must_use]
    pub fn chain_id(&self) -> &ChainId {
        self.chain.id()
    }

    /// The newest header verified so far, in this run or an earlier one.
    #[must_use]
    pub fn newest(&self) -> Option<Trusted> {
        self.chain.newest().map(|block| block.trusted)
    }

    pub(crate) fn newest_height(&self) -> u64 {
        self.chain.newest().map_or(0, |block| block.height())
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) fn transports(&self) -> &[Arc<dyn Transport>] {
        &self.transports
    }

    pub(crate) fn sequences(&self) -> &Mutex<BTreeMap<AccountAddress, u64>> {
        &self.sequences
    }

    /// Nodes whose answers did not verify since the start, also where another node answered.
    #[must_use]
    pub fn complaints(&self) -> Vec<Attempt> {
        self.complaints
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Asks each node in turn until one gives an answer that verifies.
    pub(crate) async fn each<'a, T, F>(&'a self, ask: F) -> Result<T, ClientError>
    where
        F: Fn(Rpc<'a>) -> BoxFuture<'a, Result<T, Fault>>,
    {
        let count = self.transports.len();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut attempts = Vec::new();
        for step in 0..count {
            let index = (first + step) % count;
            let rpc = Rpc::new(&*self.transports[index]);
            match ask(rpc).await {
                Ok(answer) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Fault::Final(error)) => return Err(*error),
                Err(fault) => {
                    let attempt = Attempt {
                        node: rpc.name().to_owned(),
                        fault,
                    };
                    if attempt.fault.is_lie() {
                        self.complain(&attempt);
                    }
                    attempts.push(attempt);
                }
            }
        }
        Err(ClientError::Nodes(attempts))
    }

    fn complain(&self, attempt: &Attempt) {
        tracing::warn!(node = %attempt.node, reason = %attempt.fault, "an answer does not verify; it was not used");
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(attempt.clone());
        }
    }

    /// Asks for the newest header and verifies it.
    ///
    /// # Errors
    /// [`ClientError::Nodes`], [`ClientError::TrustExpired`].
    pub async fn latest(&self) -> Result<Trusted, ClientError> {
        self.each(|rpc| -> BoxFuture<'_, _> {
            Box::pin(async move { Ok(self.chain.latest(rpc).await?.trusted) })
        })
        .await
    }

    /// The verified header at `height`, before or after what is verified so far.
    ///
    /// # Errors
    /// As [`HubClient::latest`]; a height that no node has reached yet is refused by each.
    pub async fn at(&self, height: Height) -> Result<Trusted, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move { Ok(self.header_from(rpc, height).await?.trusted) })
        })
        .await
    }

    /// Waits until the chain has a header at `height`, at most `timeout`, and verifies it.
    ///
    /// # Errors
    /// [`ClientError::NotReached`], and as [`HubClient::latest`].
    pub async fn reach(&self, height: Height, timeout: Duration) -> Result<Trusted, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move { Ok(self.chain.reach(rpc, height.0, timeout).await?.trusted) })
        })
        .await
    }

    /// The signed header at `height` with its validators, verified: what a bundle carries.
    ///
    /// # Errors
    /// As [`HubClient::at`].
    pub async fn light_block(
        &self,
        height: Height,
    ) -> Result<Proven<wire::light::LightBlock>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let block = self.header_from(rpc, height).await?;
                let value = self.chain.light_block(rpc, &block).await?;
                Ok(Proven {
                    value,
                    state_height: height.previous(),
                    header: block.trusted,
                })
            })
        })
        .await
    }

    /// The record under `key` of the main tree.
    ///
    /// # Errors
    /// [`ClientError::Nodes`]; a value that is no such record counts as one that does not verify.
    pub async fn record<R: Record + Send>(
        &self,
        key: &[u8],
    ) -> Result<Proven<Option<R>>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> {
            Box::pin(async move {
                let proven = self.get_from(rpc, key).await?;
                let value = proven
                    .value
                    .as_deref()
                    .map(R::from_bytes)
                    .transpose()
                    .map_err(|error| Fault::unverified(R::WHAT, error))?;
                Ok(Proven {
                    value,
                    state_height: proven.state_height,
                    header: proven.header,
                })
            })
        })
        .await
    }

    /// The value under `key` of the main tree, proven present or absent.
    ///
    /// # Errors
    /// [`ClientError::Nodes`].
    pub async fn get(&self, key: &[u8]) -> Result<Proven<Option<Vec<u8>>>, ClientError> {
        self.each(move |rpc| -> BoxFuture<'_, _> { Box::pin(self.get_from(rpc, key)) })
            .await
    }
}
