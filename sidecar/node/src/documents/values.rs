//! JSON on one side, operations and states on the other.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use crdt::{DocumentState, FieldKind, FieldState, Float, Operation, Schema, Value};
use serde::Deserialize;
use serde_json::{json, Map, Value as Json};

use crate::failure::Failure;

/// The key of an object that stands for bytes.
const BYTES: &str = "$bytes";

/// Changes of a document's fields as a client writes them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Changes {
    /// Register → its new value.
    pub set: Map<String, Json>,
    /// Counter → by how much.
    pub increment: Map<String, Json>,
    /// Set → elements to add.
    pub add: Map<String, Json>,
    /// Set → elements to remove.
    pub remove: Map<String, Json>,
}

fn wrong(field: &str, expected: &str) -> Failure {
    Failure::invalid(
        format!("the value of `{field}` cannot be used"),
        format!("write {expected}"),
    )
}

/// A value from JSON.
///
/// # Errors
/// [`Failure`] for lists, objects other than `{"$bytes": …}`, and integers beyond 64 bits.
pub fn value(field: &str, json: &Json) -> Result<Value, Failure> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) if number.is_f64() => Value::Float(
                Float::from_bits(float.to_bits()).map_err(|_| wrong(field, "a finite number"))?,
            ),
            _ => return Err(wrong(field, "an integer of 64 bits with sign")),
        },
        Json::Object(object) => match (object.len(), object.get(BYTES)) {
            (1, Some(Json::String(text))) => Value::Bytes(
                STANDARD
                    .decode(text)
                    .map_err(|_| wrong(field, "bytes in base64"))?,
            ),
            _ => {
                return Err(wrong(
                    field,
                    "null, a boolean, a number, a text or {\"$bytes\": …}",
                ))
            }
        },
        Json::Array(_) => {
            return Err(wrong(
                field,
                "null, a boolean, a number, a text or {\"$bytes\": …}",
            ))
        }
    })
}

/// A value as JSON.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Float(value) => json!(f64::from_bits(value.to_bits())),
        Value::Bytes(bytes) => json!({ BYTES: STANDARD.encode(bytes) }),
        Value::Text(text) => json!(text),
    }
}

fn elements(field: &str, json: &Json) -> Result<Vec<Value>, Failure> {
    match json {
        Json::Array(list) => list.iter().map(|element| value(field, element)).collect(),
        single => Ok(vec![value(field, single)?]),
    }
}

fn increment(field: &str, by: &Json) -> Result<Operation, Failure> {
    let by = by
        .as_i64()
        .ok_or_else(|| wrong(field, "an integer of 64 bits with sign"))?;
    Ok(Operation::Increment {
        field: field.to_owned(),
        by,
    })
}

/// The operations that create a document with these fields: each by the kind that its schema
/// gives it.
///
/// # Errors
/// [`Failure`] naming the field that does not fit.
pub fn creation(fields: &Map<String, Json>, schema: &Schema) -> Result<Vec<Operation>, Failure> {
    let mut operations = Vec::new();
    for (field, json) in fields {
        let kind = schema
            .fields()
            .get(field)
            .map(|field| field.kind)
            .ok_or_else(|| {
                let known: Vec<&str> = schema.fields().keys().map(String::as_str).collect();
                Failure::invalid(
                    format!("the collection has no field `{field}`"),
                    format!("its fields are {}", known.join(", ")),
                )
            })?;
        match kind {
            FieldKind::Register => {
                operations.push(Operation::Set {
                    field: field.clone(),
                    value: value(field, json)?,
                });
            }
            FieldKind::Counter => operations.push(increment(field, json)?),
            FieldKind::Set => {
                for value in elements(field, json)? {
                    operations.push(Operation::Add {
                        field: field.clone(),
                        value,
                    });
                }
            }
        }
    }
    Ok(operations)
}

impl Changes {
    /// The operations of an update of a document in `state`. A remove names the adds of that
    /// element which the state has seen, so an add that comes concurrently wins.
    ///
    /// # Errors
    /// [`Failure`] naming the field that does not fit, or an element that is not there.
    pub fn operations(&self, state: &DocumentState) -> Result<Vec<Operation>, Failure> {
        let mut operations = Vec::new();
        for (field, json) in &self.set {
            operations.push(Operation::Set {
                field: field.clone(),
                value: value(field, json)?,
            });
        }
        for (field, by) in &self.increment {
            operations.push(increment(field, by)?);
        }
        for (field, json) in &self.add {
            for value in elements(field, json)? {
                operations.push(Operation::Add {
                    field: field.clone(),
                    value,
                });
            }
        }
        for (field, json) in &self.remove {
            for value in elements(field, json)? {
                let mut adds: Vec<_> = state
                    .set(field)
                    .into_iter()
                    .flat_map(|set| set.adds())
                    .filter(|(_, element)| element.value == value)
                    .map(|(name, _)| *name)
                    .collect();
                adds.sort_unstable();
                if adds.is_empty() {
                    return Err(Failure::invalid(
                        format!("`{field}` has no element {}", to_json(&value)),
                        "get the document to see its elements",
                    ));
                }
                operations.push(Operation::Remove {
                    field: field.clone(),
                    adds,
                });
            }
        }
        Ok(operations)
    }
}

/// The fields of a state as JSON: registers by value, counters by sum, sets as sorted lists.
#[must_use]
pub fn fields(state: &DocumentState) -> Map<String, Json> {
    let mut fields = Map::new();
    for (name, field) in state.fields() {
        let json = match field {
            FieldState::Register(register) => to_json(register.value()),
            // A sum may be larger than a JSON number is sure to hold.
            FieldState::Counter(counter) => match i64::try_from(counter.total()) {
                Ok(total) => json!(total),
                Err(_) => json!(counter.total().to_string()),
            },
            FieldState::Set(set) => {
                let values: std::collections::BTreeSet<&Value> =
                    set.adds().map(|(_, element)| &element.value).collect();
                Json::Array(values.into_iter().map(to_json).collect())
            }
        };
        fields.insert(name.to_owned(), json);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_return_as_they_went() {
        for json in [
            json!(null),
            json!(true),
            json!(-7),
            json!(1.5),
            json!("ä"),
            json!({ "$bytes": "AAEC" }),
        ] {
            assert_eq!(to_json(&value("f", &json).unwrap()), json);
        }
        for json in [
            json!([1]),
            json!({}),
            json!({ "$bytes": "?" }),
            json!(u64::MAX),
        ] {
            assert!(value("f", &json).is_err(), "{json}");
        }
    }
}
