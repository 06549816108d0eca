//! A sidecar's answers for people.

use std::fmt::Write as _;

use serde_json::Value;

use crate::reply::{fields, table, Reply};

/// What stands under an answer about permissions: the hub state that it rests on.
pub(super) fn rests_on(answer: &Value) -> String {
    let hub = &answer["decision"];
    let Some(revision) = hub["revision"].as_u64() else {
        return String::new();
    };
    let mut line = format!(
        "\n\nrests on revision {revision} at hub height {}",
        hub["height"].as_u64().unwrap_or(0)
    );
    if hub["offline"] == true {
        let _ = write!(
            line,
            "; OFFLINE: the hub was last seen {} seconds ago",
            hub["age_seconds"].as_u64().unwrap_or(0)
        );
    }
    line
}

/// A commit that was taken.
pub(super) fn written(did: &str, answer: Value) -> Reply {
    let text = format!(
        "{did} {}.\n\n{}{}",
        word(&answer["document"]),
        fields(&[
            ("commit", word(&answer["commit"])),
            ("verdict", word(&answer["verdict"])),
            ("log leaf", word(&answer["leaf"])),
        ]),
        rests_on(&answer)
    );
    Reply::yes(text, answer)
}

/// One document.
pub(super) fn document(answer: &Value) -> String {
    let mut rows = vec![("document", word(&answer["document"]))];
    for (label, key) in [("scope", "scope"), ("created by", "creator")] {
        if !answer[key].is_null() {
            rows.push((label, word(&answer[key])));
        }
    }
    if answer["deleted"] == true {
        rows.push(("state", "deleted".to_owned()));
    }
    let mut text = fields(&rows);
    if let Some(map) = answer["fields"].as_object() {
        let cells: Vec<Vec<String>> = map
            .iter()
            .map(|(name, value)| vec![format!("  {name}"), value_text(value)])
            .collect();
        let _ = write!(text, "\n\n{}", table(&cells));
    }
    if let Some(heads) = answer["heads"].as_array() {
        text.push('\n');
        for head in heads {
            let _ = write!(text, "\nhead  {}", word(head));
        }
    }
    if let Some(unread) = answer["unread"].as_array().filter(|list| !list.is_empty()) {
        let _ = write!(
            text,
            "\n{} commits are not here in full; their changes are missing above",
            unread.len()
        );
    }
    text.push_str(&rests_on(answer));
    text
}

/// Every commit.
pub(super) fn history(answer: &Value) -> String {
    let mut text = format!("document  {}", word(&answer["document"]));
    for commit in answer["commits"].as_array().into_iter().flatten() {
        let verdict = &commit["verdict"];
        let verdict = verdict["name"].as_str().or(verdict.as_str()).unwrap_or("?");
        let _ = write!(
            text,
            "\n\n{:>4}  {}  {verdict}\n      by {}, citing revision {} at height {}",
            word(&commit["height"]),
            word(&commit["commit"]),
            word(&commit["author"]),
            word(&commit["cites"]["revision"]),
            word(&commit["cites"]["height"]),
        );
        match commit["operations"].as_array() {
            None => text.push_str("\n      (its body is not here)"),
            Some(operations) => {
                for operation in operations {
                    let _ = write!(text, "\n      {}", operation_text(operation));
                }
            }
        }
    }
    text.push_str(&rests_on(answer));
    text
}

fn operation_text(operation: &Value) -> String {
    let field = |kind: &str| word(&operation[kind]["field"]);
    let value = |kind: &str| value_text(&operation[kind]["value"]);
    if operation.get("set").is_some() {
        format!("{} = {}", field("set"), value("set"))
    } else if operation.get("increment").is_some() {
        let by = operation["increment"]["by"].as_i64().unwrap_or(0);
        format!("{} {by:+}", field("increment"))
    } else if operation.get("add").is_some() {
        format!("{} gains {}", field("add"), value("add"))
    } else if operation.get("remove").is_some() {
        format!("{} loses elements", field("remove"))
    } else if operation.get("delete").is_some() {
        "deletes the document".to_owned()
    } else if operation.get("rollback").is_some() {
        let target: Vec<String> = operation["rollback"]["target"]
            .as_array()
            .into_iter()
            .flatten()
            .map(word)
            .collect();
        format!("rolls back to {}", target.join(", "))
    } else {
        operation.to_string()
    }
}

/// One page of documents.
pub(super) fn list(answer: &Value) -> String {
    let documents = answer["documents"].as_array().cloned().unwrap_or_default();
    if documents.is_empty() {
        return format!("No documents that you may read.{}", rests_on(answer));
    }
    let mut names: Vec<String> = Vec::new();
    for document in &documents {
        for name in document["fields"]
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys())
        {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let mut head = vec!["DOCUMENT".to_owned(), "SCOPE".to_owned()];
    head.extend(names.iter().map(|name| name.to_uppercase()));
    let mut rows = vec![head];
    for document in &documents {
        let mut row = vec![word(&document["document"]), word(&document["scope"])];
        row.extend(names.iter().map(|name| match &document["fields"][name] {
            Value::Null => String::new(),
            value => value_text(value),
        }));
        rows.push(row);
    }
    let mut text = table(&rows);
    if let Some(next) = answer["next"].as_str() {
        let _ = write!(text, "\n\nmore: --after {next}");
    }
    text
}

/// Any answer as indented labels and values.
pub(super) fn tree(value: &Value) -> String {
    let mut text = String::new();
    branch(value, 0, &mut text);
    text.trim_end().to_owned()
}

fn branch(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            let width = map.keys().map(String::len).max().unwrap_or(0);
            for (key, value) in map {
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        let _ = writeln!(text, "{indent}{key}");
                        branch(value, depth + 1, text);
                    }
                    Value::Array(items) if items.iter().any(Value::is_object) => {
                        let _ = writeln!(text, "{indent}{key}");
                        for item in items {
                            branch(item, depth + 1, text);
                        }
                    }
                    value => {
                        let _ = writeln!(text, "{indent}{key:<width$}  {}", value_text(value));
                    }
                }
            }
        }
        value => {
            let _ = writeln!(text, "{indent}{}", value_text(value));
        }
    }
}

/// A value in one line: text without quotes, lists with commas.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Null => "none".to_owned(),
        Value::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

/// A field of an answer that is text or a number.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Null => "?".to_owned(),
        value => value.to_string(),
    }
}

/// What others wrote must not move the cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_read_well_and_control_characters_do_not_reach_the_terminal() {
        let text = document(&json!({
            "document": "bafy", "scope": "cell:1", "creator": "did:key:z", "deleted": false,
            "fields": {"product": "axle\u{1b}[2J", "pieces": 10, "defects": ["a", "b"]},
            "heads": ["bafyh"], "unread": [],
            "decision": {"revision": 3, "height": 9, "offline": true, "age_seconds": 7},
        }));
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.contains("  defects  a, b"), "{text}");
        assert!(
            text.ends_with("OFFLINE: the hub was last seen 7 seconds ago"),
            "{text}"
        );
        let none = list(&json!({"documents": []}));
        assert!(none.starts_with("No documents"));
        let operation = json!({"increment": {"field": "pieces", "by": 3}});
        assert_eq!(operation_text(&operation), "pieces +3");
    }
}
