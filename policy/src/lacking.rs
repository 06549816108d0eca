//! What a condition that lacks part of its context counts as.
//!
//! A question is walked with such conditions *unknown* first: what comes out definite holds whatever
//! the context will be. Only if that leaves it unknown it is walked again with each of them taken as
//! the asker would wish: as holding where it grants, as failing where it takes away, which is the
//! right side of `-`, turned round again on the right side within a right side. If that allows, the
//! answer is *conditional*. Both are least fixpoints of their own, so no order of evaluation shows.
//!
//! The two sides of `-` are wished for independently, also where they name the same condition:
//! `a - a` is conditional while it lacks context, although no context makes it true.

use alloc::{vec, vec::Vec};

use crate::{schema::Op, truth::Truth};

/// What a condition that lacks context counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lacking {
    Unknown,
    Holds,
    Fails,
}

impl Lacking {
    /// How it is taken on the right side of `-`.
    #[inline]
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
        }
    }

    #[inline]
    pub(crate) fn turned_if(self, turn: bool) -> Self {
        match turn {
            true => self.turned(),
            false => self,
        }
    }

    pub(crate) fn truth(self) -> Truth {
        match self {
            Self::Unknown => Truth::Unknown,
            Self::Holds => Truth::True,
            Self::Fails => Truth::False,
        }
    }
}

/// For each operation, whether it stands on the right side of an odd number of differences.
pub(crate) fn turns(ops: &[Op]) -> Vec<bool> {
    let mut turned = vec![false; ops.len()];
    // Backwards an operator comes first, then its right operand, then its left one.
    let mut waiting = vec![false];
    for (at, op) in ops.iter().enumerate().rev() {
        if matches!(op, Op::SkipIfTrue(_) | Op::SkipIfFalse(_)) {
            continue;
        }
        let here = waiting.pop().unwrap_or(false);
        if let Some(turned) = turned.get_mut(at) {
            *turned = here;
        }
        match op {
            Op::Union | Op::Intersection => waiting.extend([here, here]),
            Op::Difference => waiting.extend([here, !here]),
            _ => {}
        }
    }
    turned
}
