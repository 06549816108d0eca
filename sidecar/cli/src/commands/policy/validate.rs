//! `hold policy validate`, and what a policy defines.

use std::fmt::Write as _;
use std::path::Path;

use policy::Policy;
use serde_json::{json, Value};

use super::files::read_definition;
use crate::reply::{Reply, Verdict};

/// Says whether a policy compiles, what it defines, and what it hardly means.
pub(super) fn validate(file: &Path) -> anyhow::Result<Reply> {
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
