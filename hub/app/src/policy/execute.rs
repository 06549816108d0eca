//! Messages about policies.

use std::sync::Arc;

use ::policy::{
    apply, may_manage, ApplyError, Change as TreeChange, CollectionRecord, Limits, Policy,
    RecordReader, Relationship, Staged, TreeRelationships,
};
use hub_types::{
    policy::{
        keys, records::actor_of, ChangeKind, CreatePolicy, DefineCollection, PolicyModuleError,
        PolicyRecord, Precondition, RegisterObject, SetRelationships,
    },
    PolicyId,
};
use merkle::CompactRange;
use std::collections::BTreeMap;
use wire::policy::{
    MsgCreatePolicyResponse, MsgDefineCollectionResponse, MsgRegisterObjectResponse,
    MsgSetRelationshipsResponse,
};

use crate::chain::context::Context;
use crate::chain::failure::{Failure, NodeFailure};
use crate::chain::readers::OverlayReader;
use crate::store::TreeId;

/// A policy as a message finds it.
struct Loaded {
    record: PolicyRecord,
    policy: Arc<Policy>,
    tree: TreeId,
}

impl Loaded {
    /// The revision that this block's changes will be: the next leaf of the policy's log.
    fn pending_revision(&self) -> u64 {
        self.record.log.size()
    }
}

fn load(context: &mut Context<'_, '_>, id: &PolicyId) -> Result<Loaded, Failure> {
    let record: PolicyRecord = context
        .read(&keys::policy(id))?
        .ok_or(PolicyModuleError::UnknownPolicy { policy: *id })?;
    let tree = TreeId::Policy(*id.as_bytes());
    context.gas.charge(context.block.schedule.record_read)?;
    let damaged = |what: String| NodeFailure::State { what };
    let definition = context
        .state
        .tree(tree, &::policy::keys::definition_key())?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| damaged(format!("policy {id} has no definition")))?;
    let policy = context
        .compiled
        .get(id, &definition)
        .map_err(|error| damaged(format!("policy {id} does not compile: {error}")))?;
    Ok(Loaded {
        record,
        policy,
        tree,
    })
}

/// Creates a policy.
///
/// # Errors
/// [`PolicyModuleError::Definition`].
pub fn create(
    context: &mut Context<'_, '_>,
    create: &CreatePolicy,
) -> Result<MsgCreatePolicyResponse, Failure> {
    let policy = Policy::parse(&create.definition).map_err(PolicyModuleError::Definition)?;
    let id = PolicyId::derive(
        &context.block.chain,
        &context.signer.did,
        context.sequence,
        context.message,
    );
    let record = PolicyRecord {
        id,
        creator: context.signer.did.clone(),
        creator_account: context.signer.address,
        log: CompactRange::new(),
        tree_root: merkle::EMPTY_ROOT,
        last_height: context.block.height,
        anchor_lag: create.anchor_lag,
        max_staleness_seconds: create.max_staleness_seconds,
        engine_version: context.block.params.engine_version,
    };
    context.write(keys::policy(&id), &record)?;
    let tree = TreeId::Policy(*id.as_bytes());
    let change = TreeChange::Defined {
        definition: create.definition.clone(),
    };
    write_change(context, tree, &change)?;
    context.change(
        id,
        0,
        ChangeKind::Created {
            definition: create.definition.clone(),
            anchor_lag: create.anchor_lag,
            max_staleness_seconds: create.max_staleness_seconds,
            engine_version: record.engine_version,
        },
    )?;
    context.compiled.keep(id, Arc::new(policy));
    Ok(MsgCreatePolicyResponse {
        policy: id.to_vec(),
        revision: 0,
    })
}

/// Defines a collection, or its next schema; the policy's creator may.
///
/// # Errors
/// [`PolicyModuleError::NotPermitted`], [`PolicyModuleError::UnknownResource`],
/// [`PolicyModuleError::Collection`].
pub fn define_collection(
    context: &mut Context<'_, '_>,
    define: &DefineCollection,
) -> Result<MsgDefineCollectionResponse, Failure> {
    let loaded = load(context, &define.policy)?;
    if loaded.record.creator != context.signer.did {
        return Err(PolicyModuleError::NotPermitted {
            actor: context.signer.did.clone(),
            what: format!("define collection {} of {}", define.name, define.resource),
        }
        .into());
    }
    let policy = &loaded.policy;
    let resource = define.resource.as_str();
    if !policy.resource_exists(resource) {
        return Err(PolicyModuleError::UnknownResource {
            resource: resource.to_owned(),
        }
        .into());
    }
    let scope = define.scope_relation.as_str();
    let holds_objects = policy
        .resources()
        .any(|target| policy.relation_allows_object(resource, scope, target));
    if !holds_objects {
        return Err(PolicyModuleError::Collection {
            reason: "the scope relation must be a relation of the resource that can hold an object",
        }
        .into());
    }
    let key = ::policy::keys::collection_key(resource, define.name.as_str());
    context.gas.charge(context.block.schedule.record_read)?;
    let current = match context.state.tree(loaded.tree, &key)? {
        None => None,
        Some(bytes) => {
            Some(
                CollectionRecord::from_bytes(&bytes).map_err(|reason| NodeFailure::State {
                    what: format!("a collection's record: {reason}"),
                })?,
            )
        }
    };
    let revision = loaded.pending_revision();
    let version = match &current {
        // The same schema again changes nothing.
        Some(current)
            if current.schema_cid == define.schema_cid
                && current.scope_relation == define.scope_relation =>
        {
            return Ok(MsgDefineCollectionResponse {
                revision: revision.saturating_sub(1),
                schema_version: current.version,
            })
        }
        Some(current) => current.version.saturating_add(1),
        None => 1,
    };
    let record = CollectionRecord {
        version,
        scope_relation: define.scope_relation.clone(),
        schema_cid: define.schema_cid.clone(),
        schema: define.schema.clone(),
    };
    let change = TreeChange::CollectionDefined {
        resource: define.resource.clone(),
        name: define.name.clone(),
        record: record.clone(),
    };
    write_change(context, loaded.tree, &change)?;
    context.change(
        define.policy,
        revision,
        ChangeKind::CollectionDefined {
            resource: define.resource.clone(),
            name: define.name.clone(),
            record,
        },
    )?;
    Ok(MsgDefineCollectionResponse {
        revision,
        schema_version: version,
    })
}

/// Sets and deletes relationships, all or none.
///
/// Authority is asked once for each (object, relation), of the state before the message.
///
/// # Errors
/// [`PolicyModuleError`]: a precondition, a relationship that the policy does not admit, an object
/// without a record, missing authority.
pub fn set_relationships(
    context: &mut Context<'_, '_>,
    message: &SetRelationships,
) -> Result<MsgSetRelationshipsResponse, Failure> {
    let loaded = load(context, &message.policy)?;
    check_preconditions(context, &loaded, &message.preconditions)?;
    for relationship in &message.set {
        loaded
            .policy
            .admits(relationship)
            .map_err(|source| PolicyModuleError::Relationship {
                relationship: relationship.to_string(),
                source,
            })?;
    }
    authorise(context, &loaded, message)?;

    let changes = message
        .set
        .iter()
        .map(|one| TreeChange::RelationshipSet(one.clone()))
        .chain(
            message
                .delete
                .iter()
                .map(|one| TreeChange::RelationshipDeleted(one.clone())),
        );
    let mut effective = Vec::new();
    let writes = {
        let mut staged = Staged::new(OverlayReader::new(context.state, loaded.tree));
        for change in changes {
            context.gas.charge(context.block.schedule.record_read)?;
            let writes = apply(&change, &staged).map_err(apply_error)?;
            if !writes.is_empty() {
                staged.extend(writes);
                effective.push(change);
            }
        }
        staged.into_writes()
    };
    for (key, value) in writes {
        context.write_bytes(loaded.tree, key, value)?;
    }
    let revision = loaded.pending_revision();
    let changed = effective.len() as u32;
    for change in effective {
        let kind = match change {
            TreeChange::RelationshipSet(one) => ChangeKind::RelationshipSet(one),
            TreeChange::RelationshipDeleted(one) => ChangeKind::RelationshipDeleted(one),
            _ => continue,
        };
        context.change(message.policy, revision, kind)?;
    }
    Ok(MsgSetRelationshipsResponse {
        revision: if changed > 0 {
            revision
        } else {
            revision.saturating_sub(1)
        },
        changed,
    })
}

fn check_preconditions(
    context: &mut Context<'_, '_>,
    loaded: &Loaded,
    preconditions: &[Precondition],
) -> Result<(), Failure> {
    for (index, precondition) in preconditions.iter().enumerate() {
        context.gas.charge(context.block.schedule.record_read)?;
        let reader = OverlayReader::new(context.state, loaded.tree);
        let holds = match precondition {
            Precondition::Present(one) => exists(&reader, one)?,
            Precondition::Absent(one) => !exists(&reader, one)?,
            Precondition::Revision(revision) => loaded.record.latest_revision() == Some(*revision),
        };
        if !holds {
            return Err(PolicyModuleError::Precondition { index }.into());
        }
    }
    Ok(())
}

/// A relationship exists if deleting it would change something.
fn exists<R: RecordReader>(reader: &R, relationship: &Relationship) -> Result<bool, Failure> {
    match apply(
        &TreeChange::RelationshipDeleted(relationship.clone()),
        reader,
    ) {
        Ok(writes) => Ok(!writes.is_empty()),
        Err(ApplyError::Read(error)) => Err(error.into()),
        // No record, archived: the object has no relationships that count.
        Err(_) => Ok(false),
    }
}

fn authorise(
    context: &mut Context<'_, '_>,
    loaded: &Loaded,
    message: &SetRelationships,
) -> Result<(), Failure> {
    let actor = actor_of(&context.signer.did);
    let mut asked = BTreeMap::new();
    for relationship in message.set.iter().chain(&message.delete) {
        asked
            .entry((&relationship.object, &relationship.relation))
            .or_insert(relationship);
    }
    let mut steps = 0_u64;
    let mut outcome = Ok(());
    {
        let reader = OverlayReader::new(context.state, loaded.tree);
        let relationships = TreeRelationships::new(&loaded.policy, reader);
        for ((object, relation), first) in asked {
            if relationships.record(object)?.is_none() {
                let object = object.clone();
                outcome = Err(PolicyModuleError::NotRegistered { object }.into());
                break;
            }
            let answer = may_manage(&relationships, object, relation, &actor, Limits::CONSENSUS)
                .map_err(PolicyModuleError::Undecided)?;
            steps = steps.saturating_add(answer.steps);
            if !answer.is_allow() {
                outcome = Err(PolicyModuleError::NotPermitted {
                    actor: context.signer.did.clone(),
                    what: format!("set or delete {first}"),
                }
                .into());
                break;
            }
        }
    }
    let gas = steps.saturating_mul(context.block.schedule.policy_step);
    context.gas.charge(gas)?;
    outcome
}

/// Registers an object; the signer owns it.
///
/// # Errors
/// [`PolicyModuleError`]: unknown resource, registered already, a document's id that is not
/// derived so, or not its author.
pub fn register_object(
    context: &mut Context<'_, '_>,
    register: &RegisterObject,
) -> Result<MsgRegisterObjectResponse, Failure> {
    let loaded = load(context, &register.policy)?;
    let object = &register.object;
    if !loaded.policy.resource_exists(object.resource()) {
        return Err(PolicyModuleError::UnknownResource {
            resource: object.resource().to_owned(),
        }
        .into());
    }
    if let Some(document) = &register.document {
        let expected = document
            .object(&context.block.chain, &register.policy)
            .map_err(|error| NodeFailure::State {
                what: error.to_string(),
            })?;
        if expected != *object {
            return Err(PolicyModuleError::DocumentId {
                object: object.clone(),
                expected,
            }
            .into());
        }
        if document.author != context.signer.did {
            return Err(PolicyModuleError::NotAuthor {
                object: object.clone(),
                author: document.author.clone(),
            }
            .into());
        }
        context.gas.charge(context.block.schedule.record_read)?;
        let collection = context
            .state
            .tree(loaded.tree, &document.collection_key())?;
        if collection.is_none() {
            return Err(PolicyModuleError::UnknownCollection {
                resource: document.resource.to_string(),
                name: document.collection.to_string(),
            }
            .into());
        }
    }
    let change = TreeChange::ObjectRegistered {
        object: object.clone(),
        owner: actor_of(&context.signer.did),
    };
    write_change(context, loaded.tree, &change)?;
    let revision = loaded.pending_revision();
    context.change(
        register.policy,
        revision,
        ChangeKind::ObjectRegistered {
            object: object.clone(),
            document: register.document.clone(),
        },
    )?;
    Ok(MsgRegisterObjectResponse { revision })
}

fn write_change(
    context: &mut Context<'_, '_>,
    tree: TreeId,
    change: &TreeChange,
) -> Result<(), Failure> {
    context.gas.charge(context.block.schedule.record_read)?;
    let writes = apply(change, &OverlayReader::new(context.state, tree)).map_err(apply_error)?;
    for (key, value) in writes {
        context.write_bytes(tree, key, value)?;
    }
    Ok(())
}

/// Some refusals of the records have an error of the module's own.
fn apply_error(error: ApplyError) -> Failure {
    match error {
        ApplyError::AlreadyRegistered { object } => {
            PolicyModuleError::AlreadyRegistered { object }.into()
        }
        ApplyError::NotRegistered { object } => PolicyModuleError::NotRegistered { object }.into(),
        other => PolicyModuleError::Apply(other).into(),
    }
}
