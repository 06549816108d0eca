//! Which adds the author of a remove can have seen: those among the commit's ancestors.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use super::{Dag, Index};

/// The cuts of an order of nodes: a node is a cut if all nodes before it are its ancestors.
///
/// In a history without branches each node is a cut, and after every merge of all tips there is
/// one; they let a walk end where everything before is known to be an ancestor.
pub(crate) struct Cuts {
    /// By node: its place in the order.
    place: Vec<u32>,
    /// By node: whether it is a cut.
    cut: Vec<bool>,
}

impl Cuts {
    /// The cuts of `order`, which must hold the parents of each of its nodes, before it.
    pub fn of(dag: &Dag, order: &[Index]) -> Self {
        let mut cuts = Self {
            place: vec![u32::MAX; dag.len()],
            cut: vec![false; dag.len()],
        };
        let mut open = BTreeSet::new();
        for (place, index) in (0..).zip(order) {
            for parent in &dag.node(*index).parents {
                open.remove(parent);
            }
            open.insert(*index);
            cuts.place[*index as usize] = place;
            // Each earlier node is open or has an open descendant.
            cuts.cut[*index as usize] = open.len() == 1;
        }
        cuts
    }
}

/// The ancestors of a commit down to some height.
pub(crate) struct Observed {
    walked: BTreeSet<Index>,
    /// All nodes up to this place in the order of the cuts are ancestors.
    below: Option<u32>,
}

impl Observed {
    /// Walks from `parents` down to the height `floor`, or to the next cut.
    ///
    /// Cost: the commits between; none in a history without branches.
    pub fn from(dag: &Dag, parents: &[Index], floor: u64, cuts: Option<&Cuts>) -> Self {
        let mut observed = Self {
            walked: BTreeSet::new(),
            below: None,
        };
        let mut open = parents.to_vec();
        while let Some(index) = open.pop() {
            if dag.node(index).height() < floor || !observed.walked.insert(index) {
                continue;
            }
            match cuts {
                Some(cuts) if cuts.cut[index as usize] => {
                    observed.below = observed.below.max(Some(cuts.place[index as usize]));
                }
                _ => open.extend(&dag.node(index).parents),
            }
        }
        observed
    }

    /// Whether `index`, of at least the height `floor`, is an ancestor.
    pub fn has(&self, index: Index, cuts: Option<&Cuts>) -> bool {
        let below = self.below.zip(cuts);
        self.walked.contains(&index)
            || below.is_some_and(|(below, cuts)| cuts.place[index as usize] <= below)
    }
}
