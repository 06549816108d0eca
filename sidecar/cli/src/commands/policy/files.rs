//! What the commands read: policies, relationships, circumstances.

use std::path::Path;

use anyhow::Context as _;
use policy::{
    Actor, Circumstances, Context as Given, Decision, History, Policy, Relationship,
    RelationshipList, Subject, Time,
};

use super::WorldFile;
use crate::context::Context;
use crate::reply::Verdict;

/// Reads a policy's text.
pub(crate) fn read_definition(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The time by this computer's clock.
pub(super) fn now() -> anyhow::Result<Time> {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .context("this computer's clock is before 1970; give --time")?;
    let seconds = i64::try_from(since.as_secs())?;
    let time = hub_types::Timestamp::new(seconds, since.subsec_nanos())?;
    Ok(time.to_policy())
}

/// Values for conditions as they were typed.
pub(crate) fn parse_given(text: Option<&str>) -> anyhow::Result<Given> {
    let Some(text) = text else {
        return Ok(Given::default());
    };
    Given::from_json(text)
        .with_context(|| format!("--context is no JSON object of parameters: {text}"))
}

/// A decision in one word, and what it is for whoever needs a yes or a no.
pub(crate) fn word(decision: Decision) -> (&'static str, Verdict) {
    match decision {
        Decision::Allow => ("allow", Verdict::Yes),
        Decision::Deny => ("deny", Verdict::No),
        Decision::Conditional => ("conditional", Verdict::No),
    }
}

/// An actor for the engine: any DID, or the name of a key.
pub(crate) fn parse_actor(context: &Context, text: &str) -> anyhow::Result<Actor> {
    let did = if text.starts_with("did:") {
        text.to_owned()
    } else {
        context.actor(text)?.to_string()
    };
    Ok(Actor::new(&did)?)
}

/// Somebody or something to ask about: an object, a userset or everyone as policies write them, a
/// DID, or the name of a key in this keyring.
pub(super) fn parse_subject(context: &Context, text: &str) -> anyhow::Result<Subject> {
    match text.contains(':') || text == "*" {
        true => Ok(text.parse()?),
        false => parse_actor(context, text).map(Subject::Actor),
    }
}

/// When and with what context a question is asked.
pub(super) fn circumstances(
    given: Option<&str>,
    time: Option<Time>,
) -> anyhow::Result<Circumstances> {
    Ok(Circumstances {
        time: time.map_or_else(now, Ok)?,
        context: parse_given(given)?,
    })
}

/// A policy and relationships under it.
pub(super) struct World {
    pub(super) history: History,
    pub(super) relationships: Vec<Relationship>,
}

/// Reads and compiles a policy.
pub(super) fn read_policy(file: &Path) -> anyhow::Result<Policy> {
    let definition = read_definition(file)?;
    Policy::parse(&definition).with_context(|| format!("{} is not a valid policy", file.display()))
}

/// Reads a list of relationships.
pub(super) fn read_relationships(file: &Path) -> anyhow::Result<RelationshipList> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    RelationshipList::parse_file(&text).map_err(|errors| said(file, &errors))
}

/// The world that a list makes under a policy. Objects that no `owner` line registers have no owner.
pub(super) fn world(policy: &Policy, file: &Path) -> anyhow::Result<World> {
    let list = read_relationships(file)?;
    let history = list.history(policy).map_err(|errors| said(file, &errors))?;
    Ok(World {
        history,
        relationships: list.0.into_iter().map(|(_, fact)| fact).collect(),
    })
}

/// The policy and the relationships that questions are asked about.
pub(super) fn opened(policy: &Path, relationships: &WorldFile) -> anyhow::Result<World> {
    world(&read_policy(policy)?, &relationships.relationships)
}

/// The errors of a file, each with its place.
pub(super) fn said(file: &Path, errors: &[impl std::fmt::Display]) -> anyhow::Error {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("{}:\n{}", file.display(), lines.join("\n"))
}
