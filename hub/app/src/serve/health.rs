//! `/healthz` and `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{header, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::Router;

use super::shutdown::Shutdown;
use crate::chain::hub::Hub;

/// Serves both until shutdown.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: std::net::TcpListener,
    hub: Arc<Hub>,
    shutdown: Shutdown,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics_text))
        .with_state(hub);
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.requested())
        .await
}

/// 200 with the height once the store can be read; 503 before the first block, and when it cannot.
async fn healthz(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    let (status, body) = match hub.store().view() {
        Ok(view) => match view.committed() {
            Some(committed) => (
                StatusCode::OK,
                serde_json::json!({
                    "status": "ok",
                    "chain_id": committed.chain_id,
                    "height": committed.height,
                    "app_hash": hex::encode_upper(committed.app_hash),
                }),
            ),
            None => (
                StatusCode::SERVICE_UNAVAILABLE,
                serde_json::json!({"status": "waiting for the first block"}),
            ),
        },
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({"status": "failed", "reason": error.to_string()}),
        ),
    };
    (status, axum::Json(body))
}

async fn metrics_text(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    (
        [(
            header::CONTENT_TYPE,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        hub.metrics().text(),
    )
}
