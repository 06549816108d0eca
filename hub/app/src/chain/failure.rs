//! Why a transaction failed: a refusal that every node reaches alike, or a failure of this node.

use std::error::Error;

use hub_types::{
    audit::AuditError, auth::AuthError, bank::BankError, policy::PolicyModuleError, Code,
    RecordError, TransactionError,
};
use policy::{ApplyError, CheckError, ReadError};

use crate::store::StoreError;

/// Why a transaction did not do what it says.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Refused before state was read, or its signature.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// Refused against its account, or out of gas.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// Refused by the bank.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// Refused by the policy module.
    #[error(transparent)]
    Policy(Box<PolicyModuleError>),
    /// Refused by the audit module.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// This node cannot go on. Never a result of a transaction: another node would have another.
    #[error(transparent)]
    Node(#[from] NodeFailure),
}

/// Why this node, and perhaps no other, cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeFailure {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record in state does not read back.
    #[error("state is damaged: {0}; put back a copy of the store, or remove it and let the node replay the chain")]
    Record(#[from] RecordError),
    /// Something in state contradicts what this binary writes.
    #[error("state contradicts this binary: {what}; use the binary that the chain runs")]
    State {
        /// What does.
        what: String,
    },
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Node(NodeFailure::Store(error))
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Failure {
        Failure::Node(NodeFailure::Record(error))
    }
}

impl From<PolicyModuleError> for Failure {
    /// A record that could not be read is the node's failure, whatever question hung on it; unless
    /// it is one that nobody could read, a document without its preimage.
    fn from(error: PolicyModuleError) -> Failure {
        match &error {
            PolicyModuleError::Undecided(CheckError::Read(ReadError::Unavailable { key }))
                if ::policy::keys::object_of_key(key).is_some() =>
            {
                Failure::Policy(Box::new(error))
            }
            PolicyModuleError::Undecided(CheckError::Read(read))
            | PolicyModuleError::Apply(ApplyError::Read(read)) => read.clone().into(),
            _ => Failure::Policy(Box::new(error)),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        match error {
            ReadError::Exhausted { used, limit } => AuthError::OutOfGas { used, limit }.into(),
            other => NodeFailure::State {
                what: other.to_string(),
            }
            .into(),
        }
    }
}

impl Failure {
    /// The number that consensus sees.
    ///
    /// # Errors
    /// The node's own failure, which is no result.
    pub fn code(self) -> Result<(Code, String), NodeFailure> {
        let code = match &self {
            Failure::Transaction(error) => error.code(),
            Failure::Auth(error) => error.code(),
            Failure::Bank(error) => error.code(),
            Failure::Policy(error) => error.code(),
            Failure::Audit(error) => error.code(),
            Failure::Node(_) => {
                return Err(match self {
                    Failure::Node(failure) => failure,
                    _ => unreachable!("matched above"),
                })
            }
        };
        Ok((code, sentence(&self)))
    }
}

/// An error with its sources, as one sentence: `the fee is wrong: the denomination is uhold`.
pub fn sentence(error: &dyn Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        let text = next.to_string();
        // Transparent errors repeat their source's words.
        if !out.ends_with(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        source = next.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_types::QuantityError;

    #[test]
    fn a_refusal_is_one_sentence_with_its_reason() {
        let fee = TransactionError::Fee(QuantityError::Denomination {
            found: "uatom".to_owned(),
        });
        let (code, text) = Failure::from(fee).code().unwrap();
        assert_eq!(code, Code::Fee);
        assert_eq!(
            text,
            "the fee is wrong: the denomination is uhold, not \"uatom\""
        );
    }

    #[test]
    fn a_record_that_cannot_be_read_is_the_nodes_failure() {
        let read = ReadError::Store {
            reason: "disk".to_owned(),
        };
        let undecided = PolicyModuleError::Undecided(CheckError::Read(read));
        assert!(Failure::from(undecided).code().is_err());
    }

    #[test]
    fn reading_beyond_the_gas_is_a_refusal_wherever_it_happens() {
        let read = ReadError::Exhausted { used: 7, limit: 5 };
        for failure in [
            Failure::from(read.clone()),
            PolicyModuleError::Undecided(CheckError::Read(read.clone())).into(),
            PolicyModuleError::Apply(ApplyError::Read(read)).into(),
        ] {
            assert_eq!(failure.code().unwrap().0, Code::OutOfGas);
        }
    }

    #[test]
    fn a_document_without_its_preimage_is_undecided_and_a_missing_page_is_damage() {
        let read = |key| {
            let read = ReadError::Unavailable { key };
            Failure::from(PolicyModuleError::Undecided(CheckError::Read(read))).code()
        };
        let object = ::policy::keys::object_key("batch", "1");
        assert_eq!(read(object).unwrap().0, Code::Undecided);
        let kind = ::policy::keys::SubjectKind::Direct;
        assert!(read(::policy::keys::page_key("batch", "1", "editor", kind, &[])).is_err());
    }
}
