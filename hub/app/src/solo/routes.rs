//! The calls that the solo engine answers.

use prost::bytes::Bytes;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{RequestInfo, RequestQuery};

use super::block_store::StoredBlock;
use super::engine::{BroadcastError, Engine};
use super::json;
use super::params::{ParamError, Params};
use crate::store::StoreError;

/// All names, as `/` lists them.
pub const NAMES: [&str; 16] = [
    "abci_info",
    "abci_query",
    "block",
    "block_results",
    "blockchain",
    "broadcast_tx_async",
    "broadcast_tx_sync",
    "commit",
    "genesis",
    "header",
    "health",
    "num_unconfirmed_txs",
    "status",
    "tx",
    "tx_search",
    "validators",
];

/// A refused call, with the codes of JSON-RPC 2.0.
#[derive(Debug, PartialEq, Eq)]
pub struct RpcError {
    /// JSON-RPC's code.
    pub code: i32,
    /// JSON-RPC's words for it.
    pub message: &'static str,
    /// What happened.
    pub data: String,
}

impl RpcError {
    /// The body is not JSON.
    pub fn parse(data: String) -> RpcError {
        RpcError {
            code: -32700,
            message: "Parse error. Invalid JSON",
            data,
        }
    }

    /// The body is no call.
    pub fn request(data: String) -> RpcError {
        RpcError {
            code: -32600,
            message: "Invalid Request",
            data,
        }
    }

    /// The call failed.
    pub fn internal(data: String) -> RpcError {
        RpcError {
            code: -32603,
            message: "Internal error",
            data,
        }
    }
}

impl From<ParamError> for RpcError {
    fn from(error: ParamError) -> RpcError {
        RpcError {
            code: -32602,
            message: "Invalid params",
            data: error.to_string(),
        }
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> RpcError {
        RpcError::internal(error.to_string())
    }
}

/// Answers one call. Blocks.
///
/// # Errors
/// As JSON-RPC reports them.
pub fn call(engine: &Engine, method: &str, params: &Params) -> Result<Value, RpcError> {
    match method {
        "health" => Ok(json!({})),
        "status" => status(engine),
        "genesis" => Ok(json!({"genesis": engine.genesis()})),
        "abci_info" => Ok(abci_info(engine)),
        "abci_query" => abci_query(engine, params),
        "broadcast_tx_sync" | "broadcast_tx_async" => broadcast(engine, params),
        "tx" => tx(engine, params),
        "tx_search" => tx_search(engine, params),
        "commit" => commit(engine, params),
        "header" => {
            let stored = stored(engine, params)?;
            Ok(json!({"header": header_of(&stored)}))
        }
        "block" => {
            let stored = stored(engine, params)?;
            Ok(json!({
                "block_id": json::block_id(stored.id.as_ref()),
                "block": stored.block.as_ref().map(json::block),
            }))
        }
        "block_results" => block_results(engine, params),
        "blockchain" => blockchain(engine, params),
        "num_unconfirmed_txs" => {
            let count = engine.waiting().to_string();
            Ok(json!({"n_txs": count, "total": count, "total_bytes": "0", "txs": Value::Null}))
        }
        "validators" => validators(engine, params),
        _ => Err(RpcError {
            code: -32601,
            message: "Method not found",
            data: format!(
                "the solo engine knows no {method:?}; it answers {}",
                NAMES.join(", ")
            ),
        }),
    }
}

fn header_of(stored: &StoredBlock) -> Option<Value> {
    stored
        .block
        .as_ref()
        .and_then(|block| block.header.as_ref())
        .map(json::header)
}

fn height(engine: &Engine, params: &Params) -> Result<u64, RpcError> {
    let latest = engine.blocks().latest()?;
    match params.height(0, "height")? {
        None => Ok(latest),
        Some(height) if height <= latest => Ok(height),
        Some(height) => Err(RpcError::internal(format!(
            "height {height} must be less than or equal to the current blockchain height {latest}"
        ))),
    }
}

fn stored(engine: &Engine, params: &Params) -> Result<StoredBlock, RpcError> {
    let height = height(engine, params)?;
    engine
        .blocks()
        .block(height)?
        .ok_or_else(|| RpcError::internal(format!("there is no block at height {height} yet")))
}

fn status(engine: &Engine) -> Result<Value, RpcError> {
    let blocks = engine.blocks();
    let latest = blocks.latest()?;
    let newest = blocks.block(latest)?.unwrap_or_default();
    let oldest = blocks.block(1)?.unwrap_or_default();
    let hash = |stored: &StoredBlock| {
        let id = stored.id.clone().unwrap_or_default();
        json::hex_upper(&id.hash)
    };
    let time = |stored: &StoredBlock| {
        let header = stored
            .block
            .as_ref()
            .and_then(|block| block.header.as_ref());
        json::time(header.and_then(|header| header.time.as_ref()))
    };
    let app_hash = |stored: &StoredBlock| {
        let header = stored
            .block
            .as_ref()
            .and_then(|block| block.header.as_ref());
        header.map_or(String::new(), |header| json::hex_upper(&header.app_hash))
    };
    let address = json::hex_upper(&engine.validator_address());
    Ok(json!({
        "node_info": {
            "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
            "id": address.to_lowercase(),
            "listen_addr": "",
            "network": engine.chain_id(),
            "version": concat!("holdfast-solo-", env!("CARGO_PKG_VERSION")),
            "channels": "",
            "moniker": "hubd dev",
            "other": {"tx_index": "on", "rpc_address": ""},
        },
        "sync_info": {
            "latest_block_hash": hash(&newest),
            "latest_app_hash": app_hash(&newest),
            "latest_block_height": latest.to_string(),
            "latest_block_time": time(&newest),
            "earliest_block_hash": hash(&oldest),
            "earliest_app_hash": app_hash(&oldest),
            "earliest_block_height": "1",
            "earliest_block_time": time(&oldest),
            "catching_up": false,
        },
        "validator_info": {
            "address": address,
            "pub_key": {
                "type": "tendermint/PubKeyEd25519",
                "value": json::base64(&engine.validator_key()),
            },
            "voting_power": engine.validator_power().to_string(),
        },
    }))
}

fn abci_info(engine: &Engine) -> Value {
    let info = engine.application().info(RequestInfo::default());
    json!({"response": {
        "data": info.data,
        "version": info.version,
        "app_version": info.app_version.to_string(),
        "last_block_height": info.last_block_height.to_string(),
        "last_block_app_hash": json::base64(&info.last_block_app_hash),
    }})
}

fn abci_query(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let height = params.height(2, "height")?.unwrap_or(0);
    let response = engine.application().query(RequestQuery {
        path: params.string(0, "path")?,
        data: Bytes::from(params.hex_bytes(1, "data")?),
        height: i64::try_from(height).unwrap_or(i64::MAX),
        prove: params.flag(3, "prove")?,
    });
    Ok(json!({"response": json::query(&response)}))
}

fn broadcast(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let tx = params.base64_bytes(0, "tx")?;
    let hash = Sha256::digest(&tx);
    match engine.broadcast(Bytes::from(tx)) {
        Ok(check) => Ok(json!({
            "code": check.code,
            "data": json::hex_upper(&check.data),
            "log": check.log,
            "codespace": check.codespace,
            "hash": json::hex_upper(&hash),
        })),
        Err(error @ (BroadcastError::Known | BroadcastError::Full { .. })) => {
            Err(RpcError::internal(error.to_string()))
        }
    }
}

fn tx(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let hash = params.base64_bytes(0, "hash")?;
    let prove = params.flag(1, "prove")?;
    found(engine, &hash, prove)?
        .ok_or_else(|| RpcError::internal(format!("tx ({}) not found", json::hex_upper(&hash))))
}

/// `tx_search` by hash only: `tx.hash='…'`.
fn tx_search(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let query = params.string(0, "query")?;
    let prove = params.flag(1, "prove")?;
    let hash = query
        .trim()
        .strip_prefix("tx.hash")
        .map(|rest| {
            rest.trim_start_matches([' ', '='])
                .trim_matches(['\'', '"', ' '])
        })
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or_else(|| {
            RpcError::internal(format!(
                "the solo engine searches by hash only, tx.hash='…', not {query:?}"
            ))
        })?;
    let txs: Vec<Value> = found(engine, &hash, prove)?.into_iter().collect();
    Ok(json!({"total_count": txs.len().to_string(), "txs": txs}))
}

fn found(engine: &Engine, hash: &[u8], prove: bool) -> Result<Option<Value>, RpcError> {
    let blocks = engine.blocks();
    let Some(place) = blocks.place(hash)? else {
        return Ok(None);
    };
    let (Some(stored), Some(results)) =
        (blocks.block(place.height)?, blocks.results(place.height)?)
    else {
        // Written, and not executed yet.
        return Ok(None);
    };
    let txs = stored
        .block
        .and_then(|block| block.data)
        .map(|data| data.txs)
        .unwrap_or_default();
    let index = place.index as usize;
    let (Some(tx), Some(result)) = (txs.get(index), results.tx_results.get(index)) else {
        return Ok(None);
    };
    let mut answer = json!({
        "hash": json::hex_upper(hash),
        "height": place.height.to_string(),
        "index": place.index,
        "tx_result": json::tx_result(result),
        "tx": json::base64(tx),
    });
    if prove {
        answer["proof"] = super::tx_proof::proof(&txs, index);
    }
    Ok(Some(answer))
}

fn commit(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let stored = stored(engine, params)?;
    Ok(json!({
        "signed_header": {
            "header": header_of(&stored),
            "commit": stored.commit.as_ref().map(json::commit),
        },
        // The solo engine's first commit is its only one.
        "canonical": true,
    }))
}

fn block_results(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let height = height(engine, params)?;
    let results = engine.blocks().results(height)?.ok_or_else(|| {
        RpcError::internal(format!("could not find results for height #{height}"))
    })?;
    let txs: Vec<Value> = results.tx_results.iter().map(json::tx_result).collect();
    Ok(json!({
        "height": height.to_string(),
        "txs_results": txs,
        "finalize_block_events": [],
        "validator_updates": [],
        "consensus_param_updates": Value::Null,
        "app_hash": json::base64(&results.app_hash),
    }))
}

/// Headers from `maxHeight` downwards, at most twenty, as CometBFT gives them.
fn blockchain(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    const HEADERS_MAX: u64 = 20;
    let latest = engine.blocks().latest()?;
    let last = params.height(1, "maxHeight")?.unwrap_or(latest).min(latest);
    let first = params
        .height(0, "minHeight")?
        .unwrap_or(1)
        .max(last.saturating_sub(HEADERS_MAX - 1))
        .max(1);
    let mut metas = Vec::new();
    for height in (first..=last).rev() {
        let Some(stored) = engine.blocks().block(height)? else {
            continue;
        };
        let txs = stored
            .block
            .as_ref()
            .and_then(|block| block.data.as_ref())
            .map_or(0, |data| data.txs.len());
        metas.push(json!({
            "block_id": json::block_id(stored.id.as_ref()),
            "block_size": stored.block.as_ref().map_or(0, prost::Message::encoded_len).to_string(),
            "header": header_of(&stored),
            "num_txs": txs.to_string(),
        }));
    }
    Ok(json!({"last_height": latest.to_string(), "block_metas": metas}))
}

fn validators(engine: &Engine, params: &Params) -> Result<Value, RpcError> {
    let latest = engine.blocks().latest()?;
    // The next height's validators are known already.
    let height = match params.height(0, "height")? {
        None => latest,
        Some(height) if height <= latest + 1 => height,
        Some(height) => {
            return Err(RpcError::internal(format!(
            "height {height} must be less than or equal to the current blockchain height {latest}"
        )))
        }
    };
    Ok(json!({
        "block_height": height.to_string(),
        "validators": [{
            "address": json::hex_upper(&engine.validator_address()),
            "pub_key": {
                "type": "tendermint/PubKeyEd25519",
                "value": json::base64(&engine.validator_key()),
            },
            "voting_power": engine.validator_power().to_string(),
            "proposer_priority": "0",
        }],
        "count": "1",
        "total": "1",
    }))
}
