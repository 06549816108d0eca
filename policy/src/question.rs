//! Questions and answers.

use alloc::{string::String, vec::Vec};

use crate::{
    condition::{Context, EvaluationError},
    name::{Actor, Name},
    reader::ReadError,
    relationship::{ObjectRef, Subject},
    time::Time,
};

/// May `subject` do `permission` on `object`?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// On what.
    pub object: ObjectRef,
    /// A permission or relation of the object's resource, or `manage(relation)`: may the subject
    /// set and delete relationships of that relation.
    pub permission: String,
    /// Who asks; mostly an actor.
    pub subject: Subject,
}

impl Question {
    /// Asks for an actor.
    #[must_use]
    pub fn new(object: ObjectRef, permission: &str, actor: Actor) -> Self {
        Self {
            object,
            permission: permission.into(),
            subject: Subject::Actor(actor),
        }
    }

    /// Asks whether an actor may set and delete relationships of `relation` on `object`.
    #[must_use]
    pub fn manage(object: ObjectRef, relation: &Name, actor: Actor) -> Self {
        Self {
            object,
            permission: alloc::format!("manage({relation})"),
            subject: Subject::Actor(actor),
        }
    }
}

impl core::fmt::Display for Question {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}#{}@{}", self.object, self.permission, self.subject)
    }
}

/// Under what circumstances a question is asked, beside the relationships.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The time of the question: block time on the hub, whatever is asked about elsewhere.
    pub time: Time,
    /// What the asker gives to conditions: values of parameters, whatever condition has them. What a
    /// relationship records wins over it.
    pub context: Context,
}

impl Circumstances {
    /// Asked at `time`, with nothing given to conditions.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self {
            time,
            context: Context::default(),
        }
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No; also what no finite derivation decides (a cycle).
    Deny,
    /// It hangs on conditions that lack part of their context: with it, the answer may be allow.
    /// Whoever needs one of two answers takes it for a deny.
    Conditional,
}

/// A decision and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// Of a conditional answer: names of the parameters that were not given, as far as they matter,
    /// sorted. Found by a search of its own, which consensus does not make and no step counts; what it
    /// does not find within [`crate::limits::NAMING_STEPS_MAX`] is left out.
    pub missing: Vec<String>,
    /// Steps of the canonical walk: the same for the same policy and facts on every node.
    pub steps: u64,
    /// The answer stays the same at all times before this one, as long as policy, relationships and
    /// context do; `None`: at all later times.
    pub stands_until: Option<Time>,
}

impl Answer {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        self.decision == Decision::Allow
    }
}

/// Why there is no answer. Never an allow and never a deny (Invariant 3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The policy has no such resource.
    #[error("the policy defines no resource {resource:?}{suggestion}")]
    UnknownResource {
        /// What was asked for.
        resource: String,
        /// A near name, in words.
        suggestion: String,
    },
    /// The resource has no such permission or relation.
    #[error("resource {resource:?} defines no permission or relation {permission:?}{suggestion}")]
    UnknownPermission {
        /// The resource.
        resource: String,
        /// What was asked for.
        permission: String,
        /// A near name, in words.
        suggestion: String,
    },
    /// The walk took more steps than it may.
    #[error(
        "could not tell within {limit} steps; ask about a nearer object or simplify the policy"
    )]
    TooManySteps {
        /// The bound.
        limit: u64,
    },
    /// The walk nested deeper than it may, and nothing else allowed.
    #[error("could not tell: the relationships nest deeper than {limit} levels")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// A condition failed, and the answer hangs on it.
    #[error("condition {condition:?} failed: {reason}")]
    Condition {
        /// The condition.
        condition: String,
        /// Why.
        reason: EvaluationError,
    },
    /// A record could not be read, or is not at hand and the answer hangs on it.
    #[error(transparent)]
    Read(#[from] ReadError),
}
