//! Writes of this sidecar's actors: prepare, sign, submit.
//!
//! Whoever holds the key may be elsewhere (`hold doc`, a wallet): [`Documents::prepare`] gives the
//! two blocks, the signer rebuilds and signs the header, [`Documents::submit`] takes it. An actor
//! whose key lies in the sidecar's keyring goes the same way in one step. Either way the commit is
//! judged like any other, and commit, leaf and decision become durable in one batch before anybody
//! is told (Invariant 5).

use std::sync::Arc;

use audit::authority::PolicyAuthority;
use audit::content::{Origin, Outcome};
use audit::verdict::{
    admit, decide, stands, Authority as _, Claim, DeferReason, DocumentClaim, ParentClaim,
    RejectReason, Verdict,
};
use crdt::{
    Authority as Cited, Cid, CollectionId, Commit, Disclosure, DocumentId, DocumentPreimage,
    DocumentRef, Draft, HeaderBlock, Operation, Scope,
};
use hub_types::PolicyId;
use identity::{Did, Signature};
use policy::Context;
use prost::Message as _;
use serde::Serialize;

use super::place::Place;
use super::{could_not_tell, denied, locked, unknown_document, values, Documents};
use crate::authority::{CouldNotTell, Reading};
use crate::failure::{Failure, Kind};
use crate::leaves::{self, Asked};
use crate::limits::{DOCUMENT_COMMITS_MAX, PARENTS_MAX};
use crate::metrics;
use crate::secrets::random;
use crate::store::records::{Blocks, CommitRecord};
use crate::store::{Column, NewCommit, NewDocument, Put, Write};
use crate::token::TokenId;

/// What an actor wants to write.
#[derive(Clone, Debug)]
pub enum Intent {
    /// A new document.
    Create {
        /// The policy.
        policy: PolicyId,
        /// The collection.
        collection: Cid,
        /// The hub object that it is created in.
        scope: Scope,
        /// Its fields.
        fields: serde_json::Map<String, serde_json::Value>,
    },
    /// A change.
    Update {
        /// The document.
        document: Cid,
        /// The changes.
        changes: values::Changes,
    },
    /// The end of a document.
    Delete {
        /// The document.
        document: Cid,
    },
    /// A return to an earlier state.
    Rollback {
        /// The document.
        document: Cid,
        /// The heads of that state.
        target: Vec<Cid>,
    },
}

/// Both blocks of a commit that lacks its signature.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The document.
    pub document: Cid,
    /// The resource of its collection, so that a signer can rebuild the collection's id.
    pub resource: String,
    /// The blocks.
    pub blocks: crdt::Prepared,
    /// The hub state that the header cites.
    pub reading: Reading,
}

/// A commit that was accepted and is durable.
#[derive(Clone, Debug, Serialize)]
pub struct Submitted {
    /// The document.
    pub document: String,
    /// The commit.
    pub commit: String,
    /// `provisional` or `settled`.
    pub verdict: &'static str,
    /// Index of the commit's leaf in the audit log.
    pub leaf: u64,
    /// Whether it was known already.
    pub known: bool,
    /// The hub state under which it was judged.
    pub hub: Reading,
}

fn full_document() -> Failure {
    Failure::new(
        Kind::TooLarge,
        format!("the document has {DOCUMENT_COMMITS_MAX} commits and takes no more"),
        "go on in a new document",
    )
}

fn of_crdt(error: &crdt::Error) -> Failure {
    Failure::invalid(
        error.to_string(),
        "docs/spec/commit.md describes what a commit may be",
    )
}

/// What a commit does, in the words of the log.
fn action(commit: &Commit, body: &Disclosure) -> &'static str {
    if commit.header().preimage().is_some() {
        return "document.create";
    }
    let Disclosure::Open(body) = body else {
        return "document.update";
    };
    for operation in body.operations().unwrap_or_default() {
        match operation {
            Operation::Delete => return "document.delete",
            Operation::Rollback { .. } => return "document.rollback",
            _ => {}
        }
    }
    "document.update"
}

/// A commit that passed every check and waits for the writer.
pub(super) struct Judged {
    pub claim: Claim,
    pub policy: PolicyId,
    pub verdict: Verdict,
    /// Whether it is late without the attestations that it came with.
    pub late: bool,
    pub reading: Reading,
    /// For a first commit, the preimage of the document's id.
    pub preimage: Option<Vec<u8>>,
}

impl Documents {
    /// Makes the blocks of what `actor` wants to write, citing the replica's present state.
    ///
    /// # Errors
    /// [`Failure`]: what does not fit the schema, or a replica too old to be cited.
    pub fn prepare(&self, actor: &Did, intent: Intent) -> Result<Prepared, Failure> {
        match intent {
            Intent::Create {
                policy,
                collection,
                scope,
                fields,
            } => self.prepare_create(actor, policy, collection, scope, &fields),
            Intent::Update { document, changes } => {
                self.prepare_change(actor, &document, |state| changes.operations(state))
            }
            Intent::Delete { document } => {
                self.prepare_change(actor, &document, |_| Ok(vec![Operation::Delete]))
            }
            Intent::Rollback {
                document,
                mut target,
            } => {
                target.sort_unstable();
                target.dedup();
                self.prepare_change(actor, &document, |_| {
                    Ok(vec![Operation::Rollback { target }])
                })
            }
        }
    }

    fn prepare_create(
        &self,
        actor: &Did,
        policy: PolicyId,
        collection: Cid,
        scope: Scope,
        fields: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Prepared, Failure> {
        let reading = self
            .authority
            .answer(&policy, |_, reading| reading.clone())
            .map_err(|error| could_not_tell(&error))?;
        let schemas = self.authority.schemas(&policy, &collection);
        let (schema_version, schema) = schemas.latest().ok_or_else(|| {
            Failure::not_found(
                "the collection is not defined in the policy as proven here",
                "define it on the hub, and wait a block",
            )
        })?;
        let operations = values::creation(fields, schema)?;
        let preimage = DocumentPreimage {
            collection: CollectionId(collection),
            scope,
            author: actor.clone(),
            nonce: random().map_err(|error| Failure::internal(&error))?,
        };
        let document = *preimage.id().cid();
        let claim = DocumentClaim::of(&preimage).map_err(|error| {
            Failure::invalid(error.to_string(), "name an object that the policy can name")
        })?;
        let draft = |cited| {
            self.draft(
                actor,
                DocumentRef::First(preimage.clone()),
                schema_version,
                Vec::new(),
                cited,
                operations.clone(),
            )?
            .prepare(schema)
            .map_err(|error| of_crdt(&error))
        };
        let blocks = self.citing(&policy, &reading, 0, &claim, draft)?;
        let resource = self.resource(&policy, &collection);
        Ok(Prepared {
            document,
            resource,
            blocks,
            reading,
        })
    }

    fn prepare_change(
        &self,
        actor: &Did,
        document: &Cid,
        operations: impl FnOnce(&crdt::DocumentState) -> Result<Vec<Operation>, Failure>,
    ) -> Result<Prepared, Failure> {
        let (loaded, record) = self
            .loaded(document.digest())?
            .ok_or_else(|| unknown_document(document))?;
        if record.commits >= DOCUMENT_COMMITS_MAX {
            return Err(full_document());
        }
        let mut loaded = locked(&loaded);
        let (policy, collection) = (loaded.policy, loaded.claim.collection);
        let schemas = self.authority.schemas(&policy, &collection);
        let (schema_version, schema) = schemas
            .latest()
            .ok_or_else(|| of_crdt(&crdt::Error::MissingSchema { version: 1 }))?;
        let reading = self
            .authority
            .answer(&policy, |authority, reading| {
                loaded.judge(authority, self.chain.as_str());
                reading.clone()
            })
            .map_err(|error| could_not_tell(&error))?;
        let state = loaded.state(&schemas).map_err(|error| of_crdt(&error))?;
        let operations = operations(&state)?;
        let parents: Vec<(Cid, u64)> = loaded
            .heads()
            .into_iter()
            .take(PARENTS_MAX)
            .filter_map(|head| Some((head, loaded.dag.get(&head)?.header().height)))
            .collect();
        if parents.is_empty() {
            return Err(Failure::new(
                Kind::Conflict,
                "no commit of the document counts, so there is nothing to follow",
                "wait for an attestation, or create a new document",
            ));
        }
        let document_ref = DocumentRef::Known(DocumentId(*document));
        let least = parents
            .iter()
            .filter_map(|(parent, _)| Some(loaded.dag.get(parent)?.header().authority.height))
            .max();
        let claim = loaded.claim.clone();
        drop(loaded);
        let draft = |cited| {
            self.draft(
                actor,
                document_ref.clone(),
                schema_version,
                parents.clone(),
                cited,
                operations.clone(),
            )?
            .prepare(schema)
            .map_err(|error| of_crdt(&error))
        };
        let blocks = self.citing(&policy, &reading, least.unwrap_or(0), &claim, draft)?;
        let resource = self.resource(&policy, &collection);
        Ok(Prepared {
            document: *document,
            resource,
            blocks,
            reading,
        })
    }

    /// Makes a commit that cites a height from which on its author has what it takes, if there is one.
    ///
    /// That is the height that made the revision in force, or a parent's if it is higher, and not the
    /// newest: between two changes of a policy all heights say the same, and a sidecar that was cut
    /// off from the hub a block earlier could not judge the commit until the hub is back. But what
    /// began by time alone began after that block; then the newest block is cited whose time is known.
    fn citing(
        &self,
        policy: &PolicyId,
        reading: &Reading,
        least: u64,
        document: &DocumentClaim,
        draft: impl Fn(Cited) -> Result<crdt::Prepared, Failure>,
    ) -> Result<crdt::Prepared, Failure> {
        let asked = |error| could_not_tell(&error);
        let at = |height| Cited {
            revision: reading.revision,
            height,
        };
        let made = self.authority.judge(policy, |authority, _| {
            let made = authority.height_of(reading.revision);
            made.unwrap_or(reading.height).max(least)
        });
        let made = made.map_err(asked)?;
        let first = draft(at(made))?;
        let claim = |blocks: &crdt::Prepared| {
            Claim::to_be_signed(blocks.header.header(), blocks.header.cid(), document)
                .map_err(|error| of_claim(&error))
        };
        let holds = |claim: &Claim| {
            let stands = |authority: &PolicyAuthority<'_>, _: &Reading| stands(claim, authority);
            self.authority.judge(policy, stands).map_err(asked)
        };
        if holds(&claim(&first)?)? {
            return Ok(first);
        }
        let seen = self.authority.seen_at_or_below(reading.height);
        let newest = seen.map_or(reading.height, |block| block.height);
        if newest <= made {
            return Ok(first);
        }
        let newer = draft(at(newest))?;
        // Where that does not help either, the refusal speaks of the earliest that can be cited.
        match holds(&claim(&newer)?)? {
            true => Ok(newer),
            false => Ok(first),
        }
    }

    fn resource(&self, policy: &PolicyId, collection: &Cid) -> String {
        self.authority
            .collection_name(policy, collection)
            .unwrap_or_default()
            .0
    }

    fn draft(
        &self,
        actor: &Did,
        document: DocumentRef,
        schema_version: u64,
        parents: Vec<(Cid, u64)>,
        authority: Cited,
        operations: Vec<Operation>,
    ) -> Result<Draft, Failure> {
        Ok(Draft {
            chain: self.chain.clone(),
            document,
            schema_version,
            parents,
            author: actor.clone(),
            claimed_time_ms: self.clock.wall_ms(),
            authority,
            salt: random().map_err(|error| Failure::internal(&error))?,
            operations,
        })
    }

    /// Writes for an actor whose key lies in the keyring.
    ///
    /// # Errors
    /// [`Failure`], as [`Documents::prepare`] and [`Documents::submit`].
    pub async fn write(
        &self,
        actor: &Did,
        intent: Intent,
        single_use: Option<(TokenId, u64)>,
    ) -> Result<Submitted, Failure> {
        let key = self.keyring.get(actor).ok_or_else(|| {
            Failure::new(
                Kind::Conflict,
                format!("the sidecar does not hold the key of {actor}"),
                "use POST /v1/prepare, sign the header, and POST /v1/submit",
            )
        })?;
        let prepared = self.prepare(actor, intent)?;
        let (commit, body) = prepared.blocks.sign(key).map_err(|error| of_crdt(&error))?;
        // What was just encoded need not be decoded again.
        let (body, bytes) = body.into_parts();
        self.keep(
            commit,
            &bytes,
            Disclosure::Open(Arc::new(body)),
            actor,
            single_use,
        )
        .await
    }

    /// Takes a commit that was signed elsewhere.
    ///
    /// # Errors
    /// [`Failure`]: wrong bytes or signature (invalid), not permitted (denied), a replica that is
    /// too old or behind the commit (could not tell).
    pub async fn submit(
        &self,
        header: Vec<u8>,
        signature: &[u8],
        body: &[u8],
        actor: &Did,
        single_use: Option<(TokenId, u64)>,
    ) -> Result<Submitted, Failure> {
        let signature = Signature::from_slice(signature).map_err(|_| {
            Failure::invalid(
                "the signature has not 64 bytes",
                "send r and s, or the ed25519 signature, as 64 bytes",
            )
        })?;
        let commit = HeaderBlock::decode(header)
            .and_then(|block| block.verify(&self.chain, signature))
            .map_err(|error| of_crdt(&error))?;
        let opened = commit.open_body(body).map_err(|error| of_crdt(&error))?;
        if let Disclosure::Void(error) = &opened {
            return Err(of_crdt(error));
        }
        self.keep(commit, body, opened, actor, single_use).await
    }

    /// The one way in for local commits.
    async fn keep(
        &self,
        commit: Commit,
        body_bytes: &[u8],
        body: Disclosure,
        actor: &Did,
        single_use: Option<(TokenId, u64)>,
    ) -> Result<Submitted, Failure> {
        if commit.header().author != *actor {
            return Err(Failure::invalid(
                format!(
                    "the commit's author is {}, the token's actor {actor}",
                    commit.header().author
                ),
                "send the commit with a token of its author",
            ));
        }
        let action = action(&commit, &body);
        let document = *commit.header().document_id().cid().digest();
        // Held until the write is durable.
        let place = Place::take(&self.in_flight, &self.store, document)?;
        let known = |commit: &Cid| self.store.commit(&document, commit.digest());
        if place.is_none() && known(commit.cid())?.is_none() {
            return Err(full_document());
        }
        let parents = self.parents(&commit)?;
        let judged = self.judge_local(&commit, &parents, action).await?;
        let mut write = self.kept(&commit, body_bytes, &body, &judged, Origin::Local)?;
        // Behind the leaf of the commit, so that a document's chain begins with what created it.
        for permission in &judged.claim.permissions {
            let content = self.allowed(&judged, permission, action);
            write.leaves.push(leaves::draft(content)?);
        }
        if let Some((id, end)) = single_use {
            write.puts.push(spent(id, end));
        }
        let written = self.store.submit(write).await?;
        drop(place);
        let outcome = if written.known {
            metrics::Outcome::Known
        } else {
            outcome(&judged.verdict)
        };
        self.metrics.count_commit(metrics::Origin::Local, outcome);
        Ok(Submitted {
            document: judged.claim.document.id.to_string(),
            commit: commit.cid().to_string(),
            verdict: judged.verdict.name(),
            leaf: written.first_leaf,
            known: written.known,
            hub: judged.reading,
        })
    }

    fn allowed(&self, judged: &Judged, permission: &str, action: &str) -> audit::content::Content {
        let (resource, _) = self
            .authority
            .collection_name(&judged.policy, &judged.claim.document.collection)
            .unwrap_or_default();
        let asked = Asked {
            actor: judged.claim.author.as_str(),
            resource: &resource,
            object: judged.claim.document.id.to_string(),
            permission,
            action,
            document: Some(judged.claim.document.id),
            // The commit that holds it stands in the log right before this leaf.
            preimage: None,
            context: Context::default(),
        };
        leaves::decision(
            asked,
            Outcome::Allow,
            "",
            &judged.reading,
            self.now_seconds(),
        )
    }

    /// What is known of a commit's parents.
    pub(super) fn parents(
        &self,
        commit: &Commit,
    ) -> Result<Vec<(Cid, Option<ParentClaim>)>, Failure> {
        let header = commit.header();
        let document = *header.document_id().cid().digest();
        let mut parents = Vec::with_capacity(header.parents.len());
        for parent in &header.parents {
            let known = self.kept_commit(&document, parent.digest())?;
            let claim = match known {
                Some(record) => Some(ParentClaim {
                    dag_height: record.dag_height,
                    revision: record.revision,
                    height: record.height,
                    same_document: true,
                }),
                // A commit of another document can never become a parent.
                None => self.store.blocks(parent.digest())?.map(|_| ParentClaim {
                    dag_height: 0,
                    revision: 0,
                    height: 0,
                    same_document: false,
                }),
            };
            parents.push((*parent, claim));
        }
        Ok(parents)
    }

    /// The facts of the commit's document and the policy that decides about it.
    pub(super) fn document_of(
        &self,
        commit: &Commit,
    ) -> Result<Option<(DocumentClaim, Option<PolicyId>)>, Failure> {
        if let Some(preimage) = commit.header().preimage() {
            let claim = DocumentClaim::of(preimage).map_err(|error| {
                Failure::invalid(error.to_string(), "name an object that the policy can name")
            })?;
            let policy = self.authority.policy_of(&claim.collection);
            return Ok(Some((claim, policy)));
        }
        let document = commit.header().document_id();
        let known = self.claim(document.cid().digest())?;
        Ok(known.map(|(claim, policy)| (claim, Some(policy))))
    }

    async fn judge_local(
        &self,
        commit: &Commit,
        parents: &[(Cid, Option<ParentClaim>)],
        action: &'static str,
    ) -> Result<Judged, Failure> {
        let document = *commit.header().document_id().cid();
        let (claim, policy) = self
            .document_of(commit)?
            .ok_or_else(|| unknown_document(&document))?;
        let policy = policy.ok_or_else(|| {
            Failure::not_found(
                "no followed policy defines the document's collection",
                "follow the policy, or define the collection on the hub and wait a block",
            )
        })?;
        let claim = Claim::of(commit, &claim).map_err(|error| {
            Failure::invalid(error.to_string(), "name an actor that the policy can name")
        })?;
        self.metrics.checks.inc();
        let (verdict, reading) = self
            .authority
            .answer(&policy, |authority, reading| {
                let verdict = match admit(&claim, parents, self.chain.as_str(), authority) {
                    Ok(mut standing) => {
                        standing.advance(&claim, authority);
                        decide(&claim, &standing, &[], authority)
                    }
                    Err(verdict) => verdict,
                };
                (verdict, reading.clone())
            })
            .map_err(|error| could_not_tell(&error))?;
        let preimage = commit.header().preimage().map(DocumentPreimage::encode);
        let judged = Judged {
            claim,
            policy,
            verdict,
            late: false,
            reading,
            preimage,
        };
        let why = match &judged.verdict {
            // What ends with the very block whose header is the newest has ended for who writes now.
            Verdict::Settled { .. } | Verdict::Provisional { .. } => match self.lacks(&judged)? {
                None => return Ok(judged),
                Some(_) => "the permission has ended by time".to_owned(),
            },
            // Which block ended it is not proven yet; that it has ended for who writes now is.
            Verdict::Defer(DeferReason::BlockTime(_)) if self.lacks(&judged)?.is_some() => {
                "the permission has ended by time".to_owned()
            }
            Verdict::Defer(reason) => return Err(deferred(reason, &judged.reading)),
            Verdict::Late { lost_at } => format!("the permission was lost at height {lost_at}"),
            Verdict::Reject(reason @ RejectReason::NotPermitted { .. }) => reason.to_string(),
            Verdict::Reject(reason) => return Err(refused_local(&judged, &reason.to_string())),
        };
        Err(self.refuse_local(&judged, &why, action).await?)
    }

    /// Which of the listed permissions the author has not now, at the time of the newest header; and
    /// what conditions lack that might give it.
    ///
    /// # Errors
    /// [`Failure`] where the engine has no answer.
    fn lacks(&self, judged: &Judged) -> Result<Option<(String, Vec<String>)>, Failure> {
        let claim = &judged.claim;
        let asked = self.authority.judge(&judged.policy, |authority, _| {
            let circumstances = judged.reading.circumstances(&Context::default());
            claim.permissions.iter().find_map(|permission| {
                let question = audit::verdict::Permission {
                    document: &claim.document,
                    actor: &claim.author,
                    permission,
                    creating: permission == audit::verdict::CREATE,
                };
                match authority.ask(judged.reading.revision, &question, &circumstances) {
                    Some(Ok(answer)) if answer.is_allow() => None,
                    Some(Ok(answer)) => Some(Ok((permission.clone(), answer.missing))),
                    Some(Err(error)) => Some(Err(CouldNotTell::Check(error))),
                    None => Some(Ok((permission.clone(), Vec::new()))),
                }
            })
        });
        let lost = asked.and_then(Option::transpose);
        lost.map_err(|error| could_not_tell(&error))
    }

    /// Refuses a write for want of a permission. It is a denial, and logged as one, where the author
    /// has the permission not now either; else the commit only cites a wrong height.
    async fn refuse_local(
        &self,
        judged: &Judged,
        why: &str,
        action: &'static str,
    ) -> Result<Failure, Failure> {
        let Some((permission, missing)) = self.lacks(judged)? else {
            // It began with a block whose time is not known here; the next attempt can cite it.
            self.authority.want_time(judged.reading.height);
            return Ok(refused_local(judged, why));
        };
        self.log_refused_write(judged, &permission, why, action)
            .await?;
        let object = match judged.claim.creates {
            true => judged.claim.document.scope.to_string(),
            false => judged.claim.document.id.to_string(),
        };
        let author =
            Did::parse(judged.claim.author.as_str()).map_err(|error| Failure::internal(&error))?;
        let reading = judged.reading.clone();
        Ok(denied(&author, &permission, &object, &missing, reading))
    }

    async fn log_refused_write(
        &self,
        judged: &Judged,
        permission: &str,
        reason: &str,
        action: &'static str,
    ) -> Result<(), Failure> {
        let (resource, _) = self
            .authority
            .collection_name(&judged.policy, &judged.claim.document.collection)
            .unwrap_or_default();
        let id = judged.claim.document.id;
        let kept = self.store.document(id.digest())?;
        // Only a document that the log holds commits of has a chain that this leaf belongs to.
        let document = kept.as_ref().map(|_| id);
        let preimage = match &judged.preimage {
            Some(preimage) => Some(preimage.clone()),
            None => kept.map(|record| record.preimage),
        };
        let asked = Asked {
            actor: judged.claim.author.as_str(),
            resource: &resource,
            object: id.to_string(),
            permission,
            action,
            document,
            preimage,
            context: Context::default(),
        };
        let content = leaves::decision(
            asked,
            Outcome::Deny,
            reason,
            &judged.reading,
            self.now_seconds(),
        );
        self.log_denial(judged.claim.author.as_str(), &judged.policy, content)
            .await?;
        Ok(())
    }

    /// Everything that keeping a judged commit writes: blocks, indices, and the leaf that says so.
    pub(super) fn kept(
        &self,
        commit: &Commit,
        body_bytes: &[u8],
        body: &Disclosure,
        judged: &Judged,
        origin: Origin,
    ) -> Result<Write, Failure> {
        let header = commit.header();
        let blocks = Blocks {
            header: commit.header_bytes().to_vec(),
            signature: commit.signature().as_bytes().to_vec(),
            body: (*body != Disclosure::Absent).then(|| body_bytes.to_vec()),
        };
        let creates = header.preimage().map(|preimage| NewDocument {
            collection: *preimage.collection.cid().digest(),
            policy: *judged.policy.as_bytes(),
            scope: preimage.scope.to_string(),
            creator: preimage.author.to_string(),
            preimage: preimage.encode(),
        });
        let record = CommitRecord {
            dag_height: header.height,
            revision: header.authority.revision,
            height: header.authority.height,
            leaf: 0,
            from_peer: origin == Origin::Peer,
            parents: header
                .parents
                .iter()
                .map(|parent| parent.digest().to_vec())
                .collect(),
            kept_ms: self.clock.wall_ms(),
        };
        let new = NewCommit {
            document: *header.document_id().cid().digest(),
            commit: *commit.cid().digest(),
            parents: header
                .parents
                .iter()
                .map(|parent| *parent.digest())
                .collect(),
            blocks: blocks.encode_to_vec(),
            record,
            creates,
        };
        let mut write = Write {
            commit: Some(new),
            ..Write::default()
        };
        write.leaves.push(leaves::draft(leaves::held(
            commit,
            &judged.reading,
            origin,
        ))?);
        if let Disclosure::Open(body) = body {
            for operation in body.operations().unwrap_or_default() {
                if let Operation::Rollback { target } = operation {
                    let content = leaves::rollback(commit, target, &judged.reading);
                    write.leaves.push(leaves::draft(content)?);
                }
            }
        }
        Ok(write)
    }
}

fn of_claim(error: &policy::NameError) -> Failure {
    Failure::invalid(error.to_string(), "name an actor that the policy can name")
}

/// A commit that is refused for what it is, and not for want of a permission now.
fn refused_local(judged: &Judged, why: &str) -> Failure {
    Failure::invalid(
        format!("the commit is refused: {why}"),
        "try again, where it was signed elsewhere with what a new preparation gives",
    )
    .at(judged.reading.clone())
}

/// The outcome that a verdict is counted as.
pub(super) fn outcome(verdict: &Verdict) -> metrics::Outcome {
    match verdict {
        Verdict::Reject(_) => metrics::Outcome::Reject,
        Verdict::Defer(_) => metrics::Outcome::Defer,
        Verdict::Settled { .. } => metrics::Outcome::Settled,
        Verdict::Provisional { .. } => metrics::Outcome::Provisional,
        Verdict::Late { .. } => metrics::Outcome::Late,
    }
}

fn deferred(reason: &DeferReason, reading: &Reading) -> Failure {
    match reason {
        DeferReason::ParentsMissing(_) => Failure::new(
            Kind::Conflict,
            format!("the commit cannot be judged yet: {reason}"),
            "submit its parents first",
        ),
        DeferReason::Ahead { .. } | DeferReason::BlockTime(_) => Failure::new(
            Kind::CouldNotTell,
            format!("could not tell: {reason}"),
            "try again when the replica has caught up",
        ),
    }
    .at(reading.clone())
}

/// The put that remembers a spent token.
fn spent(id: TokenId, end: u64) -> Put {
    (
        Column::TokenIds,
        id.to_vec(),
        Some(end.to_be_bytes().to_vec()),
    )
}
