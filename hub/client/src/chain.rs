//! The light client's loop: which headers to fetch, what was verified of them, what is kept.
//!
//! Everything that decides is in `hub-light`; here is what it needs from the world: bytes from a
//! node, the time, and a file in which the newest verified block outlives the process. One rule
//! of our own: a node whose newest block is below one that is verified already, or older than a
//! minute, is behind, and none of its state is used. It may be honest; it is of no use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hub_light::{LightBlock, LightError, SkippingPath, TrustPoint, VerifiedBlock, Verifier};
use hub_types::{Height, Timestamp};
use identity::ChainId;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator;
use tokio::time::Instant;

use crate::block::Block;
use crate::client::Options;
use crate::clock::Clock;
use crate::error::{ClientError, Fault};
use crate::rpc::{Rpc, RpcError};
use crate::state_file::StateFile;

/// Verified headers that are kept by height: enough for the blocks that one command touches.
const BLOCKS_KEPT: usize = 256;

/// Validator sets that are kept by hash: sets change seldom, and a hash names one for ever.
const SETS_KEPT: usize = 8;

/// Headers fetched on the way to one target. Halving needs 63 at most, and each step that
/// succeeds took signatures of real validators.
const FETCHES_MAX: usize = 256;

/// How often a header that does not exist yet is asked for.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// What is verified so far, and how to verify more.
pub(crate) struct Chain {
    id: ChainId,
    trust: TrustPoint,
    verifier: Verifier,
    clock: Arc<dyn Clock>,
    header_age_max: Duration,
    trusting_period: Duration,
    file: Option<StateFile>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    newest: Option<VerifiedBlock>,
    blocks: BTreeMap<u64, Block>,
    sets: Vec<(tendermint::Hash, Vec<validator::Info>)>,
}

impl Chain {
    /// Starts from the state file where it belongs to this chain and trust point.
    pub(crate) fn open(options: Options) -> Result<Self, ClientError> {
        let file = options.state_file.map(StateFile::at);
        let newest = match &file {
            Some(file) => file.read(&options.chain_id, options.trust)?,
            None => None,
        };
        let chain = Self {
            id: options.chain_id,
            trust: options.trust,
            verifier: Verifier::new(hub_light::Options {
                trusting_period: options.trusting_period,
                clock_drift: options.clock_drift,
            }),
            clock: options.clock,
            header_age_max: options.header_age_max,
            trusting_period: options.trusting_period,
            file,
            state: Mutex::new(State::default()),
        };
        if let Some(newest) = newest {
            chain.remember(newest);
        }
        Ok(chain)
    }

    pub(crate) fn id(&self) -> &ChainId {
        &self.id
    }

    /// The newest verified block.
    pub(crate) fn newest(&self) -> Option<Block> {
        self.state().newest.as_ref().map(block_of)
    }

    /// The verified block at `height`, if this process has it at hand.
    pub(crate) fn known(&self, height: u64) -> Option<Block> {
        self.state().blocks.get(&height).cloned()
    }

    /// The node's newest block, verified and fresh.
    pub(crate) async fn latest(&self, rpc: Rpc<'_>) -> Result<Block, Fault> {
        let shown = rpc.commit(None).await?;
        let height = shown.header.height.value();
        let trusted = self.start(rpc).await?;
        let newest = trusted.trusted().height.0;
        if height < newest {
            return Err(Fault::Behind(format!(
                "its newest block is {height}, and block {newest} is verified already"
            )));
        }
        let block = if height == newest {
            let verified = block_of(&trusted);
            if hub_light::block_hash(&shown.header) != verified.trusted.hash {
                return Err(Fault::unverified(
                    "a header",
                    format!("it has another block at height {height} than the verified one"),
                ));
            }
            verified
        } else {
            self.advance(rpc, trusted, Height(height), Some(shown))
                .await?
        };
        self.check_age(&block)?;
        Ok(block)
    }

    /// Waits until the node has a header at `height`, above the newest verified one, and verifies
    /// it.
    pub(crate) async fn reach(
        &self,
        rpc: Rpc<'_>,
        height: u64,
        timeout: Duration,
    ) -> Result<Block, Fault> {
        if let Some(block) = self.known(height) {
            return Ok(block);
        }
        let deadline = Instant::now() + timeout;
        let trusted = self.start(rpc).await?;
        if trusted.trusted().height.0 >= height {
            return self.reached_before(rpc, &trusted, height).await;
        }
        loop {
            match rpc.commit(Some(height)).await {
                Ok(shown) => {
                    // Another task may have come further meanwhile.
                    let trusted = self.start(rpc).await?;
                    if trusted.trusted().height.0 >= height {
                        return self.reached_before(rpc, &trusted, height).await;
                    }
                    return self
                        .advance(rpc, trusted, Height(height), Some(shown))
                        .await;
                }
                // CometBFT and the solo engine refuse a height that they have not reached.
                Err(RpcError::Refused { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
                Err(RpcError::Refused { .. }) => {
                    return Err(Fault::Final(Box::new(ClientError::NotReached {
                        height: Height(height),
                        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
                    })))
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn reached_before(
        &self,
        rpc: Rpc<'_>,
        newest: &VerifiedBlock,
        height: u64,
    ) -> Result<Block, Fault> {
        match self.known(height) {
            Some(block) => Ok(block),
            None => self.below(rpc, block_of(newest), height).await,
        }
    }

    /// A block below a verified one, by the block log under the newest header.
    pub(crate) async fn below(
        &self,
        rpc: Rpc<'_>,
        newest: Block,
        height: u64,
    ) -> Result<Block, Fault> {
        let hash = crate::blocks::hash_under(rpc, &newest, Height(height)).await?;
        let point = TrustPoint {
            height: Height(height),
            hash,
        };
        let light = self.fetch(rpc, Height(height), None).await?;
        let verified = Verifier::start(point, light).map_err(|error| self.refuse(error))?;
        let block = block_of(&verified);
        self.keep(block.clone());
        Ok(block)
    }

    /// The light block of a verified block, with every signature checked.
    pub(crate) async fn light_block(
        &self,
        rpc: Rpc<'_>,
        block: &Block,
    ) -> Result<wire::light::LightBlock, Fault> {
        let light = self.fetch(rpc, block.trusted.height, None).await?;
        let verified =
            Verifier::start(block.trusted.point(), light).map_err(|error| self.refuse(error))?;
        Ok(verified.block().to_wire())
    }

    /// The newest verified block, fetching the trust point's where there is none yet.
    async fn start(&self, rpc: Rpc<'_>) -> Result<VerifiedBlock, Fault> {
        if let Some(newest) = self.state().newest.clone() {
            return Ok(newest);
        }
        let light = self.fetch(rpc, self.trust.height, None).await?;
        let verified = Verifier::start(self.trust, light).map_err(|error| self.refuse(error))?;
        if verified.trusted().chain_id != self.id {
            return Err(self.refuse(LightError::ChainId {
                expected: self.id.clone(),
                found: verified.trusted().chain_id.to_string(),
            }));
        }
        self.accept(verified.clone())?;
        Ok(verified)
    }

    /// From a verified block to `target`, through as many blocks in between as it takes.
    async fn advance(
        &self,
        rpc: Rpc<'_>,
        trusted: VerifiedBlock,
        target: Height,
        mut shown: Option<SignedHeader>,
    ) -> Result<Block, Fault> {
        let mut path = SkippingPath::new(trusted, target).map_err(|error| self.refuse(error))?;
        let mut fetches = 0;
        while let Some(height) = path.wants() {
            fetches += 1;
            if fetches > FETCHES_MAX {
                return Err(Fault::unverified(
                    "headers",
                    "they lead nowhere: too many blocks in between are needed",
                ));
            }
            let at_hand = shown
                .take()
                .filter(|shown| shown.header.height.value() == height.0);
            let light = self.fetch(rpc, height, at_hand).await?;
            path.offer(&self.verifier, light, self.clock.now())
                .map_err(|error| self.refuse(error))?;
        }
        let verified = path.into_verified();
        let block = block_of(&verified);
        self.accept(verified)?;
        Ok(block)
    }

    /// A light block as the node shows it, not verified.
    async fn fetch(
        &self,
        rpc: Rpc<'_>,
        height: Height,
        shown: Option<SignedHeader>,
    ) -> Result<LightBlock, Fault> {
        let signed_header = match shown {
            Some(shown) => shown,
            None => rpc.commit(Some(height.0)).await?,
        };
        let header = &signed_header.header;
        let (now, next) = (header.validators_hash, header.next_validators_hash);
        let validators = self.validators(rpc, height, now).await?;
        let next_validators = match now == next {
            true => None,
            false => Some(self.validators(rpc, height.next(), next).await?),
        };
        LightBlock::new(signed_header, &validators, next_validators.as_deref())
            .map_err(|error| self.refuse(error))
    }

    /// The validators at `height`, whose hash the header states. A set is kept only when it has
    /// that hash, so a lie does not outlive the answer that told it.
    async fn validators(
        &self,
        rpc: Rpc<'_>,
        height: Height,
        hash: tendermint::Hash,
    ) -> Result<Vec<validator::Info>, Fault> {
        let known = |state: &State| {
            let found = state.sets.iter().find(|(each, _)| *each == hash);
            found.map(|(_, set)| set.clone())
        };
        if let Some(set) = known(&self.state()) {
            return Ok(set);
        }
        let set = rpc.validators(height.0).await?;
        let infos = set.validators().clone();
        if set.hash() == hash {
            let mut state = self.state();
            if state.sets.len() >= SETS_KEPT {
                state.sets.remove(0);
            }
            state.sets.push((hash, infos.clone()));
        }
        Ok(infos)
    }

    fn check_age(&self, block: &Block) -> Result<(), Fault> {
        let age = self.clock.now().nanos_since(block.trusted.time);
        let most = i128::try_from(self.header_age_max.as_nanos()).unwrap_or(i128::MAX);
        if age > most {
            return Err(Fault::Behind(format!(
                "its newest block, {}, is from {}, {} seconds ago; either it or the chain stands still",
                block.trusted.height,
                block.trusted.time,
                age / 1_000_000_000
            )));
        }
        Ok(())
    }

    /// Keeps a block that was just verified, and writes it down where it is the newest.
    fn accept(&self, verified: VerifiedBlock) -> Result<(), Fault> {
        if self.remember(verified.clone()) {
            if let Some(file) = &self.file {
                file.write(&self.id, self.trust, &verified)
                    .map_err(|error| Fault::Final(Box::new(error)))?;
            }
        }
        Ok(())
    }

    /// Whether the block is the newest now.
    fn remember(&self, verified: VerifiedBlock) -> bool {
        self.keep(block_of(&verified));
        let mut state = self.state();
        let newer = state
            .newest
            .as_ref()
            .is_none_or(|newest| verified.trusted().height > newest.trusted().height);
        if newer {
            state.newest = Some(verified);
        }
        newer
    }

    fn keep(&self, block: Block) {
        let mut state = self.state();
        state.blocks.insert(block.height(), block);
        while state.blocks.len() > BLOCKS_KEPT {
            state.blocks.pop_first();
        }
    }

    fn refuse(&self, error: LightError) -> Fault {
        match error {
            LightError::Expired { trusted, .. } => self.expired(trusted),
            error => Fault::unverified("a header", crate::error::with_causes(&error)),
        }
    }

    fn expired(&self, time: Timestamp) -> Fault {
        Fault::Final(Box::new(ClientError::TrustExpired {
            time: time.to_string(),
            hours: self.trusting_period.as_secs() / 3600,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept is replaced whole, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn block_of(verified: &VerifiedBlock) -> Block {
    Block::new(
        verified.trusted().clone(),
        &verified.block().signed_header().header,
    )
}
