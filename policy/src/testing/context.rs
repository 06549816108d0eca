//! Contexts of questions, in YAML or JSON: values by name, each as the JSON that it is.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
};

use crate::{
    fields::text,
    name::excerpt,
    schema::PolicyError,
    spicedb::context::{fields, object},
    yaml::{error, Node, Value},
};

/// Values by name. Each is JSON text without superfluous white space; numbers keep their digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, String>);

impl Context {
    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A JSON object (RFC 8259), sorted by name.
    #[must_use]
    pub fn to_json(&self) -> String {
        let fields = self.0.iter().map(|(name, value)| {
            let name = serde_json::Value::from(name.as_str()).to_string();
            format!("{name}:{value}")
        });
        let fields: alloc::vec::Vec<String> = fields.collect();
        format!("{{{}}}", fields.join(","))
    }

    /// What is given here, and from `other` what is not.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (name, value) in &other.0 {
            if !self.0.contains_key(name) {
                self.0.insert(name.clone(), value.clone());
            }
        }
        self
    }

    /// Reads a JSON object that fills `json`.
    pub(super) fn from_json(json: &str) -> Result<Self, String> {
        let json = json.trim();
        let (written, length) = object(json)?;
        if length != json.len() {
            return Err("nothing may follow the JSON object".into());
        }
        let mut context = Self::default();
        for (name, value) in fields(&written) {
            if context.0.contains_key(&name) {
                return Err(format!("{:?} stands twice", excerpt(&name)));
            }
            context.0.insert(name, value);
        }
        Ok(context)
    }
}

/// Reads a context: a map, or a text that is a JSON object.
pub(super) fn read_context(node: Node) -> Result<Context, PolicyError> {
    match node.value {
        Value::Null => Ok(Context::default()),
        Value::Map(entries) => {
            let mut context = Context::default();
            for entry in entries {
                context.0.insert(entry.key, json(entry.node));
            }
            Ok(context)
        }
        Value::Text(_) => {
            let (json, position) = text(node, "`context`")?;
            Context::from_json(&json).map_err(|wrong| {
                error(
                    position,
                    format!("{wrong}; a context is a map such as `{{zone: ward}}`"),
                )
            })
        }
        Value::List(_) => Err(error(
            node.position,
            "a context is a map such as `{zone: ward}`",
        )),
    }
}

/// A YAML value as JSON: plain scalars that JSON knows as numbers or truth values are these, all
/// other scalars are texts. Its depth is that of the YAML reader, [`crate::limits::YAML_DEPTH_MAX`].
fn json(node: Node) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match node.value {
        Value::Null => "null".into(),
        Value::Text(text) if node.plain && is_literal(&text) => text,
        Value::Text(text) => quoted(&text),
        Value::List(items) => {
            let items: alloc::vec::Vec<String> = items.into_iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(entries) => {
            let entries = entries.into_iter();
            let fields: alloc::vec::Vec<String> = entries
                .map(|entry| format!("{}:{}", quoted(&entry.key), json(entry.node)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// `true`, `false`, or a number in the form of JSON.
fn is_literal(text: &str) -> bool {
    let number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    matches!(text, "true" | "false")
        || (number && serde_json::from_str::<serde_json::Number>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read;

    #[test]
    fn yaml_and_json_give_the_same_context() {
        for (yaml, expected) in [
            ("{}", "{}"),
            ("{zone: ward}", "{\"zone\":\"ward\"}"),
            (
                "{b: 1, a: -1.50, c: 0x1, d: 007}",
                "{\"a\":-1.50,\"b\":1,\"c\":\"0x1\",\"d\":\"007\"}",
            ),
            (
                "{a: \"1\", b: true, c: 'true', d: yes}",
                "{\"a\":\"1\",\"b\":true,\"c\":\"true\",\"d\":\"yes\"}",
            ),
            (
                "{a: [1, [x]], b: {c: null, d: \"\\\"\"}}",
                "{\"a\":[1,[\"x\"]],\"b\":{\"c\":null,\"d\":\"\\\"\"}}",
            ),
            (
                "'{\"b\": 1.50, \"a\": {\"c\": [1, 2]}}'",
                "{\"a\":{\"c\":[1,2]},\"b\":1.50}",
            ),
            ("'{\"\\u0061\": \"}\"}'", "{\"a\":\"}\"}"),
        ] {
            assert_eq!(
                read_context(read(yaml).unwrap()).unwrap().to_json(),
                expected
            );
        }
        for yaml in ["[a]", "zone", "'{'", "'{} x'", "'{\"a\": 1, \"a\": 2}'"] {
            assert!(read_context(read(yaml).unwrap()).is_err(), "{yaml}");
        }
    }

    #[test]
    fn what_is_nearer_wins() {
        let context = |json| Context::from_json(json).unwrap();
        let both = context("{\"a\": 1}").or(&context("{\"a\": 2, \"b\": 3}"));
        assert_eq!(both, context("{\"a\": 1, \"b\": 3}"));
    }
}
