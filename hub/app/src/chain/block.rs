//! One block: transactions in order, then the roots.
//!
//! Nothing here writes to disk. What comes out is a [`StagedBlock`], which Commit writes whole.

use std::sync::Arc;

use hub_types::{
    auth::{self, Params},
    blocks::{self, BlockLeaf, BlockLog},
    Amount, BlockHash, Gas, Record, Transaction, TransactionError, TransactionHash, BLOCK_GAS_MAX,
};
use identity::ChainId;
use prost::Message as _;
use rayon::prelude::*;

use super::block_time;
use super::context::{account, read_record, BlockContext, PolicyChanges};
use super::failure::{Failure, NodeFailure};
use super::known::{Known, KnownTransactions};
use super::policies::CompiledPolicies;
use super::signatures::{verify_all, Claim};
use super::transaction::{Executor, TransactionResult};
use crate::policy::seal::seal;
use crate::store::{
    append_to_log, Base, Column, Committed, Layer, LogName, Space, StagedBlock, State, StoreError,
    TreeId, TreeUpdate, View,
};

/// Genesis, staged until the first block is committed: CometBFT sends InitChain again while the
/// application's height is 0, so nothing of it may be on disk before.
pub struct StagedGenesis {
    /// What it writes.
    pub layer: Layer,
    /// The main tree's first version.
    pub update: TreeUpdate,
    /// The chain.
    pub chain: ChainId,
    /// The first height.
    pub initial_height: u64,
}

/// A block to execute.
pub struct BlockInput<'a> {
    /// What its transactions share.
    pub context: &'a BlockContext,
    /// The block's own hash.
    pub hash: BlockHash,
    /// The chain's first height.
    pub initial_height: u64,
}

/// What a block came to.
pub struct Executed {
    /// One result for each transaction.
    pub results: Vec<TransactionResult>,
    /// What Commit writes.
    pub staged: StagedBlock,
    /// The main tree's root.
    pub app_hash: [u8; 32],
    /// How many keys the block changed.
    pub writes: usize,
}

/// Executes a block's transactions, as [`prepare`] gave them, over a view.
///
/// # Errors
/// The node's failure; refused transactions are results.
pub fn execute(
    view: &View<'_>,
    genesis: Option<&StagedGenesis>,
    compiled: &CompiledPolicies,
    known: &KnownTransactions,
    input: &BlockInput<'_>,
    prepared: Vec<Prepared>,
) -> Result<Executed, NodeFailure> {
    let context = input.context;
    let executor = Executor {
        block: context,
        compiled,
        known,
    };
    let genesis_layer = genesis.map(|genesis| &genesis.layer);
    let mut layer = Layer::default();
    let mut results = Vec::with_capacity(prepared.len());
    let mut fees = Amount(0);
    let mut changes = PolicyChanges::new();
    let mut gas_left = BLOCK_GAS_MAX;
    {
        let mut state = State::new(view, genesis_layer, &mut layer);
        for transaction in prepared {
            let gas_limit = transaction.gas_limit();
            let (result, effects) =
                executor.deliver(&mut state, transaction, gas_left, &changes)?;
            // What does not fit is refused and takes nothing from those after it.
            gas_left = gas_left.checked_sub(gas_limit).unwrap_or(gas_left);
            fees = fees
                .checked_add(effects.fee)
                .ok_or_else(|| contradiction("fees above the supply"))?;
            for (policy, mut made) in effects.changes {
                changes.entry(policy).or_default().append(&mut made);
            }
            results.push(result);
        }
    }
    let policy_writes = layer.take_policy_trees();
    let policy_updates = {
        let mut state = State::new(view, genesis_layer, &mut layer);
        credit_fees(&mut state, fees)?;
        append_block(&mut state, input)?;
        let updates = seal(context, view, &mut state, changes, policy_writes)?;
        state.keep();
        updates
    };
    let writes = layer.len();
    let (staged, app_hash) = stage(view, genesis, input, layer, &policy_updates)?;
    Ok(Executed {
        results,
        staged,
        app_hash,
        writes,
    })
}

fn contradiction(what: &str) -> NodeFailure {
    NodeFailure::State {
        what: what.to_owned(),
    }
}

/// A transaction that was parsed, and whose signature was looked at.
#[derive(Clone)]
pub struct Prepared {
    /// The transaction, or why it is none.
    pub parsed: Result<Arc<Transaction>, TransactionError>,
    /// The account number for which its signature is right. `None` where it is wrong, or where the
    /// account did not exist yet: then the signature is looked at when its turn comes.
    pub verified_for: Option<u64>,
}

impl Prepared {
    /// The gas that it asks for, which counts against the block's; nothing is asked for by what is
    /// no transaction.
    pub fn gas_limit(&self) -> Gas {
        self.parsed
            .as_ref()
            .map_or(0, |transaction| transaction.fee().gas_limit)
    }
}

/// How many transactions were known before, and how many signatures were verified now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Known.
    pub known: u64,
    /// Verified now, right or wrong.
    pub verified: u64,
}

/// Parses and verifies, on all cores, those transactions that are not known yet.
///
/// # Errors
/// The node's failure.
pub fn prepare(
    view: &View<'_>,
    genesis: Option<&Layer>,
    context: &BlockContext,
    known: &KnownTransactions,
    transactions: &[prost::bytes::Bytes],
) -> Result<(Vec<Prepared>, Counts), NodeFailure> {
    let params = &context.params;
    let looked_at: Vec<_> = transactions
        .par_iter()
        .map(|bytes| {
            if let Some(known) = known.get(params, &TransactionHash::of(bytes)) {
                let prepared = Prepared {
                    parsed: Ok(known.transaction),
                    verified_for: Some(known.account_number),
                };
                return Ok((prepared, None));
            }
            let parsed = Transaction::parse(bytes, params).map(Arc::new);
            let claim = match &parsed {
                Ok(transaction) => account_number(view, genesis, transaction)?
                    .map(|number| (number, Claim::of(transaction, &context.chain, number))),
                Err(_) => None,
            };
            let prepared = Prepared {
                parsed,
                verified_for: None,
            };
            Ok((prepared, claim))
        })
        .collect::<Result<_, NodeFailure>>()?;
    let mut prepared = Vec::with_capacity(looked_at.len());
    let mut open = Vec::new();
    let mut claims = Vec::new();
    let mut counts = Counts::default();
    for (index, (one, claim)) in looked_at.into_iter().enumerate() {
        counts.known += u64::from(one.verified_for.is_some());
        prepared.push(one);
        if let Some((number, claim)) = claim {
            open.push((index, number));
            claims.push(claim);
        }
    }
    counts.verified = claims.len() as u64;
    let right = open.into_iter().zip(verify_all(&claims));
    for ((index, number), _) in right.filter(|(_, right)| *right) {
        prepared[index].verified_for = Some(number);
        if let Ok(transaction) = &prepared[index].parsed {
            let transaction = transaction.clone();
            known.remember(
                params,
                [Known {
                    transaction,
                    account_number: number,
                }],
            );
        }
    }
    Ok((prepared, counts))
}

/// Only the number is wanted; the whole record is read when the transaction's turn comes.
fn account_number(
    base: &View<'_>,
    genesis: Option<&Layer>,
    transaction: &Transaction,
) -> Result<Option<u64>, NodeFailure> {
    let key = auth::keys::account(&transaction.signer().address);
    let space = Space::Tree(TreeId::Main);
    let staged = genesis.and_then(|layer| layer.lookup(&space, &key).flatten());
    let bytes = match staged {
        Some(bytes) => Some(bytes.to_vec()),
        None => base.read(&space, &key)?,
    };
    let account = bytes.map(|bytes| wire::light::Account::decode(&bytes[..]));
    Ok(account
        .transpose()
        .map_err(|error| contradiction(&error.to_string()))?
        .map(|account| account.number))
}

/// Fees are credited once a block: one written key instead of one a transaction.
fn credit_fees(state: &mut State<'_>, fees: Amount) -> Result<(), NodeFailure> {
    if fees == Amount(0) {
        return Ok(());
    }
    let address = auth::keys::fee_collector();
    let mut collector = node_only(account(state, &address))?
        .ok_or_else(|| contradiction("there is no fee collector"))?;
    collector.balance = collector
        .balance
        .checked_add(fees)
        .ok_or_else(|| contradiction("fees above the supply"))?;
    state.put_tree(
        TreeId::Main,
        auth::keys::account(&address),
        Some(collector.to_bytes()),
    );
    state.keep();
    Ok(())
}

fn append_block(state: &mut State<'_>, input: &BlockInput<'_>) -> Result<(), NodeFailure> {
    let key = blocks::keys::block_log();
    let mut log: BlockLog = node_only(read_record(state, &key))?
        .unwrap_or_else(|| BlockLog::new(hub_types::Height(input.initial_height)));
    let leaf = BlockLeaf {
        height: input.context.height,
        hash: input.hash,
    };
    if log.last_height().next() != leaf.height {
        return Err(NodeFailure::State {
            what: format!("block {} follows block {}", leaf.height, log.last_height()),
        });
    }
    append_to_log(state, LogName::Blocks, &mut log.blocks, &leaf.to_bytes())?;
    state.put_tree(TreeId::Main, key, Some(log.to_bytes()));
    let (key, time) = block_time::entry(input.context.height, input.context.time);
    state.put(Space::Side(Column::Blocks), key, Some(time));
    state.keep();
    Ok(())
}

fn stage(
    view: &View<'_>,
    genesis: Option<&StagedGenesis>,
    input: &BlockInput<'_>,
    layer: Layer,
    policy_updates: &[TreeUpdate],
) -> Result<(StagedBlock, [u8; 32]), StoreError> {
    let context = input.context;
    let (mut trees, sides) = layer.split();
    let main_writes = trees.remove(&TreeId::Main).unwrap_or_default();
    let before = genesis.map(|genesis| &genesis.update);
    let main = TreeUpdate::compute(view, TreeId::Main, context.height.0, main_writes, before)?;
    let app_hash = main.root;
    let mut staged = StagedBlock::new(Committed {
        chain_id: context.chain.as_str().to_owned(),
        initial_height: input.initial_height,
        height: context.height.0,
        app_hash,
        time: (context.time.seconds(), context.time.nanos()),
        lowest_height: view
            .committed()
            .map_or(input.initial_height, |committed| committed.lowest_height),
    });
    if let Some(before) = before {
        staged.add_tree(view, before, None)?;
    }
    for update in policy_updates {
        staged.add_tree(view, update, None)?;
    }
    staged.add_tree(view, &main, before)?;
    for (column, key, value) in sides {
        staged.put_side(view, column, &key, value.as_deref());
    }
    Ok((staged, app_hash))
}

/// Outside of a transaction nothing is refused, so any failure is the node's.
fn node_only<T>(result: Result<T, Failure>) -> Result<T, NodeFailure> {
    result.map_err(|failure| match failure {
        Failure::Node(failure) => failure,
        other => NodeFailure::State {
            what: other.to_string(),
        },
    })
}

/// The chain's parameters.
///
/// # Errors
/// The node's failure; a state without parameters is none of ours.
pub fn params(state: &State<'_>) -> Result<Params, NodeFailure> {
    node_only(read_record(state, &auth::keys::params()))?
        .ok_or_else(|| contradiction("there are no parameters"))
}
