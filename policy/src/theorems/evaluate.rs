//! Asks what theorems ask of relationships, and decides what they say of all.

use alloc::{format, vec::Vec};

use crate::{
    check::check_counted,
    limits::Limits,
    question::{Answer, CheckError, Circumstances, Decision, Question},
    relationships::Relationships,
    theorems::{
        text::{Authorization, Delegation, Source, Theorems},
        verdict::{Failure, TheoremResult, Verdict},
    },
};

impl Authorization {
    /// Asks it.
    #[must_use]
    pub fn evaluate<R: Relationships + ?Sized>(
        &self,
        relationships: &R,
        circumstances: &Circumstances,
        limits: Limits,
    ) -> TheoremResult {
        let asked = check_counted(relationships, &self.question, circumstances, limits);
        compare(&self.source, self.allowed, &self.question, asked)
    }
}

impl Delegation {
    /// The question behind it: `manage(relation)`.
    #[must_use]
    pub fn question(&self) -> Question {
        Question::manage(self.object.clone(), &self.relation, self.actor.clone())
    }

    /// Asks it.
    #[must_use]
    pub fn evaluate<R: Relationships + ?Sized>(
        &self,
        relationships: &R,
        circumstances: &Circumstances,
        limits: Limits,
    ) -> TheoremResult {
        let question = self.question();
        let asked = check_counted(relationships, &question, circumstances, limits);
        compare(&self.source, self.allowed, &question, asked)
    }
}

fn compare(
    source: &Source,
    allowed: bool,
    question: &Question,
    (steps, asked): (u64, Result<Answer, CheckError>),
) -> TheoremResult {
    let expected = if allowed {
        Decision::Allow
    } else {
        Decision::Deny
    };
    let verdict = match asked {
        Ok(answer) if answer.decision == expected => Verdict::Holds,
        Ok(answer) => Verdict::Fails(Failure::Answer {
            question: question.clone(),
            expected,
            got: answer.decision,
        }),
        Err(error) => Verdict::Undecided {
            reason: format!("{error}"),
        },
    };
    TheoremResult {
        source: source.clone(),
        verdict,
        steps,
    }
}

impl Theorems {
    /// Evaluates authorizations and delegations over `relationships`, and decides the statements
    /// for every set of relationships that their policy admits: in the order of the fields.
    #[must_use]
    pub fn evaluate<R: Relationships + ?Sized>(
        &self,
        relationships: &R,
        circumstances: &Circumstances,
        limits: Limits,
    ) -> Vec<TheoremResult> {
        let authorizations = self.authorizations.iter();
        let delegations = self.delegations.iter();
        let statements = self.statements.iter();
        authorizations
            .map(|theorem| theorem.evaluate(relationships, circumstances, limits))
            .chain(
                delegations.map(|theorem| theorem.evaluate(relationships, circumstances, limits)),
            )
            .chain(statements.map(|theorem| theorem.decide(relationships.policy())))
            .collect()
    }
}
