//! Questions about what follows what.

use alloc::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    vec,
    vec::Vec,
};

use super::{Dag, Index, Node};
use crate::{Cid, Commit, Error};

impl Dag {
    /// All commits, parents before children: by height, then by name.
    pub fn topological(&self) -> Vec<&Commit> {
        let order = self.order(&Marks::all(self));
        order
            .into_iter()
            .map(|index| &self.node(index).commit)
            .collect()
    }

    /// The commits of `heads` and all their ancestors.
    ///
    /// # Errors
    /// [`Error::UnknownCommit`].
    pub fn closure(&self, heads: &[Cid]) -> Result<BTreeSet<Cid>, Error> {
        let marks = self.marks(heads)?;
        Ok(self.cids(&marks).collect())
    }

    /// The commits that `heads` have and `known` lack, parents first: what somebody who has the
    /// closure of `known` needs to have that of `heads`. Names in `known` that are not in this
    /// DAG are passed over.
    ///
    /// # Errors
    /// [`Error::UnknownCommit`] for a head that is not in this DAG.
    pub fn since(&self, heads: &[Cid], known: &[Cid]) -> Result<Vec<Cid>, Error> {
        let from: Vec<Index> = heads
            .iter()
            .map(|head| self.find(head))
            .collect::<Result<_, _>>()?;
        let known: Vec<Index> = known
            .iter()
            .filter_map(|head| self.find(head).ok())
            .collect();
        let mut nodes = self.difference(&from, &known).nodes;
        nodes.sort_unstable_by_key(|index| self.key(*index));
        Ok(nodes
            .into_iter()
            .map(|index| *self.node(index).commit.cid())
            .collect())
    }

    /// Whether `ancestor` is an ancestor of `commit`, or `commit` itself.
    ///
    /// Cost: the commits between the two heights.
    ///
    /// # Errors
    /// [`Error::UnknownCommit`].
    pub fn is_in_closure(&self, ancestor: &Cid, commit: &Cid) -> Result<bool, Error> {
        let (ancestor, commit) = (self.find(ancestor)?, self.find(commit)?);
        Ok(self.reaches(&[commit], ancestor))
    }

    /// The commits of which `counts` is true and that no commit of which it is true follows,
    /// sorted: the heads that a replica shows, offers and writes upon. What does not count is
    /// never offered, so nothing new may follow it alone.
    pub fn counting_heads(&self, counts: &dyn Fn(&Cid) -> bool) -> Vec<Cid> {
        // Insertion order has parents first, so going back from the end each node is complete
        // when it is met.
        let mut covered = Marks::none(self);
        let mut heads = Vec::new();
        for index in (0..self.nodes().len() as Index).rev() {
            let node = self.node(index);
            let has = covered.has(index);
            let counting = has || counts(node.commit.cid());
            if counting {
                if !has {
                    heads.push(*node.commit.cid());
                }
                node.parents.iter().for_each(|parent| covered.mark(*parent));
            }
        }
        heads.sort_unstable();
        heads
    }

    /// Marks the closure of `heads`.
    pub(crate) fn marks(&self, heads: &[Cid]) -> Result<Marks, Error> {
        let mut marks = Marks::none(self);
        let mut open: Vec<Index> = heads
            .iter()
            .map(|head| self.find(head))
            .collect::<Result<_, _>>()?;
        while let Some(index) = open.pop() {
            if !marks.has(index) {
                marks.mark(index);
                open.extend(&self.node(index).parents);
            }
        }
        Ok(marks)
    }

    /// The marked nodes by height, then by name.
    pub(crate) fn order(&self, marks: &Marks) -> Vec<Index> {
        let mut nodes: Vec<Index> = (0..self.nodes().len() as Index)
            .filter(|index| marks.has(*index))
            .collect();
        nodes.sort_unstable_by_key(|index| self.key(*index));
        nodes
    }

    /// Whether `target` is in the closure of `from`. Walks down to the target's height only.
    pub(crate) fn reaches(&self, from: &[Index], target: Index) -> bool {
        let floor = self.node(target).height();
        let mut seen = BTreeSet::new();
        let mut open = from.to_vec();
        while let Some(index) = open.pop() {
            if index == target {
                return true;
            }
            if self.node(index).height() > floor && seen.insert(index) {
                open.extend(&self.node(index).parents);
            }
        }
        false
    }

    /// What is in the closure of `from` and not in that of `without`, and whether all of
    /// `without` is in the closure of `from`.
    ///
    /// Goes down both closures at once, highest first, and ends as soon as all that is left
    /// belongs to both or to `without` alone: cost follows the difference, not the history.
    pub(crate) fn difference(&self, from: &[Index], without: &[Index]) -> Difference {
        let mut frontier = Frontier::of(self);
        from.iter().for_each(|index| frontier.label(*index, FROM));
        without
            .iter()
            .for_each(|index| frontier.label(*index, WITHOUT));
        let mut targets: BTreeSet<Index> = without.iter().copied().collect();
        let mut difference = Difference {
            nodes: Vec::new(),
            contained: true,
        };
        while frontier.undecided > 0 || !targets.is_empty() {
            let Some((index, label)) = frontier.pop() else {
                break;
            };
            if targets.remove(&index) {
                difference.contained &= label & FROM != 0;
            }
            if label == FROM {
                difference.nodes.push(index);
            }
            self.node(index)
                .parents
                .iter()
                .for_each(|parent| frontier.label(*parent, label));
        }
        difference
    }

    fn cids<'a>(&'a self, marks: &'a Marks) -> impl Iterator<Item = Cid> + 'a {
        let marked = self
            .nodes()
            .iter()
            .zip(&marks.0)
            .filter(|(_, marked)| **marked);
        marked.map(|(node, _): (&Node, _)| *node.commit.cid())
    }

    fn key(&self, index: Index) -> (u64, Cid) {
        let node = self.node(index);
        (node.height(), *node.commit.cid())
    }
}

/// A node of the closure that is wanted.
const FROM: u8 = 1;
/// A node of the closure that is not.
const WITHOUT: u8 = 2;

/// The nodes that [`Dag::difference`] has met and not passed yet.
struct Frontier<'a> {
    dag: &'a Dag,
    labels: BTreeMap<Index, u8>,
    open: BinaryHeap<(u64, Index)>,
    /// How many open nodes are not known to be in the closure that is not wanted.
    undecided: usize,
}

impl<'a> Frontier<'a> {
    fn of(dag: &'a Dag) -> Self {
        Self {
            dag,
            labels: BTreeMap::new(),
            open: BinaryHeap::new(),
            undecided: 0,
        }
    }

    fn label(&mut self, index: Index, label: u8) {
        let labels = self.labels.entry(index).or_default();
        let before = *labels;
        *labels |= label;
        let after = *labels;
        if before == 0 {
            self.open.push((self.dag.node(index).height(), index));
            self.undecided += usize::from(after == FROM);
        } else if before == FROM && after != FROM {
            self.undecided -= 1;
        }
    }

    /// The highest open node. All that follows it is higher, so its label is complete.
    fn pop(&mut self) -> Option<(Index, u8)> {
        let (_, index) = self.open.pop()?;
        let label = self.labels.get(&index).copied().unwrap_or_default();
        self.undecided -= usize::from(label == FROM);
        Some((index, label))
    }
}

/// The result of [`Dag::difference`].
pub(crate) struct Difference {
    /// In no particular order.
    pub nodes: Vec<Index>,
    /// Whether all of `without` is in the closure of `from`.
    pub contained: bool,
}

/// A set of nodes.
#[derive(Clone, Debug)]
pub(crate) struct Marks(Vec<bool>);

impl Marks {
    pub fn none(dag: &Dag) -> Self {
        Self(vec![false; dag.nodes().len()])
    }

    pub fn all(dag: &Dag) -> Self {
        Self(vec![true; dag.nodes().len()])
    }

    pub fn has(&self, index: Index) -> bool {
        self.0[index as usize]
    }

    pub fn mark(&mut self, index: Index) {
        self.0[index as usize] = true;
    }
}
