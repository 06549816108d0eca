//! Messages about policies.

use std::sync::Arc;

use ::policy::{
    apply, check_counted, Answer, ApplyError, Change as TreeChange, CheckError, Circumstances,
    CollectionRecord, Decision, Limits, Policy, Question, RecordReader, Relationship,
    Relationships, Staged, TreeRelationships, WithDocuments, Write,
};
use hub_types::{
    document::{Document, CREATE},
    policy::{
        events, keys, records::actor_of, ChangeKind, CreatePolicy, DefineCollection,
        PolicyModuleError, PolicyRecord, Precondition, RegisterObject, SetRelationships,
    },
    GasSchedule, PolicyId,
};
use merkle::CompactRange;
use std::collections::BTreeMap;
use wire::policy::{
    MsgCreatePolicyResponse, MsgDefineCollectionResponse, MsgRegisterObjectResponse,
    MsgSetRelationshipsResponse,
};

use crate::chain::context::{Context, GasMeter};
use crate::chain::failure::{Failure, NodeFailure};
use crate::chain::readers::{MeteredReader, OverlayReader};
use crate::store::TreeId;

use super::preimages::WithoutPreimages;

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
    let damaged = |what: String| NodeFailure::State { what };
    let definition = context
        .read_bytes(tree, &::policy::keys::definition_key())?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| damaged(format!("policy {id} has no definition")))?;
    // As if it were compiled anew: another node may have to.
    let per_byte = context.block.schedule.per_definition_byte;
    let compiling = (definition.len() as u64).saturating_mul(per_byte);
    context.gas.charge(compiling)?;
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
            is_conditional: false,
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
    if !policy.relation_allows_objects(resource, scope) {
        return Err(PolicyModuleError::Collection {
            reason: "the scope relation must be a relation of the resource that can hold an object",
        }
        .into());
    }
    let key = ::policy::keys::collection_key(resource, define.name.as_str());
    let current = match context.read_bytes(loaded.tree, &key)? {
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
/// Authority is asked once for each (object, relation), of the state before the message. The message
/// carries no preimages of documents: authority that hangs on one is undecided. Preconditions ask
/// what is recorded, which a preimage says nothing of.
///
/// # Errors
/// [`PolicyModuleError`]: a precondition, a relationship that the policy does not admit, an object
/// without a record, authority that is missing or undecided.
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
        let schedule = &context.block.schedule;
        for change in changes {
            let writes = apply_metered(&change, &staged, &context.gas, schedule)?;
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
    let set = effective
        .iter()
        .filter(|change| matches!(change, TreeChange::RelationshipSet(_)))
        .count();
    if changed > 0 {
        let actor = &context.signer.did;
        let deleted = effective.len() - set;
        context.events.push(events::relationships_changed(
            &message.policy,
            revision,
            actor,
            set,
            deleted,
        ));
    }
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
        let schedule = &context.block.schedule;
        context.gas.charge(schedule.record_read)?;
        let reader = OverlayReader::new(context.state, loaded.tree);
        let reader = MeteredReader::new(reader, &context.gas, schedule);
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

/// A relationship is recorded if deleting it would change something; with terms, if setting it would
/// change nothing as well.
fn exists<R: RecordReader>(reader: &R, relationship: &Relationship) -> Result<bool, Failure> {
    let changes = |change: TreeChange| match apply(&change, reader) {
        Ok(writes) => Ok(Some(!writes.is_empty())),
        Err(ApplyError::Read(error)) => Err(Failure::from(error)),
        // No record, archived: the object has no relationships that count. No room for these terms:
        // it stands on others.
        Err(_) => Ok(None),
    };
    let recorded = changes(TreeChange::RelationshipDeleted(relationship.clone()))? == Some(true);
    if !recorded || relationship.terms.is_none() {
        return Ok(recorded);
    }
    let set = changes(TreeChange::RelationshipSet(relationship.clone()))?;
    Ok(set == Some(false))
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
    let schedule = &context.block.schedule;
    let reader = OverlayReader::new(context.state, loaded.tree);
    let reader = MeteredReader::new(reader, &context.gas, schedule);
    let tree = TreeRelationships::new(&loaded.policy, reader);
    let relationships = WithoutPreimages(&tree);
    for ((object, relation), first) in asked {
        if tree.record(object)?.is_none() {
            let object = object.clone();
            return Err(PolicyModuleError::NotRegistered { object }.into());
        }
        let question = Question::manage(object.clone(), relation, actor.clone());
        let answer = ask(
            &relationships,
            &question,
            &now(context),
            &context.gas,
            schedule,
        )?;
        if !answer.is_allow() {
            return Err(PolicyModuleError::NotPermitted {
                actor: context.signer.did.clone(),
                what: format!("set or delete {first}"),
                is_conditional: answer.decision == Decision::Conditional,
            }
            .into());
        }
    }
    Ok(())
}

/// How a transaction asks: at the time of its block, which is the only clock that execution has
/// (Invariant 1), and without context.
fn now(context: &Context<'_, '_>) -> Circumstances {
    Circumstances::at(context.block.time.to_policy())
}

/// Decides a question with no more steps than the gas that is left pays for, and charges those that
/// it took, whatever came of it. Where the gas ends the walk, the transaction is out of gas.
fn ask<R: Relationships>(
    relationships: &R,
    question: &Question,
    circumstances: &Circumstances,
    gas: &GasMeter,
    schedule: &GasSchedule,
) -> Result<Answer, Failure> {
    let step = schedule.policy_step;
    let paid = gas.remaining().checked_div(step).unwrap_or(u64::MAX);
    let limits = Limits {
        steps_max: Limits::CONSENSUS.steps_max.min(paid),
        ..Limits::CONSENSUS
    };
    let (steps, answer) = check_counted(relationships, question, circumstances, limits);
    let ended_by_gas = paid < Limits::CONSENSUS.steps_max
        && matches!(answer, Err(CheckError::TooManySteps { .. }));
    // The step that was not taken is the one that the gas is missing for.
    let steps = steps.saturating_add(u64::from(ended_by_gas));
    gas.charge(steps.saturating_mul(step))?;
    answer.map_err(|error| PolicyModuleError::Undecided(error).into())
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
        let key = document.collection_key();
        let Some(collection) = context.read_bytes(loaded.tree, &key)? else {
            return Err(PolicyModuleError::UnknownCollection {
                resource: document.resource.to_string(),
                name: document.collection.to_string(),
            }
            .into());
        };
        may_create(context, &loaded, document, &collection)?;
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

/// Whoever registers a document creates it as far as the hub sees, which takes the permission
/// `create` on the scope as of this block (DESIGN §5); ownership never permits it.
///
/// Of other documents on the way, a scope that is one itself for example, the hub has no preimage
/// here: where the answer hangs on what one says, it is undecided.
fn may_create(
    context: &mut Context<'_, '_>,
    loaded: &Loaded,
    document: &Document,
    collection: &[u8],
) -> Result<(), Failure> {
    let collection =
        CollectionRecord::from_bytes(collection).map_err(|reason| NodeFailure::State {
            what: format!("a collection's record: {reason}"),
        })?;
    let mut facts = document
        .facts(
            &context.block.chain,
            &loaded.record.id,
            &collection.scope_relation,
        )
        .map_err(|error| NodeFailure::State {
            what: error.to_string(),
        })?;
    facts.owner = None;
    let actor = actor_of(&context.signer.did);
    let question = Question::new(facts.object.clone(), CREATE, actor);
    let schedule = &context.block.schedule;
    let reader = OverlayReader::new(context.state, loaded.tree);
    let reader = MeteredReader::new(reader, &context.gas, schedule);
    let tree = TreeRelationships::new(&loaded.policy, reader);
    let facts = [facts];
    let others = WithoutPreimages(&tree);
    let relationships = WithDocuments::new(&others, &facts);
    let answer = ask(
        &relationships,
        &question,
        &now(context),
        &context.gas,
        schedule,
    )?;
    if answer.is_allow() {
        return Ok(());
    }
    Err(PolicyModuleError::NotPermitted {
        actor: context.signer.did.clone(),
        what: format!("create {} in {}", question.object, document.scope),
        is_conditional: answer.decision == Decision::Conditional,
    }
    .into())
}

fn write_change(
    context: &mut Context<'_, '_>,
    tree: TreeId,
    change: &TreeChange,
) -> Result<(), Failure> {
    let reader = OverlayReader::new(context.state, tree);
    let writes = apply_metered(change, &reader, &context.gas, &context.block.schedule)?;
    for (key, value) in writes {
        context.write_bytes(tree, key, value)?;
    }
    Ok(())
}

/// [`apply`] for gas: one read, and each byte that it reads or makes.
fn apply_metered<R: RecordReader>(
    change: &TreeChange,
    reader: &R,
    gas: &GasMeter,
    schedule: &GasSchedule,
) -> Result<Vec<Write>, Failure> {
    gas.charge(schedule.record_read)?;
    let reader = MeteredReader::new(reader, gas, schedule);
    let writes = apply(change, &reader).map_err(apply_error)?;
    let made: usize = writes
        .iter()
        .map(|(_, value)| value.as_ref().map_or(0, Vec::len))
        .sum();
    gas.charge((made as u64).saturating_mul(schedule.per_byte_read))?;
    Ok(writes)
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use ::policy::{Actor, Change, ReadError};
    use hub_types::{Code, Gas};

    use super::*;

    /// Groups in a chain, the innermost with a member.
    fn groups(count: usize) -> (Policy, BTreeMap<Vec<u8>, Vec<u8>>) {
        let definition = "
name: groups
resources:
  group:
    relations:
      member:
        types: [actor, group->member]
";
        let group = |at: usize| format!("group:g{at}").parse().unwrap();
        let owner = Actor::new("did:u:owner").unwrap();
        let mut changes = vec![Change::Defined {
            definition: definition.to_owned(),
        }];
        changes.extend((0..count).map(|at| Change::ObjectRegistered {
            object: group(at),
            owner: owner.clone(),
        }));
        changes.extend((1..count).map(|at| {
            let line = format!("group:g{}#member@group:g{at}#member", at - 1);
            Change::RelationshipSet(line.parse().unwrap())
        }));
        let writes = ::policy::apply_all(&changes, BTreeMap::new()).unwrap();
        let tree = writes
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        (Policy::parse(definition).unwrap(), tree.collect())
    }

    /// Counts the records that are read.
    struct Counting<'a>(&'a BTreeMap<Vec<u8>, Vec<u8>>, &'a Cell<u64>);

    impl RecordReader for Counting<'_> {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
            self.1.set(self.1.get() + 1);
            Ok(self.0.get(key).cloned())
        }

        fn floor(&self, from: &[u8], to: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>, ReadError> {
            self.0.floor(from, to)
        }
    }

    /// Code and gas of one question, at 10 a step, and how many records it read.
    fn asked_of(
        groups: &(Policy, BTreeMap<Vec<u8>, Vec<u8>>),
        limit: Gas,
    ) -> (Option<Code>, Gas, u64) {
        let reads = Cell::new(0);
        let relationships = TreeRelationships::new(&groups.0, Counting(&groups.1, &reads));
        let stranger = Actor::new("did:u:stranger").unwrap();
        let question = Question::new("group:g0".parse().unwrap(), "member", stranger);
        let gas = GasMeter::new(limit);
        let schedule = GasSchedule {
            policy_step: 10,
            ..GasSchedule::V1
        };
        let answer = ask(
            &relationships,
            &question,
            &Circumstances::default(),
            &gas,
            &schedule,
        );
        let code = answer.err().map(|failure| failure.code().unwrap().0);
        (code, gas.used(), reads.get())
    }

    /// Code and gas of one question.
    fn asked(groups: &(Policy, BTreeMap<Vec<u8>, Vec<u8>>), limit: Gas) -> (Option<Code>, Gas) {
        let (code, used, _) = asked_of(groups, limit);
        (code, used)
    }

    #[test]
    fn a_question_takes_no_more_steps_than_its_gas_pays_for() {
        let few = groups(100);
        let (code, used) = asked(&few, 1_000_000);
        assert_eq!(code, None);
        assert!(used > 1_000, "{used}");
        assert_eq!(asked(&few, used), (None, used), "exactly enough");
        assert_eq!(asked(&few, used - 1), (Some(Code::OutOfGas), used - 1));
        assert_eq!(asked(&few, 0), (Some(Code::OutOfGas), 0));
        let (code, used, reads) = asked_of(&few, 100);
        assert_eq!((code, used), (Some(Code::OutOfGas), 100));
        assert!(reads > 0 && reads <= 10, "{reads} reads for ten steps");
    }

    #[test]
    fn a_question_reads_no_more_bytes_than_its_gas_pays_for() {
        let (policy, tree) = groups(100);
        let stranger = Actor::new("did:u:stranger").unwrap();
        let question = Question::new("group:g0".parse().unwrap(), "member", stranger);
        let schedule = GasSchedule {
            policy_step: 1,
            per_byte_read: 100,
            ..GasSchedule::V1
        };
        let asked = |limit| {
            let gas = GasMeter::new(limit);
            let reader = MeteredReader::new(&tree, &gas, &schedule);
            let relationships = TreeRelationships::new(&policy, reader);
            let answer = ask(
                &relationships,
                &question,
                &Circumstances::default(),
                &gas,
                &schedule,
            );
            let code = answer.err().map(|failure| failure.code().unwrap().0);
            (code, gas.used())
        };
        let (code, used) = asked(u64::MAX);
        assert_eq!(code, None);
        let records: usize = tree
            .iter()
            .filter(|(key, _)| ::policy::keys::object_of_key(key).is_some())
            .map(|(_, value)| value.len())
            .sum();
        assert!(used > 100 * records as u64 && used < 101 * records as u64);
        assert_eq!(asked(used), (None, used), "exactly enough");
        for limit in [used - 1, used / 2, 0] {
            assert_eq!(asked(limit), (Some(Code::OutOfGas), limit));
        }
    }

    #[test]
    fn a_question_that_cannot_be_decided_is_paid_for() {
        let (code, used) = asked(&groups(300), 1_000_000);
        assert_eq!(code, Some(Code::Undecided));
        assert!(used >= 2_560, "{used}");
    }
}
