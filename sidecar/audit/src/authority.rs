//! Hub state as the judge reads it: `policy::History` under a proven height.

use alloc::collections::BTreeMap;
use alloc::string::ToString;

use crdt::{Cid, CollectionPreimage};
use hub_types::PolicyId;
use identity::ChainId;
use policy::{
    check, Actor, Answer, CheckError, DocumentFacts, History, Limits, Name, ObjectRef, Question,
    View, WithDocuments,
};

use crate::verdict::{Authority, DocumentClaim, Permission, SchemaStanding};

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
#[derive(Debug, Clone, Copy)]
pub struct PolicyAuthority<'a> {
    history: &'a History,
    collections: &'a Collections,
    anchor_lag: u64,
    proven_height: u64,
}

impl<'a> PolicyAuthority<'a> {
    /// Reads `history` up to `proven_height`, which must be the highest height for which the
    /// history is known to miss nothing.
    ///
    /// `anchor_lag` is that of the policy record. No message of this version changes it, so one
    /// value holds at every revision.
    pub fn new(
        history: &'a History,
        collections: &'a Collections,
        anchor_lag: u64,
        proven_height: u64,
    ) -> PolicyAuthority<'a> {
        PolicyAuthority {
            history,
            collections,
            anchor_lag,
            proven_height,
        }
    }

    /// The object by which the policy knows a document: its collection's resource, its id as text.
    pub fn object(&self, document: &DocumentClaim) -> Option<ObjectRef> {
        let (resource, _) = self.collections.get(&document.collection)?;
        ObjectRef::new(resource.as_str(), &document.id.to_string()).ok()
    }

    /// Asks whether `actor` has `permission` on `document` as of `revision`, and says why not.
    ///
    /// None when the document's collection does not exist at that revision.
    pub fn ask(
        &self,
        revision: u64,
        document: &DocumentClaim,
        actor: &Actor,
        permission: &str,
        creating: bool,
    ) -> Option<Result<Answer, CheckError>> {
        let view = self.view(revision)?;
        let facts = self.facts(&view, document, creating)?;
        let relationships = WithDocuments::new(&view, core::slice::from_ref(&facts));
        let question = Question::new(facts.object.clone(), permission, actor.clone());
        Some(check(&relationships, &question, Limits::CONSENSUS))
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

    fn permits(&self, revision: u64, question: &Permission<'_>) -> bool {
        let answer = self.ask(
            revision,
            question.document,
            question.actor,
            question.permission,
            question.creating,
        );
        matches!(answer, Some(Ok(answer)) if answer.is_allow())
    }

    fn anchor_lag(&self, _revision: u64) -> u64 {
        self.anchor_lag
    }
}
