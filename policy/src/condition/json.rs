//! JSON for contexts, read strictly: no field twice, numbers kept exact where they are integers,
//! bounded in bytes and depth. Our own, because what a number becomes here is consensus, while a
//! general reader's answer hangs on how some other crate asked it to be built.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt::Write;

use super::{ContextError, Double, Value};
use crate::{
    limits::{CONTEXT_DEPTH_MAX, CONTEXT_JSON_BYTES_MAX},
    name::excerpt,
    schema::Position,
};

/// Reads one object from the front of `text`; gives what follows it, too.
pub(super) fn read_object(text: &str) -> Result<(BTreeMap<String, Value>, &str), ContextError> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    if reader.peek() != Some(b'{') {
        return Err(reader.failure(
            reader.at,
            "an object must stand here, such as {\"zone\":\"ward\"}",
        ));
    }
    let fields = reader.object(1)?;
    Ok((fields, text.get(reader.at..).unwrap_or("")))
}

/// An error at byte `at` of `text`.
pub(super) fn failure(text: &str, at: usize, message: impl Into<String>) -> ContextError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or("");
    ContextError::Json {
        position: Position {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        },
        message: message.into(),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn failure(&self, at: usize, message: impl Into<String>) -> ContextError {
        failure(self.text, at, message)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An object; its `{` comes next. Lists and maps in it are `depth` deep; the recursion ends at the
    /// bound.
    fn object(&mut self, depth: usize) -> Result<BTreeMap<String, Value>, ContextError> {
        self.at += 1;
        let mut fields = BTreeMap::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(fields);
        }
        loop {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.failure(start, "a field's name in double quotes must stand here"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.failure(self.at, "`:` must follow a field's name"));
            }
            let value = self.value(depth)?;
            if fields.contains_key(&name) {
                let message = format!(
                    "the field {:?} stands here twice; remove one",
                    excerpt(&name)
                );
                return Err(self.failure(start, message));
            }
            fields.insert(name, value);
            self.skip_space();
            if self.take(b'}') {
                return Ok(fields);
            }
            if !self.take(b',') {
                return Err(self.failure(self.at, "`,` or `}` must follow a field"));
            }
        }
    }

    /// A list; its `[` comes next.
    fn list(&mut self, depth: usize) -> Result<Vec<Value>, ContextError> {
        self.at += 1;
        let mut values = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(values);
        }
        loop {
            values.push(self.value(depth)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(values);
            }
            if !self.take(b',') {
                return Err(self.failure(self.at, "`,` or `]` must follow a value"));
            }
        }
    }

    /// A value; `depth` is its own, if it is a list or map.
    fn value(&mut self, depth: usize) -> Result<Value, ContextError> {
        self.skip_space();
        if self.at > CONTEXT_JSON_BYTES_MAX {
            return Err(ContextError::TooLong {
                max: CONTEXT_JSON_BYTES_MAX,
                form: " of JSON",
            });
        }
        match self.peek() {
            Some(b'{' | b'[') if depth > CONTEXT_DEPTH_MAX => Err(ContextError::TooDeep),
            Some(b'{') => self.object(depth + 1).map(Value::Map),
            Some(b'[') => self.list(depth + 1).map(Value::List),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                ] {
                    let rest = self.text.get(self.at..).unwrap_or("");
                    if rest.starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.failure(self.at, "a value must stand here: a string in double quotes, a number, true, false, null, a list or an object"))
            }
        }
    }

    fn number(&mut self) -> Result<Value, ContextError> {
        let start = self.at;
        self.take(b'-');
        let mut whole = true;
        let mut formed = self.take(b'0') || self.digits() > 0;
        if self.take(b'.') {
            whole = false;
            formed &= self.digits() > 0;
        }
        if self.take(b'e') || self.take(b'E') {
            whole = false;
            let _sign = self.take(b'+') || self.take(b'-');
            formed &= self.digits() > 0;
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        let number = if whole { integer(text) } else { None };
        number
            .or_else(|| Double::from_decimal(text).map(Value::Double))
            .filter(|_| formed)
            .ok_or_else(|| self.failure(start, "a number must be decimal and within the range of a double, such as -12, 0.5 or 1e3"))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// A string; its opening quote comes next.
    fn string(&mut self) -> Result<String, ContextError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            string.push_str(self.text.get(start..self.at).unwrap_or(""));
            match self.peek() {
                None => {
                    return Err(self.failure(
                        self.at,
                        "the string is not closed; end it with a double quote",
                    ))
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(_) => {
                    let start = self.at;
                    let character = self.escape().ok_or_else(|| {
                        self.failure(start, "no escape of JSON stands here; write control characters as \\n or \\u000a, and a backslash twice")
                    })?;
                    string.push(character);
                }
            }
        }
    }

    /// An escape (RFC 8259 §7); surrogates must come in pairs.
    fn escape(&mut self) -> Option<char> {
        if !self.take(b'\\') {
            return None;
        }
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let pair = if (0xd800..0xdc00).contains(&first) {
                    if !(self.take(b'\\') && self.take(b'u')) {
                        return None;
                    }
                    Some(self.unit()?)
                } else {
                    None
                };
                let units = core::iter::once(first).chain(pair);
                let mut characters = char::decode_utf16(units);
                let character = characters.next()?.ok()?;
                if characters.next().is_some() {
                    return None;
                }
                character
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| {
            let digit = char::from(*digit).to_digit(16)?;
            Some(unit << 4 | digit as u16)
        })
    }
}

/// An integer that fits 64 bits, with or without sign.
fn integer(text: &str) -> Option<Value> {
    let signed = text.parse().map(Value::Int);
    signed.or_else(|_| text.parse().map(Value::Uint)).ok()
}

/// Writes an object without spaces. The depth of values is bounded where they come in.
pub(super) fn write_object(into: &mut String, fields: &BTreeMap<String, Value>) {
    into.push('{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            into.push(',');
        }
        write_string(into, name);
        into.push(':');
        write_value(into, value);
    }
    into.push('}');
}

fn write_value(into: &mut String, value: &Value) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => into.write_str("null"),
        Value::Bool(value) => write!(into, "{value}"),
        Value::Int(value) => write!(into, "{value}"),
        Value::Uint(value) => write!(into, "{value}"),
        Value::Double(value) => write!(into, "{value}"),
        Value::String(value) => {
            write_string(into, value);
            Ok(())
        }
        Value::List(values) => {
            into.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write_value(into, value);
            }
            into.write_str("]")
        }
        Value::Map(fields) => {
            write_object(into, fields);
            Ok(())
        }
    };
}

fn write_string(into: &mut String, text: &str) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(into, "\\u{:04x}", u32::from(character));
            }
            _ => into.push(character),
        }
    }
    into.push('"');
}
