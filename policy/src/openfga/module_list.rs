//! Reads `fga.mod`: which files the modules of a model stand in.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    data::{describe, read, span},
    error::{Class, Error, Span},
    model::Word,
};
use crate::{
    limits::OPENFGA_MODULES_MAX,
    name::excerpt,
    schema::Position,
    yaml::{Node, Value},
};

/// What `fga.mod` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleList {
    /// The schema version; always 1.2.
    pub schema: Word,
    /// Paths of the files, relative to that of the list, parted by `/`, none of which leaves its
    /// folder.
    pub files: Vec<Word>,
}

/// Reads `fga.mod`.
///
/// # Errors
/// All that is wrong with it, with places.
pub fn parse_module_list(text: &str) -> Result<ModuleList, Vec<Error>> {
    let root = read(text)?;
    let mut errors = Vec::new();
    let start = Position { line: 1, column: 1 };
    let start = Span { start, end: start };
    let mut report = |span: Span, message: String| {
        errors.push(Error::new(Some(span), Class::Form, message));
    };
    let Value::Map(entries) = &root.value else {
        report(
            span(&root),
            "this is no map; write `schema` and `contents`".into(),
        );
        return Err(errors);
    };
    let (mut schema, mut contents) = (None, None);
    for entry in entries {
        match entry.key.as_str() {
            "schema" => schema = Some(&entry.node),
            "contents" => contents = Some(&entry.node),
            key => report(
                Span {
                    start: entry.position,
                    end: entry.position,
                },
                format!("{:?} is unknown; remove it", excerpt(key)),
            ),
        }
    }
    match schema.map(|node| (node, quoted_or_word(node))) {
        None => report(start, "`schema` is missing; write `schema: \"1.2\"`".into()),
        Some((node, None)) => {
            let found = describe(node);
            let message = format!("{found} is no schema version; write \"1.2\" in quotes");
            report(span(node), message);
        }
        Some((_, Some("1.2"))) => {}
        Some((node, Some(version))) => {
            let version = excerpt(version);
            let message = format!("schema {version:?} has no modules; write \"1.2\"");
            report(span(node), message);
        }
    }
    let mut files = Vec::new();
    match contents.map(|node| (node, &node.value)) {
        None => report(start, "`contents` is missing; list the files".into()),
        Some((node, Value::List(items))) if items.len() > OPENFGA_MODULES_MAX => report(
            span(node),
            format!("a model has at most {OPENFGA_MODULES_MAX} modules"),
        ),
        Some((_, Value::List(items))) => {
            for item in items {
                match file(item) {
                    Ok(file) => files.push(file),
                    Err(message) => report(span(item), message),
                }
            }
        }
        Some((node, _)) => {
            let found = describe(node);
            report(
                span(node),
                format!("{found} is no list of files; write `- core.fga`"),
            );
        }
    }
    match schema {
        Some(schema) if errors.is_empty() => Ok(ModuleList {
            schema: Word {
                text: "1.2".into(),
                span: Some(span(schema)),
            },
            files,
        }),
        _ => Err(errors),
    }
}

/// A scalar that reads as text.
fn quoted_or_word(node: &Node) -> Option<&str> {
    match (&node.value, super::data::to_json(node)) {
        (Value::Text(text), serde_json::Value::String(_)) => Some(text),
        _ => None,
    }
}

fn file(node: &Node) -> Result<Word, String> {
    let Some(written) = quoted_or_word(node) else {
        return Err(format!("{} is no file; write its path", describe(node)));
    };
    let path = decoded(written).replace('\\', "/");
    let shown = excerpt(written);
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(format!(
            "{shown:?} leads out of the folder; name a file in it or below"
        ));
    }
    if path.contains(char::is_control) {
        return Err(format!(
            "{shown:?} holds what no path should; rename the file"
        ));
    }
    if !path.ends_with(".fga") {
        return Err(format!(
            "{shown:?} is no file of the DSL; it must end in .fga"
        ));
    }
    Ok(Word {
        text: path,
        span: Some(span(node)),
    })
}

/// The text with `%2e` and its like read as the characters that they stand for (RFC 3986 §2.1); as
/// it was written if they stand for none.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| core::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, value) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_string())
}
