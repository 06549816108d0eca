//! State, commit by commit.
//!
//! [`DocumentState::append`] is the path of nearly every write: the commit follows the heads, so
//! everything known is its ancestor and nothing need be looked up. [`DocumentState::apply`] takes
//! concurrent commits with the help of the DAG. What neither can do (a rollback, a body that comes
//! late, a verdict that changes) they say, and the state is made anew by [`crate::materialize`].

use alloc::{sync::Arc, vec::Vec};

use super::{Counter, DocumentState, Register, Set, Stamp, Written};
use crate::{
    dag::{Cuts, Dag, Index, Observed},
    Cid, Commit, Disclosure, Envelope, Error, Operation, OperationName, Schema, Schemas,
};

/// Whether a commit could be applied as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a state to which a commit was not applied must be made anew"]
pub enum Applied {
    /// The state is that of the document with the commit.
    Done,
    /// The state is unchanged. [`DocumentState::apply`] with the DAG may do it.
    NeedsDag,
    /// The state is unchanged. Only [`crate::materialize`] can do it.
    NeedsMaterialize,
}

/// Which adds a remove can have seen.
pub(crate) enum Seen<'a> {
    /// All that are known: the commit follows all heads.
    All,
    /// Those among the ancestors.
    Ancestors {
        dag: &'a Dag,
        parents: &'a [Index],
        cuts: Option<&'a Cuts>,
    },
}

impl DocumentState {
    /// Applies a commit that counts and that follows the heads of this state, all or some of
    /// them, without looking at the DAG.
    ///
    /// Cost: the commit's operations, O(log n) each.
    ///
    /// # Errors
    /// [`Error::MissingSchema`], [`Error::WrongDocument`].
    pub fn append(
        &mut self,
        commit: &Commit,
        body: &Disclosure,
        schemas: &Schemas,
    ) -> Result<Applied, Error> {
        let header = commit.header();
        self.check_document(commit)?;
        // A commit that is in the closure of the heads cannot have a head among its parents, and
        // a second first commit cannot be told from the first without the DAG.
        let follows = header
            .parents
            .iter()
            .all(|parent| self.heads.contains(parent))
            && header.parents.is_empty() == self.heads.is_empty();
        if !follows {
            return Ok(Applied::NeedsDag);
        }
        let schema = schemas.get(header.schema_version)?;
        let operations = effective(commit, body, schema);
        for (_, operation) in operations.clone() {
            match operation {
                Operation::Rollback { .. } => return Ok(Applied::NeedsMaterialize),
                Operation::Remove { .. } if header.parents.len() != self.heads.len() => {
                    return Ok(Applied::NeedsDag)
                }
                _ => {}
            }
        }
        self.take(commit, body, operations, &Seen::All);
        for parent in &header.parents {
            self.heads.remove(parent);
        }
        self.heads.insert(*commit.cid());
        Ok(Applied::Done)
    }

    /// Applies a commit of `dag` to the state of the commits of `dag` that count, without it.
    /// Commits must be applied parents first; one that does not count changes nothing.
    ///
    /// # Errors
    /// [`Error::UnknownCommit`] if the commit or a head of this state is not in `dag`;
    /// [`Error::MissingSchema`], [`Error::WrongDocument`].
    pub fn apply(
        &mut self,
        dag: &Dag,
        commit: &Cid,
        counts: &dyn Fn(&Cid) -> bool,
        schemas: &Schemas,
    ) -> Result<Applied, Error> {
        let index = dag.find(commit)?;
        let node = dag.node(index);
        self.check_document(&node.commit)?;
        if !counts(commit) {
            return Ok(Applied::Done);
        }
        match self.append(&node.commit, &node.body, schemas)? {
            Applied::NeedsDag => {}
            done_or_not => return Ok(done_or_not),
        }
        let heads: Vec<Index> = self
            .heads
            .iter()
            .map(|head| dag.find(head))
            .collect::<Result<_, _>>()?;
        // In the closure already: applied before, or passed over when it did not count.
        if dag.reaches(&heads, index) {
            return Ok(Applied::NeedsMaterialize);
        }
        // An ancestor that counts and was not applied: the caller left something out.
        let news = dag.difference(&node.parents, &heads);
        if news
            .nodes
            .iter()
            .any(|news| counts(dag.node(*news).commit.cid()))
        {
            return Ok(Applied::NeedsMaterialize);
        }
        let schema = schemas.get(node.commit.header().schema_version)?;
        let operations = effective(&node.commit, &node.body, schema);
        if operations
            .clone()
            .any(|(_, it)| matches!(it, Operation::Rollback { .. }))
        {
            return Ok(Applied::NeedsMaterialize);
        }
        let seen = Seen::Ancestors {
            dag,
            parents: &node.parents,
            cuts: None,
        };
        self.take(&node.commit, &node.body, operations, &seen);
        for head in heads {
            if dag.reaches(&node.parents, head) {
                self.heads.remove(dag.node(head).commit.cid());
            }
        }
        self.heads.insert(*commit);
        Ok(Applied::Done)
    }

    /// Takes the operations of one commit that counts and is not rolled back. Adds that a remove
    /// can have seen must have been taken before.
    pub(crate) fn take<'a>(
        &mut self,
        commit: &Commit,
        body: &Disclosure,
        operations: impl Iterator<Item = (u32, &'a Operation)> + Clone,
        seen: &Seen<'_>,
    ) {
        let stamp = Arc::new(Stamp::of(commit));
        if self.created.as_ref().is_none_or(|created| stamp < *created) {
            self.created = Some(stamp.clone());
        }
        if self.updated.as_ref().is_none_or(|updated| stamp > *updated) {
            self.updated = Some(stamp.clone());
        }
        if !is_read(body) {
            self.unread.insert(*commit.cid());
        }
        let observed = self.observed(operations.clone(), seen);
        for (index, operation) in operations {
            self.take_one(
                operation,
                Written {
                    stamp: stamp.clone(),
                    index,
                },
                seen,
                &observed,
            );
        }
    }

    fn take_one(
        &mut self,
        operation: &Operation,
        written: Written,
        seen: &Seen<'_>,
        observed: &Option<Observed>,
    ) {
        match operation {
            Operation::Set { field, value } => match self.registers.get_mut(field) {
                Some(register) => register.set(value, written),
                None => {
                    self.registers
                        .insert(field.clone(), Register::new(value.clone(), written));
                }
            },
            Operation::Increment { field, by } => match self.counters.get_mut(field) {
                Some(counter) => counter.increment(*by, written),
                None => {
                    let mut counter = Counter::new(written.clone());
                    counter.increment(*by, written);
                    self.counters.insert(field.clone(), counter);
                }
            },
            Operation::Add { field, value } => {
                let name = OperationName {
                    commit: written.stamp.commit,
                    index: written.index,
                };
                self.set_mut(field, &written).add(name, value, written);
            }
            Operation::Remove { field, adds } => {
                let set = self.set_mut(field, &written);
                for add in adds {
                    let may = match (seen, observed) {
                        (Seen::All, _) => true,
                        (Seen::Ancestors { dag, cuts, .. }, Some(observed)) => dag
                            .find(&add.commit)
                            .is_ok_and(|index| observed.has(index, *cuts)),
                        (Seen::Ancestors { .. }, None) => false,
                    };
                    if may {
                        set.adds.remove(add);
                    }
                }
                set.touch(written);
            }
            Operation::Delete => {
                if self
                    .deleted
                    .as_ref()
                    .is_none_or(|deleted| written > *deleted)
                {
                    self.deleted = Some(written);
                }
            }
            // What a rollback excludes was never taken.
            Operation::Rollback { .. } => {}
        }
    }

    /// One walk for all the removes of a commit, down to the lowest add that they name and that
    /// lives. `None` if they name none.
    fn observed<'a>(
        &self,
        operations: impl Iterator<Item = (u32, &'a Operation)>,
        seen: &Seen<'_>,
    ) -> Option<Observed> {
        let Seen::Ancestors { dag, parents, cuts } = seen else {
            return None;
        };
        let mut floor: Option<u64> = None;
        for (_, operation) in operations {
            let Operation::Remove { field, adds } = operation else {
                continue;
            };
            let Some(set) = self.sets.get(field) else {
                continue;
            };
            for element in adds.iter().filter_map(|add| set.adds.get(add)) {
                let height = element.written.stamp.height;
                floor = Some(floor.map_or(height, |floor| floor.min(height)));
            }
        }
        floor.map(|floor| Observed::from(dag, parents, floor, *cuts))
    }

    fn set_mut(&mut self, field: &str, written: &Written) -> &mut Set {
        if !self.sets.contains_key(field) {
            self.sets.insert(field.into(), Set::new(written.clone()));
        }
        self.sets
            .get_mut(field)
            .expect("inserted above if it was absent")
    }

    fn check_document(&self, commit: &Commit) -> Result<(), Error> {
        let found = commit.header().document_id();
        if found == self.document {
            Ok(())
        } else {
            Err(Error::WrongDocument {
                expected: self.document,
                found,
            })
        }
    }
}

/// The operations of a commit that are not void, each with its place in the body: those that fit
/// the schema and take a permission that the header lists.
pub(crate) fn effective<'a>(
    commit: &'a Commit,
    body: &'a Disclosure,
    schema: &'a Schema,
) -> impl Iterator<Item = (u32, &'a Operation)> + Clone {
    let operations = match body {
        Disclosure::Open(body) => body.operations().unwrap_or_default(),
        Disclosure::Absent | Disclosure::Void(_) => &[],
    };
    let header = commit.header();
    let first = header.preimage().is_some();
    (0..).zip(operations).filter(move |(_, operation)| {
        schema
            .permission_if_fit(operation, first)
            .is_some_and(|taken| header.lists(taken))
    })
}

/// Whether all operations of the body are known; of a void body it is known that there are none.
fn is_read(body: &Disclosure) -> bool {
    match body {
        Disclosure::Absent => false,
        Disclosure::Open(body) => matches!(body.envelope(), Envelope::Clear(_)),
        Disclosure::Void(_) => true,
    }
}
