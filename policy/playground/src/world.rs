//! The policy and the relationships as typed, made into something to ask.
//!
//! There is a world only if nothing is wrong with either: an answer from half of the relationships
//! would be an allow or a deny in disguise (Invariant 3).

use alloc::vec::Vec;

use policy::{
    Circumstances, Context, ContextError, History, Policy, Relationship, RelationshipList,
    TheoremError, Time,
};

use crate::{
    problems::{Problem, Problems, START},
    request::Ask,
};

/// What could be made of the texts.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub policy: Option<Policy>,
    /// Those that the list holds, whether the policy admits them or not.
    pub relationships: Vec<Relationship>,
    /// All of it, where nothing is wrong.
    pub history: Option<History>,
    /// When and with what context is asked, where both can be read.
    pub circumstances: Option<Circumstances>,
}

impl World {
    pub(crate) fn of(ask: &Ask, problems: &mut Problems) -> Self {
        let policy = policy(&ask.policy, problems);
        let list = relationships(&ask.relationships, problems);
        let history = match (&policy, &list) {
            (Some(policy), Some(list)) => history(policy, list, problems),
            _ => None,
        };
        let listed = list.unwrap_or_default().0.into_iter();
        Self {
            policy,
            relationships: listed.map(|(_, relationship)| relationship).collect(),
            history,
            circumstances: circumstances(ask, problems),
        }
    }
}

fn policy(text: &str, problems: &mut Problems) -> Option<Policy> {
    match Policy::parse(text) {
        Ok(policy) => {
            let warnings = policy.warnings().into_iter();
            problems.add(
                "policy",
                warnings.map(|warning| Problem {
                    position: warning.position,
                    message: warning.message,
                    is_warning: true,
                }),
            );
            Some(policy)
        }
        Err(error) => {
            problems.add("policy", [Problem::error(error.position, error.message)]);
            None
        }
    }
}

fn relationships(text: &str, problems: &mut Problems) -> Option<RelationshipList> {
    told(RelationshipList::parse_file(text), problems)
}

fn history(policy: &Policy, list: &RelationshipList, problems: &mut Problems) -> Option<History> {
    told(list.history(policy), problems)
}

/// What was made of the relationships; else what is wrong with them.
fn told<T>(made: Result<T, Vec<TheoremError>>, problems: &mut Problems) -> Option<T> {
    made.map_err(|errors| {
        let errors = errors.into_iter();
        problems.add(
            "relationships",
            errors.map(|error| Problem::error(error.position, error.message)),
        );
    })
    .ok()
}

fn circumstances(ask: &Ask, problems: &mut Problems) -> Option<Circumstances> {
    let time = match ask.time.trim().parse::<Time>() {
        Ok(time) => Some(time),
        Err(error) => {
            problems.add("time", [Problem::error(START, error)]);
            None
        }
    };
    let context = match ask.context.trim() {
        "" => Some(Context::new()),
        _ => match Context::from_json(&ask.context) {
            Ok(context) => Some(context),
            Err(ContextError::Json { position, message }) => {
                problems.add("context", [Problem::error(position, message)]);
                None
            }
            Err(error) => {
                problems.add("context", [Problem::error(START, error)]);
                None
            }
        },
    };
    Some(Circumstances {
        time: time?,
        context: context?,
    })
}
