//! What can go wrong between a client and a hub that it does not trust.
//!
//! The line that matters: a node that could not be reached, a node whose answer did not verify,
//! and a hub that said no are three different things, and no caller can take one for another
//! (Invariant 3).

use std::fmt;

use hub_types::{Height, TransactionHash};

use crate::rpc::RpcError;
use crate::sentences::sentence_of;
use crate::transport::TransportError;

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// No node gave an answer that verifies.
    #[error("{}{}", headline(.0), Listed(.0))]
    Nodes(Vec<Attempt>),
    /// There is no node to ask.
    #[error("no address of the hub is known; give one with --rpc URL or in config.toml")]
    NoNodes,
    /// The newest verified header is too old to vouch for others.
    #[error("the newest verified block is from {time}, longer ago than the trusting period of {hours} hours; get a fresh trust point from somebody you trust")]
    TrustExpired {
        /// The header's time.
        time: String,
        /// The trusting period.
        hours: u64,
    },
    /// The file of trusted state cannot be used.
    #[error("the file of verified headers {path} {reason}; if its content does not matter, remove it and start from the trust point again")]
    StateFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// CheckTx refused the transaction. Only the nodes say so; nothing was written.
    #[error("the hub refused the transaction: {} ({}; {node} says: {log})", sentence_of(*.code), CodeName(*.code))]
    Refused {
        /// The code.
        code: u32,
        /// The node's words.
        log: String,
        /// Which node.
        node: String,
    },
    /// The transaction is in a block, and its execution failed. Verified.
    #[error("the transaction {hash} is in block {height} and failed: {} ({}; a node says: {log})", sentence_of(*.code), CodeName(*.code))]
    Failed {
        /// The transaction.
        hash: TransactionHash,
        /// Its block.
        height: Height,
        /// The code, verified.
        code: u32,
        /// The node's words, not verified.
        log: String,
    },
    /// No block held the transaction in time. It may still come.
    #[error("the transaction {hash} is in no block yet; it can still come until block {timeout_height}: look with `hold hub tx {hash}` before sending it again")]
    Pending {
        /// The transaction.
        hash: TransactionHash,
        /// The last block that may hold it.
        timeout_height: Height,
    },
    /// A transaction cannot be built.
    #[error("the transaction cannot be built: {0}")]
    Build(String),
    /// The signer has no account. Proven.
    #[error("account {address} does not exist at height {height}; send it some uhold first")]
    NoAccount {
        /// The account.
        address: String,
        /// The proven height.
        height: Height,
    },
    /// A block that is not there in time.
    #[error("block {height} did not come within {timeout_ms} ms; does the chain move?")]
    NotReached {
        /// The block.
        height: Height,
        /// The bound.
        timeout_ms: u64,
    },
    /// Something is provably not there.
    #[error("{what} does not exist; proven at height {height}")]
    Absent {
        /// What.
        what: String,
        /// The height.
        height: Height,
    },
    /// What was asked cannot be answered, whoever is asked.
    #[error("{0}")]
    Question(String),
}

/// One node, and why its answer was not used.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The node's name.
    pub node: String,
    /// What is wrong.
    pub fault: Fault,
}

/// Why one node's answer was not used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// There was none, or it was no such answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// It does not verify.
    #[error("gave {what} that does not verify: {reason}")]
    Unverified {
        /// What was asked for.
        what: &'static str,
        /// What did not verify.
        reason: String,
    },
    /// Its newest block is old.
    #[error("is behind: {0}")]
    Behind(String),
    /// It does not have what was asked for, which proves nothing.
    #[error("does not show it")]
    NotShown,
    /// No node could answer: asking another is of no use.
    #[error(transparent)]
    Final(Box<ClientError>),
    /// It says that it cannot answer, which nothing proves.
    #[error("does not answer `{what}`: {}", if .log.is_empty() { sentence_of(*.code) } else { .log.as_str() })]
    Says {
        /// What was asked for.
        what: &'static str,
        /// Its code.
        code: u32,
        /// Its words.
        log: String,
    },
}

impl Fault {
    /// An answer that does not verify.
    pub fn unverified(what: &'static str, reason: impl fmt::Display) -> Self {
        Self::Unverified {
            what,
            reason: reason.to_string(),
        }
    }

    /// Whether the node is at least wrong: not just absent, behind or unwilling.
    #[must_use]
    pub fn is_lie(&self) -> bool {
        matches!(
            self,
            Self::Unverified { .. }
                | Self::Rpc(
                    RpcError::Malformed { .. }
                        | RpcError::Transport(TransportError::TooLong { .. })
                )
        )
    }
}

impl ClientError {
    /// Whether the hub itself said no: another node or another try gives the same.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Failed { .. }
                | Self::NoAccount { .. }
                | Self::Absent { .. }
        )
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Refused { code, .. } | Self::Failed { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether nobody could be reached: trying later may help.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Nodes(attempts) => attempts
                .iter()
                .all(|attempt| matches!(attempt.fault, Fault::Rpc(RpcError::Transport(_)))),
            Self::NotReached { .. } => true,
            _ => false,
        }
    }

    /// The nodes whose answers did not verify.
    #[must_use]
    pub fn lies(&self) -> Vec<&Attempt> {
        match self {
            Self::Nodes(attempts) => attempts.iter().filter(|each| each.fault.is_lie()).collect(),
            _ => Vec::new(),
        }
    }
}

/// What all attempts have in common.
fn headline(attempts: &[Attempt]) -> &'static str {
    let silent = |attempt: &Attempt| matches!(attempt.fault, Fault::Rpc(RpcError::Transport(_)));
    match attempts.iter().all(silent) {
        true => "no node of the hub answers",
        false => "no node gave an answer that verifies",
    }
}

struct Listed<'a>(&'a [Attempt]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attempt) in self.0.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{} {}", attempt.node, attempt.fault)?;
        }
        Ok(())
    }
}

struct CodeName(u32);

impl fmt::Display for CodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match hub_types::Code::from_number(self.0) {
            Some(code) => write!(f, "{code}"),
            None => write!(f, "code {}", self.0),
        }
    }
}

/// An error with its causes in one line: `thiserror` displays do not repeat their sources.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(each) = cause {
        text.push_str(": ");
        text.push_str(&each.to_string());
        cause = each.source();
    }
    text
}
