//! The application: what consensus, mempool and queries share, behind one type.
//!
//! Consensus calls come one after another on one connection, mempool calls on a second, queries on
//! a third; each has its own lock, and they meet in the store, which is consistent by snapshots.

use std::sync::{Arc, Mutex, MutexGuard};

use hub_types::{Gas, Genesis, Height, Timestamp};
use identity::ChainId;

use super::block::{self, BlockInput, Executed, Prepared, StagedGenesis};
use super::context::{BlockContext, PolicyChanges};
use super::failure::NodeFailure;
use super::known::KnownTransactions;
use super::policies::CompiledPolicies;
use super::transaction::{Executor, SignatureCheck, TransactionResult};
use crate::auth::genesis;
use crate::serve::metrics::Metrics;
use crate::store::{Committed, Layer, StagedBlock, State, Store, TreeId, TreeUpdate, View};

/// The application.
pub struct Hub {
    store: Arc<Store>,
    compiled: CompiledPolicies,
    known: KnownTransactions,
    metrics: Arc<Metrics>,
    consensus: Mutex<Consensus>,
    mempool: Mutex<Layer>,
    looked_at: Mutex<Option<LookedAt>>,
}

/// The transactions of the last proposal, parsed and verified: PrepareProposal, ProcessProposal and
/// FinalizeBlock mostly hand over the same ones, one after another.
struct LookedAt {
    transactions: Vec<prost::bytes::Bytes>,
    height: Height,
    prepared: Vec<Prepared>,
}

#[derive(Default)]
struct Consensus {
    genesis: Option<Arc<StagedGenesis>>,
    staged: Option<StagedBlock>,
}

/// What InitChain brings.
pub struct ChainStart {
    /// The chain.
    pub chain: ChainId,
    /// The first height.
    pub initial_height: u64,
    /// Genesis.
    pub genesis: Genesis,
}

/// A block as consensus hands it over.
pub struct Block<'a> {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
    /// Its hash.
    pub hash: hub_types::BlockHash,
    /// Its transactions.
    pub transactions: &'a [prost::bytes::Bytes],
}

impl Hub {
    /// An application over a store.
    pub fn new(store: Arc<Store>, metrics: Arc<Metrics>) -> Hub {
        if let Some(committed) = store.committed() {
            metrics.height.set(committed.height as i64);
        }
        Hub {
            store,
            compiled: CompiledPolicies::default(),
            known: KnownTransactions::default(),
            metrics,
            consensus: Mutex::default(),
            mempool: Mutex::default(),
            looked_at: Mutex::default(),
        }
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Compiled policies.
    pub fn compiled(&self) -> &CompiledPolicies {
        &self.compiled
    }

    /// Stages genesis and returns its root. May be called again until the first commit; the last
    /// call counts.
    ///
    /// # Errors
    /// The node's failure, also when the store holds a chain already.
    pub fn start_chain(&self, start: ChainStart) -> Result<[u8; 32], NodeFailure> {
        let view = self.store.view()?;
        if let Some(committed) = view.committed() {
            return Err(NodeFailure::State {
                what: format!(
                    "InitChain for {} while the store holds {} at height {}",
                    start.chain, committed.chain_id, committed.height
                ),
            });
        }
        let mut layer = Layer::default();
        genesis::write(&start.genesis, &mut layer).map_err(|error| NodeFailure::State {
            what: error.to_string(),
        })?;
        let (mut trees, _) = layer.clone().split();
        let writes = trees.remove(&TreeId::Main).unwrap_or_default();
        // Version = height, and genesis is the state before the first block.
        let version = start.initial_height.saturating_sub(1);
        let update = TreeUpdate::compute(&view, TreeId::Main, version, writes, None)?;
        let root = update.root;
        let mut consensus = self.consensus();
        consensus.staged = None;
        consensus.genesis = Some(Arc::new(StagedGenesis {
            layer,
            update,
            chain: start.chain,
            initial_height: start.initial_height,
        }));
        *self.mempool() = Layer::default();
        // What was verified was verified for the chain of an earlier InitChain.
        self.known.forget();
        *self.looked_at() = None;
        Ok(root)
    }

    /// Executes a block and keeps it staged.
    ///
    /// # Errors
    /// The node's failure: the process must end, because going on would be another chain.
    pub fn finalize(
        &self,
        input: &Block<'_>,
    ) -> Result<(Vec<TransactionResult>, [u8; 32]), NodeFailure> {
        let mut consensus = self.consensus();
        let view = self.store.view()?;
        let genesis = genesis_under(&view, consensus.genesis.as_ref());
        let (chain, initial_height, last_height) = chain_of(&view, genesis)?;
        if input.height.0 != last_height + 1 {
            return Err(NodeFailure::State {
                what: format!(
                    "block {} was handed over after block {last_height}",
                    input.height
                ),
            });
        }
        let context = self.context(&view, genesis, chain, input.height, input.time)?;
        let prepared = self.prepared(&view, genesis, &context, input.transactions)?;
        let executed = block::execute(
            &view,
            genesis.map(Arc::as_ref),
            &self.compiled,
            &self.known,
            &BlockInput {
                context: &context,
                hash: input.hash,
                initial_height,
            },
            prepared,
        )?;
        self.count(&executed);
        let Executed {
            results,
            staged,
            app_hash,
            ..
        } = executed;
        consensus.staged = Some(staged);
        Ok((results, app_hash))
    }

    /// Writes the staged block, and starts the mempool's state anew from it.
    ///
    /// # Errors
    /// The node's failure; also when nothing is staged.
    pub fn commit(&self) -> Result<Committed, NodeFailure> {
        let mut consensus = self.consensus();
        let staged = consensus.staged.take().ok_or_else(|| NodeFailure::State {
            what: "Commit came before FinalizeBlock".to_owned(),
        })?;
        let committed = staged.committed().clone();
        // CometBFT holds its mempool while Commit runs; taking the lock here keeps any other
        // caller from checking against a half-new state.
        let mut mempool = self.mempool();
        self.store.commit(staged)?;
        *mempool = Layer::default();
        consensus.genesis = None;
        self.metrics.height.set(committed.height as i64);
        self.metrics.last_commit_time.set(committed.time.0 as f64);
        Ok(committed)
    }

    /// Checks a transaction against the mempool's own state.
    ///
    /// # Errors
    /// The node's failure.
    pub fn check(
        &self,
        bytes: &[u8],
        signature: SignatureCheck,
    ) -> Result<TransactionResult, NodeFailure> {
        let genesis = self.genesis();
        let mut mempool = self.mempool();
        let view = self.store.view()?;
        let genesis = genesis_under(&view, genesis.as_ref());
        let context = self.next_context(&view, genesis)?;
        let layer = genesis.map(|genesis| &genesis.layer);
        let mut state = State::new(&view, layer, &mut mempool);
        self.executor(&context).check(&mut state, bytes, signature)
    }

    /// Executes a transaction over the newest state and keeps nothing of it.
    ///
    /// # Errors
    /// The node's failure.
    pub fn simulate(&self, bytes: &[u8]) -> Result<TransactionResult, NodeFailure> {
        let genesis = self.genesis();
        let view = self.store.view()?;
        let genesis = genesis_under(&view, genesis.as_ref());
        let context = self.next_context(&view, genesis)?;
        let mut scratch = Layer::default();
        let layer = genesis.map(|genesis| &genesis.layer);
        let mut state = State::new(&view, layer, &mut scratch);
        let executor = self.executor(&context);
        let parsed = executor.parse(bytes);
        let nothing = PolicyChanges::new();
        let (result, _) =
            executor.deliver_as(&mut state, parsed, SignatureCheck::Skip, &nothing)?;
        Ok(result)
    }

    /// The gas that each transaction asks for, `None` for what does not parse; verifies the
    /// signatures of the others ahead of time.
    ///
    /// # Errors
    /// The node's failure.
    pub fn well_formed(
        &self,
        transactions: &[prost::bytes::Bytes],
    ) -> Result<Vec<Option<Gas>>, NodeFailure> {
        let genesis = self.genesis();
        let view = self.store.view()?;
        let genesis = genesis_under(&view, genesis.as_ref());
        let context = self.next_context(&view, genesis)?;
        let prepared = self.prepared(&view, genesis, &context, transactions)?;
        let limit = |one: &Prepared| one.parsed.is_ok().then(|| one.gas_limit());
        let limits = prepared.iter().map(limit).collect();
        *self.looked_at() = Some(LookedAt {
            transactions: transactions.to_vec(),
            height: context.height,
            prepared,
        });
        Ok(limits)
    }

    /// What was prepared for the proposal, if these are its transactions; else prepared now.
    fn prepared(
        &self,
        view: &View<'_>,
        genesis: Option<&Arc<StagedGenesis>>,
        context: &BlockContext,
        transactions: &[prost::bytes::Bytes],
    ) -> Result<Vec<Prepared>, NodeFailure> {
        let looked_at = self.looked_at().take();
        if let Some(looked_at) = looked_at {
            if looked_at.height == context.height && looked_at.transactions == transactions {
                return Ok(looked_at.prepared);
            }
        }
        let layer = genesis.map(|genesis| &genesis.layer);
        let (prepared, counts) = block::prepare(view, layer, context, &self.known, transactions)?;
        self.metrics.signature_hits.inc_by(counts.known);
        self.metrics.signature_misses.inc_by(counts.verified);
        Ok(prepared)
    }

    fn looked_at(&self) -> MutexGuard<'_, Option<LookedAt>> {
        self.looked_at
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn executor<'a>(&'a self, context: &'a BlockContext) -> Executor<'a> {
        Executor {
            block: context,
            compiled: &self.compiled,
            known: &self.known,
        }
    }

    /// The context of a block that is not there yet: the next height, the last block's time.
    fn next_context(
        &self,
        view: &View<'_>,
        genesis: Option<&Arc<StagedGenesis>>,
    ) -> Result<BlockContext, NodeFailure> {
        let (chain, _, last_height) = chain_of(view, genesis)?;
        let (seconds, nanos) = view.committed().map_or((0, 0), |committed| committed.time);
        let time = Timestamp::new(seconds, nanos).unwrap_or_default();
        self.context(view, genesis, chain, Height(last_height + 1), time)
    }

    fn context(
        &self,
        view: &View<'_>,
        genesis: Option<&Arc<StagedGenesis>>,
        chain: ChainId,
        height: Height,
        time: Timestamp,
    ) -> Result<BlockContext, NodeFailure> {
        let mut nothing = Layer::default();
        let layer = genesis.map(|genesis| &genesis.layer);
        let params = block::params(&State::new(view, layer, &mut nothing))?;
        BlockContext::new(chain, height, time, params)
    }

    fn count(&self, executed: &Executed) {
        let metrics = &self.metrics;
        metrics.block_writes.observe(executed.writes as f64);
        for result in &executed.results {
            let label = crate::serve::metrics::CodeLabel {
                code: result.code_number(),
            };
            metrics.transactions.get_or_create(&label).inc();
        }
    }

    fn genesis(&self) -> Option<Arc<StagedGenesis>> {
        self.consensus().genesis.clone()
    }

    fn consensus(&self) -> MutexGuard<'_, Consensus> {
        self.consensus
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn mempool(&self) -> MutexGuard<'_, Layer> {
        self.mempool
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Genesis lies under a view only while that shows nothing.
fn genesis_under<'a>(
    view: &View<'_>,
    genesis: Option<&'a Arc<StagedGenesis>>,
) -> Option<&'a Arc<StagedGenesis>> {
    genesis.filter(|_| view.committed().is_none())
}

/// The chain, its first height and its last.
fn chain_of(
    view: &View<'_>,
    genesis: Option<&Arc<StagedGenesis>>,
) -> Result<(ChainId, u64, u64), NodeFailure> {
    if let Some(committed) = view.committed() {
        let chain = ChainId::parse(&committed.chain_id).map_err(|error| NodeFailure::State {
            what: error.to_string(),
        })?;
        return Ok((chain, committed.initial_height, committed.height));
    }
    match genesis {
        Some(genesis) => Ok((
            genesis.chain.clone(),
            genesis.initial_height,
            genesis.initial_height.saturating_sub(1),
        )),
        None => Err(NodeFailure::State {
            what: "the chain has not started: InitChain has not come yet".to_owned(),
        }),
    }
}
