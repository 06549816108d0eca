//! YAML as a tree with places, strict: one document, no anchors, aliases or tags, no key twice,
//! bounded in bytes and depth. Built from the parser's events with a stack of our own, so that
//! hostile nesting meets a bound and not the end of the call stack (Invariant 7).

use alloc::{
    borrow::ToOwned,
    collections::BTreeSet,
    format,
    string::{String, ToString},
    vec::Vec,
};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::{
    limits::{DEFINITION_BYTES_MAX, YAML_DEPTH_MAX},
    name::excerpt,
    schema::{PolicyError, Position},
};

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub position: Position,
    /// Behind its last character.
    pub end: Position,
    /// Whether it is a scalar without quotes: what other notations read as a number or a truth
    /// value. The policy language reads all scalars as texts.
    pub plain: bool,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// An absent value: nothing, `~` or `null`.
    Null,
    /// Any other scalar, as text.
    Text(String),
    List(Vec<Node>),
    /// Keys in the order of the text, each once.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub key: String,
    pub position: Position,
    pub node: Node,
}

pub(crate) fn error(position: Position, message: impl Into<String>) -> PolicyError {
    PolicyError {
        position,
        message: message.into(),
    }
}

/// A collection whose end has not come yet.
struct Open {
    position: Position,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        keys: BTreeSet<String>,
        key: Option<(String, Position)>,
    },
}

/// What is read: its name in errors, and its bounds.
pub(crate) struct Kind {
    /// With its article: `the policy`.
    pub what: &'static str,
    /// What it must hold at least, for the error of an empty one.
    pub needs: &'static str,
    /// Longest text in bytes.
    pub bytes_max: usize,
    /// Whether a line may begin with a tab: inside a block scalar the tab is content (a SpiceDB
    /// schema, for example); anywhere else the parser refuses it in its own words.
    pub tabs: bool,
}

const POLICY: Kind = Kind {
    what: "the policy",
    needs: "`resources`",
    bytes_max: DEFINITION_BYTES_MAX,
    tabs: false,
};

/// Reads `text` as one policy document.
pub(crate) fn read(text: &str) -> Result<Node, PolicyError> {
    read_as(text, &POLICY)
}

/// Reads `text` as one document of another kind.
pub(crate) fn read_as(text: &str, kind: &Kind) -> Result<Node, PolicyError> {
    let start = Position { line: 1, column: 1 };
    let Kind {
        what, bytes_max, ..
    } = kind;
    if text.len() > *bytes_max {
        return Err(error(
            start,
            format!("{what} is longer than {bytes_max} bytes; split it"),
        ));
    }
    // YAML forbids tabs in indentation, and parsers differ on what they do there.
    for (at, line) in text.lines().enumerate().filter(|_| !kind.tabs) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(column) = line.get(..indent).and_then(|indent| indent.find('\t')) {
            let position = Position {
                line: at + 1,
                column: column + 1,
            };
            return Err(error(
                position,
                "a tab stands in the indentation; indent with spaces",
            ));
        }
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|scan| {
            let position = Position {
                line: scan.marker().line(),
                column: scan.marker().col() + 1,
            };
            error(position, format!("this is not YAML: {}", hint(scan.info())))
        })?;
        let (position, end) = (place(&span.start), place(&span.end));
        let node = match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(error(
                        position,
                        format!("{what} is one document; remove what follows `---`"),
                    ));
                }
                continue;
            }
            Event::Alias(_) => {
                return Err(error(
                    position,
                    "aliases are not allowed; write \"*\" in quotes for everyone",
                ))
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_decoration(position, anchor, tag.is_some())?;
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                Node {
                    position,
                    end,
                    plain: style == ScalarStyle::Plain,
                    value: if null {
                        Value::Null
                    } else {
                        Value::Text(text.into_owned())
                    },
                }
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_decoration(position, anchor, tag.is_some())?;
                push(&mut open, position, Content::List(Vec::new()))?;
                continue;
            }
            Event::MappingStart(anchor, tag) => {
                refuse_decoration(position, anchor, tag.is_some())?;
                push(
                    &mut open,
                    position,
                    Content::Map {
                        entries: Vec::new(),
                        keys: BTreeSet::new(),
                        key: None,
                    },
                )?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open {
                    position,
                    content: Content::List(items),
                }) => Node {
                    position,
                    end,
                    plain: false,
                    value: Value::List(items),
                },
                Some(Open {
                    position,
                    content: Content::Map { entries, .. },
                }) => Node {
                    position,
                    end,
                    plain: false,
                    value: Value::Map(entries),
                },
                None => {
                    return Err(error(
                        position,
                        "this is not YAML: a collection ends that never began",
                    ))
                }
            },
        };
        match open.last_mut() {
            None => root = Some(node),
            Some(Open {
                content: Content::List(items),
                ..
            }) => items.push(node),
            Some(Open {
                content: Content::Map { entries, keys, key },
                ..
            }) => match key.take() {
                Some((key, position)) => entries.push(Entry {
                    key,
                    position,
                    node,
                }),
                None => *key = Some(read_key(node, keys)?),
            },
        }
    }
    root.ok_or_else(|| {
        let needs = kind.needs;
        error(start, format!("{what} is empty; it needs at least {needs}"))
    })
}

fn read_key(node: Node, keys: &mut BTreeSet<String>) -> Result<(String, Position), PolicyError> {
    let Value::Text(text) = node.value else {
        return Err(error(node.position, "a key must be a word"));
    };
    if !keys.insert(text.clone()) {
        return Err(error(
            node.position,
            format!(
                "{:?} stands here for the second time; remove one",
                excerpt(&text)
            ),
        ));
    }
    Ok((text, node.position))
}

fn push(open: &mut Vec<Open>, position: Position, content: Content) -> Result<(), PolicyError> {
    if let Some(Open {
        content: Content::Map { key: None, .. },
        ..
    }) = open.last()
    {
        return Err(error(position, "a key must be a word"));
    }
    if open.len() >= YAML_DEPTH_MAX {
        return Err(error(
            position,
            format!("collections nest deeper than {YAML_DEPTH_MAX} levels"),
        ));
    }
    open.push(Open { position, content });
    Ok(())
}

fn refuse_decoration(position: Position, anchor: usize, tagged: bool) -> Result<(), PolicyError> {
    if anchor != 0 {
        return Err(error(
            position,
            "anchors are not allowed; write the value out",
        ));
    }
    if tagged {
        return Err(error(
            position,
            "tags are not allowed; put the value in quotes",
        ));
    }
    Ok(())
}

fn place(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

/// The parser's words, with what a person can do where we know it.
fn hint(info: &str) -> String {
    if info.contains("unknown anchor") || info.contains("alphabetic or numeric") {
        return "an alias names nothing; write \"*\" in quotes for everyone".to_owned();
    }
    info.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> String {
        read(text)
            .map(|_| text)
            .expect_err("this must be refused")
            .to_string()
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused_with_its_place() {
        for (text, expected) in [
            (
                "a: 1\na: 2\n",
                "line 2, column 1: \"a\" stands here for the second time; remove one",
            ),
            ("a: &x 1\n", "line 1, column"),
            (
                "a: *x\n",
                "line 1, column 4: this is not YAML: an alias names nothing",
            ),
            ("a: !!str 1\n", "tags are not allowed"),
            ("a: 1\n---\nb: 2\n", "the policy is one document"),
            ("[a]: 1\n", "a key must be a word"),
            ("? {a: 1}\n: 2\n", "a key must be a word"),
            ("~: 1\n", "a key must be a word"),
            ("", "the policy is empty"),
            ("# nothing\n", "the policy is empty"),
            ("a: [1\n", "this is not YAML"),
            ("\ta: 1\n", "a tab stands in the indentation"),
        ] {
            let message = failure(text);
            assert!(message.contains(expected), "{text:?} gave {message:?}");
        }
    }

    #[test]
    fn hostile_nesting_meets_a_bound() {
        for text in [
            "[".repeat(60_000),
            "{a: ".repeat(15_000),
            "- ".repeat(30_000),
            "? ".repeat(30_000),
        ] {
            let message = failure(&text);
            assert!(
                message.contains("deeper")
                    || message.contains("not YAML")
                    || message.contains("key must"),
                "{message}"
            );
        }
        assert!(failure(&"a".repeat(DEFINITION_BYTES_MAX + 1)).contains("longer than"));
    }
}
