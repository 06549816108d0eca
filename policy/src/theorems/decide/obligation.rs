//! What is demanded of a node's value at an object.

use alloc::vec::Vec;

use crate::{relationships::NodeId, theorems::decide::model::Model};

/// A demand on one of Kleene's three values.
///
/// *True* and *false* must be derived in finitely many steps: the meaning is a least fixpoint of
/// knowledge. That a value is *not* true or *not* false needs no derivation: it may go round in
/// circles for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    True,
    False,
    NotTrue,
    NotFalse,
}

impl Kind {
    /// Whether it must be derived.
    pub fn is_derived(self) -> bool {
        matches!(self, Self::True | Self::False)
    }

    /// Whether it pulls towards *true*: what is demanded of `a` in `a + b`, of one of them, and in
    /// `a & b`, of both. The others pull towards *false*, and the other way round.
    pub fn is_upward(self) -> bool {
        matches!(self, Self::True | Self::NotFalse)
    }

    /// What it demands of `b` where it is demanded of *not b*.
    pub fn of_negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::NotTrue => Self::NotFalse,
            Self::NotFalse => Self::NotTrue,
        }
    }

    fn implies(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::True, Self::NotFalse) | (Self::False, Self::NotTrue)
            )
    }
}

/// A demand on a node of some object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Obligation {
    pub node: NodeId,
    pub kind: Kind,
}

impl Obligation {
    pub fn implies(self, other: Self) -> bool {
        self.node == other.node && self.kind.implies(other.kind)
    }

    /// Whether no object can meet both.
    pub fn excludes(self, other: Self, model: &Model<'_>) -> bool {
        use Kind::{False, NotFalse, NotTrue, True};
        self.node == other.node
            && match (self.kind, other.kind) {
                (True, False | NotTrue)
                | (False, True | NotFalse)
                | (NotTrue, True)
                | (NotFalse, False) => true,
                (NotTrue, NotFalse) | (NotFalse, NotTrue) => model.is_stable(self.node),
                _ => false,
            }
    }
}

/// The obligations as one set: sorted, without what others imply. `None` where two exclude each
/// other.
pub(crate) fn together(mut all: Vec<Obligation>, model: &Model<'_>) -> Option<Vec<Obligation>> {
    all.sort_unstable();
    all.dedup();
    // Those of one node stand side by side, at most four.
    for (at, one) in all.iter().enumerate() {
        let rest = all.iter().skip(at + 1);
        let mut same = rest.take_while(|other| other.node == one.node);
        if same.any(|other| one.excludes(*other, model)) {
            return None;
        }
    }
    let kept = all.iter().enumerate().filter(|(at, one)| {
        let from = at.saturating_sub(3);
        let near = all.iter().enumerate().skip(from).take(7);
        let mut others = near.filter(|(other, _)| other != at);
        !others.any(|(_, other)| other.implies(**one))
    });
    Some(kept.map(|(_, one)| *one).collect())
}
