//! Reads: the state now, as of a commit or an anchor, the history, lists. Each takes a permit
//! (Invariant 8), so none can forget to ask.

use audit::heads::DocumentHeads;
use audit::verdict::Verdict;
use crdt::{Cid, Disclosure, DocumentState, Operation};
use hub_types::PolicyId;
use identity::Did;
use policy::Context;
use serde::Serialize;
use serde_json::{json, Map, Value as Json};

use super::{of_state, unknown_document, values, Documents, Loaded};
use crate::authority::Reading;
use crate::failure::{Failure, Kind};
use crate::guard::{Permit, Sight, READ};
use crate::leaves::{self, Asked};
use crate::limits::LIST_PAGE_MAX;
use crate::store::keys::{self, Digest};
use crate::store::{Column, StoreError, Write};

/// What a document's id is made of, in names.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Preimage {
    /// The resource of its collection.
    pub resource: String,
    /// The collection's name.
    pub collection: String,
    /// The object that it was created in, `resource:id`.
    pub scope: String,
    /// Who created it.
    pub author: String,
    /// The nonce in hex.
    pub nonce: String,
}

/// A document as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// Its id.
    pub document: String,
    /// Its collection's id.
    pub collection: String,
    /// The object that it was created in.
    pub scope: String,
    /// Who created it.
    pub creator: String,
    /// What its id is made of: enough to ask or register it on the hub.
    pub preimage: Preimage,
    /// Its fields.
    pub fields: Map<String, Json>,
    /// Whether it is deleted; its fields are those that it had.
    pub deleted: bool,
    /// The heads of this state.
    pub heads: Vec<String>,
    /// Commits whose bodies are not here; the state lacks their operations.
    pub unread: Vec<String>,
    /// Who wrote last, and when they say it was.
    pub updated: Option<Json>,
    /// The hub state that reading it rests on.
    pub hub: Reading,
}

/// One commit of a history.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryEntry {
    /// The commit.
    pub commit: String,
    /// What it follows.
    pub parents: Vec<String>,
    /// Its DAG height.
    pub height: u64,
    /// Who signed it.
    pub author: String,
    /// When they say it was, milliseconds since 1970.
    pub claimed_time_ms: u64,
    /// The revision and hub height that it cites.
    pub cites: Json,
    /// The permissions that it takes.
    pub permissions: Vec<String>,
    /// Its verdict.
    pub verdict: Json,
    /// Its operations; absent when its body is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Json>>,
    /// Index of its leaf in this sidecar's audit log.
    pub leaf: u64,
}

/// All commits of a document, parents first.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// The document.
    pub document: String,
    /// The commits.
    pub commits: Vec<HistoryEntry>,
    /// The hub state that the verdicts rest on.
    pub hub: Reading,
}

/// One page of a collection.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// The documents that the actor may read and that fit the filter.
    pub documents: Vec<View>,
    /// Where the next page begins, if there may be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn operation(operation: &Operation) -> Json {
    match operation {
        Operation::Set { field, value } => {
            json!({ "set": { "field": field, "value": values::to_json(value) } })
        }
        Operation::Increment { field, by } => json!({ "increment": { "field": field, "by": by } }),
        Operation::Add { field, value } => {
            json!({ "add": { "field": field, "value": values::to_json(value) } })
        }
        Operation::Remove { field, adds } => {
            let adds: Vec<Json> = adds
                .iter()
                .map(|add| json!([add.commit.to_string(), add.index]))
                .collect();
            json!({ "remove": { "field": field, "adds": adds } })
        }
        Operation::Delete => json!({ "delete": {} }),
        Operation::Rollback { target } => {
            let target: Vec<String> = target.iter().map(Cid::to_string).collect();
            json!({ "rollback": { "target": target } })
        }
    }
}

fn verdict(verdict: Option<&Verdict>) -> Json {
    match verdict {
        None => json!({ "name": "unjudged" }),
        Some(verdict @ Verdict::Settled { by }) => json!({
            "name": verdict.name(),
            "attested_by": by.operator.as_str(),
            "seen_height": by.height,
            "anchor_height": by.anchor_height,
        }),
        Some(verdict @ Verdict::Provisional { through }) => {
            json!({ "name": verdict.name(), "through": through })
        }
        Some(verdict @ Verdict::Late { lost_at }) => {
            json!({ "name": verdict.name(), "lost_at": lost_at })
        }
        Some(verdict) => json!({ "name": verdict.name() }),
    }
}

fn view(loaded: &Loaded, state: &DocumentState, permit: &Permit) -> View {
    View {
        document: loaded.claim.id.to_string(),
        collection: loaded.claim.collection.to_string(),
        scope: loaded.claim.scope.to_string(),
        creator: loaded.claim.creator.as_str().to_owned(),
        preimage: Preimage {
            scope: loaded.claim.scope.to_string(),
            author: loaded.claim.creator.as_str().to_owned(),
            nonce: loaded
                .dag
                .preimage()
                .map(|it| hex::encode(it.nonce))
                .unwrap_or_default(),
            ..Preimage::default()
        },
        fields: values::fields(state),
        deleted: state.deleted().is_some(),
        heads: state.heads().map(Cid::to_string).collect(),
        unread: state.unread().map(Cid::to_string).collect(),
        updated: state.updated().map(|stamp| {
            json!({
                "author": stamp.author.as_str(),
                "commit": stamp.commit.to_string(),
                "claimed_time_ms": stamp.claimed_time_ms,
            })
        }),
        hub: permit.reading().clone(),
    }
}

fn must_see_bodies(permit: &Permit) -> Result<(), Failure> {
    match permit.sight() {
        Sight::Bodies => Ok(()),
        Sight::Headers => Err(Failure::new(
            Kind::Denied,
            "this permit is for headers only",
            "ask for the permission `read`",
        )),
    }
}

impl Documents {
    /// A document's state: now, or as of `heads`.
    ///
    /// # Errors
    /// [`Failure`]: not kept here, or a commit that is not the document's.
    pub fn get(&self, permit: &Permit, heads: Option<&[Cid]>) -> Result<View, Failure> {
        must_see_bodies(permit)?;
        let document = *permit.document();
        let names = self
            .claim(document.digest())?
            .and_then(|(claim, policy)| self.authority.collection_name(&policy, &claim.collection));
        let mut view = self
            .judged(document.digest(), |loaded, schemas, _| match heads {
                None => {
                    let state = loaded.state(schemas).map_err(|error| of_state(&error))?;
                    Ok::<View, Failure>(view(loaded, &state, permit))
                }
                Some(heads) => {
                    let state = loaded
                        .state_at(heads, schemas)
                        .map_err(|error| of_state(&error))?;
                    Ok(view(loaded, &state, permit))
                }
            })?
            .ok_or_else(|| unknown_document(&document))??;
        (view.preimage.resource, view.preimage.collection) = names.unwrap_or_default();
        Ok(view)
    }

    /// The heads that a document had under one of this sidecar's anchors.
    ///
    /// # Errors
    /// [`Failure`] when there is no such anchor, or the document came after it.
    pub fn heads_at_anchor(&self, permit: &Permit, sequence: u64) -> Result<Vec<Cid>, Failure> {
        let document = permit.document();
        let version = crate::anchoring::heads_version(&self.store, sequence)?.ok_or_else(|| {
            Failure::not_found(
                format!("there is no anchor {sequence}"),
                "GET /v1/anchors lists the anchors of this sidecar",
            )
        })?;
        let tree = self.store.heads_tree();
        let value = tree.value(version, &DocumentHeads::key(document))?;
        let value = value.ok_or_else(|| {
            Failure::not_found(
                format!("the document is not under anchor {sequence}"),
                "name a later anchor",
            )
        })?;
        let entry = DocumentHeads::decode(&value).map_err(|error| Failure::internal(&error))?;
        Ok(entry.heads)
    }

    /// A document's commits, parents first.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn history(&self, permit: &Permit) -> Result<History, Failure> {
        let document = *permit.document();
        let bodies = permit.sight() == Sight::Bodies;
        self.judged(document.digest(), |loaded, _, reading| {
            let mut commits = Vec::with_capacity(loaded.dag.len());
            for commit in loaded.dag.topological() {
                let header = commit.header();
                let kept = self
                    .store
                    .commit(document.digest(), commit.cid().digest())?;
                let operations = match loaded.dag.body(commit.cid()) {
                    Some(Disclosure::Open(body)) if bodies => Some(
                        body.operations()
                            .unwrap_or_default()
                            .iter()
                            .map(operation)
                            .collect(),
                    ),
                    _ => None,
                };
                commits.push(HistoryEntry {
                    commit: commit.cid().to_string(),
                    parents: header.parents.iter().map(Cid::to_string).collect(),
                    height: header.height,
                    author: header.author.to_string(),
                    claimed_time_ms: header.claimed_time_ms,
                    cites: json!({
                        "revision": header.authority.revision,
                        "height": header.authority.height,
                    }),
                    permissions: header.permissions.clone(),
                    verdict: verdict(loaded.verdict(commit.cid())),
                    operations,
                    leaf: kept.map_or(0, |kept| kept.leaf),
                });
            }
            Ok::<History, Failure>(History {
                document: document.to_string(),
                commits,
                hub: reading.clone(),
            })
        })?
        .ok_or_else(|| unknown_document(&document))?
    }

    /// Logs that `actor` read what the permits are for. Durable before the answer is given, like
    /// every decision (Invariant 5).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_reads(
        &self,
        actor: &Did,
        permits: &[Permit],
        action: &str,
    ) -> Result<(), StoreError> {
        let mut leaves = Vec::with_capacity(permits.len());
        for permit in permits {
            let document = *permit.document();
            let Some((claim, policy)) = self.claim(document.digest())? else {
                continue;
            };
            let (resource, _) = self
                .authority
                .collection_name(&policy, &claim.collection)
                .unwrap_or_default();
            let asked = Asked {
                actor: actor.as_str(),
                resource: &resource,
                object: document.to_string(),
                permission: READ,
                action,
                document: Some(document),
                preimage: None,
                context: permit.context().clone(),
            };
            let outcome = audit::content::Outcome::Allow;
            let now = self.now_seconds();
            leaves.push(leaves::draft(leaves::decision(
                asked,
                outcome,
                "",
                permit.reading(),
                now,
            ))?);
        }
        self.store
            .submit(Write {
                leaves,
                ..Write::default()
            })
            .await?;
        Ok(())
    }

    /// One page of a collection, for what `actor` may read, who gives `context` to conditions. What may
    /// not be read is left out without a word; the bound counts the documents looked at, so that a page is bounded work.
    ///
    /// # Errors
    /// [`Failure`].
    #[allow(
        clippy::too_many_arguments,
        reason = "who asks, of what, with what, and which page"
    )]
    pub fn list(
        &self,
        actor: &Did,
        policy: &PolicyId,
        collection: &Cid,
        context: &Context,
        filter: &[(String, Json)],
        after: Option<&Cid>,
        limit: usize,
    ) -> Result<(Listed, Vec<Permit>), Failure> {
        // Whether the replica is too old is said once, not hidden as an empty list.
        self.authority
            .answer(policy, |_, _| ())
            .map_err(|error| super::could_not_tell(&error))?;
        let mut listed = Listed {
            documents: Vec::new(),
            next: None,
        };
        let mut permits = Vec::new();
        let limit = limit.clamp(1, LIST_PAGE_MAX);
        let mut found: Vec<Digest> = Vec::new();
        let from = after.map(|after| keys::pair(collection.digest(), after.digest()).to_vec());
        let from = from.unwrap_or_default();
        self.store
            .scan(Column::Collections, collection.digest(), &from, |key, _| {
                let document =
                    keys::second(key).ok_or(StoreError::Record(Column::Collections.name()))?;
                if key != from.as_slice() {
                    found.push(document);
                }
                Ok::<bool, StoreError>(found.len() < LIST_PAGE_MAX)
            })?;
        for document in &found {
            let permit = self.permit_unlogged(document, actor, Sight::Bodies, context)?;
            let Some(permit) = permit else {
                continue;
            };
            let view = self.get(&permit, None)?;
            let fits = filter
                .iter()
                .all(|(field, value)| fits(view.fields.get(field), value));
            if fits && !view.deleted {
                listed.documents.push(view);
                permits.push(permit);
                if listed.documents.len() == limit {
                    listed.next = Some(Cid::from_digest(*document).to_string());
                    return Ok((listed, permits));
                }
            }
        }
        if found.len() == LIST_PAGE_MAX {
            listed.next = found.last().map(|last| Cid::from_digest(*last).to_string());
        }
        Ok((listed, permits))
    }
}

/// A register or counter that is equal, or a set that holds the value.
fn fits(field: Option<&Json>, value: &Json) -> bool {
    match field {
        Some(Json::Array(elements)) => elements.contains(value),
        Some(field) => field == value,
        None => value.is_null(),
    }
}
