//! What of the relationships one asks to see.

use alloc::{string::String, vec::Vec};

use super::around::Around;
use crate::{question::Question, relationship::Relationship};

/// What of the relationships is drawn, and how.
#[derive(Clone, Debug, Default)]
pub struct DrawOptions {
    /// Only what is near this; else everything.
    pub around: Option<Around>,
    /// A question and what its answer rests on.
    pub explained: Option<Explained>,
}

/// An answer to show.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What was asked.
    pub question: Question,
    /// What was answered, in a word or two: `allow`, `deny`.
    pub answer: String,
    /// The relationships that it rests on; drawn even if they are not among those given.
    pub used: Vec<Relationship>,
    /// Relationships that are not there and that another answer would need.
    pub missing: Vec<Relationship>,
}

/// Why there is no drawing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// More relationships than one drawing shows.
    #[error("{found} relationships are too many for one drawing (at most {max}); draw what is near one object or actor (--around OBJECT --steps N), or take fewer steps")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// Nothing is near what was to be looked around from.
    #[error("no relationship names {center}; nothing is near it")]
    NothingNear {
        /// From where.
        center: String,
    },
}
