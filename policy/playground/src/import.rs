//! Models and schemas of others, translated: what `hold policy import` does.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use policy::{
    openfga::{self, TupleFormat},
    spicedb, Policy, Position,
};
use serde_json::{json, Value};

use crate::{
    problems::{Problem, Problems, START},
    request::{Import, Notation},
};

/// Translates a model and relationships, each by itself.
pub(crate) fn import(wanted: &Import) -> Value {
    let mut problems = Problems::default();
    let actor = Some(wanted.actor.trim()).filter(|actor| !actor.is_empty());
    let policy = match wanted.model.trim() {
        "" => None,
        _ => model(wanted.notation, &wanted.model, actor)
            .map_err(|wrong| problems.add("model", wrong))
            .ok(),
    };
    let relationships = match wanted.relationships.trim() {
        "" => Some(String::new()),
        _ => relationships(wanted.notation, &wanted.relationships, actor)
            .map_err(|wrong| problems.add("tuples", wrong))
            .ok(),
    };
    json!({
        "policy": policy,
        "relationships": relationships,
        "problems": problems.to_json(),
    })
}

fn model(notation: Notation, text: &str, actor: Option<&str>) -> Result<String, Vec<Problem>> {
    let outline = match notation {
        Notation::Spicedb => {
            let options = spicedb::ImportOptions { name: "", actor };
            spicedb::import(text, &options).map_err(|error| alloc::vec![of_spicedb(error)])?
        }
        Notation::Openfga => {
            let model = match text.trim_start().starts_with('{') {
                true => openfga::parse_json(text),
                false => openfga::parse_dsl(text),
            };
            let outline = model.and_then(|model| openfga::import(&model, actor));
            outline.map_err(of_openfga)?
        }
    };
    let yaml = outline.to_yaml();
    // What is written must be taken.
    match Policy::parse(&yaml) {
        Ok(_) => Ok(yaml),
        Err(error) => {
            let message = format!("this cannot be a policy here: {error}");
            Err(alloc::vec![Problem::error(START, message)])
        }
    }
}

fn relationships(
    notation: Notation,
    text: &str,
    actor: Option<&str>,
) -> Result<String, Vec<Problem>> {
    let mut lines: Vec<String> = Vec::new();
    match notation {
        Notation::Openfga => {
            let first = text.trim_start();
            let format = match first.chars().next() {
                Some('[' | '{') => TupleFormat::Json,
                _ if first.starts_with("user_type,") => TupleFormat::Csv,
                _ => TupleFormat::Yaml,
            };
            for tuple in openfga::parse_tuples(text, format).map_err(of_openfga)? {
                let native = tuple.to_native(actor);
                lines.push(native.map_err(|error| of_openfga(alloc::vec![error]))?);
            }
        }
        Notation::Spicedb => {
            for (at, line) in text.lines().enumerate() {
                let (line, start) = (
                    line.trim(),
                    Position {
                        line: at + 1,
                        column: 1,
                    },
                );
                if line.is_empty() || line.starts_with("//") {
                    continue;
                }
                let read = spicedb::Relationship::parse_at(line, start)
                    .and_then(|relationship| relationship.to_native(actor));
                lines.push(read.map_err(|error| alloc::vec![of_spicedb(error)])?);
            }
        }
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn of_spicedb(error: spicedb::SpicedbError) -> Problem {
    Problem::error(error.position, error.message)
}

fn of_openfga(errors: Vec<openfga::Error>) -> Vec<Problem> {
    let errors = errors.into_iter();
    errors
        .map(|error| {
            let position = error.span.map_or(START, |span| span.start);
            Problem::error(position, error.message.to_string())
        })
        .collect()
}
