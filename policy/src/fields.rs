//! Reading files for tests out of YAML: as strict as policies, with the same words for what is wrong.

use alloc::{format, string::String, vec::Vec};

use crate::{
    name::excerpt,
    schema::{PolicyError, Position},
    suggest::suggestion,
    yaml::{error, Entry, Node, Value},
};

/// A text and its place.
pub(crate) type Placed = (String, Position);

/// The entries of a map with the given keys; an absent value is an empty map.
pub(crate) fn map(node: Node, what: &str, keys: &[&str]) -> Result<Vec<Entry>, PolicyError> {
    let entries = match node.value {
        Value::Null => return Ok(Vec::new()),
        Value::Map(entries) => entries,
        Value::Text(_) | Value::List(_) => {
            return Err(error(
                node.position,
                format!("{what} is a map with the keys {}", keys.join(", ")),
            ))
        }
    };
    for entry in &entries {
        if !keys.contains(&entry.key.as_str()) {
            let near = suggestion(&entry.key, keys.iter().copied());
            return Err(error(
                entry.position,
                format!(
                    "{what} has no key {:?}{near} (it has {})",
                    excerpt(&entry.key),
                    keys.join(", ")
                ),
            ));
        }
    }
    Ok(entries)
}

/// The items of a list; an absent value is an empty list.
pub(crate) fn list(node: Node, what: &str) -> Result<Vec<Node>, PolicyError> {
    match node.value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => Ok(items),
        Value::Text(_) | Value::Map(_) => Err(error(
            node.position,
            format!("{what} is a list; write `- ` before each entry"),
        )),
    }
}

/// Where the text of a scalar begins: behind the quote, if it has one. A quoted scalar that goes on
/// on the next line keeps its own place.
fn content(node: &Node) -> Position {
    let Value::Text(text) = &node.value else {
        return node.position;
    };
    let one_line = node.position.line == node.end.line;
    let width = node.end.column.saturating_sub(node.position.column);
    let quoted = !node.plain && one_line && width >= text.chars().count() + 2;
    Position {
        column: node.position.column + usize::from(quoted),
        ..node.position
    }
}

/// A text.
pub(crate) fn text(node: Node, what: &str) -> Result<Placed, PolicyError> {
    let position = content(&node);
    match node.value {
        Value::Text(text) => Ok((text, position)),
        Value::Null | Value::List(_) | Value::Map(_) => {
            Err(error(node.position, format!("{what} is a text")))
        }
    }
}

/// A text that may be absent.
pub(crate) fn optional_text(node: Node, what: &str) -> Result<Option<Placed>, PolicyError> {
    match node.value {
        Value::Null => Ok(None),
        _ => text(node, what).map(Some),
    }
}

/// A number of things.
pub(crate) fn count(node: Node, what: &str) -> Result<usize, PolicyError> {
    let (text, position) = text(node, what)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or_else(|| {
        let message = format!("{what} is a number such as 3, not {:?}", excerpt(&text));
        error(position, message)
    })
}

/// The one entry of `key`, which must be there.
pub(crate) fn needed<T>(
    found: Option<T>,
    position: Position,
    what: &str,
    key: &str,
) -> Result<T, PolicyError> {
    found.ok_or_else(|| error(position, format!("{what} has no `{key}`; write it")))
}
