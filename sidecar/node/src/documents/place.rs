//! Places of a document's commits, of which it has [`DOCUMENT_COMMITS_MAX`] (Invariant 7).
//!
//! A commit has its place before it goes to the writer and until it is on disk, where it is counted
//! from then on: so all that is under way at once, in one batch or in many, keeps within the bound.

use std::sync::Mutex;

use super::{locked, InFlight};
use crate::limits::DOCUMENT_COMMITS_MAX;
use crate::store::keys::Digest;
use crate::store::{Store, StoreError};

/// The place of one commit that is under way; given back when it is dropped.
pub(super) struct Place<'a> {
    in_flight: &'a Mutex<InFlight>,
    document: Digest,
}

impl<'a> Place<'a> {
    /// A place among the commits of `document`; none where it is full.
    ///
    /// Taken before what is on disk is counted: a commit that lands meanwhile counts twice rather
    /// than not at all. So the last places may be refused to one that would have fitted, and nobody
    /// ever gets one too many.
    pub(super) fn take(
        in_flight: &'a Mutex<InFlight>,
        store: &Store,
        document: Digest,
    ) -> Result<Option<Self>, StoreError> {
        let taken = {
            let mut all = locked(in_flight);
            let taken = all.places.entry(document).or_insert(0);
            *taken += 1;
            *taken
        };
        let place = Self {
            in_flight,
            document,
        };
        let kept = store.document(&document)?.map_or(0, |kept| kept.commits);
        Ok((kept.saturating_add(taken) <= DOCUMENT_COMMITS_MAX).then_some(place))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut all = locked(self.in_flight);
        if let Some(taken) = all.places.get_mut(&self.document) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                all.places.remove(&self.document);
            }
        }
    }
}
