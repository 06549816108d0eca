//! What peers are given: heads of what changed, commits that they lack, attestations.
//!
//! Each document passes the guard for the peer's actor: headers take `relay`, bodies `read`
//! (Invariant 8). What does not count is offered only where something that counts follows it:
//! rejected commits are not kept at all, and a late tip is never named.

use std::collections::BTreeSet;

use crdt::{Cid, Disclosure};
use identity::Did;

use super::{attested, Documents};
use crate::failure::Failure;
use crate::guard::{Permit, Sight};
use crate::limits::{
    FETCH_ATTESTATIONS_MAX, FETCH_COMMITS_MAX, FRAME_BYTES_MAX, FRAME_DOCUMENTS_MAX,
    FRAME_HEADS_MAX,
};
use crate::network::messages::{
    ChangesAnswer, CommitBlocks, Cursor, DocumentHeads, FetchAnswer, FetchQuestion,
};
use crate::store::keys::{self, Digest};
use crate::store::records::{decode, digest, FeedRecord};
use crate::store::{Column, StoreError};

/// Room in a frame for everything but blocks and attestations: tags, lengths, cursor.
const FRAME_ROOM_BYTES: usize = 64 * 1024;

/// Commits or documents that may be offered, with the permit under which they are.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The document.
    pub document: Cid,
    /// Its heads that count, at most as many as one frame names.
    pub heads: Vec<Cid>,
}

impl Documents {
    /// A document's heads, for whoever holds the permit.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn heads(&self, permit: &Permit) -> Result<Offered, Failure> {
        let document = *permit.document();
        let heads = self
            .judged(document.digest(), |loaded, _, _| loaded.heads())?
            .unwrap_or_default()
            .into_iter()
            .take(FRAME_HEADS_MAX)
            .collect();
        Ok(Offered { document, heads })
    }

    /// What changed since `cursor`, as far as `actor` may see it.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn changes_since(
        &self,
        actor: &Did,
        cursor: Option<Cursor>,
        epoch: u64,
    ) -> Result<ChangesAnswer, Failure> {
        let from = cursor
            .filter(|cursor| cursor.epoch == epoch)
            .map_or(0, |cursor| cursor.next);
        let mut entries: Vec<(u64, FeedRecord)> = Vec::new();
        let mut more = false;
        self.store
            .scan(Column::Feed, &[], &keys::number(from), |key, value| {
                if entries.len() == FRAME_DOCUMENTS_MAX {
                    more = true;
                    return Ok(false);
                }
                let number = key
                    .try_into()
                    .map_err(|_| StoreError::Record(Column::Feed.name()))?;
                entries.push((u64::from_be_bytes(number), decode(Column::Feed, value)?));
                Ok::<bool, StoreError>(true)
            })?;
        let mut answer = ChangesAnswer::default();
        let mut next = from;
        let mut bytes = FRAME_ROOM_BYTES;
        for (number, entry) in entries {
            let document = digest(Column::Feed, &entry.document)?;
            if let Some(permit) = self.permit_peer(&document, actor, Sight::Headers)? {
                if entry.commit.is_empty() {
                    let offered = self.heads(&permit)?;
                    let heads = named(&offered);
                    bytes += 64 + 40 * heads.heads.len();
                    if !heads.heads.is_empty() {
                        answer.documents.push(heads);
                    }
                } else {
                    let raw = self.attestation(&entry)?;
                    bytes += raw.len() + 8;
                    let full = answer.attestations.len() == FETCH_ATTESTATIONS_MAX
                        || bytes > FRAME_BYTES_MAX;
                    if full {
                        more = true;
                        break;
                    }
                    answer.attestations.push(raw);
                }
            }
            next = number + 1;
        }
        answer.cursor = Some(Cursor { epoch, next });
        answer.more = more;
        Ok(answer)
    }

    fn attestation(&self, entry: &FeedRecord) -> Result<Vec<u8>, StoreError> {
        let key = keys::triple(
            &digest(Column::Feed, &entry.document)?,
            &digest(Column::Feed, &entry.commit)?,
            &digest(Column::Feed, &entry.log)?,
        );
        match self.store.get(Column::Attestations, &key)? {
            Some(bytes) => Ok(attested::decode_kept(&bytes)?.raw),
            None => Ok(Vec::new()),
        }
    }

    /// The commits between what a peer has and what it wants, with their attestations.
    ///
    /// # Errors
    /// [`Failure`]; a document that the peer may not see looks like one that is not there.
    pub fn fetch(&self, actor: &Did, question: &FetchQuestion) -> Result<FetchAnswer, Failure> {
        let wanted = |list: &[Vec<u8>]| -> Vec<Cid> {
            list.iter()
                .filter_map(|bytes| Cid::from_bytes(bytes).ok())
                .collect()
        };
        let Ok(document) = Cid::from_bytes(&question.document) else {
            return Ok(FetchAnswer::default());
        };
        let Some(permit) = self.permit_peer(document.digest(), actor, Sight::Headers)? else {
            return Ok(FetchAnswer::default());
        };
        let bodies = self
            .permit_peer(document.digest(), actor, Sight::Bodies)?
            .is_some();
        let (want, have) = (wanted(&question.want), wanted(&question.have));
        let document = permit.document();
        let commits = self
            .judged(document.digest(), |loaded, _, _| {
                let heads = loaded.heads();
                let offered: Vec<Cid> = want
                    .into_iter()
                    .filter(|commit| {
                        heads
                            .iter()
                            .any(|head| loaded.dag.is_in_closure(commit, head).unwrap_or(false))
                    })
                    .collect();
                // What is wanted by name and covered by `have` is asked for its body; it comes
                // before whatever follows it.
                let beyond = loaded.dag.since(&offered, &have).unwrap_or_default();
                let named: BTreeSet<Cid> = offered.into_iter().collect();
                let found: BTreeSet<Cid> = beyond.iter().copied().collect();
                let mut commits: Vec<Cid> = loaded
                    .dag
                    .topological()
                    .iter()
                    .map(|commit| *commit.cid())
                    .filter(|commit| named.contains(commit) && !found.contains(commit))
                    .collect();
                commits.extend(beyond);
                commits
            })?
            .unwrap_or_default();
        self.frame_of(document.digest(), &commits, bodies)
    }

    /// Fills one frame with commits, parents first, and their attestations.
    fn frame_of(
        &self,
        document: &Digest,
        commits: &[Cid],
        bodies: bool,
    ) -> Result<FetchAnswer, Failure> {
        let mut answer = FetchAnswer::default();
        let mut bytes = FRAME_ROOM_BYTES;
        let mut sent = BTreeSet::new();
        for commit in commits {
            let Some(kept) = self.store.blocks(commit.digest())? else {
                continue;
            };
            let body = kept.body.filter(|_| bodies);
            bytes += kept.header.len() + 96 + body.as_ref().map_or(0, Vec::len);
            let full = answer.commits.len() == FETCH_COMMITS_MAX || bytes > FRAME_BYTES_MAX;
            if full && !answer.commits.is_empty() {
                answer.more = true;
                break;
            }
            answer.commits.push(CommitBlocks {
                header: kept.header,
                signature: kept.signature,
                body,
            });
            sent.insert(*commit.digest());
        }
        for commit in sent {
            self.store.scan(
                Column::Attestations,
                &keys::pair(document, &commit),
                &[],
                |_, value| {
                    let raw = attested::decode_kept(value)?.raw;
                    bytes += raw.len() + 8;
                    let room = answer.attestations.len() < FETCH_ATTESTATIONS_MAX
                        && bytes <= FRAME_BYTES_MAX;
                    if room {
                        answer.attestations.push(raw);
                    }
                    // What has no room comes with the feed.
                    Ok::<bool, StoreError>(room)
                },
            )?;
        }
        Ok(answer)
    }

    /// Which of a document's offered heads are not here: neither kept, nor waiting, nor rejected.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unknown(&self, document: &Digest, heads: &[Cid]) -> Result<Vec<Cid>, StoreError> {
        let mut unknown = Vec::new();
        for head in heads {
            let known = self.store.commit(document, head.digest())?.is_some()
                || super::locked(&self.pending).contains(head.digest())
                || self.was_rejected(head.digest()).is_some();
            if !known {
                unknown.push(*head);
            }
        }
        Ok(unknown)
    }

    /// Kept commits of a document whose bodies are not here, parents first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bodyless(&self, document: &Digest) -> Result<Vec<Cid>, StoreError> {
        let Some((loaded, _)) = self.loaded(document)? else {
            return Ok(Vec::new());
        };
        let loaded = super::locked(&loaded);
        let order = loaded.dag.topological().into_iter();
        Ok(order
            .map(|commit| *commit.cid())
            .filter(|commit| loaded.dag.body(commit) == Some(&Disclosure::Absent))
            .collect())
    }

    /// Parents that waiting commits of a document lack.
    #[must_use]
    pub fn missing(&self, document: &Digest) -> Vec<Cid> {
        super::locked(&self.pending).missing(document)
    }

    /// What this sidecar has of a document, for a question: its tips, and ancestors at doubling
    /// distances, so that the answer is about as long as the difference.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn have(&self, document: &Digest) -> Result<Vec<Cid>, StoreError> {
        let Some((loaded, _)) = self.loaded(document)? else {
            return Ok(Vec::new());
        };
        let loaded = super::locked(&loaded);
        let mut have: BTreeSet<Cid> = loaded.dag.heads().copied().take(FRAME_HEADS_MAX).collect();
        let order = loaded.dag.topological();
        let mut distance = 1;
        while distance < order.len() && have.len() < 2 * FRAME_HEADS_MAX {
            have.insert(*order[order.len() - 1 - distance].cid());
            distance *= 2;
        }
        Ok(have.into_iter().collect())
    }
}

/// The heads as they are named to a peer.
pub(crate) fn named(offered: &Offered) -> DocumentHeads {
    DocumentHeads {
        document: offered.document.to_bytes().to_vec(),
        heads: offered
            .heads
            .iter()
            .map(|head| head.to_bytes().to_vec())
            .collect(),
    }
}
