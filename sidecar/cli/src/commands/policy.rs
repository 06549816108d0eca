//! `hold policy`: work on policy files, offline.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context as _};
use clap::Subcommand;
use policy::condition::Context as Given;
use policy::{
    apply, Actor, Change, Circumstances, Decision, Limits, ObjectRef, Policy, Question,
    Relationship, Time, TreeRelationships,
};
use serde_json::{json, Value};

use crate::commands::hub::lacks;
use crate::context::Context;
use crate::reply::{Reply, Verdict};

/// What `hold policy` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether a policy file compiles, and what it defines
    Validate {
        /// The policy, YAML
        file: PathBuf,
    },
    /// Answer a permission question from a policy file and a file of relationships
    Check {
        /// The policy, YAML
        file: PathBuf,
        /// Who: a DID, or the name of a key in this keyring
        actor: String,
        /// What: a permission or relation of the object's resource
        permission: String,
        /// On what, RESOURCE:ID
        object: ObjectRef,
        /// Lines `resource:id#relation@subject`, with terms behind them; `resource:id#owner@did:…`
        /// registers an object
        #[arg(long, value_name = "FILE")]
        relationships: PathBuf,
        /// Values for conditions, a JSON object such as {"zone":"ward"}
        #[arg(long = "context", value_name = "JSON")]
        given: Option<String>,
        /// When to ask, as in RFC 3339; now when left out
        #[arg(long, value_name = "TIME")]
        time: Option<Time>,
    },
}

/// Runs one of them.
///
/// # Errors
/// When a file cannot be read or a question has no answer. A policy that does not compile is an
/// answer: no.
pub fn run(context: &Context, command: Command) -> anyhow::Result<Reply> {
    match command {
        Command::Validate { file } => validate(&file),
        Command::Check {
            file,
            actor,
            permission,
            object,
            relationships,
            given,
            time,
        } => {
            let circumstances = Circumstances {
                time: time.map_or_else(now, Ok)?,
                context: parse_given(given.as_deref())?,
            };
            let asked = Asked {
                actor: &actor,
                permission: &permission,
                object: &object,
                circumstances,
            };
            check(context, &file, &relationships, &asked)
        }
    }
}

/// A question as it was typed.
struct Asked<'a> {
    actor: &'a str,
    permission: &'a str,
    object: &'a ObjectRef,
    circumstances: Circumstances,
}

/// The time by this computer's clock.
fn now() -> anyhow::Result<Time> {
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

/// Reads a policy's text.
pub(crate) fn read_definition(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn validate(file: &Path) -> anyhow::Result<Reply> {
    let definition = read_definition(file)?;
    let policy = match Policy::parse(&definition) {
        Ok(policy) => policy,
        Err(error) => {
            let position = error.position;
            return Ok(Reply::yes(
                format!(
                    "{}:{}:{}: {}",
                    file.display(),
                    position.line,
                    position.column,
                    error.message
                ),
                json!({
                    "valid": false,
                    "line": position.line,
                    "column": position.column,
                    "error": error.message,
                }),
            )
            .with(Verdict::No));
        }
    };
    let (text, resources) = describe(&policy);
    let warnings = policy.warnings();
    let mut said = String::new();
    for warning in &warnings {
        let _ = write!(said, "\nwarning: {warning}");
    }
    Ok(Reply::yes(
        format!("{} is a valid policy.{said}\n\n{text}", file.display()),
        json!({
            "valid": true,
            "name": policy.name(),
            "resources": resources,
            "warnings": warnings.iter().map(|warning| json!({
                "line": warning.position.line,
                "column": warning.position.column,
                "message": warning.message,
            })).collect::<Vec<_>>(),
        }),
    ))
}

/// What a policy defines, as text and JSON.
pub(crate) fn describe(policy: &Policy) -> (String, Value) {
    let mut text = String::new();
    let mut values = serde_json::Map::new();
    for resource in policy.resources() {
        let relations: Vec<&str> = policy.relations(resource).collect();
        let permissions: Vec<&str> = policy.permissions(resource).collect();
        let or_none = |names: &[&str]| {
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        };
        let _ = write!(
            text,
            "\n{resource}\n  relations    {}\n  permissions  {}",
            or_none(&relations),
            or_none(&permissions)
        );
        values.insert(
            resource.to_owned(),
            json!({"relations": relations, "permissions": permissions}),
        );
    }
    (
        text.trim_start_matches('\n').to_owned(),
        Value::Object(values),
    )
}

fn check(
    context: &Context,
    file: &Path,
    relationships: &Path,
    asked: &Asked<'_>,
) -> anyhow::Result<Reply> {
    let Asked {
        actor,
        permission,
        object,
        circumstances,
    } = asked;
    let definition = read_definition(file)?;
    let policy = Policy::parse(&definition)
        .with_context(|| format!("{} is not a valid policy", file.display()))?;
    let actor = parse_actor(context, actor)?;
    let text = std::fs::read_to_string(relationships)
        .with_context(|| format!("cannot read {}", relationships.display()))?;
    let tree = build(&policy, &definition, &text)
        .with_context(|| format!("in {}", relationships.display()))?;
    let question = Question::new((*object).clone(), permission, actor.clone());
    let answer = policy::check(
        &TreeRelationships::new(&policy, &tree),
        &question,
        circumstances,
        Limits::CONSENSUS,
    )
    .with_context(|| format!("could not tell whether {actor} may {permission} {object}"))?;
    let (word, verdict) = word(answer.decision);
    let until = answer.stands_until.map(|until| until.to_string());
    let stands = until.as_ref().map(|until| format!(", until {until}"));
    Ok(Reply::yes(
        format!(
            "{word}  {permission} on {object} for {actor}  ({} steps{}){}",
            answer.steps,
            stands.unwrap_or_default(),
            lacks(&answer.missing)
        ),
        json!({
            "decision": word,
            "missing": answer.missing,
            "permission": permission,
            "object": object.to_string(),
            "actor": actor.as_str(),
            "time": circumstances.time.to_string(),
            "stands_until": until,
            "steps": answer.steps,
        }),
    )
    .with(verdict))
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

/// The records that a file of relationships makes. Objects that no `owner` line registers belong
/// to nobody: to an actor of this command's own that cannot be asked about by accident.
fn build(
    policy: &Policy,
    definition: &str,
    text: &str,
) -> anyhow::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let nobody = Actor::new("did:hold:nobody")?;
    let mut owners: BTreeMap<ObjectRef, Actor> = BTreeMap::new();
    let mut objects: BTreeSet<ObjectRef> = BTreeSet::new();
    let mut changes = vec![Change::Defined {
        definition: definition.to_owned(),
    }];
    let mut set = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") || line.starts_with('#') {
            continue;
        }
        let at = || format!("line {}", number + 1);
        let relationship: Relationship = line.parse().with_context(at)?;
        // A policy without the implicit owner may have a relation of that name.
        let owns = relationship.relation.as_str() == "owner";
        if owns && policy.admits(&relationship).is_err() {
            let policy::Subject::Actor(owner) = relationship.subject else {
                bail!("{}: an owner is an actor (did:…)", at());
            };
            if !policy.resource_exists(relationship.object.resource()) {
                bail!(
                    "{}: the policy defines no resource \"{}\"",
                    at(),
                    relationship.object.resource()
                );
            }
            if owners.insert(relationship.object.clone(), owner).is_some() {
                bail!("{}: {} has an owner already", at(), relationship.object);
            }
        } else {
            policy.admits(&relationship).with_context(at)?;
            objects.insert(relationship.object.clone());
            set.push(relationship);
        }
    }
    for object in objects {
        owners.entry(object).or_insert_with(|| nobody.clone());
    }
    changes.extend(
        owners
            .into_iter()
            .map(|(object, owner)| Change::ObjectRegistered { object, owner }),
    );
    changes.extend(set.into_iter().map(Change::RelationshipSet));
    let mut tree = BTreeMap::new();
    for change in &changes {
        for (key, value) in apply(change, &tree)? {
            match value {
                Some(value) => tree.insert(key, value),
                None => tree.remove(&key),
            };
        }
    }
    Ok(tree)
}
