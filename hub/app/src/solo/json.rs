//! Answers of CometBFT's RPC in its JSON (v0.38, `rpc/core/types`): hashes as upper-case hex,
//! byte strings as base64, 64-bit integers as strings.

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use serde_json::{json, Value};
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{Event, ExecTxResult, ResponseQuery};
use tendermint_proto::v0_38::types::{Block, BlockId, Commit, Header};

pub fn hex_upper(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

pub fn base64(bytes: &[u8]) -> Value {
    Value::String(BASE64.encode(bytes))
}

/// Go's JSON writes an empty byte slice as null.
fn base64_or_null(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        Value::Null
    } else {
        base64(bytes)
    }
}

/// RFC 3339 with nanoseconds as Go writes them: trailing zeros dropped, `Z`.
pub fn time(time: Option<&Timestamp>) -> Value {
    let (seconds, nanos) = time.map_or((0, 0), |time| (time.seconds, time.nanos));
    tendermint::Time::from_unix_timestamp(seconds, nanos.max(0) as u32)
        .map(|time| Value::String(time.to_rfc3339()))
        .unwrap_or(Value::Null)
}

pub fn block_id(id: Option<&BlockId>) -> Value {
    let id = id.cloned().unwrap_or_default();
    let parts = id.part_set_header.unwrap_or_default();
    json!({
        "hash": hex_upper(&id.hash),
        "parts": {"total": parts.total, "hash": hex_upper(&parts.hash)},
    })
}

pub fn header(header: &Header) -> Value {
    let version = header.version.unwrap_or_default();
    let mut version_json = json!({"block": version.block.to_string()});
    if version.app != 0 {
        version_json["app"] = Value::String(version.app.to_string());
    }
    json!({
        "version": version_json,
        "chain_id": header.chain_id,
        "height": header.height.to_string(),
        "time": time(header.time.as_ref()),
        "last_block_id": block_id(header.last_block_id.as_ref()),
        "last_commit_hash": hex_upper(&header.last_commit_hash),
        "data_hash": hex_upper(&header.data_hash),
        "validators_hash": hex_upper(&header.validators_hash),
        "next_validators_hash": hex_upper(&header.next_validators_hash),
        "consensus_hash": hex_upper(&header.consensus_hash),
        "app_hash": hex_upper(&header.app_hash),
        "last_results_hash": hex_upper(&header.last_results_hash),
        "evidence_hash": hex_upper(&header.evidence_hash),
        "proposer_address": hex_upper(&header.proposer_address),
    })
}

pub fn commit(commit: &Commit) -> Value {
    let signatures: Vec<Value> = commit
        .signatures
        .iter()
        .map(|signature| {
            json!({
                "block_id_flag": signature.block_id_flag,
                "validator_address": hex_upper(&signature.validator_address),
                "timestamp": time(signature.timestamp.as_ref()),
                "signature": base64_or_null(&signature.signature),
            })
        })
        .collect();
    json!({
        "height": commit.height.to_string(),
        "round": commit.round,
        "block_id": block_id(commit.block_id.as_ref()),
        "signatures": signatures,
    })
}

pub fn block(block: &Block) -> Value {
    let txs: Vec<Value> = block
        .data
        .iter()
        .flat_map(|data| &data.txs)
        .map(|tx| base64(tx))
        .collect();
    json!({
        "header": block.header.as_ref().map(header),
        "data": {"txs": txs},
        "evidence": {"evidence": []},
        "last_commit": block.last_commit.as_ref().map(commit),
    })
}

fn events(events: &[Event]) -> Value {
    events
        .iter()
        .map(|event| {
            let attributes: Vec<Value> = event
                .attributes
                .iter()
                .map(|attribute| {
                    json!({
                        "key": attribute.key,
                        "value": attribute.value,
                        "index": attribute.index,
                    })
                })
                .collect();
            json!({"type": event.r#type, "attributes": attributes})
        })
        .collect()
}

pub fn tx_result(result: &ExecTxResult) -> Value {
    json!({
        "code": result.code,
        "data": base64_or_null(&result.data),
        "log": result.log,
        "info": result.info,
        "gas_wanted": result.gas_wanted.to_string(),
        "gas_used": result.gas_used.to_string(),
        "events": events(&result.events),
        "codespace": result.codespace,
    })
}

pub fn query(response: &ResponseQuery) -> Value {
    json!({
        "code": response.code,
        "log": response.log,
        "info": response.info,
        "index": response.index.to_string(),
        "key": base64_or_null(&response.key),
        "value": base64_or_null(&response.value),
        "proofOps": Value::Null,
        "height": response.height.to_string(),
        "codespace": response.codespace,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON of a header reads back as `tendermint`'s own type, which is what clients use.
    #[test]
    fn a_header_reads_back_in_the_clients_type() {
        let raw = Header {
            version: Some(tendermint_proto::v0_38::version::Consensus { block: 11, app: 0 }),
            chain_id: "plant-1".to_owned(),
            height: 3,
            time: Some(Timestamp {
                seconds: 1_700_000_000,
                nanos: 120_000_000,
            }),
            last_block_id: None,
            validators_hash: vec![1; 32],
            next_validators_hash: vec![2; 32],
            consensus_hash: vec![3; 32],
            app_hash: vec![4; 32],
            proposer_address: vec![5; 20],
            ..Header::default()
        };
        let json = header(&raw);
        assert_eq!(json["time"], "2023-11-14T22:13:20.12Z");
        let parsed: tendermint::block::Header = serde_json::from_value(json).unwrap();
        let expected = tendermint::block::Header::try_from(raw).unwrap();
        assert_eq!(parsed, expected);
    }
}
