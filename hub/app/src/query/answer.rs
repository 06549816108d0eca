//! What a query sees, and how it fails.

use std::sync::Arc;

use hub_types::{Code, Record, RecordError, CODESPACE};
use policy::Policy;

use crate::chain::hub::Hub;
use crate::store::{StoreError, TreeId, View};

/// One snapshot, at one height.
pub struct QueryContext<'a> {
    /// The application.
    pub hub: &'a Hub,
    /// The snapshot.
    pub view: View<'a>,
    /// The block after which the state is asked.
    pub height: u64,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// No such method.
    #[error("there is no query {path:?}")]
    UnknownPath {
        /// The path that was asked.
        path: String,
    },
    /// The request does not decode, or a field is wrong.
    #[error("the request is wrong: {reason}")]
    Request {
        /// What is wrong.
        reason: String,
    },
    /// What was asked for is not there. The words are those of gRPC, which CosmJS looks for.
    #[error("rpc error: code = NotFound desc = {what}")]
    NotFound {
        /// What is missing.
        what: String,
    },
    /// A permission could not be decided. Never an answer (Invariant 3).
    #[error("could not tell: {reason}")]
    Undecided {
        /// Why.
        reason: String,
    },
    /// The height is pruned, or not there yet.
    #[error("{0}")]
    Height(StoreError),
    /// The node failed.
    #[error("the node failed: {reason}")]
    Node {
        /// Why.
        reason: String,
    },
}

impl QueryError {
    /// What consensus would call it, for `ResponseQuery.code`. Queries have no consensus, but
    /// clients read one table.
    pub fn code(&self) -> u32 {
        match self {
            QueryError::UnknownPath { .. } => QUERY_UNKNOWN,
            QueryError::Request { .. } => Code::Malformed.number(),
            QueryError::NotFound { .. } => QUERY_NOT_FOUND,
            QueryError::Undecided { .. } => Code::Undecided.number(),
            QueryError::Height(_) => QUERY_HEIGHT,
            QueryError::Node { .. } => QUERY_NODE,
        }
    }

    /// The namespace of the code.
    pub fn codespace(&self) -> &'static str {
        CODESPACE
    }

    /// A wrong field.
    pub fn request(reason: impl std::fmt::Display) -> QueryError {
        QueryError::Request {
            reason: reason.to_string(),
        }
    }

    /// Something that is not there.
    pub fn not_found(what: impl Into<String>) -> QueryError {
        QueryError::NotFound { what: what.into() }
    }
}

/// Codes of queries alone; transactions never have them.
const QUERY_UNKNOWN: u32 = 1_000;
const QUERY_NOT_FOUND: u32 = 1_001;
const QUERY_HEIGHT: u32 = 1_002;
const QUERY_NODE: u32 = 1_003;

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> QueryError {
        match error {
            StoreError::HeightNotKept { .. } => QueryError::Height(error),
            other => QueryError::Node {
                reason: other.to_string(),
            },
        }
    }
}

impl From<RecordError> for QueryError {
    fn from(error: RecordError) -> QueryError {
        QueryError::Node {
            reason: error.to_string(),
        }
    }
}

impl<'a> QueryContext<'a> {
    /// A context at a height; 0 is the newest.
    ///
    /// # Errors
    /// [`QueryError::Height`], naming the heights that are kept.
    pub fn new(hub: &'a Hub, height: u64) -> Result<QueryContext<'a>, QueryError> {
        let view = hub.store().view()?;
        let height = view.check_height(height)?;
        Ok(QueryContext { hub, view, height })
    }

    /// A record of the main tree at the height.
    ///
    /// # Errors
    /// The node's.
    pub fn record<R: Record>(&self, key: &[u8]) -> Result<Option<R>, QueryError> {
        match self.value(key)? {
            Some(bytes) => Ok(Some(R::from_bytes(&bytes)?)),
            None => Ok(None),
        }
    }

    /// A value of the main tree at the height.
    ///
    /// # Errors
    /// The node's.
    pub fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, QueryError> {
        let newest = self
            .view
            .committed()
            .is_some_and(|committed| committed.height == self.height);
        Ok(if newest {
            self.view.latest(&TreeId::Main, key)?
        } else {
            self.view.at_version(&TreeId::Main, key, self.height)?
        })
    }

    /// The compiled policy with this definition.
    ///
    /// # Errors
    /// The node's.
    pub fn compiled(
        &self,
        id: &hub_types::PolicyId,
        definition: &[u8],
    ) -> Result<Arc<Policy>, QueryError> {
        let node = |reason: String| QueryError::Node { reason };
        let text = std::str::from_utf8(definition).map_err(|error| node(error.to_string()))?;
        self.hub
            .compiled()
            .get(id, text)
            .map_err(|error| node(error.to_string()))
    }

    /// The most entries that a list returns.
    pub fn limit(asked: u32) -> usize {
        /// A page of this many revisions or records stays below a megabyte in common use.
        const PAGE_MAX: u32 = 500;
        match asked {
            0 => PAGE_MAX as usize,
            asked => asked.min(PAGE_MAX) as usize,
        }
    }
}
