//! The conditions of a policy as a box of their own, beside the resources.

use alloc::{format, string::String, vec::Vec};

use super::{
    facts::Facts,
    picture::{Gap, Group, Piece, Row, RowKind, Shape, Tone},
    schema::hint,
};

/// A box of its own for the conditions that chips name.
pub(crate) fn conditions(facts: &Facts) -> Option<Group> {
    let rows: Vec<Row> = facts
        .conditions
        .iter()
        .map(|condition| {
            let parameters =
                condition
                    .parameters
                    .iter()
                    .enumerate()
                    .flat_map(|(at, (name, kind))| {
                        let comma = if at + 1 < condition.parameters.len() {
                            ","
                        } else {
                            ""
                        };
                        [
                            Piece::new(format!("{name}:"), Tone::Quiet, Gap::Break),
                            Piece::new(format!("{kind}{comma}"), Tone::Quiet, Gap::Space),
                        ]
                    });
            let words = condition.expression.split_whitespace();
            let expression = words.map(|word| Piece::new(word, Tone::Plain, Gap::Break));
            Row {
                name: condition.name.clone(),
                kind: RowKind::Relation,
                details: [parameters.collect::<Vec<_>>(), expression.collect()]
                    .into_iter()
                    .filter(|pieces| !pieces.is_empty())
                    .collect(),
                hint: hint(&format!("condition {}", condition.name), &condition.doc),
                reads: Vec::new(),
                highlighted: false,
            }
        })
        .collect();
    (!rows.is_empty()).then(|| Group {
        label: "conditions".into(),
        note: String::new(),
        hint: "conditions that relationships may carry".into(),
        shape: Shape::Table,
        hue: None,
        rows,
        highlighted: false,
    })
}
