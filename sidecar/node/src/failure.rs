//! What the API says when it cannot do what was asked: a sentence, and the next step.
//!
//! "No" and "could not tell" are different kinds here and different status codes, so that no
//! error is ever taken for a denial or a denial for an error (Invariant 3).

use serde::Serialize;

use crate::authority::Reading;

/// The kinds of failure, each with its HTTP status and its exit code for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request makes no sense as it is.
    Invalid,
    /// Who asks is not proven.
    Unauthenticated,
    /// The actor has not the permission.
    Denied,
    /// There is no such thing, or the actor may not know of it.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// It is larger than a bound.
    TooLarge,
    /// It comes too often.
    TooMany,
    /// The sidecar cannot tell: its replica is stale or a bound of the check was reached.
    CouldNotTell,
    /// The sidecar itself is at fault.
    Internal,
}

impl Kind {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Kind::Invalid => 400,
            Kind::Unauthenticated => 401,
            Kind::Denied => 403,
            Kind::NotFound => 404,
            Kind::Conflict => 409,
            Kind::TooLarge => 413,
            Kind::TooMany => 429,
            Kind::CouldNotTell => 503,
            Kind::Internal => 500,
        }
    }
}

/// A failure as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Which kind.
    pub kind: Kind,
    /// What is wrong, as a sentence.
    pub error: String,
    /// What to do next.
    pub next_step: String,
    /// The state of the hub that a permission answer rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<Box<Reading>>,
}

impl Failure {
    /// A failure of `kind`.
    pub fn new(kind: Kind, error: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self {
            kind,
            error: error.into(),
            next_step: next_step.into(),
            hub: None,
        }
    }

    /// A request that makes no sense.
    pub fn invalid(error: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, error, next_step)
    }

    /// A thing that is not there.
    pub fn not_found(error: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, error, next_step)
    }

    /// A fault of the sidecar; the details go to its own log.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed inside the sidecar");
        Self::new(
            Kind::Internal,
            "the sidecar failed to serve the request",
            "look into the sidecar's log; if the disk is full or damaged it says so there",
        )
    }

    /// Adds the state of the hub that the answer rests on.
    #[must_use]
    pub fn at(mut self, reading: Reading) -> Self {
        self.hub = Some(Box::new(reading));
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.error, self.next_step)
    }
}

impl std::error::Error for Failure {}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        Failure::internal(&error)
    }
}

impl From<crate::token::TokenError> for Failure {
    fn from(error: crate::token::TokenError) -> Self {
        let kind = match error {
            crate::token::TokenError::TooMany => Kind::TooMany,
            _ => Kind::Unauthenticated,
        };
        Failure::new(
            kind,
            error.to_string(),
            "docs/spec/sidecar-api.md describes the token",
        )
    }
}
