//! Hub state as the judge reads it: `policy::History` under a proven height.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use core::cell::RefCell;

use crdt::{Cid, CollectionPreimage};
use hub_types::{PolicyId, Timestamp};
use identity::ChainId;
use policy::{
    check, Answer, CheckError, Circumstances, DocumentFacts, History, Limits, Name, ObjectRef,
    Question, Revision, Time, View, WithDocuments,
};

use crate::times::{first_block, Block, BlockTimes, FirstBlock, MadeAt, Wanted};
use crate::verdict::{Authority, DocumentClaim, Permission, Permitted, SchemaStanding};

/// Wants that one reader remembers. What is beyond them is wanted again when those are proven.
const WANTED_MAX: usize = 256;

/// The collections that a policy ever defined, by the CID that documents name them with.
///
/// Made anew when a revision defines a collection; cheap to keep beside the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collections(BTreeMap<Cid, (Name, Name)>);

impl Collections {
    /// The collections of the latest revision; collections are never removed.
    pub fn of(history: &History, chain: &ChainId, policy: &PolicyId) -> Collections {
        let Some(view) = history
            .latest()
            .and_then(|latest| history.at(latest.revision).ok())
        else {
            return Collections::default();
        };
        let entries = view.collections().filter_map(|(resource, name, _)| {
            let preimage = CollectionPreimage::new(
                chain.clone(),
                *policy.as_bytes(),
                resource.as_str(),
                name.as_str(),
            );
            Some((*preimage.ok()?.id().cid(), (resource.clone(), name.clone())))
        });
        Collections(entries.collect())
    }

    /// Resource and name of a collection.
    pub fn get(&self, collection: &Cid) -> Option<(&Name, &Name)> {
        self.0
            .get(collection)
            .map(|(resource, name)| (resource, name))
    }
}

/// One policy's history up to a proven height.
#[derive(Debug)]
pub struct PolicyAuthority<'a> {
    history: &'a History,
    collections: &'a Collections,
    anchor_lag: u64,
    proven_height: u64,
    header_time: Option<Time>,
    times: &'a BlockTimes,
    wanted: RefCell<BTreeSet<Wanted>>,
}

impl<'a> PolicyAuthority<'a> {
    /// Reads `history` up to `proven_height`, which must be the highest height for which the
    /// history is known to miss nothing.
    ///
    /// `anchor_lag` is that of the policy record. No message of this version changes it, so one
    /// value holds at every revision. `header_time` is the time of the block after the proven height,
    /// whose header proves that state; `times` are those of any other blocks that are proven.
    pub fn new(
        history: &'a History,
        collections: &'a Collections,
        anchor_lag: u64,
        proven_height: u64,
        header_time: Option<Time>,
        times: &'a BlockTimes,
    ) -> PolicyAuthority<'a> {
        PolicyAuthority {
            history,
            collections,
            anchor_lag,
            proven_height,
            header_time,
            times,
            wanted: RefCell::default(),
        }
    }

    /// What would have to be proven to tell what could not be told since this was made.
    pub fn wanted(&self) -> BTreeSet<Wanted> {
        self.wanted.borrow().clone()
    }

    /// Of how many blocks the times are known, beside the policy's revisions and the newest header.
    pub fn times(&self) -> usize {
        self.times.len()
    }

    /// The block whose header proves the newest state here.
    pub fn header(&self) -> Option<Block> {
        Some(Block {
            height: self.proven_height.checked_add(1)?,
            time: self.header_time?,
        })
    }

    /// The last block that is known to be earlier than `time`.
    pub fn last_before(&self, time: Time) -> Option<Block> {
        let last = match self.known_reached(time) {
            Some(reached) => reached.height.checked_sub(1)?,
            None => u64::MAX,
        };
        self.known_at_or_below(last)
    }

    /// The highest block at or below `height` whose time is known.
    fn known_at_or_below(&self, height: u64) -> Option<Block> {
        let revision = self.history.revision_at_height(height);
        let made = revision.and_then(|revision| self.history.revision(revision));
        let header = self.header().filter(|header| header.height <= height);
        let times = self.times.at_or_below(height);
        [made.map(block_of), header, times]
            .into_iter()
            .flatten()
            .max()
    }

    /// The lowest block at or above `height` whose time is known.
    fn known_at_or_above(&self, height: u64) -> Option<Block> {
        let below = height.checked_sub(1);
        let before = below.and_then(|below| self.history.revision_at_height(below));
        let next = before.map_or(Some(0), |before| before.checked_add(1));
        let made = next.and_then(|next| self.history.revision(next));
        let header = self.header().filter(|header| header.height >= height);
        let times = self.times.at_or_above(height);
        [made.map(block_of), header, times]
            .into_iter()
            .flatten()
            .min()
    }

    /// The lowest block that is known to have reached `time`.
    fn known_reached(&self, time: Time) -> Option<Block> {
        let (mut low, mut high) = (0, self.history.latest().map_or(0, |last| last.revision + 1));
        while low < high {
            let middle = low + (high - low) / 2;
            let made = self.history.revision(middle).map(block_of);
            match made.is_some_and(|made| made.time < time) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let made = self.history.revision(low).map(block_of);
        let header = self.header().filter(|header| header.time >= time);
        [made, header, self.times.reached(time)]
            .into_iter()
            .flatten()
            .min()
    }

    /// The object by which the policy knows a document: its collection's resource, its id as text.
    pub fn object(&self, document: &DocumentClaim) -> Option<ObjectRef> {
        let (resource, _) = self.collections.get(&document.collection)?;
        ObjectRef::new(resource.as_str(), &document.id.to_string()).ok()
    }

    /// Asks whether `actor` has `permission` on `document` as of `revision`, under these
    /// circumstances, and says why not.
    ///
    /// None when the document's collection does not exist at that revision.
    pub fn ask(
        &self,
        revision: u64,
        question: &Permission<'_>,
        circumstances: &Circumstances,
    ) -> Option<Result<Answer, CheckError>> {
        let Permission {
            document,
            actor,
            permission,
            creating,
        } = *question;
        let view = self.view(revision)?;
        let facts = self.facts(&view, document, creating)?;
        let relationships = WithDocuments::new(&view, core::slice::from_ref(&facts));
        let question = Question::new(facts.object.clone(), permission, actor.clone());
        Some(check(
            &relationships,
            &question,
            circumstances,
            Limits::CONSENSUS,
        ))
    }

    /// What every reader derives from the document's id, as of one revision.
    pub fn facts(
        &self,
        view: &View<'_>,
        document: &DocumentClaim,
        creating: bool,
    ) -> Option<DocumentFacts> {
        let (resource, name) = self.collections.get(&document.collection)?;
        let collection = view.collection(resource, name)?;
        Some(DocumentFacts {
            object: ObjectRef::new(resource.as_str(), &document.id.to_string()).ok()?,
            owner: (!creating).then(|| document.creator.clone()),
            scope_relation: collection.scope_relation.clone(),
            scope: document.scope.clone(),
        })
    }

    /// Resource and name of a collection.
    pub fn collection(&self, collection: &Cid) -> Option<(&'a Name, &'a Name)> {
        self.collections.get(collection)
    }

    /// The policy as of a revision that is proven here.
    pub fn view(&self, revision: u64) -> Option<View<'a>> {
        let known = self.history.revision(revision)?;
        (known.height <= self.proven_height)
            .then(|| self.history.at(revision).ok())
            .flatten()
    }

    /// The history that this reads.
    pub fn history(&self) -> &'a History {
        self.history
    }
}

impl Authority for PolicyAuthority<'_> {
    fn proven_height(&self) -> u64 {
        self.proven_height
    }

    fn revision_after(&self, height: u64) -> Option<u64> {
        self.history
            .revision_at_height(height.min(self.proven_height))
    }

    fn height_of(&self, revision: u64) -> Option<u64> {
        self.history
            .revision(revision)
            .map(|revision| revision.height)
    }

    fn schema(&self, revision: u64, collection: &Cid, schema_version: u64) -> SchemaStanding {
        let found = self
            .collections
            .get(collection)
            .and_then(|(resource, name)| self.view(revision)?.collection(resource, name));
        match found {
            None => SchemaStanding::UnknownCollection,
            Some(record) if u64::from(record.version) == schema_version => SchemaStanding::InForce,
            Some(record) => SchemaStanding::OtherVersion {
                in_force: u64::from(record.version),
            },
        }
    }

    fn made_at(&self, height: u64) -> MadeAt {
        // Every height that is asked about is at or above the policy's first revision.
        let from = self.known_at_or_below(height);
        match from {
            Some(block) if block.height == height => MadeAt::Exactly(block.time),
            from => MadeAt::Within(
                from.map_or_else(Time::default, |block| block.time),
                self.known_at_or_above(height).map(|block| block.time),
            ),
        }
    }

    fn first_block(&self, time: Time) -> FirstBlock {
        first_block(self.last_before(time), self.known_reached(time))
    }

    fn want(&self, wanted: Wanted) {
        let mut all = self.wanted.borrow_mut();
        if all.len() < WANTED_MAX {
            all.insert(wanted);
        }
    }

    fn permits(&self, revision: u64, time: Time, question: &Permission<'_>) -> Permitted {
        match self.ask(revision, question, &Circumstances::at(time)) {
            Some(Ok(answer)) => Permitted {
                allowed: answer.is_allow(),
                stands_until: answer.stands_until,
            },
            None
            | Some(Err(
                CheckError::UnknownResource { .. } | CheckError::UnknownPermission { .. },
            )) => Permitted {
                allowed: false,
                stands_until: None,
            },
            // Whether a bound is reached, or a condition fails, may be otherwise at any other time.
            Some(Err(_)) => Permitted {
                allowed: false,
                stands_until: Some(time),
            },
        }
    }

    fn anchor_lag(&self, _revision: u64) -> u64 {
        self.anchor_lag
    }
}

fn block_of(revision: Revision) -> Block {
    Block {
        height: revision.height,
        time: Timestamp::new(revision.time_seconds, revision.time_nanos)
            .unwrap_or_default()
            .to_policy(),
    }
}
