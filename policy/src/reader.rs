//! How records are read: by key, and by the greatest key up to a bound.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::cell::Cell;

use crate::apply::Write;

/// Why a record could not be read. Never an answer (Invariant 3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The reader does not have the key and does not know whether it exists. Evidence that was cut
    /// to what a derivation needs reads like this; the walk goes on with *unknown*.
    #[error("the record under key {} is not at hand; ask for evidence that holds it", Hex(.key))]
    Unavailable {
        /// The key.
        key: Vec<u8>,
    },
    /// The store below failed.
    #[error("the store could not be read: {reason}")]
    Store {
        /// What the store said.
        reason: String,
    },
    /// Reading went beyond what the caller allows it to cost. Both numbers are the caller's own.
    #[error("reading on would cost {used} of {limit} allowed; allow more, or ask for less")]
    Exhausted {
        /// What it would cost in all.
        used: u64,
        /// What may be spent.
        limit: u64,
    },
    /// The record's bytes are not canonical, or contradict each other.
    #[error("the record under key {} is damaged: {reason}; restore the store or fetch it anew", Hex(.key))]
    Corrupt {
        /// The key.
        key: Vec<u8>,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Bytes as lower-case hexadecimal digits in messages.
pub(crate) struct Hex<'a>(pub &'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Reads a policy's tree by key, at one version.
pub trait RecordReader {
    /// The value under `key`, or `None` where there is none.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] where the reader cannot know, [`ReadError::Store`] where its
    /// store fails.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// The greatest present key in `from..=to` with its value: how the page that covers a subject
    /// is found. Only ever asked within the pages of one relation of one object.
    ///
    /// # Errors
    /// As [`RecordReader::get`]. A reader that holds some of the keys only may return the greatest
    /// that it holds: pages state the range that they cover, and the caller checks it.
    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError>;

    /// How many deleted keys [`RecordReader::floor`] has passed over so far, for whoever charges for
    /// them; 0 for readers without deletions.
    fn passed(&self) -> u64 {
        0
    }
}

impl<R: RecordReader + ?Sized> RecordReader for &R {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        (**self).get(key)
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError> {
        (**self).floor(from, to)
    }

    fn passed(&self) -> u64 {
        (**self).passed()
    }
}

/// A whole tree in memory: absent keys are absent.
impl RecordReader for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError> {
        if from > to {
            return Ok(None);
        }
        let mut range = self.range::<[u8], _>((
            core::ops::Bound::Included(from),
            core::ops::Bound::Included(to),
        ));
        Ok(range
            .next_back()
            .map(|(key, value)| (key.clone(), value.clone())))
    }
}

/// A reader with writes laid over it that nobody else sees yet: a block, or a transaction in it.
///
/// Give `&Staged` as the base of another `Staged` to nest a transaction in a block.
#[derive(Debug)]
pub struct Staged<R> {
    base: R,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    passed: Cell<u64>,
}

impl<R: RecordReader> Staged<R> {
    /// Lays an empty overlay over `base`.
    pub fn new(base: R) -> Self {
        Self {
            base,
            writes: BTreeMap::new(),
            passed: Cell::new(0),
        }
    }

    /// Lays `writes` over what is there; later ones win.
    pub fn extend(&mut self, writes: impl IntoIterator<Item = Write>) {
        self.writes.extend(writes);
    }

    /// What has been laid over, by key.
    pub fn writes(&self) -> &BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        &self.writes
    }

    fn pass(&self, deleted: bool) {
        self.passed.set(self.passed.get() + u64::from(deleted));
    }

    /// Gives back the writes alone, by key.
    pub fn into_writes(self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.writes
    }
}

impl<R: RecordReader> RecordReader for Staged<R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }

    fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError> {
        use core::ops::Bound::Included;
        if from > to {
            return Ok(None);
        }
        let staged = self
            .writes
            .range::<[u8], _>((Included(from), Included(to)))
            .rev()
            .find_map(|(key, value)| {
                self.pass(value.is_none());
                value.as_ref().map(|value| (key.clone(), value.clone()))
            });
        // Keys of the base that were deleted above it are passed over, greatest first.
        let mut upper = to.to_vec();
        let based = loop {
            match self.base.floor(from, &upper)? {
                Some((key, _)) if matches!(self.writes.get(&key), Some(None)) => {
                    self.pass(true);
                    match before(&key) {
                        Some(bound) => upper = bound,
                        None => break None,
                    }
                }
                Some((key, value)) => break Some((key, value)),
                None => break None,
            }
        };
        Ok(match (staged, based) {
            (Some(above), Some(below)) => Some(if above.0 >= below.0 { above } else { below }),
            (above, below) => above.or(below),
        })
    }

    fn passed(&self) -> u64 {
        self.passed.get() + self.base.passed()
    }
}

/// A bound that is below `key`, the key of a page, and above all keys of the same list's pages that
/// sort before it, however long they are: behind the names of the list stand the bytes of a subject,
/// which are text and the few tags below it, so one 0xff is above whatever may follow.
pub(crate) fn before(key: &[u8]) -> Option<Vec<u8>> {
    let (last, head) = key.split_last()?;
    let mut bound = head.to_vec();
    if *last > 0 {
        bound.extend([last - 1, u8::MAX]);
    }
    Some(bound)
}
