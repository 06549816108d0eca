//! CometBFT's RPC as far as we use it: requests built, answers parsed strictly into our own types.
//!
//! Parsed is not believed: nothing here is verified yet. What a caller may use comes out of
//! [`crate::HubClient`]. `hubd dev` answers the same calls.
//! (CometBFT v0.38, `spec/rpc/README.md`.)

use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Value};
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator;

use crate::json::{
    base64_hash, base64_hashes, base64_or_null, hex_hash, loose_u64, quoted_u64, to_base64,
};
use crate::transport::{Transport, TransportError};

/// The most validators whose set is read. CometBFT's own bound (`MaxVotesCount`).
pub const VALIDATORS_MAX: usize = 10_000;

/// The largest page of validators that CometBFT gives.
const VALIDATORS_PER_PAGE: usize = 100;

/// The longest answer that is read to a question about blocks: a commit of 10,000 signatures is
/// about 2 MB, a page of 100 validators 20 kB.
pub const BLOCK_ANSWER_BYTES_MAX: usize = 8 << 20;

/// The longest answer that is read to a question about state: a page of changes has at most 64 MB
/// ([`hub_light`]'s bound), and a third more as base64.
pub const STATE_ANSWER_BYTES_MAX: usize = 88 << 20;

/// The most that is kept of a text from a node: it ends up in an error that a person reads.
const TEXT_CHARS_MAX: usize = 300;

/// Why a call gave nothing that could be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// No answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An answer that is not what the method gives.
    #[error("gave an answer to `{method}` that is not valid: {reason}")]
    Malformed {
        /// The method called.
        method: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The node says that it will not or cannot.
    #[error("refused `{method}`: {message}")]
    Refused {
        /// The method called.
        method: String,
        /// The node's own words, cut to a bound and to printable characters.
        message: String,
    },
}

/// `status`, as far as we use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The chain's id.
    pub chain_id: String,
    /// The height of the newest block.
    pub latest_height: u64,
    /// The hash of the newest block.
    pub latest_hash: [u8; 32],
    /// The height of the oldest block that the node keeps.
    pub earliest_height: u64,
    /// The node is still catching up.
    pub catching_up: bool,
}

/// An answer to `abci_query`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryAnswer {
    /// Zero, or one of the codes of the hub's table.
    pub code: u32,
    /// The module whose table the code is from.
    pub codespace: String,
    /// What the application says about it.
    pub log: String,
    /// The protobuf answer.
    pub value: Vec<u8>,
    /// The height whose state was read.
    pub height: u64,
}

/// An answer to `broadcast_tx_sync`: what CheckTx said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastAnswer {
    /// Zero when the transaction went into the mempool.
    pub code: u32,
    /// The module whose table the code is from.
    pub codespace: String,
    /// What the application says about it.
    pub log: String,
    /// SHA-256 of the transaction.
    pub hash: [u8; 32],
}

/// The part of a transaction's result that consensus commits to (`last_results_hash`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct TxResult {
    /// Zero when it succeeded.
    #[serde(default)]
    pub code: u32,
    /// What the messages answered.
    #[serde(default, deserialize_with = "base64_or_null")]
    pub data: Vec<u8>,
    /// The gas that the transaction allowed.
    #[serde(default, deserialize_with = "loose_u64")]
    pub gas_wanted: u64,
    /// The gas that it took.
    #[serde(default, deserialize_with = "loose_u64")]
    pub gas_used: u64,
    /// The module whose table the code is from. Not committed to.
    #[serde(default)]
    pub codespace: String,
    /// Words about the result. Not committed to.
    #[serde(default)]
    pub log: String,
}

/// An answer to `tx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxAnswer {
    /// The height of the block that holds it.
    pub height: u64,
    /// Its place in the block.
    pub index: u64,
    /// Its result, as the node tells it.
    pub result: TxResult,
    /// The transaction itself.
    pub bytes: Vec<u8>,
    /// The path from the transaction's hash to the block's `data_hash`, where the node gave one.
    pub proof: Option<TxProof>,
}

/// A path from a transaction's hash to a block's `data_hash`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TxProof {
    /// How many transactions the block holds.
    #[serde(deserialize_with = "quoted_u64")]
    pub total: u64,
    /// Which of them this is.
    #[serde(deserialize_with = "quoted_u64")]
    pub index: u64,
    /// The hash of the leaf.
    #[serde(deserialize_with = "base64_hash")]
    pub leaf_hash: [u8; 32],
    /// The siblings, from the leaf to the root.
    #[serde(default, deserialize_with = "base64_hashes")]
    pub aunts: Vec<[u8; 32]>,
}

/// Typed calls over one transport.
#[derive(Clone, Copy)]
pub struct Rpc<'a> {
    transport: &'a dyn Transport,
}

impl<'a> Rpc<'a> {
    /// Calls over `transport`.
    #[must_use]
    pub fn new(transport: &'a dyn Transport) -> Self {
        Self { transport }
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.transport.name()
    }

    async fn call<T: DeserializeOwned>(self, method: &str, params: Value) -> Result<T, RpcError> {
        #[derive(Deserialize)]
        struct Envelope<T> {
            result: Option<T>,
            error: Option<Refusal>,
        }
        #[derive(Deserialize)]
        struct Refusal {
            #[serde(default)]
            message: String,
            #[serde(default)]
            data: Option<Value>,
        }
        let bytes_max = match method {
            "abci_query" => STATE_ANSWER_BYTES_MAX,
            _ => BLOCK_ANSWER_BYTES_MAX,
        };
        let body = self.transport.call(method, params, bytes_max).await?;
        let malformed = |reason: String| RpcError::Malformed {
            method: method.to_owned(),
            reason: printable(&reason),
        };
        let envelope: Envelope<T> =
            serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
        match (envelope.result, envelope.error) {
            (Some(result), None) => Ok(result),
            (None, Some(refusal)) => {
                let detail = match refusal.data {
                    Some(Value::String(text)) if !text.is_empty() => format!(": {text}"),
                    _ => String::new(),
                };
                Err(RpcError::Refused {
                    method: method.to_owned(),
                    message: printable(&format!("{}{detail}", refusal.message)),
                })
            }
            (None, None) => Err(malformed("neither a result nor an error".to_owned())),
            (Some(_), Some(_)) => Err(malformed("both a result and an error".to_owned())),
        }
    }

    /// What the node says about itself. A hint only: heights to ask for.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn status(self) -> Result<Status, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            node_info: NodeInfo,
            sync_info: SyncInfo,
        }
        #[derive(Deserialize)]
        struct NodeInfo {
            network: String,
        }
        #[derive(Deserialize)]
        struct SyncInfo {
            #[serde(deserialize_with = "quoted_u64")]
            latest_block_height: u64,
            #[serde(deserialize_with = "hex_hash")]
            latest_block_hash: [u8; 32],
            #[serde(default, deserialize_with = "loose_u64")]
            earliest_block_height: u64,
            #[serde(default)]
            catching_up: bool,
        }
        let answer: Answer = self.call("status", json!({})).await?;
        Ok(Status {
            chain_id: printable(&answer.node_info.network),
            latest_height: answer.sync_info.latest_block_height,
            latest_hash: answer.sync_info.latest_block_hash,
            earliest_height: answer.sync_info.earliest_block_height,
            catching_up: answer.sync_info.catching_up,
        })
    }

    /// The signed header at `height`, or the newest.
    ///
    /// # Errors
    /// [`RpcError`]; the node refuses a height that it has not reached or has dropped.
    pub async fn commit(self, height: Option<u64>) -> Result<SignedHeader, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            signed_header: SignedHeader,
        }
        let params = match height {
            Some(height) => json!({"height": height.to_string()}),
            None => json!({}),
        };
        let answer: Answer = self.call("commit", params).await?;
        Ok(answer.signed_header)
    }

    /// The header at `height` without signatures.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn header(self, height: u64) -> Result<tendermint::block::Header, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            header: tendermint::block::Header,
        }
        let params = json!({"height": height.to_string()});
        let answer: Answer = self.call("header", params).await?;
        Ok(answer.header)
    }

    /// The whole validator set at `height`, page by page.
    ///
    /// # Errors
    /// [`RpcError`]; a set beyond [`VALIDATORS_MAX`], or pages that do not add up, are malformed.
    pub async fn validators(self, height: u64) -> Result<validator::Set, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            validators: Vec<validator::Info>,
            #[serde(deserialize_with = "quoted_u64")]
            total: u64,
        }
        let malformed = |reason: &str| RpcError::Malformed {
            method: "validators".to_owned(),
            reason: reason.to_owned(),
        };
        let mut validators: Vec<validator::Info> = Vec::new();
        let mut page = 1_usize;
        loop {
            let answer: Answer = self
                .call(
                    "validators",
                    json!({
                        "height": height.to_string(),
                        "page": page.to_string(),
                        "per_page": VALIDATORS_PER_PAGE.to_string(),
                    }),
                )
                .await?;
            let total = usize::try_from(answer.total).unwrap_or(usize::MAX);
            if total > VALIDATORS_MAX {
                return Err(malformed("more validators than a commit can hold"));
            }
            if answer.validators.is_empty() || answer.validators.len() > VALIDATORS_PER_PAGE {
                return Err(malformed("a page of validators of the wrong length"));
            }
            validators.extend(answer.validators);
            if validators.len() == total {
                break;
            }
            if validators.len() > total {
                return Err(malformed("more validators than the total that it states"));
            }
            page += 1;
        }
        // `validator::Set::new` panics on an overflow of power, so the sum is looked at first.
        let power: u128 = validators.iter().map(|each| u128::from(each.power())).sum();
        if power > u128::from(validator::Set::MAX_TOTAL_VOTING_POWER) {
            return Err(malformed("more voting power than a chain can have"));
        }
        Ok(validator::Set::without_proposer(validators))
    }

    /// Asks the application. `height` zero is the newest state.
    ///
    /// # Errors
    /// [`RpcError`]. A code other than zero is an answer, not an error here.
    pub async fn abci_query(
        self,
        path: &str,
        data: &[u8],
        height: u64,
        prove: bool,
    ) -> Result<QueryAnswer, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            response: Response,
        }
        #[derive(Deserialize)]
        struct Response {
            #[serde(default)]
            code: u32,
            #[serde(default)]
            codespace: String,
            #[serde(default)]
            log: String,
            #[serde(default, deserialize_with = "base64_or_null")]
            value: Vec<u8>,
            #[serde(default, deserialize_with = "loose_u64")]
            height: u64,
        }
        let answer: Answer = self
            .call(
                "abci_query",
                json!({
                    "path": path,
                    "data": hex::encode(data),
                    "height": height.to_string(),
                    "prove": prove,
                }),
            )
            .await?;
        let response = answer.response;
        Ok(QueryAnswer {
            code: response.code,
            codespace: printable(&response.codespace),
            log: printable(&response.log),
            value: response.value,
            height: response.height,
        })
    }

    /// Hands a transaction to the mempool and waits for CheckTx.
    ///
    /// # Errors
    /// [`RpcError`]; the mempool refuses a transaction that it holds already.
    pub async fn broadcast_tx_sync(self, tx: &[u8]) -> Result<BroadcastAnswer, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            code: u32,
            #[serde(default)]
            codespace: String,
            #[serde(default)]
            log: String,
            #[serde(deserialize_with = "hex_hash")]
            hash: [u8; 32],
        }
        let answer: Answer = self
            .call("broadcast_tx_sync", json!({"tx": to_base64(tx)}))
            .await?;
        Ok(BroadcastAnswer {
            code: answer.code,
            codespace: printable(&answer.codespace),
            log: printable(&answer.log),
            hash: answer.hash,
        })
    }

    /// The transaction with SHA-256 `hash`, or `None` while no block holds it.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn tx(self, hash: [u8; 32], prove: bool) -> Result<Option<TxAnswer>, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(deserialize_with = "quoted_u64")]
            height: u64,
            #[serde(default, deserialize_with = "loose_u64")]
            index: u64,
            tx_result: TxResult,
            #[serde(deserialize_with = "base64_or_null")]
            tx: Vec<u8>,
            #[serde(default)]
            proof: Option<Proof>,
        }
        #[derive(Deserialize)]
        struct Proof {
            #[serde(default)]
            proof: Option<TxProof>,
        }
        let params = json!({"hash": to_base64(&hash), "prove": prove});
        let answer: Answer = match self.call("tx", params).await {
            // CometBFT: "tx (HASH) not found".
            Err(RpcError::Refused { message, .. }) if message.contains("not found") => {
                return Ok(None)
            }
            other => other?,
        };
        let mut result = answer.tx_result;
        result.codespace = printable(&result.codespace);
        result.log = printable(&result.log);
        Ok(Some(TxAnswer {
            height: answer.height,
            index: answer.index,
            result,
            bytes: answer.tx,
            proof: answer.proof.and_then(|proof| proof.proof),
        }))
    }

    /// The results of every transaction of the block at `height`.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn block_results(self, height: u64) -> Result<Vec<TxResult>, RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            txs_results: Option<Vec<TxResult>>,
        }
        let params = json!({"height": height.to_string()});
        let answer: Answer = self.call("block_results", params).await?;
        Ok(answer.txs_results.unwrap_or_default())
    }

    /// The chain's id and first height, from its genesis file. A hint, like [`Rpc::status`].
    ///
    /// # Errors
    /// [`RpcError`]; a genesis file beyond CometBFT's bound is refused by the node.
    pub async fn genesis(self) -> Result<(String, u64), RpcError> {
        #[derive(Deserialize)]
        struct Answer {
            genesis: Genesis,
        }
        #[derive(Deserialize)]
        struct Genesis {
            chain_id: String,
            #[serde(default, deserialize_with = "loose_u64")]
            initial_height: u64,
        }
        let answer: Answer = self.call("genesis", json!({})).await?;
        Ok((
            printable(&answer.genesis.chain_id),
            answer.genesis.initial_height.max(1),
        ))
    }
}

/// A text from a node as it may stand in a terminal: bounded, no control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_CHARS_MAX)
        .collect()
}
