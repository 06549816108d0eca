//! `hold hub alias`: names that mean something on this machine only.

use hub_types::{LogId, PolicyId};
use serde_json::json;

use crate::config;
use crate::context::Context;
use crate::reply::{table, Reply};

/// Sets a name, or lists all.
pub(super) fn run(
    context: &Context,
    name: Option<&str>,
    id: Option<&str>,
    log: bool,
) -> anyhow::Result<Reply> {
    let (Some(name), Some(id)) = (name, id) else {
        return Ok(list(context));
    };
    if log {
        LogId::parse(id)?;
    } else {
        PolicyId::parse(id)?;
    }
    keep(context, if log { "logs" } else { "policies" }, name, id)?;
    let what = if log { "audit log" } else { "policy" };
    Ok(Reply::yes(
        format!("\"{name}\" now stands for {what} {id} on this machine."),
        json!({"name": name, "id": id, "kind": if log { "log" } else { "policy" }}),
    ))
}

/// Writes a name into the configuration.
pub(super) fn keep(context: &Context, section: &str, name: &str, id: &str) -> anyhow::Result<()> {
    config::check_name(name)?;
    config::edit(&context.home, |document| {
        config::set(document, section, name, id);
    })
}

fn list(context: &Context) -> Reply {
    let config = &context.config;
    let rows: Vec<Vec<String>> = [("policy", &config.policies), ("log", &config.logs)]
        .into_iter()
        .flat_map(|(kind, names)| {
            names
                .iter()
                .map(move |(name, id)| vec![name.clone(), kind.to_owned(), id.clone()])
        })
        .collect();
    let text = if rows.is_empty() {
        "No local names yet. Give one: hold hub alias NAME ID".to_owned()
    } else {
        table(&rows)
    };
    Reply::yes(
        text,
        json!({"policies": config.policies, "logs": config.logs}),
    )
}
