//! The end of a block for the policies that it changed: tree, leaf, record.

use std::collections::BTreeMap;

use hub_types::{
    policy::{changes_root, keys, Change, PolicyLeaf, PolicyRecord},
    PolicyId, Record,
};
use rayon::prelude::*;
use wire::Message as _;

use crate::chain::context::{read_record, BlockContext};
use crate::chain::failure::{Failure, NodeFailure};
use crate::store::{
    append_to_log, Column, LogName, Space, State, StoreError, TreeId, TreeUpdate, TreeWrites, View,
};

/// What is computed for one changed policy, apart from all others.
struct Sealed {
    id: PolicyId,
    record: PolicyRecord,
    update: TreeUpdate,
    changes_root: [u8; 32],
    changes: Vec<Change>,
}

/// Where a revision's changes lie in the column `revisions`.
pub fn revision_key(policy: &PolicyId, revision: u64) -> Vec<u8> {
    let mut key = policy.to_vec();
    key.extend_from_slice(&revision.to_be_bytes());
    key
}

/// Computes the trees of all changed policies side by side, then appends one leaf to each log.
///
/// # Errors
/// The node's failure.
pub fn seal(
    block: &BlockContext,
    view: &View<'_>,
    state: &mut State<'_>,
    changes: BTreeMap<PolicyId, Vec<Change>>,
    mut writes: BTreeMap<[u8; 32], TreeWrites>,
) -> Result<Vec<TreeUpdate>, NodeFailure> {
    let mut work = Vec::with_capacity(changes.len());
    for (id, changes) in changes {
        let record: PolicyRecord = read(state, &id)?;
        let tree_writes = writes.remove(id.as_bytes()).unwrap_or_default();
        work.push((id, record, changes, tree_writes));
    }
    if let Some((id, _)) = writes.pop_first() {
        return Err(NodeFailure::State {
            what: format!("policy {} was written without a change", hex::encode(id)),
        });
    }
    let sealed: Vec<Sealed> = work
        .into_par_iter()
        .map(|(id, record, changes, tree_writes)| {
            let tree = TreeId::Policy(*id.as_bytes());
            let revision = record.log.size();
            let update = TreeUpdate::compute(view, tree, revision, tree_writes, None)?;
            Ok(Sealed {
                id,
                record,
                update,
                changes_root: changes_root(&changes),
                changes,
            })
        })
        .collect::<Result<_, StoreError>>()?;

    let mut updates = Vec::with_capacity(sealed.len());
    for one in sealed {
        append(block, state, &one)?;
        updates.push(one.update);
    }
    Ok(updates)
}

fn read(state: &State<'_>, id: &PolicyId) -> Result<PolicyRecord, NodeFailure> {
    match read_record(state, &keys::policy(id)) {
        Ok(Some(record)) => Ok(record),
        Ok(None) => Err(NodeFailure::State {
            what: format!("policy {id} changed and has no record"),
        }),
        Err(Failure::Node(failure)) => Err(failure),
        Err(other) => Err(NodeFailure::State {
            what: other.to_string(),
        }),
    }
}

fn append(block: &BlockContext, state: &mut State<'_>, sealed: &Sealed) -> Result<(), NodeFailure> {
    let mut record = sealed.record.clone();
    let revision = record.log.size();
    let leaf = PolicyLeaf {
        policy: sealed.id,
        revision,
        height: block.height,
        time: block.time,
        changes_count: sealed.changes.len() as u64,
        changes_root: sealed.changes_root,
        tree_root: sealed.update.root,
    };
    append_to_log(
        state,
        LogName::Policy(*sealed.id.as_bytes()),
        &mut record.log,
        &leaf.to_bytes(),
    )?;
    record.tree_root = sealed.update.root;
    record.last_height = block.height;
    state.put_tree(
        TreeId::Main,
        keys::policy(&sealed.id),
        Some(record.to_bytes()),
    );
    let stored = wire::policy::Revision {
        leaf: Some(leaf.to_wire()),
        changes: sealed.changes.iter().map(Record::to_wire).collect(),
    };
    state.put(
        Space::Side(Column::Revisions),
        revision_key(&sealed.id, revision),
        Some(stored.encode_to_vec()),
    );
    state.keep();
    Ok(())
}
