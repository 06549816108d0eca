//! The operands of an expression, and where each of them stands in it.

use alloc::{vec, vec::Vec};

use crate::schema::Op;

/// Where a part of an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standpoint {
    /// On the right side of an odd number of differences: what is true here takes away.
    pub turned: bool,
    /// On the right side of any difference: nobody is granted anything by standing here alone.
    pub subtracted: bool,
    /// Below unions only: what is true here makes the whole true.
    pub suffices: bool,
}

impl Standpoint {
    const WHOLE: Self = Self {
        turned: false,
        subtracted: false,
        suffices: true,
    };

    fn in_part(self) -> Self {
        Self {
            suffices: false,
            ..self
        }
    }

    fn right_of_difference(self) -> Self {
        Self {
            turned: !self.turned,
            subtracted: true,
            suffices: false,
        }
    }
}

/// The operands of postfix operations (visits, arrows, `self`), last ones first.
pub(crate) fn operands(ops: &[Op]) -> Vec<(Op, Standpoint)> {
    let mut all = Vec::new();
    // Backwards an operator comes first, then its right operand, then its left one.
    let mut waiting = vec![Standpoint::WHOLE];
    for op in ops.iter().rev() {
        if matches!(op, Op::SkipIfTrue(_) | Op::SkipIfFalse(_)) {
            continue;
        }
        let Some(here) = waiting.pop() else {
            break;
        };
        match op {
            Op::Union => waiting.extend([here, here]),
            Op::Intersection => waiting.extend([here.in_part(), here.in_part()]),
            Op::Difference => waiting.extend([here.in_part(), here.right_of_difference()]),
            operand => all.push((*operand, here)),
        }
    }
    all
}
