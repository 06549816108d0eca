//! The door of the API: reads the body within its bound, verifies the token, spends its id.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use identity::Did;
use serde::de::DeserializeOwned;

use super::Served;
use crate::failure::{Failure, Kind};
use crate::token::{Requested, TokenError, TokenId};

/// A query string, whose faults are told like every other.
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Served>> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Served>) -> Result<Self, Failure> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Self(asked))
            .map_err(|error| {
                Failure::invalid(
                    format!("the query is not understood: {}", error.body_text()),
                    "docs/spec/sidecar-api.md lists what each path may be asked",
                )
            })
    }
}

/// A request whose actor is proven.
pub(crate) struct Authenticated {
    /// Who asks.
    pub actor: Did,
    /// For a write: the spent id, to be remembered with what the request writes.
    pub single_use: Option<(TokenId, u64)>,
    body: Bytes,
}

impl Authenticated {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::invalid(
                format!("the body is not the expected JSON: {error}"),
                "docs/spec/sidecar-api.md shows the body of each request",
            )
        })
    }
}

impl FromRequest<Arc<Served>> for Authenticated {
    type Rejection = Failure;

    async fn from_request(request: Request, served: &Arc<Served>) -> Result<Self, Failure> {
        let method = request.method().clone();
        let path = request
            .uri()
            .path_and_query()
            .map_or_else(String::new, |path| path.as_str().to_owned());
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(TokenError::Missing)?
            .to_owned();
        let body = Bytes::from_request(request, served)
            .await
            .map_err(|error| {
                Failure::new(
                    Kind::TooLarge,
                    error.body_text(),
                    "split the write into several commits",
                )
            })?;
        let requested = Requested {
            method: method.as_str(),
            path: &path,
            body: &body,
        };
        let now = served.documents.now_seconds();
        let accepted = served.expected.verify(&token, requested, now)?;
        if let Some((id, end)) = accepted.single_use {
            served.single_use.spend(id, end, now)?;
        }
        Ok(Self {
            actor: accepted.actor,
            single_use: accepted.single_use,
            body,
        })
    }
}
