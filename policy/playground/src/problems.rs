//! What is wrong with the texts: for each editor of the page a list of places and words.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use policy::Position;
use serde_json::{json, Value};

/// One thing that is wrong, or hardly meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub position: Position,
    pub message: String,
    pub is_warning: bool,
}

impl Problem {
    pub(crate) fn error(position: Position, message: impl ToString) -> Self {
        Self {
            position,
            message: message.to_string(),
            is_warning: false,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "line": self.position.line,
            "column": self.position.column,
            "message": self.message,
            "kind": if self.is_warning { "warning" } else { "error" },
        })
    }
}

/// Problems by the editor that they are to be shown at.
#[derive(Debug, Default)]
pub(crate) struct Problems(BTreeMap<&'static str, Vec<Problem>>);

impl Problems {
    pub(crate) fn add(
        &mut self,
        editor: &'static str,
        problems: impl IntoIterator<Item = Problem>,
    ) {
        self.0.entry(editor).or_default().extend(problems);
    }

    pub(crate) fn to_json(&self) -> Value {
        let lists = self.0.iter().filter(|(_, list)| !list.is_empty());
        lists
            .map(|(editor, list)| {
                let list: Vec<Value> = list.iter().map(Problem::to_json).collect();
                ((*editor).to_string(), Value::from(list))
            })
            .collect()
    }
}

/// The beginning of a text: where things are said that have no better place.
pub(crate) const START: Position = Position { line: 1, column: 1 };
