//! Whether a member of a relation stands there now: the policy lists it on these terms, it has not
//! expired, its condition holds.

use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};

use crate::{
    condition::{EvaluationError, Outcome},
    limits::CONTEXT_BYTES_PER_STEP,
    question::Circumstances,
    relationships::{Relationships, SetRef, TermsId},
    terms::Terms,
    time::Time,
    truth::Truth,
    types::{Allowed, ConditionId, SubjectType, Types},
};

/// What is known of one member.
pub(crate) struct Standing {
    /// `None`: nobody stands there, as the policy does not list it so, or it has expired.
    pub value: Option<Truth>,
    /// What comparing its context with the condition's parameters and evaluating the condition took,
    /// in steps.
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

/// What is known of contexts that were met, for one reader of relationships.
#[derive(Default)]
pub(crate) struct Contexts(BTreeMap<(TermsId, ConditionId), Fit>);

/// Whether a recorded context fits a condition, and the steps that it counts for by its size.
#[derive(Clone, Copy)]
struct Fit {
    fits: bool,
    steps: u64,
}

impl Contexts {
    /// Converts a context at most once, however often its terms are met.
    fn fit(&mut self, key: (TermsId, ConditionId), read: impl FnOnce() -> Fit) -> Fit {
        *self.0.entry(key).or_insert_with(read)
    }
}

/// [`judge`] of one member alone.
pub(crate) fn standing<R: Relationships + ?Sized>(
    relationships: &R,
    circumstances: &Circumstances,
    types: &Types,
    subject: SubjectType,
    terms: TermsId,
) -> Standing {
    let mut contexts = Contexts::default();
    judge(
        relationships,
        circumstances,
        &mut contexts,
        types,
        subject,
        terms,
    )
}

/// Judges a member of this type on these terms. Costs a search through `types` where there are no
/// terms; else a look at its context, once for all members on the same terms, and the evaluation of
/// one condition. The cost that is told is the same each time: handles of terms are the implementor's,
/// and no cost may hang on them.
pub(crate) fn judge<R: Relationships + ?Sized>(
    relationships: &R,
    circumstances: &Circumstances,
    contexts: &mut Contexts,
    types: &Types,
    subject: SubjectType,
    terms_id: TermsId,
) -> Standing {
    if terms_id == TermsId::NONE {
        let admitted = types.admits(Allowed::bare(subject));
        return Standing::plain(admitted.then_some(Truth::True));
    }
    let policy = relationships.policy();
    let Some((allowed, terms)) = admitted(relationships, types, subject, terms_id) else {
        return Standing::plain(None);
    };
    if terms.has_expired(circumstances.time) {
        return Standing::plain(None);
    }
    let named = allowed
        .condition
        .and_then(|id| policy.named_condition(id).map(|named| (id, named)));
    let (Some(used), Some((id, named))) = (&terms.condition, named) else {
        return Standing {
            until: terms.expires,
            ..Standing::plain(Some(Truth::True))
        };
    };
    // A policy that was edited may ask for other parameters than were recorded.
    let fit = contexts.fit((terms_id, id), || Fit {
        fits: named.condition.admits(&used.context).is_ok(),
        steps: match used.context.is_empty() {
            true => 0,
            false => used.context.encode().len().div_ceil(CONTEXT_BYTES_PER_STEP) as u64,
        },
    });
    if !fit.fits {
        return Standing {
            cost: fit.steps,
            ..Standing::plain(None)
        };
    }
    let evaluation =
        named
            .condition
            .evaluate(&used.context, &circumstances.context, circumstances.time);
    let mut standing = Standing {
        cost: fit.steps.saturating_add(evaluation.cost),
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
