//! A document's state from the commits that count.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crdt::{
    materialize, Cid, Dag, Disclosure, DocumentState, FieldState, Operation, Schema, Schemas, Value,
};
use policy::Name;
use serde_json::{json, Map, Value as Json};

use crate::authority::PolicyAuthority;
use crate::bundle::commits::Document;

/// The state, or why there is none.
pub(super) fn of(
    document: &Document,
    collection: Option<(&Name, &Name)>,
    authority: &PolicyAuthority<'_>,
    counts: &dyn Fn(&Cid) -> bool,
) -> Result<DocumentState, String> {
    let withheld = document
        .commits
        .iter()
        .filter(|held| matches!(held.body, Disclosure::Absent))
        .count();
    if withheld > 0 {
        return Err(format!(
            "{withheld} of {} bodies are not in the bundle",
            document.commits.len()
        ));
    }
    let (resource, name) = collection.ok_or("its collection is not known")?;
    let schemas = schemas(authority, resource, name)?;
    let mut dag = Dag::new(document.id);
    for held in &document.commits {
        dag.insert(held.commit.clone(), held.body.clone())
            .map_err(|error| error.to_string())?;
    }
    materialize(&dag, None, counts, &schemas).map_err(|error| error.to_string())
}

/// Every version of a collection's schema.
fn schemas(
    authority: &PolicyAuthority<'_>,
    resource: &Name,
    name: &Name,
) -> Result<Schemas, String> {
    let mut schemas = Schemas::new();
    let last = authority
        .history()
        .latest()
        .map_or(0, |latest| latest.revision);
    let mut known = 0u32;
    for revision in 0..=last {
        let record = authority
            .view(revision)
            .and_then(|view| view.collection(resource, name));
        if let Some(record) = record.filter(|record| record.version > known) {
            let schema = Schema::decode(&record.schema).map_err(|error| error.to_string())?;
            schemas.insert(u64::from(record.version), schema);
            known = record.version;
        }
    }
    Ok(schemas)
}

/// Fields as JSON. Floats are shown as the hexadecimal digits of their bits: this crate never
/// computes with them (Invariant 1).
pub(super) fn fields(state: &DocumentState) -> Json {
    let fields = state.fields().into_iter().map(|(name, field)| {
        let shown = match field {
            FieldState::Register(register) => value(register.value()),
            FieldState::Counter(counter) => integer(counter.total()),
            FieldState::Set(set) => set
                .elements()
                .keys()
                .map(|element| value(element))
                .collect(),
        };
        (name.to_string(), shown)
    });
    Json::Object(fields.collect::<Map<String, Json>>())
}

fn integer(total: i128) -> Json {
    match i64::try_from(total) {
        Ok(total) => json!(total),
        Err(_) => json!(total.to_string()),
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Float(value) => json!({ "float64": format!("{:016x}", value.to_bits()) }),
        Value::Bytes(value) => json!({ "bytes": hex::encode(value) }),
        Value::Text(value) => json!(value),
    }
}

/// What a commit does, a line for each operation.
pub(super) fn operations(body: &Disclosure) -> Option<Vec<String>> {
    match body {
        Disclosure::Absent => None,
        Disclosure::Void(error) => Some(alloc::vec![format!("nothing: {error}")]),
        Disclosure::Open(body) => Some(match body.operations() {
            None => alloc::vec!["sealed".to_string()],
            Some(operations) => operations.iter().map(line).collect(),
        }),
    }
}

fn line(operation: &Operation) -> String {
    match operation.field() {
        Some(field) => format!("{} {field}", operation.kind()),
        None => operation.kind().to_string(),
    }
}
