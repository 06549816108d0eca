//! From a context's values to the type that a parameter has. What each type takes is what SpiceDB,
//! OpenFGA and protobuf's JSON mapping take for it, where they agree with one of each other.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::{
    address,
    datum::{Datum, Shared},
    failure::ParameterError,
    types::ParameterType,
    Double, Value,
};
use crate::{limits::CONDITION_BYTES_PER_COST, name::excerpt};

/// Longest text that is read as a number.
const NUMBER_BYTES_MAX: usize = 64;

/// A value that does not fit its type.
struct Mismatch {
    given: String,
    /// Where in the parameter's value, such as `[2].name`.
    path: String,
    hint: &'static str,
}

/// The value of the parameter `name`, as one of its type.
pub(super) fn parameter<'a>(
    name: &str,
    of: &ParameterType,
    value: &'a Value,
) -> Result<Datum<'a>, ParameterError> {
    typed(of, value).map_err(|mismatch| ParameterError::Type {
        name: name.into(),
        expected: of.clone(),
        given: if mismatch.path.is_empty() {
            format!("{} was given", mismatch.given)
        } else {
            format!(
                "{} was given at {}",
                mismatch.given,
                excerpt(&mismatch.path)
            )
        },
        hint: mismatch.hint,
    })
}

/// A value that is of its type as it stands, as most are: the short way to what [`parameter`] gives.
#[inline]
pub(super) fn plain<'a>(of: &ParameterType, value: &'a Value) -> Option<Datum<'a>> {
    Some(match (of, value) {
        (ParameterType::Int, Value::Int(value)) => Datum::Int(*value),
        (ParameterType::String, Value::String(text)) => Datum::text(text),
        (ParameterType::Bool, Value::Bool(value)) => Datum::Bool(*value),
        _ => return None,
    })
}

/// What a value costs where it is first read: a unit for each entry of a list or map, and for text
/// its bytes. The recursion is as deep as the context, which is bounded.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) => 0,
        Value::String(text) => text.len() / CONDITION_BYTES_PER_COST,
        Value::List(values) => values.iter().map(|value| 1 + size(value)).sum(),
        Value::Map(fields) => fields.values().map(|value| 1 + size(value)).sum(),
    }
}

fn typed<'a>(of: &ParameterType, value: &'a Value) -> Result<Datum<'a>, Mismatch> {
    let (datum, hint) = match (of, value) {
        (ParameterType::Any, value) => return Ok(dynamic(value)),
        (ParameterType::List(of), Value::List(values)) => {
            let mut entries = Vec::new();
            for (index, value) in values.iter().enumerate() {
                let entry =
                    typed(of, value).map_err(|inner| within(inner, format!("[{index}]")))?;
                entries.push(entry);
            }
            return Ok(Datum::List(Rc::new(entries)));
        }
        (ParameterType::Map(of), Value::Map(fields)) => {
            let mut entries = super::datum::Fields::new();
            for (key, value) in fields {
                let entry = typed(of, value).map_err(|inner| within(inner, format!(".{key}")))?;
                entries.insert(Shared::Borrowed(key), entry);
            }
            return Ok(Datum::Map(Rc::new(entries)));
        }
        (ParameterType::Bool, Value::Bool(value)) => (Some(Datum::Bool(*value)), ""),
        (ParameterType::Int, Value::Int(value)) => (Some(Datum::Int(*value)), ""),
        (ParameterType::Int, value) => (
            integer(value)
                .and_then(|value| i64::try_from(value).ok())
                .map(Datum::Int),
            "; write a whole number between -2^63 and 2^63 - 1",
        ),
        (ParameterType::Uint, value) => (
            integer(value)
                .and_then(|value| u64::try_from(value).ok())
                .map(Datum::Uint),
            "; write a whole number between 0 and 2^64 - 1",
        ),
        (ParameterType::Double, value) => (double(value).map(Datum::Double), "; write a number"),
        (ParameterType::String, Value::String(text)) => (Some(Datum::text(text)), ""),
        (ParameterType::Bytes, Value::String(text)) => {
            let bytes = decode_base64(text);
            let bytes = bytes.map(|bytes| Datum::Bytes(Shared::Counted(Rc::from(bytes))));
            (bytes, "; write them in base64 (RFC 4648 §4, with padding)")
        }
        (ParameterType::Timestamp, Value::String(text)) => (
            text.parse().ok().map(Datum::Timestamp),
            "; write it as in RFC 3339, such as 2027-01-31T12:00:00Z",
        ),
        (ParameterType::Duration, Value::String(text)) => (
            text.parse().ok().map(Datum::Duration),
            "; write it such as \"1h30m\" or \"3.5s\"",
        ),
        (ParameterType::IpAddress, Value::String(text)) => (
            address::address(text).map(Datum::IpAddress),
            "; write an IPv4 or IPv6 address",
        ),
        _ => (None, ""),
    };
    datum.ok_or_else(|| Mismatch {
        given: given(value),
        path: String::new(),
        hint,
    })
}

fn within(inner: Mismatch, step: String) -> Mismatch {
    Mismatch {
        path: step + &inner.path,
        ..inner
    }
}

fn given(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the string {:?}", excerpt(text)),
        Value::Int(value) => format!("{value}"),
        Value::Uint(value) => format!("{value}"),
        Value::Double(value) => format!("{value}"),
        other => other.kind().into(),
    }
}

/// A JSON value as it is.
fn dynamic(value: &Value) -> Datum<'_> {
    match value {
        Value::Null => Datum::Null,
        Value::Bool(value) => Datum::Bool(*value),
        Value::Int(value) => Datum::Int(*value),
        Value::Uint(value) => Datum::Uint(*value),
        Value::Double(value) => Datum::Double(*value),
        Value::String(text) => Datum::text(text),
        Value::List(values) => Datum::List(Rc::new(values.iter().map(dynamic).collect())),
        Value::Map(fields) => {
            let entries = fields.iter();
            let entries =
                entries.map(|(key, value)| (Shared::Borrowed(key.as_str()), dynamic(value)));
            Datum::Map(Rc::new(entries.collect()))
        }
    }
}

/// A whole number: an integer, a double without fraction, or a decimal text.
fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Int(value) => Some((*value).into()),
        Value::Uint(value) => Some((*value).into()),
        Value::Double(value) => value
            .truncated()
            .and_then(|(whole, fraction)| (!fraction).then_some(whole)),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let decimal = digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit());
            decimal.then(|| text.parse().ok()).flatten()
        }
        _ => None,
    }
}

fn double(value: &Value) -> Option<Double> {
    match value {
        Value::Double(value) => Some(*value),
        Value::Int(value) => Some(Double::from_integer((*value).into())),
        Value::Uint(value) => Some(Double::from_integer((*value).into())),
        Value::String(text) => {
            let part = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
            let number = text.len() <= NUMBER_BYTES_MAX && text.bytes().all(part);
            number.then(|| Double::from_decimal(text)).flatten()
        }
        _ => None,
    }
}

/// RFC 4648 §4, with padding and no bits left over.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let sextet = |byte: u8| {
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.bytes().rev().take_while(|b| *b == b'=').count();
    if padding > 2 {
        return None;
    }
    let digits = text.as_bytes().get(..text.len() - padding)?;
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let mut bits = 0;
        for position in 0..4 {
            bits = bits << 6 | group.get(position).map_or(Some(0), |byte| sextet(*byte))?;
        }
        // As many bytes as the digits fill; what is behind them must be zero.
        let filled = group.len() * 6 / 8;
        if bits & (0x00ff_ffff >> (8 * filled)) != 0 {
            return None;
        }
        bytes.extend_from_slice(bits.to_be_bytes().get(1..1 + filled)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Context;

    fn read(of: &str, json: &str) -> Result<String, String> {
        let context = Context::from_json(&format!("{{\"p\":{json}}}")).unwrap();
        let value = context.get("p").unwrap();
        let datum = parameter("p", &of.parse().unwrap(), value);
        datum
            .map(|datum| format!("{datum:?}"))
            .map_err(|error| format!("{error}"))
    }

    #[test]
    fn each_type_takes_its_forms() {
        for (of, json, expected) in [
            ("bool", "true", "Bool(true)"),
            ("int", "-7", "Int(-7)"),
            ("int", "10.0", "Int(10)"),
            ("int", "-1e3", "Int(-1000)"),
            ("int", "\"-9223372036854775808\"", "Int(-9223372036854775808)"),
            ("uint", "18446744073709551615", "Uint(18446744073709551615)"),
            ("uint", "\"18446744073709551615\"", "Uint(18446744073709551615)"),
            ("uint", "7.0", "Uint(7)"),
            ("double", "1", "Double(1.0)"),
            ("double", "18446744073709551615", "Double(1.8446744073709552e19)"),
            ("double", "\"1.5e3\"", "Double(1500.0)"),
            ("string", "\"x\"", "String(Borrowed(\"x\"))"),
            ("bytes", "\"\"", "Bytes(Counted([]))"),
            ("bytes", "\"AP8=\"", "Bytes(Counted([0, 255]))"),
            ("bytes", "\"AP8x\"", "Bytes(Counted([0, 255, 49]))"),
            ("bytes", "\"AA==\"", "Bytes(Counted([0]))"),
            ("ipaddress", "\"::1\"", "IpAddress(::1)"),
            ("list<int>", "[1,\"2\",3.0]", "List([Int(1), Int(2), Int(3)])"),
            ("map<uint>", "{\"a\":1}", "Map({Borrowed(\"a\"): Uint(1)})"),
            ("any", "[null,1,0.5,{\"a\":\"x\"}]", "List([Null, Int(1), Double(0.5), Map({Borrowed(\"a\"): String(Borrowed(\"x\"))})])"),
        ] {
            assert_eq!(read(of, json).as_deref(), Ok(expected), "{of} {json}");
        }
        assert!(read("timestamp", "\"2027-01-31T12:00:00Z\"").is_ok());
        assert!(read("duration", "\"1h30m\"").is_ok());
    }

    #[test]
    fn a_mismatch_names_parameter_type_and_value() {
        for (of, json, expected) in [
            (
                "bool",
                "1",
                "the parameter \"p\" is of type bool; 1 was given",
            ),
            ("bool", "\"true\"", "the string \"true\""),
            ("int", "null", "null was given"),
            ("int", "1.5", "1.5 was given"),
            ("int", "9223372036854775808", "between -2^63"),
            ("int", "\"+1\"", "the string"),
            ("int", "\"\"", "the string"),
            ("int", "\"-\"", "the string"),
            ("int", "\"1.0\"", "the string"),
            ("int", "1e300", "1e300"),
            ("int", "true", "a bool"),
            ("uint", "-1", "between 0"),
            ("uint", "\"-1\"", "between 0"),
            ("double", "\"NaN\"", "write a number"),
            ("double", "\"1e999\"", "write a number"),
            ("string", "1", "type string; 1"),
            ("bytes", "\"AP8\"", "base64"),
            ("bytes", "\"AP9=\"", "base64"),
            ("bytes", "\"A===\"", "base64"),
            ("bytes", "\"A-8=\"", "base64"),
            ("bytes", "\"====\"", "base64"),
            ("bytes", "\"AA=A\"", "base64"),
            ("timestamp", "1", "type timestamp"),
            ("timestamp", "\"yesterday\"", "RFC 3339"),
            ("duration", "\"soon\"", "1h30m"),
            ("ipaddress", "\"10.0.0.0/8\"", "IPv4 or IPv6"),
            ("list<int>", "{}", "list<int>; a map"),
            (
                "list<map<int>>",
                "[{},{\"a\":true}]",
                "list<map<int>>; a bool was given at [1].a",
            ),
            ("clock", "\"2027-01-31T12:00:00Z\"", "type clock"),
        ] {
            let error = read(of, json).unwrap_err();
            assert!(error.contains(expected), "{of} {json}: {error}");
        }
    }
}
