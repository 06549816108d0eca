//! YAML as data: what a store file says of contexts and models is JSON in another spelling.

use alloc::{format, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::error::{Class, Error, Span};
use crate::{
    limits::OPENFGA_STORE_BYTES_MAX,
    schema::{PolicyError, Position},
    yaml::{self, Node},
};

const STORE: yaml::Kind = yaml::Kind {
    what: "the file",
    needs: "one value",
    bytes_max: OPENFGA_STORE_BYTES_MAX,
    tabs: true,
};

/// Reads a YAML document as a tree with places.
pub(super) fn read(text: &str) -> Result<Node, Vec<Error>> {
    yaml::read_as(text, &STORE).map_err(|PolicyError { position, message }| {
        let span = Span {
            start: position,
            end: position,
        };
        alloc::vec![Error::new(Some(span), Class::Form, message)]
    })
}

pub(super) fn span(node: &Node) -> Span {
    Span {
        start: node.position,
        end: node.end,
    }
}

/// A YAML document as JSON, by the core schema of YAML 1.2 §10.3: scalars without quotes that read
/// as null, a truth value or a number of JSON are those; everything else is text.
///
/// # Errors
/// What is not one strict YAML document: see docs/spec/policy.md §1.
pub fn yaml_to_json(text: &str) -> Result<Value, Vec<Error>> {
    read(text).map(|node| to_json(&node))
}

/// The value of `node`; nesting is bounded where YAML is read.
pub(super) fn to_json(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Text(text) if node.plain => plain(text),
        yaml::Value::Text(text) => Value::String(text.clone()),
        yaml::Value::List(items) => Value::Array(items.iter().map(to_json).collect()),
        yaml::Value::Map(entries) => {
            let fields = entries
                .iter()
                .map(|entry| (entry.key.clone(), to_json(&entry.node)));
            Value::Object(fields.collect::<Map<String, Value>>())
        }
    }
}

fn plain(text: &str) -> Value {
    let number = || {
        let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        starts.then(|| serde_json::from_str::<serde_json::Number>(text).ok())?
    };
    match text {
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        "Null" | "NULL" => Value::Null,
        _ => number().map_or_else(|| Value::String(text.into()), Value::Number),
    }
}

/// A scalar in words, for an error: what it reads as.
pub(super) fn describe(node: &Node) -> String {
    match to_json(node) {
        Value::Object(_) => "a map".into(),
        Value::Array(_) => "a list".into(),
        Value::Null => "nothing".into(),
        value => crate::name::excerpt(&format!("{value}")),
    }
}

/// JSON as a tree, without places (all lines are 0).
pub(super) fn from_json(value: &Value) -> Node {
    let nowhere = Position { line: 0, column: 0 };
    let plain = matches!(value, Value::Bool(_) | Value::Number(_));
    let value = match value {
        Value::Null => yaml::Value::Null,
        Value::Bool(_) | Value::Number(_) => yaml::Value::Text(format!("{value}")),
        Value::String(text) => yaml::Value::Text(text.clone()),
        Value::Array(items) => yaml::Value::List(items.iter().map(from_json).collect()),
        Value::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| yaml::Entry {
                key: key.clone(),
                position: nowhere,
                node: from_json(value),
            });
            yaml::Value::Map(entries.collect())
        }
    };
    Node {
        position: nowhere,
        end: nowhere,
        plain,
        value,
    }
}
