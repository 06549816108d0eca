//! The one writer: takes what waits, gives each leaf its index, and syncs it all at once.
//!
//! Writers make and verify signatures, encode blocks and leaf contents before they come here; what
//! is left is what must happen in one order: a document's tips, its chain of leaves, the log.
//! While one group is being synced the next one gathers, so the more writers wait the larger the
//! groups, and one fsync serves them all.
//!
//! A failed sync stops the writer for good: what the disk holds is unknown then, and going on
//! could acknowledge what is lost (Invariant 5).

use std::sync::{Arc, RwLock};

use audit::leaf::{Opening, Previous};
use hashbrown::HashMap;
use merkle::Hash;
use prost::Message as _;
use rocksdb::{ColumnFamily, WriteBatch, DB};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::keys::{self, meta, Digest};
use super::log::{FullTile, Tail};
use super::records::{decode, digests, CommitRecord, DocumentRecord, FeedRecord, LeafRecord};
use super::{get, synced, Changed, Column, StoreError};
use crate::limits::{GROUP_WRITES_MAX, WRITER_QUEUE_LENGTH};
use crate::metrics::Metrics;

/// Documents whose record the writer remembers, about 600 bytes each; beyond it starts over.
const REMEMBERED_DOCUMENTS_MAX: usize = 65_536;

/// One plain change: a value, or none to delete.
pub type Put = (Column, Vec<u8>, Option<Vec<u8>>);

/// A leaf that waits for its index and for the document's previous leaf.
#[derive(Debug)]
pub struct LeafDraft {
    opening: Opening,
    commitment: Hash,
    document: Option<Digest>,
    policy: Option<[u8; 32]>,
}

impl LeafDraft {
    /// Encodes and commits to `content` with a fresh salt, in the writer's client's own time.
    ///
    /// # Errors
    /// [`StoreError::Leaf`] when the content breaks a bound.
    pub fn new(
        salt: audit::leaf::Salt,
        content: audit::content::Content,
    ) -> Result<Self, StoreError> {
        let document = content.document().map(|document| *document.digest());
        let opening = Opening::new(salt, content, None)
            .map_err(|error| StoreError::Leaf(error.to_string()))?;
        Ok(Self {
            commitment: opening.content_commitment(),
            opening,
            document,
            policy: None,
        })
    }

    /// Remembers, beside the leaf, under which policy it was written.
    #[must_use]
    pub fn under(self, policy: &[u8; 32]) -> Self {
        Self {
            policy: Some(*policy),
            ..self
        }
    }
}

/// What is told of a document with its first commit.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// Digest of its collection.
    pub collection: Digest,
    /// Its policy.
    pub policy: [u8; 32],
    /// Its scope, `resource:id`.
    pub scope: String,
    /// Its creator's DID.
    pub creator: String,
    /// Canonical preimage of its id.
    pub preimage: Vec<u8>,
}

/// A commit that was admitted: its parents are kept, its signature holds.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// Its document.
    pub document: Digest,
    /// Itself.
    pub commit: Digest,
    /// Its parents.
    pub parents: Vec<Digest>,
    /// Encoded [`super::records::Blocks`].
    pub blocks: Vec<u8>,
    /// Everything but the leaf index, which the writer gives.
    pub record: CommitRecord,
    /// For a first commit.
    pub creates: Option<NewDocument>,
}

/// One write: all of it becomes durable, or none.
#[derive(Debug, Default)]
pub struct Write {
    /// A commit. If it is kept already, nothing of this write happens.
    pub commit: Option<NewCommit>,
    /// Leaves, in this order.
    pub leaves: Vec<LeafDraft>,
    /// Plain changes.
    pub puts: Vec<Put>,
    /// Documents that peers are to be told of again.
    pub touched: Vec<Digest>,
    /// Attestations that peers are to be told of.
    pub attestations: Vec<FeedRecord>,
    /// What this write was made from. If something else stands there by now, nothing of this write
    /// happens: who compares before he writes loses no race, and needs no lock.
    pub expects: Option<Expected>,
}

/// A value as a write's maker read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Where.
    pub column: Column,
    /// Under which key.
    pub key: Vec<u8>,
    /// The value; none where there was none.
    pub value: Option<Vec<u8>>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether the commit was kept already, or something else stood where the write expected, so
    /// that nothing was written.
    pub known: bool,
    /// Index of the write's first leaf.
    pub first_leaf: u64,
}

type Reply = oneshot::Sender<Result<Written, StoreError>>;

/// The way to the writer.
pub(super) struct Handle {
    queue: Option<mpsc::Sender<(Write, Reply)>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Handle {
    fn queue(&self) -> Result<&mpsc::Sender<(Write, Reply)>, StoreError> {
        self.queue.as_ref().ok_or(StoreError::Stopped)
    }

    pub(super) async fn send(&self, write: Write, reply: Reply) -> Result<(), StoreError> {
        self.queue()?
            .send((write, reply))
            .await
            .map_err(|_| StoreError::Stopped)
    }

    pub(super) fn send_blocking(&self, write: Write, reply: Reply) -> Result<(), StoreError> {
        self.queue()?
            .blocking_send((write, reply))
            .map_err(|_| StoreError::Stopped)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was told by the panic hook already.
            let _ = thread.join();
        }
    }
}

pub(super) struct Parts {
    pub db: Arc<DB>,
    pub tail: Arc<RwLock<Tail>>,
    pub size: watch::Sender<u64>,
    pub changes: broadcast::Sender<Changed>,
    pub metrics: Arc<Metrics>,
}

pub(super) fn start(parts: Parts) -> Result<Handle, StoreError> {
    let feed_next = match get(&parts.db, Column::Meta, meta::FEED_NEXT)? {
        None => 1,
        Some(bytes) => u64::from_be_bytes(
            bytes
                .try_into()
                .map_err(|_| StoreError::Record(Column::Meta.name()))?,
        ),
    };
    let tail = parts
        .tail
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone();
    let (queue, mut waiting) = mpsc::channel::<(Write, Reply)>(WRITER_QUEUE_LENGTH);
    let mut writer = Writer {
        parts,
        tail,
        feed_next,
        documents: HashMap::new(),
    };
    let thread = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || {
            let mut group = Vec::with_capacity(GROUP_WRITES_MAX);
            while let Some(first) = waiting.blocking_recv() {
                group.push(first);
                while group.len() < GROUP_WRITES_MAX {
                    let Ok(next) = waiting.try_recv() else { break };
                    group.push(next);
                }
                if let Err(error) = writer.write_group(&mut group) {
                    tracing::error!(%error, "the store stops");
                    waiting.close();
                    for (_, reply) in group.drain(..) {
                        let _ = reply.send(Err(error.clone()));
                    }
                    return;
                }
            }
        })
        .map_err(|error| StoreError::Write(error.to_string()))?;
    Ok(Handle {
        queue: Some(queue),
        thread: Some(thread),
    })
}

struct Writer {
    parts: Parts,
    tail: Tail,
    feed_next: u64,
    documents: HashMap<Digest, DocumentRecord>,
}

/// What one group gathers before it is written.
struct Group {
    batch: WriteBatch,
    full: Vec<FullTile>,
    /// Commits of this group, which the disk does not know yet.
    commits: HashMap<[u8; 64], ()>,
    /// What writes of this group expected and may have changed, likewise.
    expected: HashMap<(Column, Vec<u8>), ()>,
    changed: Changed,
}

impl Writer {
    fn write_group(&mut self, group: &mut Vec<(Write, Reply)>) -> Result<(), StoreError> {
        let db = self.parts.db.clone();
        let mut gathered = Group {
            batch: WriteBatch::default(),
            full: Vec::new(),
            commits: HashMap::new(),
            expected: HashMap::new(),
            changed: Changed::default(),
        };
        let mut results = Vec::with_capacity(group.len());
        for (write, _) in group.iter_mut() {
            results.push(self.gather(&db, std::mem::take(write), &mut gathered)?);
        }
        for tile in gathered.full {
            gathered
                .batch
                .put_cf(family(&db, Column::Tiles)?, tile.key, tile.hashes);
        }
        let metadata = family(&db, Column::Meta)?;
        gathered
            .batch
            .put_cf(metadata, meta::LOG, self.tail.range.to_bytes());
        gathered
            .batch
            .put_cf(metadata, meta::FEED_NEXT, keys::number(self.feed_next));
        db.write_opt(gathered.batch, &synced())
            .map_err(|error| StoreError::Write(error.to_string()))?;

        *self
            .parts
            .tail
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = self.tail.clone();
        self.parts.metrics.groups.inc();
        self.parts.metrics.group_writes.inc_by(group.len() as u64);
        self.parts.metrics.log_size.set(self.tail.range.size());
        for ((_, reply), written) in group.drain(..).zip(results) {
            // Who no longer waits has gone away; the write stands all the same.
            let _ = reply.send(Ok(written));
        }
        self.parts.size.send_replace(self.tail.range.size());
        if !gathered.changed.documents.is_empty() {
            // Nobody listens while the network is down; the feed repeats it then.
            let _ = self.parts.changes.send(gathered.changed);
        }
        if self.documents.len() > REMEMBERED_DOCUMENTS_MAX {
            self.documents.clear();
        }
        Ok(())
    }

    fn gather(&mut self, db: &DB, write: Write, group: &mut Group) -> Result<Written, StoreError> {
        let first_leaf = self.tail.range.size();
        if let Some(expected) = write.expects {
            let place = (expected.column, expected.key);
            let overtaken = group.expected.contains_key(&place)
                || get(db, place.0, &place.1)? != expected.value;
            if overtaken {
                return Ok(Written {
                    known: true,
                    first_leaf,
                });
            }
            group.expected.insert(place, ());
        }
        if let Some(commit) = &write.commit {
            let key = keys::pair(&commit.document, &commit.commit);
            // A document that is not there has no commits, which saves the lookup of most creates.
            let may_be_known =
                commit.creates.is_none() || self.has_document(db, &commit.document)?;
            let known = group.commits.contains_key(&key)
                || (may_be_known && get(db, Column::Commits, &key)?.is_some());
            if known {
                return Ok(Written {
                    known: true,
                    first_leaf,
                });
            }
        }
        if let Some(commit) = &write.commit {
            self.gather_commit(db, commit, group)?;
        }
        let mut held = None;
        let mut dirty: Vec<Digest> = Vec::new();
        for leaf in write.leaves {
            let holds = matches!(
                leaf.opening.content(),
                audit::content::Content::CommitHeld(_)
            );
            dirty.extend(leaf.document);
            let index = self.gather_leaf(db, leaf, group)?;
            if holds && held.is_none() {
                held = Some(index);
            }
        }
        if let Some(mut commit) = write.commit {
            commit.record.leaf = held.unwrap_or(first_leaf);
            let key = keys::pair(&commit.document, &commit.commit);
            group.batch.put_cf(
                family(db, Column::Commits)?,
                key,
                commit.record.encode_to_vec(),
            );
            group
                .batch
                .put_cf(family(db, Column::Blocks)?, commit.commit, commit.blocks);
            // Only a peer's commit can have waited.
            if commit.record.from_peer {
                group.batch.delete_cf(family(db, Column::Pending)?, key);
            }
            group.commits.insert(key, ());
            self.tell(db, commit.document, group)?;
            dirty.push(commit.document);
            group.changed.documents.push(commit.document);
        }
        for document in write.touched {
            if self.has_document(db, &document)? {
                self.tell(db, document, group)?;
                dirty.push(document);
                group.changed.documents.push(document);
            }
        }
        for attestation in write.attestations {
            let number = self.next_in_feed();
            let feed = family(db, Column::Feed)?;
            group
                .batch
                .put_cf(feed, keys::number(number), attestation.encode_to_vec());
            if let Ok(document) = Digest::try_from(attestation.document.as_slice()) {
                group.changed.documents.push(document);
            }
        }
        dirty.sort_unstable();
        dirty.dedup();
        for document in dirty {
            if self.documents.contains_key(&document) {
                self.save(db, &document, group)?;
            }
        }
        for (column, key, value) in write.puts {
            let family = family(db, column)?;
            match value {
                Some(value) => group.batch.put_cf(family, key, value),
                None => group.batch.delete_cf(family, key),
            }
        }
        Ok(Written {
            known: false,
            first_leaf,
        })
    }

    fn gather_commit(
        &mut self,
        db: &DB,
        commit: &NewCommit,
        group: &mut Group,
    ) -> Result<(), StoreError> {
        if !self.has_document(db, &commit.document)? {
            let new = commit.creates.as_ref().ok_or(StoreError::Log(
                "a commit came before its document's first one",
            ))?;
            let key = keys::pair(&new.collection, &commit.document);
            group
                .batch
                .put_cf(family(db, Column::Collections)?, key, []);
            self.documents.insert(
                commit.document,
                DocumentRecord {
                    collection: new.collection.to_vec(),
                    policy: new.policy.to_vec(),
                    genesis: commit.commit.to_vec(),
                    scope: new.scope.clone(),
                    creator: new.creator.clone(),
                    preimage: new.preimage.clone(),
                    ..DocumentRecord::default()
                },
            );
        }
        let record = self.known(&commit.document)?;
        let mut tips = digests(Column::Documents, &record.tips)?;
        tips.retain(|tip| !commit.parents.contains(tip));
        tips.push(commit.commit);
        tips.sort_unstable();
        record.tips = tips.into_iter().map(|tip| tip.to_vec()).collect();
        record.commits += 1;
        Ok(())
    }

    fn gather_leaf(
        &mut self,
        db: &DB,
        mut leaf: LeafDraft,
        group: &mut Group,
    ) -> Result<u64, StoreError> {
        // A leaf about a document that is not kept here belongs to no chain of this log.
        let document = match leaf.document {
            Some(document) if self.has_document(db, &document)? => Some(document),
            _ => None,
        };
        let previous = match document {
            None => None,
            Some(document) => {
                let record = self.known(&document)?;
                Hash::try_from(record.last_leaf_hash.as_slice())
                    .ok()
                    .map(|leaf_hash| Previous {
                        index: record.last_leaf,
                        leaf_hash,
                    })
            }
        };
        leaf.opening.previous = previous;
        let index = self.tail.range.size();
        let link = audit::leaf::Link {
            content_commitment: leaf.commitment,
            previous,
        };
        let hash = link.leaf(index).hash();
        self.tail.append(hash, &mut group.full)?;
        let record = LeafRecord {
            salt: leaf.opening.salt.to_vec(),
            content: leaf.opening.content_bytes().to_vec(),
            previous: previous.map(|previous| previous.index),
            previous_hash: previous
                .map(|previous| previous.leaf_hash.to_vec())
                .unwrap_or_default(),
            policy: leaf.policy.map(Vec::from),
        };
        let leaves = family(db, Column::Leaves)?;
        group
            .batch
            .put_cf(leaves, keys::number(index), record.encode_to_vec());
        if let Some(document) = document {
            let record = self.known(&document)?;
            record.last_leaf = index;
            record.last_leaf_hash = hash.to_vec();
            record.leaves += 1;
        }
        Ok(index)
    }

    /// Gives the document the next number in the feed, and takes its old one back.
    fn tell(&mut self, db: &DB, document: Digest, group: &mut Group) -> Result<(), StoreError> {
        let number = self.next_in_feed();
        let record = self.known(&document)?;
        let old = std::mem::replace(&mut record.feed, number);
        let feed = family(db, Column::Feed)?;
        if old != 0 {
            group.batch.delete_cf(feed, keys::number(old));
        }
        let entry = FeedRecord {
            document: document.to_vec(),
            ..FeedRecord::default()
        };
        group
            .batch
            .put_cf(feed, keys::number(number), entry.encode_to_vec());
        Ok(())
    }

    fn next_in_feed(&mut self) -> u64 {
        let number = self.feed_next;
        self.feed_next += 1;
        number
    }

    fn save(&mut self, db: &DB, document: &Digest, group: &mut Group) -> Result<(), StoreError> {
        let bytes = self.known(document)?.encode_to_vec();
        group
            .batch
            .put_cf(family(db, Column::Documents)?, document, bytes);
        Ok(())
    }

    /// Whether the document is kept; remembers its record when it is.
    fn has_document(&mut self, db: &DB, document: &Digest) -> Result<bool, StoreError> {
        if self.documents.contains_key(document) {
            return Ok(true);
        }
        match get(db, Column::Documents, document)? {
            None => Ok(false),
            Some(bytes) => {
                self.documents
                    .insert(*document, decode(Column::Documents, &bytes)?);
                Ok(true)
            }
        }
    }

    fn known(&mut self, document: &Digest) -> Result<&mut DocumentRecord, StoreError> {
        self.documents
            .get_mut(document)
            .ok_or(StoreError::Record(Column::Documents.name()))
    }
}

fn family(db: &DB, column: Column) -> Result<&ColumnFamily, StoreError> {
    db.cf_handle(column.name())
        .ok_or(StoreError::Record(column.name()))
}
