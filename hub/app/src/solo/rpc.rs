//! The RPC of the solo engine: JSON-RPC over POST and the same calls over GET, as CometBFT 0.38
//! answers them, as far as our clients use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{json, Value};

use super::engine::Engine;
use super::params::Params;
use super::routes::{self, RpcError};
use crate::serve::shutdown::Shutdown;

/// The largest request body. CometBFT's default (`max_body_bytes`) is the same.
const BODY_BYTES_MAX: usize = 1_000_000;

/// The most calls in one batch; each is answered before the next, so a batch is bounded work.
const BATCH_MAX: usize = 64;

/// Serves until shutdown.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: std::net::TcpListener,
    engine: Arc<Engine>,
    shutdown: Shutdown,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new()
        .route("/", post(by_body).get(list))
        .route("/{method}", get(by_uri))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(engine);
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.requested())
        .await
}

async fn list() -> impl IntoResponse {
    let names: Vec<_> = routes::NAMES
        .iter()
        .map(|name| format!("/{name}"))
        .collect();
    names.join("\n") + "\n"
}

async fn by_uri(
    State(engine): State<Arc<Engine>>,
    Path(method): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let answer = call(engine, method, Params::Uri(query)).await;
    let status = if answer.is_ok() {
        StatusCode::OK
    } else {
        // As CometBFT: URI calls show failure in the status, JSON-RPC calls do not.
        StatusCode::INTERNAL_SERVER_ERROR
    };
    (status, Json(envelope(json!(-1), answer))).into_response()
}

async fn by_body(State(engine): State<Arc<Engine>>, body: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let refused = RpcError::parse(error.to_string());
            return Json(envelope(Value::Null, Err(refused))).into_response();
        }
    };
    match request {
        Value::Array(requests) if requests.len() <= BATCH_MAX => {
            let mut answers = Vec::with_capacity(requests.len());
            for request in requests {
                answers.push(one(&engine, request).await);
            }
            Json(Value::Array(answers)).into_response()
        }
        Value::Array(_) => {
            let refused = RpcError::request(format!("a batch may hold {BATCH_MAX} calls"));
            Json(envelope(Value::Null, Err(refused))).into_response()
        }
        request => Json(one(&engine, request).await).into_response(),
    }
}

async fn one(engine: &Arc<Engine>, mut request: Value) -> Value {
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    let method = match request.get("method").and_then(Value::as_str) {
        Some(method) => method.to_owned(),
        None => {
            let refused = RpcError::request("the request names no method".to_owned());
            return envelope(id, Err(refused));
        }
    };
    let params = request
        .get_mut("params")
        .map(Value::take)
        .unwrap_or(Value::Null);
    envelope(id, call(engine.clone(), method, Params::Body(params)).await)
}

/// The store and the application block, so calls run on their own threads.
async fn call(engine: Arc<Engine>, method: String, params: Params) -> Result<Value, RpcError> {
    tokio::task::spawn_blocking(move || routes::call(&engine, &method, &params))
        .await
        .unwrap_or_else(|error| Err(RpcError::internal(error.to_string())))
}

fn envelope(id: Value, answer: Result<Value, RpcError>) -> Value {
    match answer {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": {"code": error.code, "message": error.message, "data": error.data},
        }),
    }
}
