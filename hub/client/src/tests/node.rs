//! A node over the fake hub: answers CometBFT's RPC, honestly or with one lie.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use hub_types::policy::convert::time_to_wire;
use hub_types::{Height, PolicyId, Timestamp};
use prost::Message;
use serde_json::{json, Value};
use wire::audit::{QueryAnchorsRequest, QueryLogsRequest};
use wire::light::{
    QueryBlockInclusionRequest, QueryBlockInclusionResponse, QueryStateRequest, QueryStateResponse,
};
use wire::policy::{
    QueryChangesRequest, QueryCheckPermissionRequest, QueryCheckPermissionResponse,
};

use super::fake_hub::FakeHub;
use crate::clock::Clock;
use crate::transport::{BoxFuture, Transport, TransportError};
use crate::{HubClient, Options, TrustPoint};

/// Changes an honest JSON-RPC result, given its method and parameters.
pub(crate) type Lie = Arc<dyn Fn(&str, &Value, Value) -> Value + Send + Sync>;

/// A node.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) hub: Arc<FakeHub>,
    /// What it says is its newest block.
    pub(crate) newest: u64,
    pub(crate) lie: Option<Lie>,
    /// Gives these bytes instead of an envelope.
    pub(crate) raw: Option<Vec<u8>>,
    pub(crate) calls: AtomicU32,
}

impl Node {
    pub(crate) fn honest(name: &str, hub: &Arc<FakeHub>) -> Self {
        Self {
            name: name.to_owned(),
            newest: hub.newest(),
            hub: Arc::clone(hub),
            lie: None,
            raw: None,
            calls: AtomicU32::new(0),
        }
    }

    pub(crate) fn lying(
        name: &str,
        hub: &Arc<FakeHub>,
        lie: impl Fn(&str, &Value, Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            lie: Some(Arc::new(lie)),
            ..Self::honest(name, hub)
        }
    }

    fn answer(&self, method: &str, params: &Value) -> Result<Value, String> {
        let hub = &*self.hub;
        let height = || {
            match params["height"].as_str() {
            None => Ok(self.newest),
            Some(text) => match text.parse::<u64>().unwrap() {
                height if height <= self.newest => Ok(height),
                height => Err(format!(
                    "height {height} must be less than or equal to the current blockchain height {}",
                    self.newest
                )),
            },
        }
        };
        Ok(match method {
            "status" => json!({
                "node_info": {"network": hub.chain.as_str()},
                "sync_info": {
                    "latest_block_height": self.newest.to_string(),
                    "latest_block_hash": hub.hash(self.newest).to_string().to_uppercase(),
                    "earliest_block_height": "1",
                    "catching_up": false,
                },
            }),
            "commit" => {
                let signed = hub.header(height()?).ok_or("no such block")?;
                json!({"signed_header": serde_json::to_value(signed).unwrap(), "canonical": true})
            }
            "validators" => {
                let height: usize = params["height"].as_str().unwrap().parse().unwrap();
                let set = hub.sets.get(height).ok_or("no such block")?;
                let set = hub_light::forge::validator_set(set);
                let infos: Vec<Value> = set
                    .validators()
                    .iter()
                    .map(|info| {
                        json!({
                            "address": info.address.to_string(),
                            "pub_key": serde_json::to_value(info.pub_key).unwrap(),
                            "voting_power": info.power().to_string(),
                            "proposer_priority": "0",
                        })
                    })
                    .collect();
                json!({
                    "block_height": height.to_string(),
                    "count": infos.len().to_string(),
                    "total": infos.len().to_string(),
                    "validators": infos,
                })
            }
            "abci_query" => self.query(params)?,
            "tx" => {
                let hash = STANDARD.decode(params["hash"].as_str().unwrap()).unwrap();
                self.find(&hash)?
            }
            "block_results" => {
                let height = usize::try_from(height()?).unwrap();
                let results: Vec<Value> = hub.contents[height]
                    .results
                    .iter()
                    .map(result_json)
                    .collect();
                json!({"height": height.to_string(), "txs_results": results})
            }
            "broadcast_tx_sync" => json!({
                "code": 52, "log": "no", "codespace": "holdfast", "data": "",
                "hash": "00".repeat(32),
            }),
            other => return Err(format!("{other} is not served")),
        })
    }

    fn query(&self, params: &Value) -> Result<Value, String> {
        let hub = &*self.hub;
        let data = hex::decode(params["data"].as_str().unwrap()).unwrap();
        let state: u64 = params["height"].as_str().unwrap().parse().unwrap();
        if state > self.newest {
            return Err("that state is not there yet".to_owned());
        }
        let value = match params["path"].as_str().unwrap() {
            "/holdfast.light.v1.Query/State" => {
                let request = QueryStateRequest::decode(&*data).unwrap();
                let mut answer = QueryStateResponse {
                    height: state,
                    ..Default::default()
                };
                if request.policy.is_empty() {
                    answer.value = hub.value(&request.key, state);
                    answer.state_proof = Some(hub.state_proof(&request.key, state).to_wire());
                } else {
                    let (value, proof) = hub.policy_proof(&request.key, state);
                    answer.value = value;
                    answer.policy_proof = Some(proof.to_wire());
                }
                answer.encode_to_vec()
            }
            "/holdfast.light.v1.Query/BlockInclusion" => {
                let request = QueryBlockInclusionRequest::decode(&*data).unwrap();
                let proof = hub.block_inclusion(request.height, state).to_wire();
                QueryBlockInclusionResponse { proof: Some(proof) }.encode_to_vec()
            }
            "/holdfast.policy.v1.Query/Changes" => {
                let request = QueryChangesRequest::decode(&*data).unwrap();
                assert_eq!(PolicyId::from_slice(&request.policy).unwrap(), hub.policy);
                hub.changes(request.from, state).to_wire().encode_to_vec()
            }
            "/holdfast.policy.v1.Query/CheckPermission" => {
                let request = QueryCheckPermissionRequest::decode(&*data).unwrap();
                let object = request.object.unwrap();
                let object = policy::ObjectRef::new(&object.resource, &object.id).unwrap();
                let answered = hub.evidence(
                    &object,
                    &request.permission,
                    &request.actor,
                    state,
                    request.revision,
                );
                QueryCheckPermissionResponse {
                    height: state,
                    revision: answered.revision,
                    decision: answered.decision.into(),
                    evidence: Some(answered.evidence.to_wire()),
                    time: Some(time_to_wire(answered.time)),
                    missing: Vec::new(),
                }
                .encode_to_vec()
            }
            "/holdfast.audit.v1.Query/Logs" => {
                QueryLogsRequest::decode(&*data).unwrap();
                hub.logs(state).encode_to_vec()
            }
            "/holdfast.audit.v1.Query/Anchors" => {
                let request = QueryAnchorsRequest::decode(&*data).unwrap();
                hub.anchors(request.from, state).encode_to_vec()
            }
            other => return Err(format!("{other} is not served")),
        };
        Ok(json!({"response": {
            "code": 0, "log": "", "height": state.to_string(), "value": STANDARD.encode(value),
        }}))
    }

    fn find(&self, hash: &[u8]) -> Result<Value, String> {
        for (height, contents) in self.hub.contents.iter().enumerate() {
            let hashes: Vec<[u8; 32]> = contents
                .txs
                .iter()
                .map(|tx| *hub_types::TransactionHash::of(tx).as_bytes())
                .collect();
            let Some(index) = hashes.iter().position(|each| each == hash) else {
                continue;
            };
            let mut log = merkle::MemoryLog::new();
            for hash in &hashes {
                log.append(hash).unwrap();
            }
            let path = log
                .inclusion_proof(index as u64, hashes.len() as u64)
                .unwrap();
            let aunts: Vec<String> = path.iter().map(|hash| STANDARD.encode(hash)).collect();
            return Ok(json!({
                "hash": hex::encode_upper(hash),
                "height": height.to_string(),
                "index": index,
                "tx_result": result_json(&contents.results[index]),
                "tx": STANDARD.encode(&contents.txs[index]),
                "proof": {
                    "root_hash": hex::encode_upper(log.root()),
                    "data": STANDARD.encode(&contents.txs[index]),
                    "proof": {
                        "total": hashes.len().to_string(),
                        "index": index.to_string(),
                        "leaf_hash": STANDARD.encode(merkle::hash_leaf(&hashes[index])),
                        "aunts": aunts,
                    },
                },
            }));
        }
        Err(format!("tx ({}) not found", hex::encode_upper(hash)))
    }
}

fn result_json(result: &tendermint_proto::v0_38::abci::ExecTxResult) -> Value {
    json!({
        "code": result.code,
        "data": STANDARD.encode(&result.data),
        "log": result.log,
        "gas_wanted": result.gas_wanted.to_string(),
        "gas_used": result.gas_used.to_string(),
        "codespace": "holdfast",
    })
}

impl Transport for Node {
    fn name(&self) -> &str {
        &self.name
    }

    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Value,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if let Some(raw) = &self.raw {
                return Ok(raw.clone());
            }
            let envelope = match self.answer(method, &params) {
                Ok(result) => {
                    let told = match &self.lie {
                        Some(lie) => lie(method, &params, result),
                        None => result,
                    };
                    json!({"jsonrpc": "2.0", "id": 1, "result": told})
                }
                Err(data) => json!({"jsonrpc": "2.0", "id": 1, "error": {
                    "code": -32603, "message": "Internal error", "data": data,
                }}),
            };
            Ok(envelope.to_string().into_bytes())
        })
    }
}

/// Changes the protobuf answer to queries of `path`.
pub(crate) fn lie_in<A: Message + Default>(
    path: &'static str,
    change: impl Fn(&mut A) + Send + Sync + 'static,
) -> impl Fn(&str, &Value, Value) -> Value + Send + Sync + 'static {
    move |method, params, mut result| {
        if method == "abci_query" && params["path"] == path {
            let value = &mut result["response"]["value"];
            let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
            let mut answer = A::decode(&*bytes).unwrap();
            change(&mut answer);
            *value = json!(STANDARD.encode(answer.encode_to_vec()));
        }
        result
    }
}

/// A clock that stands still.
pub(crate) struct Stopped(pub(crate) Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Options of a client that trusts block 1 of `hub`.
pub(crate) fn options(hub: &FakeHub, nodes: Vec<Node>) -> Options {
    let trust = TrustPoint {
        height: Height(1),
        hash: hub.hash(1),
    };
    let transports = nodes
        .into_iter()
        .map(|node| Arc::new(node) as Arc<dyn Transport>)
        .collect();
    let mut options = Options::new(hub.chain.clone(), trust, transports);
    options.clock = Arc::new(Stopped(hub.now()));
    options
}

/// A client over these nodes.
pub(crate) fn client(hub: &FakeHub, nodes: Vec<Node>) -> HubClient {
    HubClient::open(options(hub, nodes)).unwrap()
}

/// The records of a map, for reading by key in assertions.
pub(crate) fn names(attempts: &[crate::Attempt]) -> BTreeMap<String, String> {
    attempts
        .iter()
        .map(|attempt| (attempt.node.clone(), attempt.fault.to_string()))
        .collect()
}
