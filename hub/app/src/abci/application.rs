//! The application behind ABCI: each call of the life cycle, with nothing left to the defaults of
//! `tendermint-abci` that would be unsafe.
//!
//! A failure of this node (store, damaged state) panics, and a panic ends the process
//! ([`crate::serve::panic`]): a result would be another one than on other nodes, and CometBFT has
//! no better word for "I cannot go on".

use std::sync::Arc;
use std::time::Instant;

use hub_types::{Genesis, BLOCK_GAS_MAX};
use identity::ChainId;
use prost::bytes::Bytes;
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{
    response_apply_snapshot_chunk, response_offer_snapshot, response_process_proposal, CheckTxType,
    RequestApplySnapshotChunk, RequestCheckTx, RequestFinalizeBlock, RequestInfo, RequestInitChain,
    RequestOfferSnapshot, RequestPrepareProposal, RequestProcessProposal, RequestQuery,
    ResponseApplySnapshotChunk, ResponseCheckTx, ResponseCommit, ResponseFinalizeBlock,
    ResponseInfo, ResponseInitChain, ResponseOfferSnapshot, ResponsePrepareProposal,
    ResponseProcessProposal, ResponseQuery,
};

use super::convert;
use crate::chain::hub::{Block, ChainStart, Hub};
use crate::chain::transaction::SignatureCheck;
use crate::query;
use crate::serve::metrics::CodeLabel;

/// The application that engines drive.
#[derive(Clone)]
pub struct HubApplication {
    hub: Arc<Hub>,
}

impl HubApplication {
    /// Over the shared state machine.
    pub fn new(hub: Arc<Hub>) -> HubApplication {
        HubApplication { hub }
    }

    /// The shared state machine.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
}

/// Ends the process with a reason, by way of the panic hook.
fn fatal(call: &str, error: &dyn std::error::Error) -> ! {
    panic!("{call}: {}", crate::chain::failure::sentence(error));
}

trait OrFatal<T> {
    fn or_fatal(self, call: &str) -> T;
}

impl<T, E: std::error::Error> OrFatal<T> for Result<T, E> {
    fn or_fatal(self, call: &str) -> T {
        self.unwrap_or_else(|error| fatal(call, &error))
    }
}

impl Application for HubApplication {
    fn info(&self, _request: RequestInfo) -> ResponseInfo {
        let committed = self.hub.store().committed();
        ResponseInfo {
            data: "holdfast".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            app_version: 0,
            last_block_height: committed
                .as_ref()
                .map_or(0, |committed| committed.height as i64),
            last_block_app_hash: committed.map_or_else(Bytes::new, |committed| {
                Bytes::copy_from_slice(&committed.app_hash)
            }),
        }
    }

    fn init_chain(&self, request: RequestInitChain) -> ResponseInitChain {
        const CALL: &str = "InitChain";
        let chain = ChainId::parse(&request.chain_id).or_fatal(CALL);
        let genesis = Genesis::from_json(&request.app_state_bytes).or_fatal(CALL);
        let initial_height = convert::height(request.initial_height)
            .or_fatal(CALL)
            .0
            .max(1);
        let root = self
            .hub
            .start_chain(ChainStart {
                chain,
                initial_height,
                genesis,
            })
            .or_fatal(CALL);
        ResponseInitChain {
            // Both as genesis has them.
            consensus_params: None,
            validators: Vec::new(),
            app_hash: Bytes::copy_from_slice(&root),
        }
    }

    fn check_tx(&self, request: RequestCheckTx) -> ResponseCheckTx {
        // A transaction that is rechecked was verified when it came in; its signature stays right.
        let signature = if request.r#type == CheckTxType::Recheck as i32 {
            SignatureCheck::Skip
        } else {
            SignatureCheck::Verify
        };
        let result = self.hub.check(&request.tx, signature).or_fatal("CheckTx");
        let label = CodeLabel {
            code: result.code_number(),
        };
        self.hub.metrics().checked.get_or_create(&label).inc();
        convert::check_tx(result)
    }

    /// Drops what does not parse, and what does not fit by its bytes or its gas, in order.
    fn prepare_proposal(&self, request: RequestPrepareProposal) -> ResponsePrepareProposal {
        let limits = self
            .hub
            .well_formed(&request.txs)
            .or_fatal("PrepareProposal");
        let mut room = u64::try_from(request.max_tx_bytes).unwrap_or(0);
        let mut gas = BLOCK_GAS_MAX;
        let mut txs = Vec::with_capacity(request.txs.len());
        for (tx, limit) in request.txs.into_iter().zip(limits) {
            let size = encoded_size(tx.len());
            match limit {
                Some(limit) if limit <= gas && size <= room => {
                    room -= size;
                    gas -= limit;
                    txs.push(tx);
                }
                _ => {}
            }
        }
        ResponsePrepareProposal { txs }
    }

    /// Accepts what an honest proposer could have proposed: only transactions that parse, and ask
    /// together for no more gas than a block has. Whether they can pay is for FinalizeBlock;
    /// refusing here for reasons of state would let a proposer's mistake stop the chain. Signatures
    /// are verified on the way, while votes are under way.
    ///
    /// A block of millions of transactions of two bytes would take a gigabyte to look at, so one that
    /// is too short to be any ends it before.
    fn process_proposal(&self, request: RequestProcessProposal) -> ResponseProcessProposal {
        use response_process_proposal::ProposalStatus;
        let possible = |tx: &Bytes| tx.len() >= hub_types::transaction::BYTES_MIN;
        let gas = request.txs.iter().all(possible).then(|| {
            self.hub
                .well_formed(&request.txs)
                .or_fatal("ProcessProposal")
                .into_iter()
                .try_fold(0_u64, |gas, limit| Some(gas.saturating_add(limit?)))
        });
        let status = if gas.flatten().is_some_and(|gas| gas <= BLOCK_GAS_MAX) {
            ProposalStatus::Accept
        } else {
            ProposalStatus::Reject
        };
        ResponseProcessProposal {
            status: status as i32,
        }
    }

    fn finalize_block(&self, request: RequestFinalizeBlock) -> ResponseFinalizeBlock {
        const CALL: &str = "FinalizeBlock";
        let began = Instant::now();
        let Some(hash) = convert::block_hash(&request.hash) else {
            panic!(
                "{CALL}: a block's hash has 32 bytes, not {}",
                request.hash.len()
            );
        };
        let block = Block {
            height: convert::height(request.height).or_fatal(CALL),
            time: convert::timestamp(request.time.as_ref()).or_fatal(CALL),
            hash,
            transactions: &request.txs,
        };
        let (results, app_hash) = self.hub.finalize(&block).or_fatal(CALL);
        assert_eq!(
            results.len(),
            request.txs.len(),
            "{CALL}: one result for each transaction"
        );
        self.hub
            .metrics()
            .finalize_seconds
            .observe(began.elapsed().as_secs_f64());
        ResponseFinalizeBlock {
            events: Vec::new(),
            tx_results: results.into_iter().map(convert::exec_tx_result).collect(),
            validator_updates: Vec::new(),
            consensus_param_updates: None,
            app_hash: Bytes::copy_from_slice(&app_hash),
        }
    }

    fn commit(&self) -> ResponseCommit {
        let began = Instant::now();
        let committed = self.hub.commit().or_fatal("Commit");
        self.hub
            .metrics()
            .commit_seconds
            .observe(began.elapsed().as_secs_f64());
        tracing::debug!(height = committed.height, "committed");
        // CometBFT keeps all blocks: auditors and late light clients ask for old ones.
        ResponseCommit { retain_height: 0 }
    }

    fn query(&self, request: RequestQuery) -> ResponseQuery {
        query::abci(&self.hub, &request)
    }

    /// State sync comes with a later issue; until then no snapshot is taken.
    fn offer_snapshot(&self, _request: RequestOfferSnapshot) -> ResponseOfferSnapshot {
        ResponseOfferSnapshot {
            result: response_offer_snapshot::Result::Reject as i32,
        }
    }

    fn apply_snapshot_chunk(
        &self,
        _request: RequestApplySnapshotChunk,
    ) -> ResponseApplySnapshotChunk {
        ResponseApplySnapshotChunk {
            result: response_apply_snapshot_chunk::Result::Abort as i32,
            refetch_chunks: Vec::new(),
            reject_senders: Vec::new(),
        }
    }
}

/// The bytes that a transaction takes in a block: CometBFT counts its protobuf field (a tag, a
/// varint length, the bytes).
fn encoded_size(length: usize) -> u64 {
    (1 + prost::length_delimiter_len(length) + length) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transactions_size_in_a_block_is_cometbfts() {
        assert_eq!(encoded_size(0), 2);
        assert_eq!(encoded_size(127), 129);
        assert_eq!(encoded_size(128), 131);
    }
}
