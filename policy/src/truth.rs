//! Kleene's three truth values, and sets of them.

use core::fmt;

/// What a node may turn out to be: a set of *false* < *unknown* < *true*, never empty. A set of one
/// is a value. It holds more where a condition lacks part of its context: what the value is for each
/// way in which the missing conditions may come out, taken as independent of each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth(u8);

const FALSE: u8 = 1;
const UNKNOWN: u8 = 2;
const TRUE: u8 = 4;

impl Truth {
    pub(crate) const FALSE: Self = Self(FALSE);
    pub(crate) const UNKNOWN: Self = Self(UNKNOWN);
    pub(crate) const TRUE: Self = Self(TRUE);
    /// A condition that lacks context.
    pub(crate) const OPEN: Self = Self(FALSE | TRUE);

    /// Whether it may turn out true.
    pub(crate) fn may_be_true(self) -> bool {
        self.0 & TRUE != 0
    }

    /// Whether it may stay unknown.
    pub(crate) fn may_be_unknown(self) -> bool {
        self.0 & UNKNOWN != 0
    }

    /// Kleene's *or* is the maximum.
    pub(crate) fn or(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        let unknown = (a & reaches_unknown(b)) | (b & reaches_unknown(a));
        Self((a & b & FALSE) | (unknown & UNKNOWN) | ((a | b) & TRUE))
    }

    /// Kleene's *and* is the minimum.
    pub(crate) fn and(self, other: Self) -> Self {
        self.not().or(other.not()).not()
    }

    /// Negation turns the order round.
    pub(crate) fn not(self) -> Self {
        Self(((self.0 & FALSE) << 2) | (self.0 & UNKNOWN) | ((self.0 & TRUE) >> 2))
    }
}

/// The bit of *unknown*, where a set holds anything that the maximum with *unknown* leaves there.
fn reaches_unknown(set: u8) -> u8 {
    (set & UNKNOWN) | ((set & FALSE) << 1)
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value {
            Self::TRUE
        } else {
            Self::FALSE
        }
    }
}

impl fmt::Debug for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, name) in [(FALSE, 'F'), (UNKNOWN, 'U'), (TRUE, 'T')] {
            if self.0 & bit != 0 {
                write!(f, "{name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, element by element.
    fn lift(a: Truth, b: Truth, table: impl Fn(u8, u8) -> u8) -> Truth {
        let mut set = 0;
        for x in [FALSE, UNKNOWN, TRUE] {
            for y in [FALSE, UNKNOWN, TRUE] {
                if a.0 & x != 0 && b.0 & y != 0 {
                    set |= table(x, y);
                }
            }
        }
        Truth(set)
    }

    #[test]
    fn sets_are_combined_element_by_element() {
        for a in 1..8 {
            for b in 1..8 {
                let (a, b) = (Truth(a), Truth(b));
                assert_eq!(a.or(b), lift(a, b, u8::max), "{a:?} or {b:?}");
                assert_eq!(a.and(b), lift(a, b, u8::min), "{a:?} and {b:?}");
            }
            let a = Truth(a);
            assert_eq!(a.not().not(), a);
        }
        assert_eq!(Truth::TRUE.not(), Truth::FALSE);
        assert_eq!(Truth::OPEN.not(), Truth::OPEN);
        assert_eq!(Truth::UNKNOWN.not(), Truth::UNKNOWN);
    }
}
