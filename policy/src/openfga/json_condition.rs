//! Reads conditions from JSON.

use alloc::{format, string::String, vec::Vec};

use serde_json::Value;

use super::{
    error::{Class, Error},
    json_reader::JsonReader,
    model::{Condition, Parameter, Word},
};
use crate::name::excerpt;

impl JsonReader {
    pub(super) fn condition(&mut self, name: &str, value: &Value, path: &str) -> Option<Condition> {
        let mut condition = Condition {
            name: Word::new(name),
            ..Condition::default()
        };
        for (key, value) in self.object(value, path)? {
            match key.as_str() {
                "name" => {
                    let own = self.text(value, &format!("{path}.name"))?;
                    if own != name {
                        let (name, own) = (excerpt(name), excerpt(&own));
                        let message = format!(
                            "the condition under the key {name:?} calls itself {own:?}; use one name"
                        );
                        self.errors
                            .push(Error::new(None, Class::ConditionName, message));
                    }
                }
                "expression" => {
                    condition.expression = self.text(value, &format!("{path}.expression"))?;
                }
                "parameters" => {
                    for (name, value) in self.object_or_null(value, &format!("{path}.parameters")) {
                        let path = format!("{path}.parameters.{}", excerpt(name));
                        if let Some(kind) = self.parameter_type(value, &path) {
                            condition.parameters.push(Parameter {
                                name: Word::new(name),
                                kind,
                            });
                        }
                    }
                }
                "metadata" => {
                    let path = format!("{path}.metadata");
                    for (key, value) in self.object_or_null(value, &path) {
                        self.source(&mut condition.source, key, value, &path);
                    }
                }
                _ => self.unknown(key, path),
            }
        }
        condition
            .parameters
            .sort_by(|a, b| a.name.text.cmp(&b.name.text));
        Some(condition)
    }

    fn parameter_type(&mut self, value: &Value, path: &str) -> Option<String> {
        let (mut name, mut elements) = (None, Vec::new());
        for (key, value) in self.object(value, path)? {
            match key.as_str() {
                "type_name" | "typeName" => name = self.text(value, &format!("{path}.{key}")),
                "generic_types" | "genericTypes" => {
                    let path = format!("{path}.{key}");
                    for value in self.list(value, &path) {
                        let element = value.as_object().and_then(|element| {
                            element.get("type_name").or_else(|| element.get("typeName"))
                        });
                        let element = element.and_then(Value::as_str).and_then(scalar);
                        if element.is_none() {
                            self.report(format!(
                                "{path} is no type that elements can have; use a simple one"
                            ));
                        }
                        elements.push(element?);
                    }
                }
                _ => self.unknown(key, path),
            }
        }
        let name = name.unwrap_or_default();
        let kind = match (name.as_str(), elements.as_slice()) {
            ("TYPE_NAME_LIST", [element]) => Some(format!("list<{element}>")),
            ("TYPE_NAME_MAP", [element]) => Some(format!("map<{element}>")),
            (name, []) => scalar(name).map(Into::into),
            _ => None,
        };
        if kind.is_none() {
            let name = excerpt(&name);
            self.report(format!("{path}: {name:?} is no type of a parameter"));
        }
        kind
    }
}

fn scalar(name: &str) -> Option<&'static str> {
    Some(match name {
        "TYPE_NAME_BOOL" => "bool",
        "TYPE_NAME_STRING" => "string",
        "TYPE_NAME_INT" => "int",
        "TYPE_NAME_UINT" => "uint",
        "TYPE_NAME_DOUBLE" => "double",
        "TYPE_NAME_DURATION" => "duration",
        "TYPE_NAME_TIMESTAMP" => "timestamp",
        "TYPE_NAME_IPADDRESS" => "ipaddress",
        "TYPE_NAME_ANY" => "any",
        _ => return None,
    })
}
