//! An author's quota of late commits: they are kept, because an attestation may settle them yet, but
//! nobody fills a disk with them.

use policy::Actor;

use super::Documents;
use crate::limits::FETCH_COMMITS_MAX;
use crate::store::keys::{self, Digest};
use crate::store::{Column, StoreError};

/// By how much an author's quota may be exceeded by commits that only the attestations of others in
/// their batch settle: one batch. Those others may be refused yet; the commits count then.
pub(super) const LATE_MARGIN: u64 = FETCH_COMMITS_MAX as u64;

/// How sure it is that a commit which is late without attestations needs no room among the late.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LateRoom {
    /// Its own attestation, kept with it, settles it.
    Certain,
    /// Nothing settles it, or only what hangs on another commit.
    Counted,
}

impl Documents {
    /// How many late commits of an author are kept, up to `most`.
    pub(super) fn late_of(&self, author: &Actor, most: u64) -> Result<u64, StoreError> {
        let mut count = 0;
        self.store
            .scan(Column::Late, &hash_of(author), &[], |_, _| {
                count += 1;
                Ok::<bool, StoreError>(count < most)
            })?;
        Ok(count)
    }
}

fn hash_of(author: &Actor) -> Digest {
    identity::hash("holdfast/author/1", &[author.as_str().as_bytes()])
}

/// Where a late commit stands in its author's quota.
pub(crate) fn late_key(author: &Actor, document: &Digest, commit: &Digest) -> Vec<u8> {
    keys::triple(&hash_of(author), document, commit).to_vec()
}
