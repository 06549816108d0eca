//! Kleene's three truth values.

/// *False* < *unknown* < *true*: then union is the maximum, intersection the minimum, and negation
/// turns the order round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    #[inline]
    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    #[inline]
    pub(crate) fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        match value {
            true => Self::True,
            false => Self::False,
        }
    }
}
