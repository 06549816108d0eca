//! Many nodes decided for one subject: what the walk finds about one of them serves all others.
//!
//! Definite values are those of one fixpoint, whatever node they were found for, so sharing them
//! changes no answer. What a walk met that is no meaning of the policy (a record that is not at hand, a
//! condition that failed, a bound) is told apart by asking alone.

use alloc::{string::String, vec::Vec};

use crate::{
    asked::Asked,
    check::Walk,
    lacking::Lacking,
    limits::Limits,
    missing,
    question::{Answer, CheckError, Circumstances, Decision},
    reader::ReadError,
    relationships::{NodeId, ObjectId, Relationships},
    schema::Policy,
    truth::Truth,
};

/// What was decided, as `check` would.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// Of a conditional one: names of the parameters that were not given, sorted.
    pub missing: Vec<String>,
}

impl Decided {
    pub(crate) const DENY: Self = Self::plain(Decision::Deny);
    pub(crate) const ALLOW: Self = Self::plain(Decision::Allow);

    const fn plain(decision: Decision) -> Self {
        Self {
            decision,
            missing: Vec::new(),
        }
    }
}

impl From<Answer> for Decided {
    fn from(answer: Answer) -> Self {
        Self {
            decision: answer.decision,
            missing: answer.missing,
        }
    }
}

impl CheckError {
    /// Whether nothing more can be asked of the same walk.
    pub(crate) fn ends_all(&self) -> bool {
        match self {
            Self::TooManySteps { .. } => true,
            Self::Read(read) => !matches!(read, ReadError::Unavailable { .. }),
            _ => false,
        }
    }
}

/// A walk for many nodes and one subject.
pub(crate) struct Shared<'a, R: ?Sized> {
    walk: Walk<'a, R>,
    relationships: &'a R,
    circumstances: &'a Circumstances,
    limits: Limits,
    /// Steps of what was asked alone.
    alone: u64,
}

impl<'a, R: Relationships + ?Sized> Shared<'a, R> {
    pub(crate) fn new(
        relationships: &'a R,
        asked: Asked,
        circumstances: &'a Circumstances,
        limits: Limits,
    ) -> Self {
        let nowhere = (ObjectId::NOWHERE, NodeId(0));
        Self {
            walk: Walk::of(relationships, nowhere, asked, circumstances, limits),
            relationships,
            circumstances,
            limits,
            alone: 0,
        }
    }

    pub(crate) fn policy(&self) -> &'a Policy {
        self.walk.policy()
    }

    pub(crate) fn relationships(&self) -> &'a R {
        self.relationships
    }

    /// Counts steps that were taken beside the walk.
    pub(crate) fn count(&mut self, steps: usize) -> Result<(), CheckError> {
        self.walk.count(steps)
    }

    pub(crate) fn steps(&self) -> u64 {
        self.walk.steps().saturating_add(self.alone)
    }

    /// The value of a node as things stand.
    pub(crate) fn value(&mut self, object: ObjectId, node: NodeId) -> Result<Truth, CheckError> {
        self.walk.turn_to(object, node);
        self.walk.walk(Lacking::Unknown)
    }

    /// Decides a node.
    ///
    /// # Errors
    /// As [`crate::check`]; the bound on steps is that of all nodes together.
    pub(crate) fn decide(&mut self, object: ObjectId, node: NodeId) -> Result<Decided, CheckError> {
        match self.value(object, node)? {
            Truth::True => return Ok(Decided::ALLOW),
            Truth::False => return Ok(Decided::DENY),
            Truth::Unknown if self.walk.is_troubled() => return self.alone(object, node),
            Truth::Unknown if !self.walk.lacks() => return Ok(Decided::DENY),
            Truth::Unknown => {}
        }
        match self.walk.walk(Lacking::Holds)? {
            Truth::False => Ok(Decided::DENY),
            Truth::Unknown if self.walk.is_troubled() => self.alone(object, node),
            Truth::Unknown => Ok(Decided::DENY),
            Truth::True => Ok(Decided {
                decision: Decision::Conditional,
                missing: missing::names(&mut self.walk),
            }),
        }
    }

    fn alone(&mut self, object: ObjectId, node: NodeId) -> Result<Decided, CheckError> {
        let (relationships, circumstances) = (self.relationships, self.circumstances);
        let (asked, root) = (self.walk.asked(), (object, node));
        self.beside(|limits| {
            let mut walk = Walk::of(relationships, root, asked, circumstances, limits);
            let answer = walk.run_and_name();
            (walk.steps(), answer.map(Decided::from))
        })
    }

    /// Asks something beside the walk, within the steps that are left, and counts what it took.
    pub(crate) fn beside(
        &mut self,
        ask: impl FnOnce(Limits) -> (u64, Result<Decided, CheckError>),
    ) -> Result<Decided, CheckError> {
        let limits = Limits {
            steps_max: self.limits.steps_max.saturating_sub(self.steps()),
            ..self.limits
        };
        let (steps, answer) = ask(limits);
        self.alone = self.alone.saturating_add(steps);
        answer.map_err(|error| match error {
            CheckError::TooManySteps { .. } => CheckError::TooManySteps {
                limit: self.limits.steps_max,
            },
            error => error,
        })
    }
}
