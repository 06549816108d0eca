//! Contexts: the values of parameters as a relationship records them and a question brings them.
//!
//! Invariant: a [`Context`] is within its bounds and in its one normal form, so equal contexts have
//! equal canonical bytes.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use super::{canonical, json, Double};
use crate::{
    limits::{CONTEXT_BYTES_MAX, CONTEXT_DEPTH_MAX, CONTEXT_JSON_BYTES_MAX},
    schema::Position,
};

/// A JSON-like value. What it means is decided by the parameter that it is given for: a string may
/// become a timestamp, a duration, an address or bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits with sign.
    Int(i64),
    /// An integer that needs the 64th bit. In a [`Context`] smaller ones are [`Value::Int`].
    Uint(u64),
    /// Any other number.
    Double(Double),
    /// A text.
    String(String),
    /// Values in their order.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
}

/// Values of parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context(BTreeMap<String, Value>);

/// Why something is no [`Context`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// The text is no JSON object, or names a field twice.
    #[error("the context is no JSON object: line {}, column {}: {message}", .position.line, .position.column)]
    Json {
        /// Where in the text.
        position: Position,
        /// What is wrong and what to do next.
        message: String,
    },
    /// It takes more than [`CONTEXT_BYTES_MAX`] bytes, or [`CONTEXT_JSON_BYTES_MAX`] as JSON.
    #[error("the context is longer than {max} bytes{form}; leave out what no condition asks for")]
    TooLong {
        /// The bound.
        max: usize,
        /// Of which form, in words.
        form: &'static str,
    },
    /// Its values nest deeper than [`CONTEXT_DEPTH_MAX`] levels.
    #[error("the values of the context nest deeper than {CONTEXT_DEPTH_MAX} levels; flatten them")]
    TooDeep,
    /// The bytes are not what [`Context::encode`] writes.
    #[error("the bytes are no context: {0}")]
    Bytes(&'static str),
}

impl Context {
    /// A context without values.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A context of these values.
    ///
    /// # Errors
    /// [`ContextError::TooLong`], [`ContextError::TooDeep`].
    pub fn from_values(
        values: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Self, ContextError> {
        let mut fields: BTreeMap<String, Value> = values.into_iter().collect();
        for value in fields.values_mut() {
            normalise(value, 1)?;
        }
        let context = Self(fields);
        if context.encode().len() > CONTEXT_BYTES_MAX {
            return Err(too_long());
        }
        Ok(context)
    }

    /// Reads one JSON object (RFC 8259). Integers that fit `i64` are [`Value::Int`], others that fit
    /// `u64` [`Value::Uint`], all further numbers [`Value::Double`].
    ///
    /// # Errors
    /// Every [`ContextError`] but [`ContextError::Bytes`].
    pub fn from_json(text: &str) -> Result<Self, ContextError> {
        let (context, rest) = Self::from_json_prefix(text)?;
        let rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if rest.is_empty() {
            return Ok(context);
        }
        Err(json::failure(
            text,
            text.len() - rest.len(),
            "something follows the object; remove it",
        ))
    }

    /// Reads one JSON object from the front of `text`; gives what follows it, too.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_json_prefix(text: &str) -> Result<(Self, &str), ContextError> {
        let (fields, rest) = json::read_object(text)?;
        if text.len() - rest.len() > CONTEXT_JSON_BYTES_MAX {
            return Err(ContextError::TooLong {
                max: CONTEXT_JSON_BYTES_MAX,
                form: " of JSON",
            });
        }
        Ok((Self::from_values(fields)?, rest))
    }

    /// The context as JSON: names in order, no spaces. [`Self::from_json`] gives back the same.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        json::write_object(&mut text, &self.0);
        text
    }

    /// The canonical bytes (docs/spec/condition.md, "Canonical bytes").
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        canonical::write_fields(&mut bytes, &self.0);
        bytes
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`ContextError::Bytes`], [`ContextError::TooLong`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ContextError> {
        if bytes.len() > CONTEXT_BYTES_MAX {
            return Err(too_long());
        }
        canonical::read_fields(bytes)
            .map(Self)
            .map_err(ContextError::Bytes)
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many values it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn too_long() -> ContextError {
    ContextError::TooLong {
        max: CONTEXT_BYTES_MAX,
        form: "",
    }
}

/// Gives every number its one form, and checks the depth on the way. `depth` is the value's own, if
/// it is a list or map; the recursion ends at the bound.
fn normalise(value: &mut Value, depth: usize) -> Result<(), ContextError> {
    match value {
        Value::List(_) | Value::Map(_) if depth > CONTEXT_DEPTH_MAX => {
            return Err(ContextError::TooDeep)
        }
        Value::Uint(number) => {
            if let Ok(small) = i64::try_from(*number) {
                *value = Value::Int(small);
            }
        }
        Value::List(values) => {
            for value in values {
                normalise(value, depth + 1)?;
            }
        }
        Value::Map(values) => {
            for value in values.values_mut() {
                normalise(value, depth + 1)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::String(_) => {}
    }
    Ok(())
}

impl FromStr for Context {
    type Err = ContextError;

    fn from_str(text: &str) -> Result<Self, ContextError> {
        Self::from_json(text)
    }
}

/// As [`Context::to_json`].
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl Value {
    /// What kind of value it is, for errors.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Uint(_) => "an integer",
            Self::Double(_) => "a double",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};
    use std::string::ToString;

    #[test]
    fn contexts_survive_json_and_bytes() {
        for (text, shown) in [
            ("{}", "{}"),
            (
                r#" { "b" : [ 1 , -2.5e1, "x\u00e9\ud83d\ude00\n\u0001/\"\\" ] , "a" : { } } "#,
                "{\"a\":{},\"b\":[1,-25.0,\"xé😀\\n\\u0001/\\\"\\\\\"]}",
            ),
            (
                r#"{"n":null,"t":true,"f":false,"max":18446744073709551615,"min":-9223372036854775808,"big":18446744073709551616,"z":-0,"y":-0.0,"e":1e3}"#,
                r#"{"big":1.8446744073709552e19,"e":1000.0,"f":false,"max":18446744073709551615,"min":-9223372036854775808,"n":null,"t":true,"y":0.0,"z":0}"#,
            ),
            (r#"{"":""}"#, r#"{"":""}"#),
        ] {
            let context = Context::from_json(text).unwrap();
            assert_eq!(context.to_json(), shown);
            assert_eq!(Context::from_json(shown), Ok(context.clone()));
            assert_eq!(Context::decode(&context.encode()), Ok(context));
        }
        let large = Context::from_values([("a".into(), Value::Uint(7))]).unwrap();
        assert_eq!(large.get("a"), Some(&Value::Int(7)));
    }

    #[test]
    fn what_follows_a_context_is_given_back() {
        let (context, rest) = Context::from_json_prefix(r#"{"a":1} and expiration"#).unwrap();
        assert_eq!((context.len(), rest), (1, " and expiration"));
    }

    #[test]
    fn malformed_json_names_its_place() {
        for (text, line, column, expected) in [
            ("", 1, 1, "object"),
            ("[]", 1, 1, "object"),
            ("{", 1, 2, "name"),
            ("{\"a\"", 1, 5, "`:`"),
            ("{\"a\":", 1, 6, "value"),
            ("{\"a\":1", 1, 7, "`,`"),
            ("{\"a\":1,}", 1, 8, "name"),
            ("{\"a\":1,\n\"a\":2}", 2, 1, "twice"),
            ("{\"a\":{\"b\":1,\"b\":1}}", 1, 13, "twice"),
            ("{\"a\":[1,]}", 1, 9, "value"),
            ("{\"a\":01}", 1, 7, "`,`"),
            ("{\"a\":1.}", 1, 6, "number"),
            ("{\"a\":-}", 1, 6, "number"),
            ("{\"a\":+1}", 1, 6, "value"),
            ("{\"a\":1e999}", 1, 6, "number"),
            ("{\"a\":NaN}", 1, 6, "value"),
            ("{\"a\":nul}", 1, 6, "value"),
            ("{\"a\":nullx}", 1, 10, "`,`"),
            ("{\"a\":'x'}", 1, 6, "value"),
            ("{\"a\":\"\t\"}", 1, 7, "escape"),
            ("{\"a\":\"\\x\"}", 1, 7, "escape"),
            ("{\"a\":\"\\ud800\"}", 1, 7, "escape"),
            ("{\"a\":\"\\udc00\"}", 1, 7, "escape"),
            ("{\"a\":\"\\ud800\\u0041\"}", 1, 7, "escape"),
            ("{\"a\":\"\\u+123\"}", 1, 7, "escape"),
            ("{\"a\":\"é", 1, 8, "closed"),
            ("{} x", 1, 4, "follows"),
        ] {
            match Context::from_json(text) {
                Err(ContextError::Json { position, message }) => {
                    assert_eq!(
                        (position.line, position.column),
                        (line, column),
                        "{text}: {message}"
                    );
                    assert!(message.contains(expected), "{text}: {message}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn bounds_hold_on_every_way_in() {
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(Context::from_json(&nested(CONTEXT_DEPTH_MAX)).is_ok());
        assert_eq!(
            Context::from_json(&nested(CONTEXT_DEPTH_MAX + 1)),
            Err(ContextError::TooDeep)
        );
        assert_eq!(
            Context::from_json(&nested(7000)),
            Err(ContextError::TooDeep)
        );
        let mut value = Value::Null;
        for _ in 0..=CONTEXT_DEPTH_MAX {
            value = Value::List(vec![value]);
        }
        assert_eq!(
            Context::from_values([("a".into(), value)]),
            Err(ContextError::TooDeep)
        );
        let long = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
        // Count, name with length, tag, length of two bytes.
        let most = CONTEXT_BYTES_MAX - 6;
        assert_eq!(
            Context::from_json(&long(most)).unwrap().encode().len(),
            CONTEXT_BYTES_MAX
        );
        assert!(Context::from_json(&long(most + 1))
            .unwrap_err()
            .to_string()
            .contains("4096"));
        assert!(Context::from_json(&long(100_000)).is_err());
        assert!(Context::from_json(&format!("{{{}}}", " ".repeat(100_000))).is_err());
        assert!(Context::decode(&[0; CONTEXT_BYTES_MAX + 1]).is_err());
    }
}
