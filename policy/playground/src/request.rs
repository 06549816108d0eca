//! What the page asks for.

use alloc::{format, string::String, vec::Vec};

use serde_json::{Map, Value};

/// Longest request in bytes: every text that it may hold, at its own bound, fits. What a page does not
/// send by itself is refused before it is read.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One request.
#[derive(Debug)]
pub(crate) enum Request {
    /// Questions to a policy and relationships.
    Ask(Ask),
    /// A model or schema of others to translate.
    Import(Import),
    /// A policy to rewrite as everybody writes them.
    Format { policy: String },
}

/// A policy, what is recorded under it, and what is to be shown.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    pub policy: String,
    pub relationships: String,
    pub questions: String,
    pub theorems: String,
    /// RFC 3339.
    pub time: String,
    /// A JSON object, or nothing.
    pub context: String,
    pub show: Vec<Show>,
    pub is_dark: bool,
    /// The line of the question whose answer the drawing of relationships is to show.
    pub line: Option<usize>,
    /// What to draw relationships around, where not all of them.
    pub around: String,
    pub steps: usize,
}

/// A part of the answer that takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Answers,
    Schema,
    Relationships,
    Theorems,
}

/// What is to be translated.
#[derive(Debug)]
pub(crate) struct Import {
    pub notation: Notation,
    pub model: String,
    pub relationships: String,
    /// The type whose objects become actors; none where this is empty.
    pub actor: String,
}

/// In what it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Openfga,
    Spicedb,
}

impl Request {
    /// Reads a request. Fields that are left out are empty.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > REQUEST_BYTES_MAX {
            return Err(format!(
                "the texts are longer than {REQUEST_BYTES_MAX} bytes together; shorten them"
            ));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| format!("{error}"))?;
        let Value::Object(fields) = value else {
            return Err("a request is a JSON object".into());
        };
        match text_of(&fields, "do")?.as_str() {
            "ask" => Ask::read(&fields).map(Self::Ask),
            "import" => Import::read(&fields).map(Self::Import),
            "format" => Ok(Self::Format {
                policy: text_of(&fields, "policy")?,
            }),
            other => Err(format!("there is nothing to do that is called {other:?}")),
        }
    }
}

impl Ask {
    fn read(fields: &Map<String, Value>) -> Result<Self, String> {
        let show = match fields.get("show") {
            None => Vec::new(),
            Some(Value::Array(names)) => names.iter().map(show).collect::<Result<_, _>>()?,
            Some(_) => return Err("`show` is a list".into()),
        };
        Ok(Self {
            policy: text_of(fields, "policy")?,
            relationships: text_of(fields, "relationships")?,
            questions: text_of(fields, "questions")?,
            theorems: text_of(fields, "theorems")?,
            time: text_of(fields, "time")?,
            context: text_of(fields, "context")?,
            show,
            is_dark: text_of(fields, "scheme")? == "dark",
            line: number_of(fields, "line")?,
            around: text_of(fields, "around")?,
            steps: number_of(fields, "steps")?.unwrap_or(2),
        })
    }

    pub(crate) fn shows(&self, part: Show) -> bool {
        self.show.contains(&part)
    }
}

impl Import {
    fn read(fields: &Map<String, Value>) -> Result<Self, String> {
        Ok(Self {
            notation: match text_of(fields, "notation")?.as_str() {
                "openfga" => Notation::Openfga,
                "spicedb" => Notation::Spicedb,
                other => return Err(format!("there is no notation {other:?}")),
            },
            model: text_of(fields, "model")?,
            relationships: text_of(fields, "relationships")?,
            actor: text_of(fields, "actor")?,
        })
    }
}

fn show(name: &Value) -> Result<Show, String> {
    Ok(match name.as_str() {
        Some("answers") => Show::Answers,
        Some("schema") => Show::Schema,
        Some("relationships") => Show::Relationships,
        Some("theorems") => Show::Theorems,
        _ => return Err(format!("there is nothing to show that is called {name}")),
    })
}

fn text_of(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("`{name}` is a text")),
    }
}

fn number_of(fields: &Map<String, Value>, name: &str) -> Result<Option<usize>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().and_then(|number| number.try_into().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("`{name}` is a whole number")),
        },
    }
}
