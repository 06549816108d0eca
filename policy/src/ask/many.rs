//! Many questions at once.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    check::check_counted,
    limits::Limits,
    question::{Answer, CheckError, Circumstances, Question},
    relationships::Relationships,
};

/// The answer to one of many questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The answer, or why there is none.
    pub answer: Result<Answer, CheckError>,
    /// The steps that it took, or that the error cost; at most the bound.
    pub steps: u64,
}

/// Answers each question as if it were asked alone: the same answer, the same steps, the same bounds,
/// in the order of the questions. What is asked twice is walked once.
pub fn check_many<R: Relationships + ?Sized>(
    relationships: &R,
    questions: &[Question],
    circumstances: &Circumstances,
    limits: Limits,
) -> Vec<Counted> {
    let mut first: BTreeMap<&Question, usize> = BTreeMap::new();
    let mut all: Vec<Counted> = Vec::with_capacity(questions.len());
    for question in questions {
        let at = *first.entry(question).or_insert(all.len());
        let counted = all.get(at).cloned().unwrap_or_else(|| {
            let (steps, answer) = check_counted(relationships, question, circumstances, limits);
            Counted { answer, steps }
        });
        all.push(counted);
    }
    all
}
