//! Evidence: which keys of the tree let anybody replay one check, and the replay.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{
    document::DocumentFacts,
    limits::Limits,
    question::{Answer, CheckError, Question},
    reader::RecordReader,
    schema::Policy,
};

/// An answer with the keys that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The answer.
    pub answer: Answer,
    /// Keys whose values, present or absent, suffice for [`replay`]: for an allow the derivation
    /// that succeeded, for a deny all that was read. The definition's key is always among them.
    pub keys: BTreeSet<Vec<u8>>,
}

/// Why proven keys do not give an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The policy given is not the one whose definition is proven.
    #[error("the proven definition is not the policy that was given; compile the proven one")]
    OtherPolicy,
    /// A key is missing without which nothing is decided.
    #[error("the evidence does not hold key {}, without which nothing is decided; ask for complete evidence", crate::reader::Hex(.key))]
    Insufficient {
        /// The key.
        key: Vec<u8>,
    },
    /// The check itself fails on the proven state.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// Answers `question` from the tree and names the keys that prove the answer.
///
/// # Errors
/// As [`crate::check`].
pub fn gather<R: RecordReader>(
    policy: &Policy,
    reader: &R,
    question: &Question,
    documents: &[DocumentFacts],
    limits: Limits,
) -> Result<Gathered, CheckError> {
    let _ = (policy, reader, question, documents, limits);
    Err(CheckError::TooManySteps { limit: 0 })
}

/// Answers `question` from proven keys alone: `Some` is a value under a key, `None` proven absence,
/// and a key that is not in `known` is *unknown*. Allows if the unknown cannot matter, denies only
/// if it cannot either. Every entry of `known` must have been proven by the caller.
///
/// The steps are those of this replay; they equal the original's where `known` holds all that the
/// original read.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(
    policy: &Policy,
    known: &BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    question: &Question,
    documents: &[DocumentFacts],
    limits: Limits,
) -> Result<Answer, ReplayError> {
    let _ = (policy, known, question, documents, limits);
    Err(ReplayError::OtherPolicy)
}
