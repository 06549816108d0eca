//! HTTP and JSON under `/v1` (`docs/spec/sidecar-api.md`).
//!
//! This folder turns requests into calls and answers into JSON, and knows nothing else. Every
//! request but `/healthz`, `/metrics` and `/v1/status` carries a token ([`crate::token`]); every
//! answer that rests on a permission says on which revision and height (Invariant 3).

mod auth;
mod bodies;
mod documents;
mod hub;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{header, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use tokio::sync::{watch, Semaphore};

use crate::documents::Documents;
use crate::failure::{Failure, Kind};
use crate::limits::{
    HTTP_BODY_BYTES_MAX, HTTP_REQUESTS_AT_ONCE_MAX, HTTP_REQUEST_TIMEOUT, TRAIL_TIMEOUT,
};
use crate::metrics::Metrics;
use crate::network::peer::Network;
use crate::single_use::SingleUse;
use crate::token::Expected;
use crate::trail::Exporter;

/// What the API serves.
pub struct Served {
    /// The documents.
    pub documents: Arc<Documents>,
    /// What tokens must say.
    pub expected: Expected,
    /// Spent token ids.
    pub single_use: SingleUse,
    /// The bundles; none while no policy is anchored.
    pub exporter: Option<Arc<Exporter>>,
    /// The peers.
    pub network: Arc<Network>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whom this sidecar acts for.
    pub operator: identity::Did,
    /// This sidecar's peer id.
    pub peer_id: String,
    /// Whether allowed reads get a leaf as well.
    pub log_reads: bool,
}

pub(crate) type Shared = State<Arc<Served>>;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}

/// Where trails are exported.
const TRAIL: &str = "/v1/trail";

/// What all requests share, and how long one may take.
struct Bounds {
    busy: Semaphore,
    request: Duration,
    trail: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            busy: Semaphore::new(HTTP_REQUESTS_AT_ONCE_MAX),
            request: HTTP_REQUEST_TIMEOUT,
            trail: TRAIL_TIMEOUT,
        }
    }
}

/// The routes.
pub fn router(served: Arc<Served>) -> Router {
    let routes = Router::new()
        .route("/healthz", get(hub::healthz))
        .route("/metrics", get(metrics))
        .route("/v1/status", get(hub::status))
        .route("/v1/check", get(hub::check))
        .route("/v1/policies", post(hub::follow))
        .route("/v1/anchors", get(hub::anchors))
        .route(TRAIL, get(hub::trail))
        .route("/v1/prepare", post(documents::prepare))
        .route("/v1/submit", post(documents::submit))
        .route(
            "/v1/documents",
            post(documents::create).get(documents::list),
        )
        .route("/v1/documents/{document}", get(documents::get_one))
        .route("/v1/documents/{document}", delete(documents::remove))
        .route("/v1/documents/{document}/update", post(documents::update))
        .route(
            "/v1/documents/{document}/rollback",
            post(documents::rollback),
        )
        .route("/v1/documents/{document}/history", get(documents::history))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX))
        .with_state(served);
    within(routes, Bounds::default())
}

/// `routes` within `bounds`.
fn within(routes: Router, bounds: Bounds) -> Router {
    let bounds = Arc::new(bounds);
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        bounded(bounds.clone(), request, next)
    }))
}

/// Bounds the requests at once and the time of each. One whose time is over, or whose asker has
/// gone, is dropped; what it had begun on another thread ends by itself.
async fn bounded(bounds: Arc<Bounds>, request: Request, next: Next) -> Response {
    let Ok(_place) = bounds.busy.try_acquire() else {
        return Failure::new(
            Kind::TooMany,
            format!("{HTTP_REQUESTS_AT_ONCE_MAX} requests are being served already"),
            "try again in a moment",
        )
        .into_response();
    };
    let timeout = match request.uri().path() {
        TRAIL => bounds.trail,
        _ => bounds.request,
    };
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::new(
            Kind::CouldNotTell,
            "the request took too long",
            "whether a write went through tells GET on the document",
        )
        .into_response(),
    }
}

async fn unknown() -> Failure {
    Failure::not_found(
        "there is no such path",
        "docs/spec/sidecar-api.md lists the paths",
    )
}

async fn metrics(State(served): Shared) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], served.metrics.text()).into_response()
}

/// A listener on `address`.
///
/// # Errors
/// One sentence that names the address, such as when the port is in use.
pub async fn listen(address: SocketAddr) -> Result<tokio::net::TcpListener, String> {
    tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| {
            format!("the API cannot listen on {address} ({error}); choose another `listen.api`")
        })
}

/// Serves until `stop` changes, then lets running requests end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    served: Arc<Served>,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    axum::serve(listener, router(served))
        .with_graceful_shutdown(async move {
            let _ = stop.changed().await;
        })
        .await
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_trail_has_its_own_time() {
        async fn slow() -> &'static str {
            tokio::time::sleep(Duration::from_millis(20)).await;
            "done"
        }
        let bounds = Bounds {
            request: Duration::ZERO,
            ..Bounds::default()
        };
        let routes = Router::new()
            .route(TRAIL, get(slow))
            .route("/v1/status", get(slow));
        let routes = within(routes, bounds);
        let status_of = async |uri: &str| {
            let request = Request::get(uri).body(axum::body::Body::empty()).unwrap();
            routes.clone().oneshot(request).await.unwrap().status()
        };
        assert_eq!(status_of("/v1/trail?from_anchor=1").await, StatusCode::OK);
        let late = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(status_of("/v1/status").await, late);
    }
}
