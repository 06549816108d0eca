//! Reads maps, lists and scalars of a tree, and collects what is wrong with it.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use serde_json::{Map, Value as Json};

use super::{
    data::{describe, span, to_json},
    error::{Class, Error, Span},
};
use crate::{
    limits::OPENFGA_ERRORS_MAX,
    name::excerpt,
    schema::Position,
    suggest::suggestion,
    yaml::{Node, Value},
};

#[derive(Default)]
pub(super) struct Reader {
    errors: Vec<Error>,
}

/// The fields of a map.
pub(super) type Fields<'a> = BTreeMap<&'a str, &'a Node>;

impl Reader {
    /// `value` if nothing is wrong, else all that is, in the order of the text.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Error>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => {
                self.errors.sort();
                Err(self.errors)
            }
        }
    }

    pub(super) fn report(&mut self, at: Span, message: String) {
        if self.errors.len() < OPENFGA_ERRORS_MAX {
            // What came from JSON has no place.
            let at = (at.start.line > 0).then_some(at);
            self.errors.push(Error::new(at, Class::Form, message));
        }
    }

    /// The fields of a map that has no others than `known`.
    pub(super) fn fields<'a>(
        &mut self,
        node: &'a Node,
        what: &str,
        known: &[&str],
    ) -> Option<Fields<'a>> {
        let Value::Map(entries) = &node.value else {
            let found = describe(node);
            self.report(span(node), format!("{what} is {found}; write a map"));
            return None;
        };
        let mut fields = Fields::new();
        for entry in entries {
            if known.contains(&entry.key.as_str()) {
                fields.insert(&entry.key, &entry.node);
                continue;
            }
            let near = suggestion(&entry.key, known.iter().copied());
            let near = if near.is_empty() {
                "; remove it"
            } else {
                &near
            };
            let key = excerpt(&entry.key);
            let at = Span {
                start: entry.position,
                end: Position {
                    column: entry.position.column + entry.key.chars().count(),
                    ..entry.position
                },
            };
            self.report(at, format!("{what} has no field {key:?}{near}"));
        }
        Some(fields)
    }

    pub(super) fn list<'a>(&mut self, node: Option<&'a Node>, what: &str) -> &'a [Node] {
        match node.map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => &[],
            Some((_, Value::List(items))) => items,
            Some((node, _)) => {
                let found = describe(node);
                self.report(span(node), format!("{what} is {found}; write a list"));
                &[]
            }
        }
    }

    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        if let Value::Text(text) = &node.value {
            return Some(text.clone());
        }
        let found = describe(node);
        self.report(span(node), format!("{what} is {found}; write a text"));
        None
    }

    pub(super) fn texts(&mut self, node: Option<&Node>, what: &str) -> Vec<String> {
        let items = self.list(node, what).iter();
        items.filter_map(|item| self.text(item, what)).collect()
    }

    /// A text that must be there.
    pub(super) fn needed(
        &mut self,
        node: &Node,
        fields: &Fields<'_>,
        key: &str,
        what: &str,
    ) -> Option<String> {
        match fields.get(key) {
            Some(field) => self.text(field, key),
            None => {
                self.report(span(node), format!("{what} has no {key:?}; add it"));
                None
            }
        }
    }

    /// A JSON object; nothing is an empty one.
    pub(super) fn object(&mut self, node: Option<&Node>, what: &str) -> Map<String, Json> {
        match node.map(|node| (node, to_json(node))) {
            None | Some((_, Json::Null)) => Map::new(),
            Some((_, Json::Object(fields))) => fields,
            Some((node, _)) => {
                let found = describe(node);
                self.report(span(node), format!("{what} is {found}; write a map"));
                Map::new()
            }
        }
    }

    /// The entries of a map from names to something.
    pub(super) fn entries<'a>(
        &mut self,
        node: Option<&'a Node>,
        what: &str,
    ) -> Vec<(&'a str, &'a Node)> {
        match node.map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => Vec::new(),
            Some((_, Value::Map(entries))) => entries
                .iter()
                .map(|entry| (entry.key.as_str(), &entry.node))
                .collect(),
            Some((node, _)) => {
                let found = describe(node);
                self.report(span(node), format!("{what} is {found}; write a map"));
                Vec::new()
            }
        }
    }
}
