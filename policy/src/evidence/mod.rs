//! Evidence: which keys of the tree let anybody replay one check, and the replay.
//!
//! For an allow these are the keys of the derivation that succeeded; for a deny all that was read,
//! so that the replay is the walk itself. The replay knows three kinds of keys: present, proven
//! absent, and not at hand, which reads as *unknown*. Since *true* and *false* are final however
//! little is known (`check`), what a replay decides, the whole tree decides too.

pub(crate) mod justify;

pub(crate) use justify::Read;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::{cell::RefCell, ops::Bound::Included};

use crate::{
    check::{check, Walk},
    document::{DocumentFacts, WithDocuments},
    keys::definition_key,
    limits::Limits,
    question::{Answer, CheckError, Circumstances, Question},
    reader::{Hex, ReadError, RecordReader},
    schema::Policy,
    tree::TreeRelationships,
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
    #[error("the evidence does not hold key {}, without which nothing is decided; ask for complete evidence", Hex(.key))]
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
    circumstances: &Circumstances,
    documents: &[DocumentFacts],
    limits: Limits,
) -> Result<Gathered, CheckError> {
    let recorder = Recorder {
        reader,
        read: RefCell::default(),
    };
    let tree = TreeRelationships::new(policy, &recorder);
    let relationships = WithDocuments::new(&tree, documents);
    let mut walk = Walk::new(&relationships, question, circumstances, limits)?;
    // What the names hang on is kept with what the walk read, so that the replay finds them too.
    let answer = walk.run_and_name()?;
    let mut complete = recorder.read.take();
    complete.insert(definition_key());
    if answer.is_allow() {
        // What the derivation reads has been read, so nothing here can fail that did not before.
        justify::reads(&walk, &relationships)?
            .iter()
            .try_for_each(|read| tree.touch(*read))?;
        let mut keys = recorder.read.take();
        keys.insert(definition_key());
        let known = fetch(reader, &keys)?;
        let again = replay(policy, &known, question, circumstances, documents, limits);
        if matches!(&again, Ok(again) if again.is_allow()) {
            return Ok(Gathered { answer, keys });
        }
        // Only a bound can stand against it: with less known, a derivation may be found on a deeper
        // path. With all that was read, the replay is the same walk.
        debug_assert!(
            matches!(again, Err(ReplayError::Check(_))),
            "a derivation must replay: {again:?}"
        );
    }
    Ok(Gathered {
        answer,
        keys: complete,
    })
}

/// Reads each of `keys`: what [`replay`] takes.
///
/// # Errors
/// As the reader says.
pub fn fetch<R: RecordReader>(
    reader: &R,
    keys: &BTreeSet<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, ReadError> {
    keys.iter()
        .map(|key| Ok((key.clone(), reader.get(key)?)))
        .collect()
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
    circumstances: &Circumstances,
    documents: &[DocumentFacts],
    limits: Limits,
) -> Result<Answer, ReplayError> {
    match known.get(&definition_key()) {
        None => {
            return Err(ReplayError::Insufficient {
                key: definition_key(),
            })
        }
        Some(definition) if definition.as_deref() != Some(policy.definition().as_bytes()) => {
            return Err(ReplayError::OtherPolicy)
        }
        Some(_) => {}
    }
    let tree = TreeRelationships::new(policy, Known(known));
    let relationships = WithDocuments::new(&tree, documents);
    check(&relationships, question, circumstances, limits).map_err(|error| match error {
        CheckError::Read(ReadError::Unavailable { key }) => ReplayError::Insufficient { key },
        error => ReplayError::Check(error),
    })
}

/// Proven keys as a reader.
struct Known<'a>(&'a BTreeMap<Vec<u8>, Option<Vec<u8>>>);

impl RecordReader for Known<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.0
            .get(key)
            .cloned()
            .ok_or_else(|| ReadError::Unavailable { key: key.to_vec() })
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        if from > to {
            return Ok(None);
        }
        let present =
            |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| Some((key.clone(), value.clone()?));
        Ok(self
            .0
            .range::<[u8], _>((Included(from), Included(to)))
            .rev()
            .find_map(present))
    }
}

/// Notes every key that is read through it.
struct Recorder<'a, R> {
    reader: &'a R,
    read: RefCell<BTreeSet<Vec<u8>>>,
}

impl<R: RecordReader> RecordReader for Recorder<'_, R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.read.borrow_mut().insert(key.to_vec());
        self.reader.get(key)
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
        let found = self.reader.floor(from, to)?;
        if let Some((key, _)) = &found {
            self.read.borrow_mut().insert(key.clone());
        }
        Ok(found)
    }
}
