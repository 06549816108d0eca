//! The path from a transaction to its block's `data_hash`.
//!
//! `data_hash` is the RFC 6962 root over the SHA-256 hashes of the transactions (CometBFT v0.38,
//! `types/tx.go` and `crypto/merkle`), so `core/merkle` makes the proof.

use merkle::{inclusion_proof, MemoryLog};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use super::json;

/// The `proof` of the RPC call `tx`.
pub fn proof(txs: &[Vec<u8>], index: usize) -> Value {
    let mut log = MemoryLog::new();
    for tx in txs {
        // A block cannot hold 2^48 transactions.
        let _ = log.append(&Sha256::digest(tx));
    }
    let aunts = inclusion_proof(&log, index as u64, txs.len() as u64).unwrap_or_default();
    let leaf = txs.get(index).map(Sha256::digest).unwrap_or_default();
    json!({
        "root_hash": json::hex_upper(&log.root()),
        "data": txs.get(index).map(|tx| json::base64(tx)),
        "proof": {
            "total": txs.len().to_string(),
            "index": index.to_string(),
            "leaf_hash": json::base64(&merkle::hash_leaf(&leaf)),
            "aunts": aunts.iter().map(|hash| json::base64(hash)).collect::<Vec<_>>(),
        },
    })
}
