//! The policy and the relationships as typed, made into something to ask.
//!
//! There is a world only if nothing is wrong with either: an answer from half of the relationships
//! would be an allow or a deny in disguise (Invariant 3).

use alloc::{string::String, vec::Vec};

use policy::{
    Actor, Change, Circumstances, Context, ContextError, History, Policy, Relationship,
    RelationshipList, Time,
};

use crate::{
    problems::{Problem, Problems, START},
    request::Ask,
};

/// Stands in for the owners of objects that no `owner` line registers while the list is read, and is
/// left out of the world: nobody owns them.
const NOBODY: &str = "did:hold:nobody";

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
    // A `#` at the beginning of a line begins a comment, as in files of relationships.
    let mut lines: Vec<&str> = text.lines().collect();
    for line in &mut lines {
        if line.trim_start().starts_with('#') {
            *line = "";
        }
    }
    let text: String = lines.join("\n");
    match RelationshipList::parse(&text) {
        Ok(list) => Some(list),
        Err(errors) => {
            let errors = errors.into_iter();
            problems.add(
                "relationships",
                errors.map(|error| Problem::error(error.position, error.message)),
            );
            None
        }
    }
}

fn history(policy: &Policy, list: &RelationshipList, problems: &mut Problems) -> Option<History> {
    let nobody = Actor::new(NOBODY).ok()?;
    let changes = match list.changes(policy, Some(&nobody)) {
        Ok(changes) => changes,
        Err(errors) => {
            let errors = errors.into_iter();
            problems.add(
                "relationships",
                errors.map(|error| Problem::error(error.position, error.message)),
            );
            return None;
        }
    };
    let recorded = changes.iter().filter_map(|change| match change {
        Change::RelationshipSet(relationship) => Some(relationship),
        _ => None,
    });
    let owners = changes.iter().filter_map(|change| match change {
        Change::ObjectRegistered { object, owner } if *owner != nobody => Some((object, owner)),
        _ => None,
    });
    let history = History::of(policy.clone(), recorded).and_then(|history| {
        let mut owners = owners;
        owners.try_fold(history, |history, (object, owner)| {
            history.owned_by(object, owner)
        })
    });
    match history {
        Ok(history) => Some(history),
        Err(error) => {
            problems.add("relationships", [Problem::error(START, error)]);
            None
        }
    }
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
