//! What is served over the network: RPC by body and URI, gRPC, metrics and health.

use std::net::TcpListener;
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use hub_app::serve::shutdown::{Shutdown, ShutdownSender};
use hub_app::serve::{grpc, health};
use hub_app::solo::rpc;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::policy::QueryPoliciesRequest;

use crate::support::{send, Chain};

struct Served {
    rpc: String,
    grpc: String,
    metrics: String,
    _sender: ShutdownSender,
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Serves a chain that has three blocks, the last with one transfer; gives the transfer's bytes.
fn serve(runtime: &tokio::runtime::Runtime) -> (Served, Vec<u8>, Vec<u8>) {
    let mut chain = Chain::new(2);
    chain.block(vec![]);
    chain.plant(0);
    let message = send(&chain.people[0], &chain.people[1], 9);
    let tx = chain.sign(0, vec![message]);
    chain.block(vec![tx.clone()]);
    let message = send(&chain.people[0], &chain.people[1], 10);
    let next = chain.sign(0, vec![message]);
    let (sender, shutdown) = Shutdown::pair();
    let Chain {
        engine,
        hub,
        folder,
        ..
    } = chain;
    let (rpc_listener, rpc_address) = listener();
    let (grpc_listener, grpc_address) = listener();
    let (metrics_listener, metrics_address) = listener();
    runtime.spawn(rpc::serve(rpc_listener, Arc::new(engine), shutdown.clone()));
    runtime.spawn(grpc::serve(grpc_listener, hub.clone(), shutdown.clone()));
    runtime.spawn(async move {
        let _folder = folder;
        health::serve(metrics_listener, hub, shutdown).await
    });
    let served = Served {
        rpc: rpc_address,
        grpc: grpc_address,
        metrics: metrics_address,
        _sender: sender,
    };
    (served, tx.to_vec(), next.to_vec())
}

async fn http(address: &str, request: String) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn get(address: &str, path: &str) -> (u16, String) {
    http(address, format!("GET {path} HTTP/1.0\r\n\r\n")).await
}

async fn post(address: &str, body: &Value) -> Value {
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (status, answer) = http(address, request).await;
    assert_eq!(status, 200);
    serde_json::from_str(&answer).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

#[test]
fn rpc_answers_bodies_and_uris_alike() {
    let runtime = runtime();
    let (served, tx, next) = serve(&runtime);
    runtime.block_on(async {
        let rpc = &served.rpc;
        for path in [
            "health", "status", "genesis", "abci_info", "block?height=3", "block_results?height=3",
            "header?height=2", "commit", "validators?height=3", "blockchain?minHeight=1&maxHeight=2",
            "num_unconfirmed_txs",
        ] {
            let (status, body) = get(rpc, &format!("/{path}")).await;
            assert_eq!(status, 200, "{path}: {body}");
            let by_uri: Value = serde_json::from_str(&body).unwrap();
            let (method, query) = path.split_once('?').unwrap_or((path, ""));
            let params: serde_json::Map<String, Value> = query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            let call = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
            let by_body = post(rpc, &call).await;
            assert_eq!(by_body["id"], 7);
            assert_eq!(by_body["result"], by_uri["result"], "{path}");
        }
        let hash = Sha256::digest(&tx);
        let (_, body) = get(rpc, &format!("/tx?hash=0x{}&prove=true", hex::encode(hash))).await;
        let found: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(found["result"]["height"], "3");
        assert_eq!(found["result"]["tx"], BASE64.encode(&tx));
        assert_eq!(found["result"]["tx_result"]["code"], 0);
        let call = json!({"id": 1, "method": "tx", "params": {"hash": BASE64.encode(hash), "prove": true}});
        assert_eq!(post(rpc, &call).await["result"], found["result"]);
        let query = format!("tx.hash='{}'", hex::encode_upper(hash));
        let call = json!({"id": 1, "method": "tx_search", "params": {"query": query}});
        assert_eq!(post(rpc, &call).await["result"]["total_count"], "1");

        let call = json!({"id": 1, "method": "broadcast_tx_sync", "params": {"tx": BASE64.encode(&next)}});
        let answer = post(rpc, &call).await;
        assert_eq!(answer["result"]["code"], 0, "{answer}");
        assert_eq!(answer["result"]["hash"], hex::encode_upper(Sha256::digest(&next)));
        let again = post(rpc, &call).await;
        assert_eq!(again["error"]["data"], "tx already exists in cache");
        let call = json!({"id": 1, "method": "broadcast_tx_sync", "params": {"tx": "AAAA"}});
        let refused = post(rpc, &call).await;
        assert_eq!(refused["result"]["code"], 1);
        assert!(refused["result"]["log"].as_str().unwrap().contains("canonical protobuf"));
    });
}

#[test]
fn rpc_refuses_nonsense_in_bounds() {
    let runtime = runtime();
    let (served, ..) = serve(&runtime);
    runtime.block_on(async {
        let rpc = &served.rpc;
        let code = |answer: &Value| answer["error"]["code"].as_i64();
        let call = json!({"id": 1, "method": "commit", "params": {"height": "99"}});
        let answer = post(rpc, &call).await;
        assert_eq!(code(&answer), Some(-32603), "{answer}");
        let call = json!({"id": 1, "method": "commit", "params": {"height": "x"}});
        assert_eq!(code(&post(rpc, &call).await), Some(-32602));
        let call = json!({"id": 1, "method": "unsafe_flush_mempool"});
        assert_eq!(code(&post(rpc, &call).await), Some(-32601));
        assert_eq!(code(&post(rpc, &json!({"id": 1})).await), Some(-32600));
        let many: Vec<Value> = (0..65)
            .map(|id| json!({"id": id, "method": "health"}))
            .collect();
        assert_eq!(code(&post(rpc, &json!(many)).await), Some(-32600));
        let few = post(rpc, &json!(many[..3])).await;
        assert_eq!(few.as_array().map(Vec::len), Some(3));
        let request = format!(
            "POST / HTTP/1.0\r\ncontent-length: 1100000\r\n\r\n{}",
            "x".repeat(1_100_000)
        );
        let (status, _) = http(rpc, request).await;
        assert_eq!(status, 413);
        let (status, body) = get(rpc, "/tx?hash=0x00").await;
        assert_eq!(status, 500, "as CometBFT: {body}");
    });
}

#[test]
fn grpc_answers_as_abci_query_does() {
    let runtime = runtime();
    let (served, ..) = serve(&runtime);
    runtime.block_on(async {
        let url = format!("http://{}", served.grpc);
        let mut client = ::rpc::policy_client::QueryClient::connect(url.clone())
            .await
            .unwrap();
        let answer = client
            .policies(QueryPoliciesRequest::default())
            .await
            .unwrap();
        assert_eq!(answer.metadata().get("x-cosmos-block-height").unwrap(), "3");
        let answer = answer.into_inner();
        let (_, body) = get(
            &served.rpc,
            "/abci_query?path=%22/holdfast.policy.v1.Query/Policies%22",
        )
        .await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let value = body["result"]["response"]["value"].as_str().unwrap();
        let bytes = BASE64.decode(value).unwrap();
        assert_eq!(wire::Message::encode_to_vec(&answer), bytes);

        let mut missing = tonic::Request::new(wire::policy::QueryPolicyRequest {
            policy: vec![1; 32],
            prove: false,
        });
        missing
            .metadata_mut()
            .insert("x-cosmos-block-height", 2.into());
        let status = client.policy(missing).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::NotFound);
        let mut late = tonic::Request::new(QueryPoliciesRequest::default());
        late.metadata_mut()
            .insert("x-cosmos-block-height", 99.into());
        let status = client.policies(late).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::OutOfRange);
    });
}

#[test]
fn health_and_metrics_tell_the_height() {
    let runtime = runtime();
    let (served, ..) = serve(&runtime);
    runtime.block_on(async {
        let (status, body) = get(&served.metrics, "/healthz").await;
        assert_eq!(status, 200);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (body["status"].as_str(), body["height"].as_u64()),
            (Some("ok"), Some(3))
        );
        let (_, text) = get(&served.metrics, "/metrics").await;
        for line in [
            "holdfast_hub_height 3",
            "holdfast_hub_transactions_total{code=\"0\"} 2",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    });
}
