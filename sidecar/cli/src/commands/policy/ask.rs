//! `hold policy check`, `lookup`, `permissions`, `reachable`: questions to a policy and a list of
//! relationships.

use std::path::Path;

use anyhow::{bail, Context as _};
use policy::{
    lookup_objects, lookup_subjects, permissions_of, Answer, Circumstances, Decided, Decision,
    Influence, Limits, ObjectRef, Question, Subject, Wanted,
};
use serde_json::{json, Value};

use super::files::{circumstances, opened, parse_subject, read_policy, word};
use super::{AskedAt, Lookup, Page, WorldFile};
use crate::commands::hub::lacks;
use crate::context::Context;
use crate::reply::Reply;

impl AskedAt {
    pub(super) fn circumstances(&self) -> anyhow::Result<Circumstances> {
        circumstances(self.given.as_deref(), self.time)
    }
}

/// A question as it was typed.
pub(super) fn question(
    context: &Context,
    subject: &str,
    permission: &str,
    object: ObjectRef,
) -> anyhow::Result<Question> {
    Ok(Question {
        object,
        permission: permission.to_owned(),
        subject: parse_subject(context, subject)?,
    })
}

/// Answers one question.
pub(super) fn check(
    file: &Path,
    relationships: &WorldFile,
    asked: &AskedAt,
    question: &Question,
) -> anyhow::Result<Reply> {
    let world = opened(file, relationships)?;
    let circumstances = asked.circumstances()?;
    let Question {
        object,
        permission,
        subject,
    } = question;
    let answer = policy::check(
        &world.history.at(0)?,
        question,
        &circumstances,
        Limits::CONSENSUS,
    )
    .with_context(|| format!("could not tell whether {subject} may {permission} {object}"))?;
    let (word, verdict) = word(answer.decision);
    let stands = answer.stands_until.map(|until| format!(", until {until}"));
    Ok(Reply::yes(
        format!(
            "{word}  {permission} on {object} for {subject}  ({} steps{}){}",
            answer.steps,
            stands.unwrap_or_default(),
            lacks(&answer.missing)
        ),
        answered(question, &answer, &circumstances),
    )
    .with(verdict))
}

/// A question and its answer, for scripts.
pub(super) fn answered(
    question: &Question,
    answer: &Answer,
    circumstances: &Circumstances,
) -> Value {
    let (word, _) = word(answer.decision);
    json!({
        "decision": word,
        "missing": answer.missing,
        "permission": question.permission,
        "object": question.object.to_string(),
        "actor": question.subject.to_string(),
        "time": circumstances.time.to_string(),
        "stands_until": answer.stands_until.map(|until| until.to_string()),
        "steps": answer.steps,
    })
}

/// Lists objects or subjects.
pub(super) fn lookup(context: &Context, what: Lookup) -> anyhow::Result<Reply> {
    match what {
        Lookup::Objects {
            file,
            actor,
            permission,
            world: relationships,
            asked,
            page,
        } => {
            let subject = parse_subject(context, &actor)?;
            objects(&file, &relationships, &asked, &page, &subject, &permission)
        }
        Lookup::Subjects {
            file,
            object,
            permission,
            of,
            world: relationships,
            asked,
            page,
        } => {
            let world = opened(&file, &relationships)?;
            let wanted = match of.as_deref().map(|of| of.split_once('#')) {
                None => Wanted::Actors,
                Some(Some((resource, relation))) => Wanted::Usersets(resource, relation),
                Some(None) => Wanted::Objects(of.as_deref().unwrap_or_default()),
            };
            let found = lookup_subjects(
                &world.history.at(0)?,
                &object,
                &permission,
                wanted,
                &asked.circumstances()?,
                Limits::LOOKUP,
                page.after.as_deref(),
                page.most,
            )
            .with_context(|| format!("could not tell who may {permission} {object}"))?;
            let spelled = |id: &str| match wanted {
                Wanted::Actors => id.to_owned(),
                Wanted::Objects(resource) => format!("{resource}:{id}"),
                Wanted::Usersets(resource, relation) => format!("{resource}:{id}#{relation}"),
            };
            let all = match wanted {
                Wanted::Objects(resource) => format!("{resource}:*"),
                _ => "*".into(),
            };
            let mut lines: Vec<String> = Vec::new();
            let (everyone, _) = word(found.everyone.decision);
            if found.everyone.decision != Decision::Deny {
                lines.push(format!("{all}{}", lacks(&found.everyone.missing)));
            }
            lines.extend(found.allowed.iter().map(|id| spelled(id)));
            let maybe = found.conditional.iter();
            lines.extend(maybe.map(|(id, missing)| format!("{}{}", spelled(id), lacks(missing))));
            lines.extend(
                found
                    .excluded
                    .iter()
                    .map(|id| format!("not {}", spelled(id))),
            );
            let json = json!({
                "everyone": everyone,
                "everyone_missing": found.everyone.missing,
                "allowed": found.allowed.iter().map(|id| spelled(id)).collect::<Vec<_>>(),
                "conditional": conditional(&found.conditional, spelled),
                "excluded": found.excluded.iter().map(|id| spelled(id)).collect::<Vec<_>>(),
                "next": found.next,
                "steps": found.steps,
            });
            Ok(listed(lines, found.next.as_deref(), json))
        }
    }
}

fn objects(
    file: &Path,
    relationships: &WorldFile,
    asked: &AskedAt,
    page: &Page,
    subject: &Subject,
    permission: &str,
) -> anyhow::Result<Reply> {
    let (resource, name) = parted(permission)?;
    let world = opened(file, relationships)?;
    let view = world.history.at(0)?;
    let found = lookup_objects(
        &view,
        subject,
        name,
        resource,
        &asked.circumstances()?,
        Limits::LOOKUP,
        page.after.as_deref(),
        page.most,
    )
    .with_context(|| format!("could not tell where {subject} may {permission}"))?;
    let spelled = |id: &str| format!("{resource}:{id}");
    let mut lines: Vec<String> = found.allowed.iter().map(|id| spelled(id)).collect();
    let maybe = found.conditional.iter();
    lines.extend(maybe.map(|(id, missing)| format!("{}{}", spelled(id), lacks(missing))));
    let json = json!({
        "allowed": found.allowed.iter().map(|id| spelled(id)).collect::<Vec<_>>(),
        "conditional": conditional(&found.conditional, spelled),
        "next": found.next,
        "steps": found.steps,
    });
    Ok(listed(lines, found.next.as_deref(), json))
}

fn conditional<T: AsRef<str>>(
    all: &[(T, Vec<String>)],
    spelled: impl Fn(&str) -> String,
) -> Vec<Value> {
    all.iter()
        .map(|(id, missing)| json!({"name": spelled(id.as_ref()), "missing": missing}))
        .collect()
}

fn listed(mut lines: Vec<String>, next: Option<&str>, json: Value) -> Reply {
    if lines.is_empty() {
        lines.push("nobody and nothing".into());
    }
    if let Some(next) = next {
        lines.push(format!("there may be more: --after {next}"));
    }
    Reply::yes(lines.join("\n"), json)
}

/// Lists all that somebody may do.
pub(super) fn permissions(
    context: &Context,
    file: &Path,
    subject: &str,
    object: &ObjectRef,
    relationships: &WorldFile,
    asked: &AskedAt,
) -> anyhow::Result<Reply> {
    let world = opened(file, relationships)?;
    let subject = parse_subject(context, subject)?;
    let found = permissions_of(
        &world.history.at(0)?,
        &subject,
        object,
        &asked.circumstances()?,
        Limits::LOOKUP,
    )?;
    let mut lines = Vec::new();
    let mut values = Vec::new();
    for one in &found.names {
        let name = &one.name;
        match &one.decided {
            Ok(Decided { decision, missing }) => {
                let (word, _) = word(*decision);
                lines.push(format!("{word:<12}{name}{}", lacks(missing)));
                values.push(json!({"name": name, "decision": word, "missing": missing}));
            }
            Err(error) => {
                lines.push(format!("{:<12}{name}: {error}", "unknown"));
                values.push(json!({"name": name, "error": error.to_string()}));
            }
        }
    }
    let json = json!({
        "object": object.to_string(),
        "actor": subject.to_string(),
        "permissions": values,
        "steps": found.steps,
    });
    Ok(Reply::yes(lines.join("\n"), json))
}

/// Lists what can influence a permission.
pub(super) fn reachable(file: &Path, permission: &str) -> anyhow::Result<Reply> {
    let policy = read_policy(file)?;
    let (resource, name) = parted(permission)?;
    let found = policy::reachable(&policy, resource, name)?;
    let word = |influence: Influence| match influence {
        Influence::Grants => "grants",
        Influence::Takes => "takes",
        Influence::Both => "both",
    };
    let lines: Vec<String> = found
        .iter()
        .map(|one| {
            let way = word(one.influence);
            format!("{way:<8}{}#{}", one.resource, one.relation)
        })
        .collect();
    let values: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({
                "resource": one.resource,
                "relation": one.relation,
                "influence": word(one.influence),
            })
        })
        .collect();
    Ok(Reply::yes(lines.join("\n"), json!({"relations": values})))
}

/// Parts `RESOURCE#PERMISSION`.
fn parted(text: &str) -> anyhow::Result<(&str, &str)> {
    match text.split_once('#') {
        Some(parts) => Ok(parts),
        None => bail!("{text:?} is no permission of a resource; write RESOURCE#PERMISSION"),
    }
}
