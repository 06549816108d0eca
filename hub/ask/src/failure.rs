//! Why there is no answer, and what that is in gRPC.

use hub_types::MessageError;
use policy::{CheckError, HistoryError, OverlayError};
use tonic::Status;

/// Why a question has no answer. Never a yes and never a no (Invariant 3).
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// It would have to wait.
    #[error("not at once; ask again")]
    Later,
    /// The policy is not known here.
    #[error("the policy {0} is not known here; ask a node or sidecar that follows it")]
    NoPolicy(String),
    /// What is known is too old, or not proven yet.
    #[error("{0}")]
    TooOld(String),
    /// The question is wrong.
    #[error("{0}")]
    Question(String),
    /// The revision is not there, or no longer.
    #[error(transparent)]
    Revision(#[from] HistoryError),
    /// The engine has no answer.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// Too many ask at once.
    #[error("this node has more long questions than it can answer; ask again in a while, or another node")]
    TooMany,
    /// Something is wrong with the node.
    #[error("the node has a fault: {0}; its log says more")]
    Node(String),
}

impl From<MessageError> for Unanswered {
    fn from(error: MessageError) -> Self {
        Self::Question(error.to_string())
    }
}

impl From<OverlayError> for Unanswered {
    fn from(error: OverlayError) -> Self {
        Self::Question(error.to_string())
    }
}

impl From<Unanswered> for Status {
    fn from(reason: Unanswered) -> Self {
        let text = reason.to_string();
        match reason {
            Unanswered::Question(_)
            | Unanswered::Check(
                CheckError::UnknownResource { .. } | CheckError::UnknownPermission { .. },
            ) => Status::invalid_argument(text),
            Unanswered::NoPolicy(_)
            | Unanswered::Revision(HistoryError::UnknownRevision { .. }) => Status::not_found(text),
            Unanswered::Revision(_) => Status::out_of_range(text),
            Unanswered::TooOld(_) | Unanswered::Later => Status::unavailable(text),
            Unanswered::Check(_) => Status::failed_precondition(text),
            Unanswered::TooMany => Status::resource_exhausted(text),
            Unanswered::Node(_) => Status::internal(text),
        }
    }
}
