//! Which kind of test file a text is, by its keys.

use crate::{
    limits::TEST_FILE_BYTES_MAX,
    schema::PolicyError,
    yaml::{self, error, Value},
};

/// The kinds of files that are run as tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Ours: it has `policy` or `policy_file`.
    Ours,
    /// An OpenFGA store file: it has `model` or `model_file`.
    Openfga,
    /// A SpiceDB validation file: it has `schema` or `schemaFile`.
    Spicedb,
}

/// Recognises a test file by the keys of its map.
///
/// # Errors
/// [`PolicyError`] if the text is no YAML, or has none of the keys.
pub fn recognise(text: &str) -> Result<FileKind, PolicyError> {
    let kind = yaml::Kind {
        what: "the test file",
        needs: "`policy`",
        bytes_max: TEST_FILE_BYTES_MAX,
        tabs: true,
    };
    let root = yaml::read_as(text, &kind)?;
    let position = root.position;
    let entries = match root.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Text(_) | Value::List(_) => alloc::vec::Vec::new(),
    };
    let found = entries.iter().find_map(|entry| match entry.key.as_str() {
        "policy" | "policy_file" => Some(FileKind::Ours),
        "model" | "model_file" => Some(FileKind::Openfga),
        "schema" | "schemaFile" => Some(FileKind::Spicedb),
        _ => None,
    });
    found.ok_or_else(|| {
        error(
            position,
            "this is no test file: it has neither `policy` nor `policy_file` (ours), nor `model` (OpenFGA), nor `schema` (SpiceDB)",
        )
    })
}
