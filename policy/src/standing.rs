//! Whether a member of a relation stands there now: the policy lists it on these terms, it has not
//! expired, its condition holds.

use alloc::{string::String, sync::Arc, vec::Vec};

use crate::{
    condition::{EvaluationError, Outcome},
    question::Circumstances,
    relationships::{Relationships, SetRef, TermsId},
    terms::Terms,
    time::Time,
    truth::Truth,
    types::{Allowed, SubjectType, Types},
};

/// What is known of one member.
pub(crate) struct Standing {
    /// `None`: nobody stands there, as the policy does not list it so, or it has expired.
    pub value: Option<Truth>,
    /// What evaluating its condition took, in steps.
    pub cost: u64,
    /// From when on it may be otherwise.
    pub until: Option<Time>,
    /// Parameters that its condition lacks; its value is unknown then.
    pub missing: Vec<String>,
    /// The condition and why it failed.
    pub failed: Option<(String, EvaluationError)>,
}

impl Standing {
    fn plain(value: Option<Truth>) -> Self {
        Self {
            value,
            cost: 0,
            until: None,
            missing: Vec::new(),
            failed: None,
        }
    }
}

/// The type of a member that leads on; `None` where the policy does not define it.
#[inline]
pub(crate) fn type_of(member: SetRef) -> Option<SubjectType> {
    Some(match member {
        SetRef::Object(_, resource) => SubjectType::Object(resource),
        SetRef::Userset(_, node) => SubjectType::Userset(node),
        SetRef::Foreign => return None,
    })
}

/// Whether the policy admits a member of this type on these terms, whatever they say.
pub(crate) fn is_admitted<R: Relationships + ?Sized>(
    relationships: &R,
    types: &Types,
    subject: SubjectType,
    terms: TermsId,
) -> bool {
    if terms == TermsId::NONE {
        return types.admits(Allowed::bare(subject));
    }
    let Some((allowed, terms)) = admitted(relationships, types, subject, terms) else {
        return false;
    };
    let named = allowed
        .condition
        .and_then(|id| relationships.policy().named_condition(id));
    match (&terms.condition, named) {
        (Some(used), Some(named)) => named.condition.admits(&used.context).is_ok(),
        _ => true,
    }
}

/// The entry of `types` that admits a member, and its terms.
fn admitted<R: Relationships + ?Sized>(
    relationships: &R,
    types: &Types,
    subject: SubjectType,
    terms: TermsId,
) -> Option<(Allowed, Arc<Terms>)> {
    let terms = relationships.terms(terms)?;
    let allowed = relationships.policy().allowed(subject, &terms)?;
    types.admits(allowed).then_some((allowed, terms))
}

/// Judges a member of this type on these terms. Costs a search through `types` where there are no
/// terms, and the evaluation of one condition at most.
pub(crate) fn standing<R: Relationships + ?Sized>(
    relationships: &R,
    circumstances: &Circumstances,
    types: &Types,
    subject: SubjectType,
    terms: TermsId,
) -> Standing {
    if terms == TermsId::NONE {
        let admitted = types.admits(Allowed::bare(subject));
        return Standing::plain(admitted.then_some(Truth::True));
    }
    let policy = relationships.policy();
    let Some((allowed, terms)) = admitted(relationships, types, subject, terms) else {
        return Standing::plain(None);
    };
    if terms.has_expired(circumstances.time) {
        return Standing::plain(None);
    }
    let named = allowed.condition.and_then(|id| policy.named_condition(id));
    let (Some(used), Some(named)) = (&terms.condition, named) else {
        return Standing {
            until: terms.expires,
            ..Standing::plain(Some(Truth::True))
        };
    };
    // A policy that was edited may ask for other parameters than were recorded.
    if named.condition.admits(&used.context).is_err() {
        return Standing::plain(None);
    }
    let evaluation =
        named
            .condition
            .evaluate(&used.context, &circumstances.context, circumstances.time);
    let mut standing = Standing {
        cost: evaluation.cost,
        until: earlier(terms.expires, evaluation.stands_until),
        ..Standing::plain(None)
    };
    standing.value = Some(match evaluation.outcome {
        Outcome::True => Truth::True,
        Outcome::False => Truth::False,
        Outcome::Missing(names) => {
            standing.missing = names;
            Truth::Unknown
        }
        Outcome::Failed(reason) => {
            standing.failed = Some((named.name.clone(), reason));
            Truth::Unknown
        }
    });
    standing
}

/// The earlier of two times, where either is set.
pub(crate) fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
