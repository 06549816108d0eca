//! Reads lists of tuples: in store files, and in files of their own.

use alloc::{format, string::String, vec::Vec};

use super::{
    csv,
    data::{from_json, read, span},
    error::{Class, Error},
    reader::Reader,
    tuple::{Tuple, TupleCondition},
};
use crate::{limits::OPENFGA_STORE_BYTES_MAX, name::excerpt, yaml::Node};

/// How a list of tuples is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TupleFormat {
    /// A list of maps with `user`, `relation`, `object` and `condition`.
    Yaml,
    /// The same.
    Json,
    /// Columns `user_type`, `user_id`, `user_relation`, `relation`, `object_type`, `object_id`,
    /// `condition_name` and `condition_context`.
    Csv,
}

impl TupleFormat {
    /// The format that a file's name tells: `.yaml`, `.yml`, `.json` or `.csv`.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// Reads a list of tuples.
///
/// # Errors
/// All that is not of the form, with places where the format has them.
pub fn parse_tuples(text: &str, format: TupleFormat) -> Result<Vec<Tuple>, Vec<Error>> {
    if text.len() > OPENFGA_STORE_BYTES_MAX {
        let message = format!("the file is longer than {OPENFGA_STORE_BYTES_MAX} bytes; split it");
        return Err(alloc::vec![Error::new(None, Class::Limit, message)]);
    }
    let node = match format {
        TupleFormat::Yaml => read(text)?,
        TupleFormat::Json => {
            let value = serde_json::from_str(text).map_err(|json| {
                let message = format!("this is not JSON: {json}");
                alloc::vec![Error::new(None, Class::Form, message)]
            })?;
            from_json(&value)
        }
        TupleFormat::Csv => return from_csv(text),
    };
    let mut reader = Reader::default();
    let tuples = tuples(&mut reader, Some(&node));
    reader.finish(Some(tuples))
}

pub(super) fn tuples(reader: &mut Reader, node: Option<&Node>) -> Vec<Tuple> {
    let items = reader.list(node, "the list of tuples").iter();
    items.filter_map(|item| tuple(reader, item)).collect()
}

fn tuple(reader: &mut Reader, node: &Node) -> Option<Tuple> {
    let known = ["user", "relation", "object", "condition"];
    let fields = reader.fields(node, "the tuple", &known)?;
    let user = reader.needed(node, &fields, "user", "the tuple");
    let relation = reader.needed(node, &fields, "relation", "the tuple");
    let object = reader.needed(node, &fields, "object", "the tuple");
    let condition = match fields.get("condition") {
        Some(node) => Some(condition(reader, node)?),
        None => None,
    };
    let tuple = Tuple {
        user: user?,
        relation: relation?,
        object: object?,
        condition,
    };
    for (key, text) in [("user", &tuple.user), ("object", &tuple.object)] {
        let parted = text.split_once(':');
        if parted.is_none_or(|(kind, id)| kind.is_empty() || id.is_empty()) {
            let text = excerpt(text);
            reader.report(span(node), format!("{text:?} is no {key}; write type:id"));
        }
    }
    Some(tuple)
}

fn condition(reader: &mut Reader, node: &Node) -> Option<TupleCondition> {
    let fields = reader.fields(node, "the condition", &["name", "context"])?;
    Some(TupleCondition {
        name: reader.needed(node, &fields, "name", "the condition")?,
        context: reader.object(fields.get("context").copied(), "context"),
    })
}

const COLUMNS: [&str; 8] = [
    "user_type",
    "user_id",
    "user_relation",
    "relation",
    "object_type",
    "object_id",
    "condition_name",
    "condition_context",
];

fn from_csv(text: &str) -> Result<Vec<Tuple>, Vec<Error>> {
    let rows = csv::rows(text).map_err(|error| alloc::vec![error])?;
    let Some(((line, header), rows)) = rows.split_first() else {
        let message = format!("the file is empty; begin it with {}", COLUMNS.join(","));
        return Err(alloc::vec![csv::error(1, message)]);
    };
    let mut errors = Vec::new();
    for column in header {
        if !COLUMNS.contains(&column.trim()) {
            let message = format!("the column {:?} is unknown; remove it", excerpt(column));
            errors.push(csv::error(*line, message));
        }
    }
    let place = |name: &str| header.iter().position(|column| column.trim() == name);
    let places = COLUMNS.map(place);
    for name in [
        "user_type",
        "user_id",
        "relation",
        "object_type",
        "object_id",
    ] {
        if place(name).is_none() {
            errors.push(csv::error(
                *line,
                format!("the column {name:?} is missing; add it"),
            ));
        }
    }
    let mut tuples = Vec::new();
    for (line, row) in rows {
        if row.len() != header.len() {
            let message = format!("{} columns are needed, {} found", header.len(), row.len());
            errors.push(csv::error(*line, message));
            continue;
        }
        match from_row(row, places) {
            Ok(tuple) => tuples.push(tuple),
            Err(message) => errors.push(csv::error(*line, message)),
        }
    }
    if errors.is_empty() {
        Ok(tuples)
    } else {
        Err(errors)
    }
}

fn from_row(row: &[String], places: [Option<usize>; 8]) -> Result<Tuple, String> {
    let field = |at: usize| {
        let place = places.get(at).copied().flatten();
        place
            .and_then(|place| row.get(place))
            .map_or("", |text| text.trim())
    };
    let [kind, id, userset, relation, object_kind, object_id, name, context] =
        [0, 1, 2, 3, 4, 5, 6, 7].map(field);
    if [kind, id, relation, object_kind, object_id].contains(&"") {
        return Err("a field is empty that a tuple needs; fill it in".into());
    }
    let mut user = format!("{kind}:{id}");
    if !userset.is_empty() {
        user = format!("{user}#{userset}");
    }
    let condition = match (name, context) {
        ("", "") => None,
        ("", _) => return Err("a context stands without a condition; name it".into()),
        (name, "") => Some(TupleCondition {
            name: name.into(),
            ..TupleCondition::default()
        }),
        (name, context) => Some(TupleCondition {
            name: name.into(),
            context: serde_json::from_str(context)
                .map_err(|json| format!("the context is no JSON object: {json}"))?,
        }),
    };
    Ok(Tuple {
        user,
        relation: relation.into(),
        object: format!("{object_kind}:{object_id}"),
        condition,
    })
}
