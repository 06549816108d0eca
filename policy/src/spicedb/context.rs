//! The context of a caveat, a JSON object (RFC 8259) inside of other text. It is kept as text: a
//! number keeps the digits that it was written with.

use alloc::{string::String, vec::Vec};

/// The object that begins `text`, without the space between its parts, and how many bytes it takes;
/// or what is wrong with it.
pub(crate) fn object(text: &str) -> Result<(String, usize), &'static str> {
    let length = end(text).ok_or("the JSON object is not closed")?;
    let written = text.get(..length).unwrap_or("");
    match serde_json::from_str(written) {
        Ok(serde_json::Value::Object(_)) => Ok((compact(written), length)),
        Ok(_) | Err(_) => Err("this is no JSON object"),
    }
}

/// Names and values of an object that [`object`] gave; a name that stands twice comes twice.
pub(crate) fn fields(compact: &str) -> Vec<(String, String)> {
    let inner = compact
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let inner = inner.unwrap_or("");
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut from = 0;
    let mut colon = None;
    let mut all = Vec::new();
    for (at, byte) in inner.bytes().chain([b',']).enumerate() {
        if quoted {
            (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => colon = colon.or(Some(at)),
            b',' if depth == 0 => {
                let name = colon.and_then(|colon| inner.get(from..colon));
                let name = name.and_then(|name| serde_json::from_str(name).ok());
                let value = colon.and_then(|colon| inner.get(colon + 1..at));
                if let (Some(serde_json::Value::String(name)), Some(value)) = (name, value) {
                    all.push((name, value.into()));
                }
                (from, colon) = (at + 1, None);
            }
            _ => {}
        }
    }
    all
}

/// Where the object that begins `text` ends: strings may hold braces.
fn end(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if quoted {
            (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    json.chars()
        .filter(|character| {
            if quoted {
                (quoted, escaped) = (escaped || *character != '"', !escaped && *character == '\\');
                return true;
            }
            quoted = *character == '"';
            !character.is_ascii_whitespace()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_ends_at_its_own_brace() {
        for (text, expected, rest) in [
            ("{}", "{}", ""),
            ("{ \"a\" : 1.50 }]", "{\"a\":1.50}", "]"),
            (
                "{\"a }\": {\"b\": [1, 2]}} x}",
                "{\"a }\":{\"b\":[1,2]}}",
                " x}",
            ),
            ("{\"\\\"}\\\\\": 1}}", "{\"\\\"}\\\\\":1}", "}"),
        ] {
            let (written, length) = object(text).unwrap();
            assert_eq!((written.as_str(), &text[length..]), (expected, rest));
        }
        for text in [
            "",
            "[]",
            "{",
            "{]}",
            "{\"a\"}",
            "{\"a\": \"}",
            "}{",
            "{a: 1}",
        ] {
            assert!(object(text).is_err(), "{text}");
        }
    }
}
