//! What became of theorems.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use crate::{
    question::{Circumstances, Decision, Question},
    relationship::{ObjectRef, Relationship, Subject},
    theorems::text::Source,
    time::Time,
};

/// One theorem and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TheoremResult {
    /// Which theorem.
    pub source: Source,
    /// What became of it.
    pub verdict: Verdict,
    /// What it cost: steps of the walk for a question, expansions of obligations for a statement
    /// (`docs/spec/theorems.md`), and steps of the walk that confirms a counterexample.
    pub steps: u64,
}

/// Whether a theorem holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does not.
    Fails(Failure),
    /// It could not be decided; why, and what to do about it.
    Undecided {
        /// In words.
        reason: String,
    },
}

impl Verdict {
    /// Whether the theorem holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        *self == Self::Holds
    }
}

/// Why a theorem does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The answer is another one.
    Answer {
        /// What was asked.
        question: Question,
        /// What the theorem says.
        expected: Decision,
        /// What the relationships give.
        got: Decision,
    },
    /// A statement is false of these relationships.
    Counterexample(Box<Counterexample>),
}

/// A world in which a statement is false, confirmed by the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// All that is recorded, owners included, sorted: a relationship list. What it names and gives
    /// no owner needs no record.
    pub relationships: Vec<Relationship>,
    /// Objects that are registered to the subject, where no relationship can say so: the policy has
    /// made `owner` a name like others.
    pub owned: Vec<ObjectRef>,
    /// The object of which the statement is false.
    pub object: ObjectRef,
    /// The subject for whom it is false.
    pub subject: Subject,
    /// Under which circumstances. Conditions need nothing from them but the time: relationships
    /// record all that theirs hang on.
    pub circumstances: Circumstances,
    /// What the subject is answered on the object, by name, for each name of the statement.
    pub answers: Vec<(String, Decision)>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Fails(failure) => write!(f, "fails: {failure}"),
            Self::Undecided { reason } => write!(f, "could not decide: {reason}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer {
                question,
                expected,
                got,
            } => write!(
                f,
                "{question}: expected {}, got {}",
                word(*expected),
                word(*got)
            ),
            Self::Counterexample(counterexample) => write!(f, "{counterexample}"),
        }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, decision)) in self.answers.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(
                f,
                "{comma}{}#{name}@{} is {}",
                self.object,
                self.subject,
                word(*decision)
            )?;
        }
        if self.circumstances.time != Time::default() {
            write!(f, " at {}", self.circumstances.time)?;
        }
        f.write_str(" with")?;
        let mut comma = " ";
        for relationship in &self.relationships {
            write!(f, "{comma}{relationship}")?;
            comma = ", ";
        }
        for object in &self.owned {
            write!(f, "{comma}{object} registered to {}", self.subject)?;
            comma = ", ";
        }
        if self.relationships.is_empty() && self.owned.is_empty() {
            f.write_str(" no relationships at all")?;
        }
        Ok(())
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::Conditional => "conditional",
    }
}
