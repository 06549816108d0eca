//! State from the DAG, all at once: the definition that every faster path must agree with.

use alloc::vec::Vec;

use crate::{
    dag::{Cuts, Dag, Index, Marks},
    state::{effective, Seen},
    Cid, DocumentState, Error, Operation, Schemas,
};

/// Makes the state of a document at `heads`, or at all that counts.
///
/// An operation is in the state if its commit is in the closure of the heads, `counts` is true of
/// its commit, its header lists the permission that it takes, it fits the schema version that its
/// header names, its body is at hand, and no rollback excludes it. A commit that does not count
/// excludes its own operations only. A rollback excludes the operations among its commit's
/// ancestors that are not in the closure of its target; it has to count itself, and may be
/// excluded by another, later one.
///
/// Bodies may be absent; [`DocumentState::unread`] names them. Without `heads` the state is at
/// [`Dag::counting_heads`]; with them it is time travel.
///
/// Cost: O(n log n) in the commits, and for each rollback the commits that it undoes.
///
/// # Errors
/// [`Error::UnknownCommit`] for a head that is not in the DAG, [`Error::MissingSchema`].
pub fn materialize(
    dag: &Dag,
    heads: Option<&[Cid]>,
    counts: &dyn Fn(&Cid) -> bool,
    schemas: &Schemas,
) -> Result<DocumentState, Error> {
    let heads: Vec<Cid> = match heads {
        Some(heads) => heads.into(),
        None => dag.counting_heads(counts),
    };
    let order = dag.order(&dag.marks(&heads)?);
    let undone = rolled_back(dag, &order, counts, schemas)?;
    let cuts = Cuts::of(dag, &order);
    let mut state = DocumentState::at(dag.document(), heads);
    for index in order {
        let node = dag.node(index);
        if undone.has(index) || !counts(node.commit.cid()) {
            continue;
        }
        let schema = schemas.get(node.commit.header().schema_version)?;
        let operations = effective(&node.commit, &node.body, schema);
        let seen = Seen::Ancestors {
            dag,
            parents: &node.parents,
            cuts: Some(&cuts),
        };
        state.take(&node.commit, &node.body, operations, &seen);
    }
    Ok(state)
}

/// The commits whose operations a rollback excludes.
///
/// A rollback can only be excluded by one that follows it, so going from the last to the first
/// each is decided before it is needed.
fn rolled_back(
    dag: &Dag,
    order: &[Index],
    counts: &dyn Fn(&Cid) -> bool,
    schemas: &Schemas,
) -> Result<Marks, Error> {
    let mut undone = Marks::none(dag);
    for index in order.iter().rev() {
        let node = dag.node(*index);
        if undone.has(*index) || !counts(node.commit.cid()) {
            continue;
        }
        let schema = schemas.get(node.commit.header().schema_version)?;
        for (_, operation) in effective(&node.commit, &node.body, schema) {
            let Operation::Rollback { target } = operation else {
                continue;
            };
            // A target that is not known here cannot be an ancestor, for those are all known.
            let Ok(target) = target
                .iter()
                .map(|head| dag.find(head))
                .collect::<Result<Vec<_>, _>>()
            else {
                continue;
            };
            let difference = dag.difference(&node.parents, &target);
            if difference.contained {
                difference
                    .nodes
                    .iter()
                    .for_each(|index| undone.mark(*index));
            }
        }
    }
    Ok(undone)
}
