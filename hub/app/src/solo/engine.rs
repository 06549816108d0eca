//! Makes blocks, one after another, and hands them to the application as CometBFT does.
//!
//! The order of writes makes a crash harmless at any point: block, results, application. After a
//! restart the application is at the height of the last block or one below; then that block is
//! handed over again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use hub_light::forge;
use prost::bytes::Bytes;
use serde_json::Value;
use tendermint::{block, chain, validator, Time};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    response_process_proposal::ProposalStatus, CheckTxType, RequestCheckTx, RequestFinalizeBlock,
    RequestInfo, RequestInitChain, RequestPrepareProposal, RequestProcessProposal, ResponseCheckTx,
    ResponseFinalizeBlock,
};
use tendermint_proto::v0_38::types as proto;

use super::block_store::{BlockStore, StoredBlock};
use super::pool::{Pool, POOL_MAX};
use crate::abci::HubApplication;
use crate::home::GenesisFile;
use crate::store::StoreError;

/// What CometBFT keeps of a block's bytes for everything but transactions (`MaxOverheadForBlock`,
/// header, one commit signature, evidence): a generous bound.
const BLOCK_OVERHEAD_BYTES: i64 = 4_096;

/// The power of the one validator, as `cometbft init` gives it.
const VALIDATOR_POWER: u32 = 10;

/// What the engine is made from.
pub struct EngineOptions {
    /// Where blocks are kept.
    pub blocks: PathBuf,
    /// The chain's genesis.
    pub genesis: GenesisFile,
    /// The seed of the validator's ed25519 key.
    pub validator_seed: [u8; 32],
}

/// Why the engine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store of blocks failed.
    #[error("blocks: {0}")]
    Store(#[from] StoreError),
    /// What is stored does not fit together.
    #[error("the solo engine cannot go on: {reason}; start with an empty home folder")]
    State {
        /// What does not fit.
        reason: String,
    },
}

impl EngineError {
    fn state(reason: impl std::fmt::Display) -> EngineError {
        EngineError::State {
            reason: reason.to_string(),
        }
    }
}

/// Why a transaction was not taken, besides the application's own refusal.
#[derive(Debug, thiserror::Error)]
pub enum BroadcastError {
    /// It was sent before. CometBFT's words, which clients look for.
    #[error("tx already exists in cache")]
    Known,
    /// No more fit.
    #[error("mempool is full: number of txs {count} (max: {max})")]
    Full {
        /// How many wait.
        count: usize,
        /// How many may.
        max: usize,
    },
}

/// What the next block follows.
struct Tip {
    height: u64,
    id: Option<block::Id>,
    commit: Option<block::Commit>,
    time: Time,
    app_hash: Vec<u8>,
    results: tendermint::Hash,
}

/// The engine.
pub struct Engine {
    application: HubApplication,
    blocks: BlockStore,
    genesis: GenesisFile,
    chain_id: chain::Id,
    validator: forge::Validator,
    validators: validator::Set,
    tip: Mutex<Tip>,
    pool: Mutex<Pool>,
}

impl Engine {
    /// Opens the engine's blocks and brings the application to their height.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn open(
        options: EngineOptions,
        application: HubApplication,
    ) -> Result<Engine, EngineError> {
        let blocks = BlockStore::open(&options.blocks)?;
        let genesis = options.genesis;
        let chain_id =
            chain::Id::try_from(genesis.chain_id().to_owned()).map_err(EngineError::state)?;
        let validator = forge::Validator::new(options.validator_seed, VALIDATOR_POWER);
        let validators = forge::validator_set(std::slice::from_ref(&validator));
        let genesis_time = Time::parse_from_rfc3339(genesis.time()).map_err(EngineError::state)?;
        let engine = Engine {
            application,
            blocks,
            genesis,
            chain_id,
            validator,
            validators,
            tip: Mutex::new(Tip {
                height: 0,
                id: None,
                commit: None,
                time: genesis_time,
                app_hash: Vec::new(),
                results: forge::results_hash([]),
            }),
            pool: Mutex::default(),
        };
        engine.catch_up()?;
        Ok(engine)
    }

    /// The application.
    pub fn application(&self) -> &HubApplication {
        &self.application
    }

    /// The blocks.
    pub fn blocks(&self) -> &BlockStore {
        &self.blocks
    }

    /// The genesis document.
    pub fn genesis(&self) -> &Value {
        self.genesis.document()
    }

    /// The chain's id.
    pub fn chain_id(&self) -> &str {
        self.chain_id.as_str()
    }

    /// The validator's address.
    pub fn validator_address(&self) -> Vec<u8> {
        self.validator.address().as_bytes().to_vec()
    }

    /// The validator's ed25519 key.
    pub fn validator_key(&self) -> Vec<u8> {
        self.validator.public_key().to_bytes()
    }

    /// The validator's power.
    pub fn validator_power(&self) -> u32 {
        VALIDATOR_POWER
    }

    /// How many transactions wait.
    pub fn waiting(&self) -> usize {
        self.pool().len()
    }

    /// The height of the newest block.
    pub fn height(&self) -> u64 {
        self.tip().height
    }

    /// Gives a transaction to the mempool and says what CheckTx answered.
    ///
    /// # Errors
    /// [`BroadcastError`].
    pub fn broadcast(&self, tx: Bytes) -> Result<ResponseCheckTx, BroadcastError> {
        let mut pool = self.pool();
        if pool.is_known(&tx) {
            return Err(BroadcastError::Known);
        }
        if pool.is_full() {
            return Err(BroadcastError::Full {
                count: pool.len(),
                max: POOL_MAX,
            });
        }
        let response = self.application.check_tx(RequestCheckTx {
            tx: tx.clone(),
            r#type: CheckTxType::New as i32,
        });
        if response.code == 0 {
            pool.add(tx);
        }
        Ok(response)
    }

    /// Makes the next block of what waits. `now` becomes the time of the votes for it, and so, by
    /// CometBFT's rule (the median of the last commit), the time of the block after it.
    ///
    /// # Errors
    /// [`EngineError`]; the process should end then.
    pub fn make_block(&self, now: Time) -> Result<u64, EngineError> {
        let waiting = self.pool().waiting();
        self.make_block_of(waiting, now)
    }

    /// Makes the next block of these transactions.
    ///
    /// # Errors
    /// As [`Engine::make_block`].
    pub fn make_block_of(&self, txs: Vec<Bytes>, now: Time) -> Result<u64, EngineError> {
        let mut tip = self.tip();
        let height = tip.height + 1;
        let time = tip.time;
        let proposer = self.validator_address();
        let max_bytes = self.genesis.block_limit("max_bytes");
        let prepared = self.application.prepare_proposal(RequestPrepareProposal {
            max_tx_bytes: max_bytes.saturating_sub(BLOCK_OVERHEAD_BYTES),
            txs,
            height: height as i64,
            time: Some(time.into()),
            proposer_address: Bytes::from(proposer.clone()),
            ..RequestPrepareProposal::default()
        });
        let stored = self.build(&tip, &prepared.txs, now)?;
        let id = stored_id(&stored)?;
        let processed = self.application.process_proposal(RequestProcessProposal {
            txs: prepared.txs.clone(),
            hash: Bytes::copy_from_slice(id.hash.as_bytes()),
            height: height as i64,
            time: Some(time.into()),
            proposer_address: Bytes::from(proposer),
            ..RequestProcessProposal::default()
        });
        if processed.status != ProposalStatus::Accept as i32 {
            return Err(EngineError::state(
                "the application refused the block that it prepared",
            ));
        }
        self.blocks.save_block(height, &stored)?;
        let results = self.hand_over(&stored)?;
        // From here on broadcasts wait: the pool is rechecked against the new state.
        let mut pool = self.pool();
        self.application.commit();
        pool.remove_committed(&prepared.txs);
        pool.recheck(|tx| {
            let recheck = RequestCheckTx {
                tx: tx.clone(),
                r#type: CheckTxType::Recheck as i32,
            };
            self.application.check_tx(recheck).code == 0
        });
        *tip = tip_after(&stored, &results)?;
        Ok(height)
    }

    /// After a start: genesis if there is no block, the last block if the application lacks it.
    fn catch_up(&self) -> Result<(), EngineError> {
        let stored_height = self.blocks.latest()?;
        let application_height = self
            .application
            .info(RequestInfo::default())
            .last_block_height as u64;
        if application_height > stored_height || application_height + 1 < stored_height {
            return Err(EngineError::state(format!(
                "the application is at height {application_height}, the blocks at {stored_height}"
            )));
        }
        let mut tip = self.tip();
        if application_height == 0 {
            tip.app_hash = self.init_chain(tip.time);
        }
        if stored_height == 0 {
            return Ok(());
        }
        let stored = self.block_at(stored_height)?;
        let results = if application_height < stored_height {
            let results = self.hand_over(&stored)?;
            self.application.commit();
            results
        } else {
            self.blocks
                .results(stored_height)?
                .ok_or_else(|| EngineError::state("the last block has no results"))?
        };
        *tip = tip_after(&stored, &results)?;
        Ok(())
    }

    fn init_chain(&self, time: Time) -> Vec<u8> {
        let response = self.application.init_chain(RequestInitChain {
            time: Some(time.into()),
            chain_id: self.chain_id.as_str().to_owned(),
            app_state_bytes: Bytes::from(self.genesis.app_state()),
            initial_height: 1,
            ..RequestInitChain::default()
        });
        response.app_hash.to_vec()
    }

    fn block_at(&self, height: u64) -> Result<StoredBlock, EngineError> {
        self.blocks
            .block(height)?
            .ok_or_else(|| EngineError::state(format!("block {height} is missing")))
    }

    /// The block on top of `tip`, with the validator's commit for it.
    fn build(&self, tip: &Tip, txs: &[Bytes], now: Time) -> Result<StoredBlock, EngineError> {
        let height = block::Height::try_from(tip.height + 1).map_err(EngineError::state)?;
        let set_hash = self.validators.hash();
        let last_commit = tip.commit.clone();
        let header = forge::header(forge::HeaderParts {
            chain_id: self.chain_id.clone(),
            app_version: 0,
            height,
            time: tip.time,
            last_block_id: tip.id,
            last_commit_hash: last_commit
                .as_ref()
                .map_or(tendermint::Hash::Sha256(merkle::EMPTY_ROOT), |commit| {
                    forge::last_commit_hash(commit)
                }),
            data_hash: forge::data_hash(txs.iter().map(|tx| tx.as_ref())),
            validators_hash: set_hash,
            next_validators_hash: set_hash,
            consensus_hash: forge::consensus_hash(
                self.genesis.block_limit("max_bytes"),
                self.genesis.block_limit("max_gas"),
            ),
            app_hash: tip.app_hash.clone(),
            last_results_hash: tip.results,
            proposer_address: self.validator.address(),
        });
        // Go writes a block id that is nil as an empty message; a block's parts are over these
        // bytes, so they are written alike.
        let nil = || proto::BlockId {
            hash: Vec::new(),
            part_set_header: Some(proto::PartSetHeader::default()),
        };
        let mut written: proto::Header = header.clone().into();
        written.last_block_id.get_or_insert_with(nil);
        let block = proto::Block {
            header: Some(written),
            data: Some(proto::Data {
                txs: txs.iter().map(|tx| tx.to_vec()).collect(),
            }),
            evidence: Some(proto::EvidenceList::default()),
            last_commit: Some(last_commit.map_or_else(
                || proto::Commit {
                    block_id: Some(nil()),
                    ..proto::Commit::default()
                },
                Into::into,
            )),
        };
        let encoded = prost::Message::encode_to_vec(&block);
        let id = forge::block_id(&header, &encoded);
        // Votes are later than what they vote on; a clock that went back must not stop the chain.
        let earliest =
            (tip.time + std::time::Duration::from_millis(1)).map_err(EngineError::state)?;
        let vote_time = if now > earliest { now } else { earliest };
        let commit = forge::commit(
            &self.chain_id,
            height,
            id,
            &self.validators,
            std::slice::from_ref(&self.validator),
            vote_time,
        );
        Ok(StoredBlock {
            block: Some(block),
            id: Some(id.into()),
            commit: Some(commit.into()),
        })
    }

    /// FinalizeBlock, and the results to disk before the application commits.
    fn hand_over(&self, stored: &StoredBlock) -> Result<ResponseFinalizeBlock, EngineError> {
        let block = stored
            .block
            .as_ref()
            .ok_or_else(|| EngineError::state("a stored block is empty"))?;
        let header = block
            .header
            .as_ref()
            .ok_or_else(|| EngineError::state("a stored block has no header"))?;
        let txs = block
            .data
            .iter()
            .flat_map(|data| &data.txs)
            .map(|tx| Bytes::copy_from_slice(tx))
            .collect();
        let results = self.application.finalize_block(RequestFinalizeBlock {
            txs,
            hash: Bytes::copy_from_slice(stored_id(stored)?.hash.as_bytes()),
            height: header.height,
            time: header.time,
            next_validators_hash: Bytes::copy_from_slice(&header.next_validators_hash),
            proposer_address: Bytes::copy_from_slice(&header.proposer_address),
            ..RequestFinalizeBlock::default()
        });
        self.blocks.save_results(header.height as u64, &results)?;
        Ok(results)
    }

    fn tip(&self) -> MutexGuard<'_, Tip> {
        self.tip
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn stored_id(stored: &StoredBlock) -> Result<block::Id, EngineError> {
    stored
        .id
        .clone()
        .ok_or_else(|| EngineError::state("a stored block has no id"))
        .and_then(|id| block::Id::try_from(id).map_err(EngineError::state))
}

/// What the next block follows, once this one is executed.
fn tip_after(stored: &StoredBlock, results: &ResponseFinalizeBlock) -> Result<Tip, EngineError> {
    let missing = || EngineError::state("a stored block is incomplete");
    let header = stored
        .block
        .as_ref()
        .and_then(|block| block.header.as_ref())
        .ok_or_else(missing)?;
    let commit = stored.commit.clone().ok_or_else(missing)?;
    let commit = block::Commit::try_from(commit).map_err(EngineError::state)?;
    let time = commit
        .signatures
        .iter()
        .find_map(|signature| match signature {
            block::CommitSig::BlockIdFlagCommit { timestamp, .. } => Some(*timestamp),
            _ => None,
        })
        .ok_or_else(missing)?;
    Ok(Tip {
        height: header.height as u64,
        id: Some(stored_id(stored)?),
        commit: Some(commit),
        time,
        app_hash: results.app_hash.to_vec(),
        results: forge::results_hash(&results.tx_results),
    })
}

/// The wall clock, whole milliseconds: times are written and read in several encodings.
fn clock_now() -> Time {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let nanos = since.subsec_millis() * 1_000_000;
    Time::from_unix_timestamp(since.as_secs() as i64, nanos).unwrap_or(Time::unix_epoch())
}

/// Makes a block every `interval` until shutdown; then returns after the block under way.
///
/// # Errors
/// The first block that cannot be made.
pub async fn run(
    engine: Arc<Engine>,
    interval: std::time::Duration,
    shutdown: crate::serve::shutdown::Shutdown,
) -> Result<(), EngineError> {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !shutdown.is_requested() {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.clone().requested() => break,
        }
        let engine = engine.clone();
        tokio::task::spawn_blocking(move || engine.make_block(clock_now()))
            .await
            .map_err(EngineError::state)??;
    }
    Ok(())
}
