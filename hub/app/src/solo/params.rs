//! Parameters of CometBFT's RPC, as JSON-RPC bodies and as URIs carry them.
//!
//! The two differ (CometBFT v0.38, `rpc/jsonrpc/server`): a body holds byte strings as base64 or
//! hex by the parameter's type and integers as strings; a URI holds bytes as `0x…` or as a quoted
//! string.

use std::collections::BTreeMap;

use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use serde_json::Value;

/// Parameters of one call.
pub enum Params {
    /// From a JSON-RPC body.
    Body(Value),
    /// From a URI's query.
    Uri(BTreeMap<String, String>),
}

/// A parameter that cannot be read: its name and what was expected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {name:?}: expected {expected}")]
pub struct ParamError {
    name: &'static str,
    expected: &'static str,
}

impl Params {
    /// The parameter at a place, by name; JSON-RPC also allows a list.
    fn value(&self, place: usize, name: &str) -> Option<&Value> {
        match self {
            Params::Body(Value::Object(map)) => map.get(name),
            Params::Body(Value::Array(list)) => list.get(place),
            _ => None,
        }
        .filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self {
            Params::Uri(map) => map.get(name).map(String::as_str),
            Params::Body(_) => None,
        }
        .filter(|text| !text.is_empty())
    }

    /// A height; `None` when it is left out or 0.
    pub fn height(&self, place: usize, name: &'static str) -> Result<Option<u64>, ParamError> {
        let error = ParamError {
            name,
            expected: "a height, a decimal number of at least 0",
        };
        let parsed = match self {
            Params::Uri(_) => match self.text(name) {
                None => return Ok(None),
                Some(text) => text.trim_matches('"').parse::<u64>().ok(),
            },
            Params::Body(_) => match self.value(place, name) {
                None => return Ok(None),
                Some(Value::String(text)) if text.is_empty() => return Ok(None),
                Some(Value::String(text)) => text.parse::<u64>().ok(),
                Some(value) => value.as_u64(),
            },
        };
        parsed
            .map(|height| (height > 0).then_some(height))
            .ok_or(error)
    }

    /// A flag; false when left out.
    pub fn flag(&self, place: usize, name: &'static str) -> Result<bool, ParamError> {
        let parsed = match self {
            Params::Uri(_) => match self.text(name) {
                None => Some(false),
                Some(text) => text.parse().ok(),
            },
            Params::Body(_) => match self.value(place, name) {
                None => Some(false),
                Some(value) => value.as_bool(),
            },
        };
        parsed.ok_or(ParamError {
            name,
            expected: "true or false",
        })
    }

    /// A text; empty when left out.
    pub fn string(&self, place: usize, name: &'static str) -> Result<String, ParamError> {
        let parsed = match self {
            Params::Uri(_) => Some(
                self.text(name)
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
            ),
            Params::Body(_) => match self.value(place, name) {
                None => Some(String::new()),
                Some(value) => value.as_str().map(str::to_owned),
            },
        };
        parsed.ok_or(ParamError {
            name,
            expected: "a string",
        })
    }

    /// Bytes that a body holds as hex (`HexBytes`).
    pub fn hex_bytes(&self, place: usize, name: &'static str) -> Result<Vec<u8>, ParamError> {
        let parsed = match self {
            Params::Uri(_) => self.uri_bytes(name),
            Params::Body(_) => match self.value(place, name) {
                None => Some(Vec::new()),
                Some(value) => value
                    .as_str()
                    .map(|text| text.strip_prefix("0x").unwrap_or(text))
                    .and_then(|text| hex::decode(text).ok()),
            },
        };
        parsed.ok_or(ParamError {
            name,
            expected: "bytes as hex",
        })
    }

    /// Bytes that a body holds as base64 (`[]byte`).
    pub fn base64_bytes(&self, place: usize, name: &'static str) -> Result<Vec<u8>, ParamError> {
        let parsed = match self {
            Params::Uri(_) => self.uri_bytes(name),
            Params::Body(_) => match self.value(place, name) {
                None => Some(Vec::new()),
                Some(value) => value.as_str().and_then(|text| BASE64.decode(text).ok()),
            },
        };
        parsed.ok_or(ParamError {
            name,
            expected: "bytes as base64 (0x and hex in a URI)",
        })
    }

    fn uri_bytes(&self, name: &str) -> Option<Vec<u8>> {
        match self.text(name) {
            None => Some(Vec::new()),
            Some(text) => match text.strip_prefix("0x") {
                Some(digits) => hex::decode(digits).ok(),
                None => text
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'))
                    .map(|text| text.as_bytes().to_vec()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn uri(name: &str, value: &str) -> Params {
        Params::Uri([(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn bodies_and_uris_read_alike() {
        let body = Params::Body(
            json!({"height": "7", "data": "0a0b", "tx": "Cgs=", "prove": true, "path": "/x"}),
        );
        assert_eq!(body.height(0, "height"), Ok(Some(7)));
        assert_eq!(uri("height", "7").height(0, "height"), Ok(Some(7)));
        assert_eq!(uri("height", "\"7\"").height(0, "height"), Ok(Some(7)));
        assert_eq!(body.hex_bytes(0, "data"), Ok(vec![10, 11]));
        assert_eq!(uri("data", "0x0a0b").hex_bytes(0, "data"), Ok(vec![10, 11]));
        assert_eq!(body.base64_bytes(0, "tx"), Ok(vec![10, 11]));
        assert_eq!(
            uri("tx", "\"ab\"").base64_bytes(0, "tx"),
            Ok(b"ab".to_vec())
        );
        assert_eq!(body.flag(0, "prove"), Ok(true));
        assert_eq!(uri("path", "\"/x\"").string(0, "path"), Ok("/x".to_owned()));
        assert_eq!(
            Params::Body(json!(["/x"])).string(0, "path"),
            Ok("/x".to_owned())
        );
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let body = Params::Body(json!({"height": "-1", "tx": "***"}));
        let error = body.height(0, "height").unwrap_err();
        assert!(error.to_string().contains("\"height\""));
        assert!(body.base64_bytes(0, "tx").is_err());
        assert_eq!(body.height(0, "absent"), Ok(None));
    }
}
