//! Lists of relationships: one a line, or the entries of a YAML list.

use alloc::{format, string::ToString, vec::Vec};

use crate::{
    embedded::EmbeddedText,
    fields::{text, Placed},
    name::excerpt,
    relationship::Relationship,
    schema::{PolicyError, Position},
    yaml::{error, Node, Value},
};

/// A relationship and its place. One of the relation `owner`, where the policy has the implicit
/// one, registers the object for the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRelationship {
    /// Where it stands.
    pub position: Position,
    /// What it says.
    pub relationship: Relationship,
}

/// Reads one relationship a line. Empty lines are passed over, and those that begin with `//` or `#`.
///
/// # Errors
/// [`PolicyError`] with a place in `text`.
pub fn read_relationships(text: &str) -> Result<Vec<PlacedRelationship>, PolicyError> {
    let mut all = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let found = line.trim();
        if found.is_empty() || found.starts_with("//") || found.starts_with('#') {
            continue;
        }
        let before = line.split(found).next().unwrap_or("");
        let position = Position {
            line: at + 1,
            column: before.chars().count() + 1,
        };
        all.push(relationship((found.into(), position))?);
    }
    Ok(all)
}

/// Reads `relationships` or `with`: lines or a list.
pub(super) fn read_list(file: &str, node: Node) -> Result<Vec<PlacedRelationship>, PolicyError> {
    match node.value {
        Value::Null => Ok(Vec::new()),
        Value::Text(_) => {
            let embedded = EmbeddedText::new(file, text(node, "this")?);
            let place = |position| embedded.place(position);
            let mut read = read_relationships(&embedded.text)
                .map_err(|wrong| error(place(wrong.position), wrong.message))?;
            for found in &mut read {
                found.position = place(found.position);
            }
            Ok(read)
        }
        Value::List(items) => {
            let items = items.into_iter();
            items
                .map(|item| relationship(text(item, "a relationship")?))
                .collect()
        }
        Value::Map(_) => Err(error(
            node.position,
            "relationships are lines, or a list, of `resource:id#relation@subject`",
        )),
    }
}

fn relationship((text, position): Placed) -> Result<PlacedRelationship, PolicyError> {
    match text.parse() {
        Ok(relationship) => Ok(PlacedRelationship {
            position,
            relationship,
        }),
        Err(wrong) => {
            let wrong = wrong.to_string();
            let said = if wrong.contains(&excerpt(&text)) {
                wrong
            } else {
                format!("in {:?}: {wrong}", excerpt(&text))
            };
            Err(error(position, said))
        }
    }
}
