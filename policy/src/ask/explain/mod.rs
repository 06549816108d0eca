//! Why: one shortest reason for an allow; for a deny what was tried, and what would have been needed;
//! for a conditional answer the conditions that matter and what they lack.

mod costs;
mod denied;
mod granted;
mod needed;
mod scene;
mod tried;
mod words;

use alloc::{string::String, vec::Vec};

use crate::{
    check::Walk,
    limits::{Limits, EXPLANATION_LINES_MAX},
    missing,
    name::Actor,
    question::{Answer, CheckError, Circumstances, Decision, Question},
    relationship::{ObjectRef, Relationship},
    relationships::Relationships,
};

use scene::Scene;

/// Why a question was answered as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was asked.
    pub question: Question,
    /// The answer, as `check` gives it.
    pub answer: Answer,
    /// Why.
    pub why: Why,
    /// Whether the bounds left nothing out ([`crate::limits`], `EXPLANATION_…`).
    pub is_all: bool,
}

/// Why, by decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is allowed.
    Allowed {
        /// One reason: a tree of facts, each one level below the one that it stands for. Empty where
        /// the bounds end before one is found.
        reason: Vec<Because>,
        /// Whether no other reason is shorter. The length of a reason is the number of its
        /// relationships, one that several parts of it lean on counted for each of them: to count
        /// it once is as hard as covering a set.
        is_shortest: bool,
    },
    /// It is denied.
    Denied {
        /// Relationships of the subject that would allow, if they stood beside all others (or in the
        /// place of one with the same object, relation and subject). Found as a reason is, so mostly
        /// as few as can be, and none can be left out. Where a condition or an expiry is asked for, it
        /// is not tried, and counts as holding. Empty where none were found that allow, and where what
        /// excludes would have to go.
        needed: Vec<Needed>,
        /// Whether that is sure: that none of `needed` can be left out, and, if it is empty, that no
        /// bound ended the search.
        is_minimal: bool,
        /// What stands against it on the nearest way, as a tree of facts.
        excluded: Vec<Because>,
        /// What was looked at, as a tree.
        tried: Vec<Tried>,
    },
    /// It hangs on conditions that lack context.
    Conditional {
        /// Those that matter, sorted.
        lacking: Vec<LackingCondition>,
    },
}

/// A fact in a tree of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// How deep in the tree: it supports the fact above it that is one level less deep.
    pub level: usize,
    /// The fact.
    pub fact: Fact,
}

/// What is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The subject has a relation or permission on an object, by what follows one level deeper.
    Has {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
    },
    /// The same, for reasons that stand above.
    Shown {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
    },
    /// A relationship stands.
    Stands(Relationship),
    /// An actor owns an object.
    Owns {
        /// The object.
        object: ObjectRef,
        /// The owner.
        actor: Actor,
    },
    /// The object itself is the subject.
    Itself {
        /// The object.
        object: ObjectRef,
    },
    /// The subject has not what an expression subtracts.
    Without {
        /// The object.
        object: ObjectRef,
        /// What is subtracted.
        expression: String,
    },
}

/// A relationship that would allow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// The relationship, without terms.
    pub relationship: Relationship,
    /// What the policy asks to stand behind `with`: a condition, `expiration`, both or none.
    pub traits: Vec<String>,
}

/// A try in a tree of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// How deep in the tree.
    pub level: usize,
    /// What was looked at.
    pub attempt: Attempt,
}

/// What was looked at, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The subject has this, and it is not enough.
    Has {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
    },
    /// The subject does not have this, for what follows one level deeper.
    Lacks {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
    },
    /// The same, as it stands above.
    Shown {
        /// The object.
        object: ObjectRef,
        /// The relation or permission.
        name: String,
    },
    /// A relation does not hold the subject itself; its usersets follow one level deeper.
    Holds {
        /// The object.
        object: ObjectRef,
        /// The relation.
        relation: String,
    },
    /// A relationship that would help has expired.
    Expired(Relationship),
    /// The condition of one that would help does not hold.
    ConditionFails(Relationship),
    /// The policy does not admit one that would help, any more.
    NotAdmitted(Relationship),
    /// An arrow finds nothing to follow.
    LeadsNowhere {
        /// The object.
        object: ObjectRef,
        /// The relation.
        relation: String,
    },
    /// The subject has what an expression subtracts.
    Excluded {
        /// The object.
        object: ObjectRef,
        /// What is subtracted.
        expression: String,
    },
    /// Whether the subject has what an expression subtracts is not known, as in a circle through `-`
    /// (docs/spec/policy.md), and counts against it.
    NotKnown {
        /// The object.
        object: ObjectRef,
        /// What is subtracted.
        expression: String,
    },
}

/// A relationship whose condition lacks context.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LackingCondition {
    /// The relationship.
    pub relationship: Relationship,
    /// The parameters that neither it nor the question gives, sorted.
    pub missing: Vec<String>,
}

/// Explains the answer to a question. `limits` bounds the check, again the values that are looked at
/// for the explanation, and again the trials of what would be needed; where that or a bound of
/// [`crate::limits`] is not enough, the explanation says less, and that it does. Names decide what is
/// shown, so the same question has the same explanation everywhere.
///
/// # Errors
/// As [`crate::check`], and none beyond it.
pub fn explain<R: Relationships + ?Sized>(
    relationships: &R,
    question: &Question,
    circumstances: &Circumstances,
    limits: Limits,
) -> Result<Explanation, CheckError> {
    let mut walk = Walk::new(relationships, question, circumstances, limits)?;
    let mut answer = walk.run()?;
    let mut scene = Scene::new(relationships, question, &walk, limits);
    let why = match answer.decision {
        Decision::Allow => granted::reason(&mut scene),
        Decision::Deny => denied::reason(&mut scene),
        Decision::Conditional => {
            let lacks = missing::lacks(&mut walk);
            answer.missing = missing::names_of(&lacks);
            if walk.is_looked_out() {
                scene.cut();
            }
            let mut lacking: Vec<LackingCondition> = lacks
                .into_iter()
                .filter_map(|lack| {
                    let place = (lack.object, lack.relation);
                    Some(LackingCondition {
                        relationship: scene.relationship(place, lack.subject, lack.terms)?,
                        missing: lack.names,
                    })
                })
                .collect();
            lacking.sort();
            if lacking.len() > EXPLANATION_LINES_MAX {
                lacking.truncate(EXPLANATION_LINES_MAX);
                scene.cut();
            }
            Why::Conditional { lacking }
        }
    };
    Ok(Explanation {
        question: question.clone(),
        answer,
        why,
        is_all: !scene.is_cut(),
    })
}
