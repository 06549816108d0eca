//! Many questions at once: those about one subject are decided by one walk, so what it finds of a
//! folder for one document serves the next.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use crate::{
    asked::Asked,
    check::{resolve, Walk},
    limits::Limits,
    question::{CheckError, Circumstances, Question},
    relationship::Subject,
    relationships::Relationships,
};

use super::shared::{Decided, Shared};

/// Answers to many questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many {
    /// One for each question, in their order: what [`crate::check`] decides, or why there is no answer.
    pub decided: Vec<Result<Decided, CheckError>>,
    /// Steps that all took together: fewer than the sum of each alone where they share work.
    pub steps: u64,
}

/// Answers many questions. One that has no answer spoils no other; `limits` bounds the steps of all
/// together, and once they are spent what is left has no answer.
pub fn check_many<R: Relationships + ?Sized>(
    relationships: &R,
    questions: &[Question],
    circumstances: &Circumstances,
    limits: Limits,
) -> Many {
    let mut groups: BTreeMap<&Subject, Vec<usize>> = BTreeMap::new();
    for (at, question) in questions.iter().enumerate() {
        groups.entry(&question.subject).or_default().push(at);
    }
    let spent = CheckError::TooManySteps {
        limit: limits.steps_max,
    };
    let mut decided = vec![Err(spent.clone()); questions.len()];
    let mut steps = 0u64;
    for (subject, group) in groups {
        let left = Limits {
            steps_max: limits.steps_max.saturating_sub(steps),
            ..limits
        };
        let asked = Asked::about(relationships, subject);
        let mut shared = Shared::new(relationships, asked, circumstances, left);
        for at in group {
            let Some(question) = questions.get(at) else {
                continue;
            };
            let answer = one(&mut shared, question, circumstances);
            let is_over = answer.as_ref().is_err_and(CheckError::ends_all);
            if let Some(place) = decided.get_mut(at) {
                *place = answer.map_err(|error| match error {
                    CheckError::TooManySteps { .. } => spent.clone(),
                    error => error,
                });
            }
            if is_over {
                break;
            }
        }
        // The step that was refused is counted by the walk that it ended.
        steps = steps.saturating_add(shared.steps()).min(limits.steps_max);
    }
    Many { decided, steps }
}

fn one<R: Relationships + ?Sized>(
    shared: &mut Shared<'_, R>,
    question: &Question,
    circumstances: &Circumstances,
) -> Result<Decided, CheckError> {
    let relationships = shared.relationships();
    let node = resolve(
        shared.policy(),
        question.object.resource(),
        &question.permission,
    )?;
    match relationships.object(&question.object) {
        Some(object) => shared.decide(object, node),
        // Objects of which nothing is known share a handle; each is asked about alone.
        None => shared.beside(|limits| {
            match Walk::new(relationships, question, circumstances, limits) {
                Err(error) => (0, Err(error)),
                Ok(mut walk) => {
                    let answer = walk.run_and_name();
                    (walk.steps(), answer.map(Decided::from))
                }
            }
        }),
    }
}
