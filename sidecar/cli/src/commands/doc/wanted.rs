//! What a person wants written, and whether the blocks that a sidecar prepared are that and
//! nothing else.
//!
//! The sidecar makes the blocks because it knows the document's heads and schema. The key is
//! here, so it is here that somebody must look before signing: chain, author, document, scope and
//! every operation are decoded from the bytes that will be signed and compared with what was
//! typed.

use anyhow::{bail, ensure, Context as _};
use crdt::{
    Cid, CollectionPreimage, Disclosure, DocumentId, DocumentRef, Float, HeaderBlock, Operation,
    Value,
};
use identity::{ChainId, Did};
use serde_json::{json, Map, Value as Json};

/// One change of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// A register's new value.
    Set(String, Value),
    /// How much is added to a counter.
    Increment(String, i64),
    /// An element that is added to a set.
    Add(String, Value),
    /// An element that is removed from a set. Its adds are named by the sidecar.
    Remove(String, Value),
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// A new document.
    Create {
        collection: CollectionPreimage,
        scope: String,
        changes: Vec<Change>,
    },
    /// Changes of one.
    Update {
        document: DocumentId,
        changes: Vec<Change>,
    },
    /// Its end.
    Delete { document: DocumentId },
    /// The way back. `None` where the sidecar was asked to find the state of an anchor: then its
    /// choice is shown, not checked.
    Rollback {
        document: DocumentId,
        target: Option<Vec<Cid>>,
    },
}

/// `field=value`; the value is JSON where it reads as JSON, else text.
pub(crate) fn parse_assignment(text: &str) -> anyhow::Result<(String, Value)> {
    let (field, value) = text
        .split_once('=')
        .with_context(|| format!("\"{text}\" is no change of a field; write field=value"))?;
    Ok((field.to_owned(), parse_value(value)?))
}

/// A value as it is typed.
pub(crate) fn parse_value(text: &str) -> anyhow::Result<Value> {
    let Ok(json) = serde_json::from_str::<Json>(text) else {
        return Ok(Value::Text(text.to_owned()));
    };
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::String(text) => Value::Text(text),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) if number.is_f64() => {
                Value::Float(Float::from_bits(float.to_bits())?)
            }
            _ => bail!("{text} does not fit into 64 bits with sign"),
        },
        Json::Array(_) | Json::Object(_) => {
            bail!("a field holds null, true or false, a number or text, not {text}")
        }
    })
}

/// `field=n`.
pub(crate) fn parse_increment(text: &str) -> anyhow::Result<(String, i64)> {
    let (field, by) = text
        .split_once('=')
        .with_context(|| format!("\"{text}\" is no increment; write field=number"))?;
    let by = by
        .parse()
        .with_context(|| format!("\"{by}\" is no whole number of 64 bits"))?;
    Ok((field.to_owned(), by))
}

/// A value as the sidecar's API takes it.
pub(crate) fn to_json(value: &Value) -> Json {
    use base64::Engine as _;
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Float(value) => json!(f64::from_bits(value.to_bits())),
        Value::Bytes(bytes) => {
            json!({"$bytes": base64::engine::general_purpose::STANDARD.encode(bytes)})
        }
        Value::Text(text) => json!(text),
    }
}

/// The fields of a new document as the API takes them.
///
/// # Errors
/// When a field is given in two ways, or a removal is asked of nothing.
pub(crate) fn creation_fields(changes: &[Change]) -> anyhow::Result<Map<String, Json>> {
    let mut fields = Map::new();
    for change in changes {
        let (field, value) = match change {
            Change::Set(field, value) => (field, to_json(value)),
            Change::Increment(field, by) => (field, json!(by)),
            Change::Add(field, value) => {
                let list = fields
                    .entry(field.clone())
                    .or_insert_with(|| Json::Array(Vec::new()));
                let Json::Array(list) = list else {
                    bail!("field \"{field}\" is given in two ways");
                };
                list.push(to_json(value));
                continue;
            }
            Change::Remove(..) => bail!("a new document has nothing to remove"),
        };
        if fields.insert(field.clone(), value).is_some() {
            bail!("field \"{field}\" is given twice");
        }
    }
    Ok(fields)
}

/// Changes of a document as the API takes them.
///
/// # Errors
/// When a register or counter is given twice.
pub(crate) fn update_changes(changes: &[Change]) -> anyhow::Result<Json> {
    let mut set = Map::new();
    let mut increment = Map::new();
    let mut add: Map<String, Json> = Map::new();
    let mut remove: Map<String, Json> = Map::new();
    let push = |map: &mut Map<String, Json>, field: &String, value: &Value| {
        let list = map
            .entry(field.clone())
            .or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(list) = list {
            list.push(to_json(value));
        }
    };
    for change in changes {
        let twice = match change {
            Change::Set(field, value) => set.insert(field.clone(), to_json(value)).map(|_| field),
            Change::Increment(field, by) => {
                increment.insert(field.clone(), json!(by)).map(|_| field)
            }
            Change::Add(field, value) => {
                push(&mut add, field, value);
                None
            }
            Change::Remove(field, value) => {
                push(&mut remove, field, value);
                None
            }
        };
        if let Some(field) = twice {
            bail!("field \"{field}\" is given twice");
        }
    }
    Ok(json!({"set": set, "increment": increment, "add": add, "remove": remove}))
}

/// Decodes what a sidecar prepared and compares it with what was asked for.
///
/// # Errors
/// The first difference. Nothing is signed then.
pub(crate) fn check(
    wanted: &Wanted,
    author: &Did,
    chain: &ChainId,
    header: Vec<u8>,
    body: &[u8],
) -> anyhow::Result<HeaderBlock> {
    let block = HeaderBlock::decode(header).context("the header cannot be read")?;
    let header = block.header();
    ensure!(
        header.chain == *chain,
        "the header is for chain {}",
        header.chain
    );
    ensure!(
        header.author == *author,
        "the header names another author, {}",
        header.author
    );
    let opened = header
        .open_body(block.cid(), body)
        .context("the body is not the one that the header links to")?;
    let Disclosure::Open(opened) = opened else {
        bail!("the body cannot be read");
    };
    let operations = opened.operations().context("the body is sealed")?;
    match wanted {
        Wanted::Create {
            collection,
            scope,
            changes,
        } => {
            let preimage = header
                .preimage()
                .context("the header is not that of a new document")?;
            ensure!(
                preimage.collection == collection.id(),
                "it is of another collection"
            );
            ensure!(
                preimage.scope.to_string() == *scope,
                "it is in another scope, {}",
                preimage.scope
            );
            check_changes(changes, operations)?;
        }
        Wanted::Update { document, changes } => {
            check_document(header.document.clone(), *document)?;
            check_changes(changes, operations)?;
        }
        Wanted::Delete { document } => {
            check_document(header.document.clone(), *document)?;
            ensure!(
                operations == [Operation::Delete],
                "it does not delete the document, or not only"
            );
        }
        Wanted::Rollback { document, target } => {
            check_document(header.document.clone(), *document)?;
            let [Operation::Rollback { target: found }] = operations else {
                bail!("it does not roll back, or not only");
            };
            if let Some(target) = target {
                let mut target = target.clone();
                target.sort_unstable();
                target.dedup();
                ensure!(*found == target, "it rolls back to another point");
            }
        }
    }
    Ok(block)
}

fn check_document(found: DocumentRef, expected: DocumentId) -> anyhow::Result<()> {
    match found {
        DocumentRef::Known(found) if found == expected => Ok(()),
        found => bail!("it is of another document, {}", found.id()),
    }
}

/// Every change stands for one operation, and no operation is left over.
fn check_changes(changes: &[Change], operations: &[Operation]) -> anyhow::Result<()> {
    let mut left: Vec<&Change> = changes.iter().collect();
    for operation in operations {
        let place = left.iter().position(|change| match (change, operation) {
            (Change::Set(a, x), Operation::Set { field: b, value: y })
            | (Change::Add(a, x), Operation::Add { field: b, value: y }) => a == b && x == y,
            (Change::Increment(a, x), Operation::Increment { field: b, by: y }) => a == b && x == y,
            // Which adds hold the element is the sidecar's knowledge.
            (Change::Remove(a, _), Operation::Remove { field: b, .. }) => a == b,
            _ => false,
        });
        match place {
            Some(place) => left.swap_remove(place),
            None => bail!("it holds an operation that was not asked for: {operation:?}"),
        };
    }
    match left.first() {
        None => Ok(()),
        Some(change) => bail!("it lacks a change that was asked for: {change:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt::{Authority, CollectionId, DocumentPreimage, Draft, Prepared, Schema, Scope};
    use identity::{KeyKind, SecretKey};

    fn author() -> Did {
        SecretKey::from_seed(KeyKind::Ed25519, [7; 32])
            .unwrap()
            .did()
    }

    fn chain() -> ChainId {
        ChainId::parse("plant-1").unwrap()
    }

    fn collection() -> CollectionPreimage {
        CollectionPreimage::new(chain(), [3; 32], "batch", "batches").unwrap()
    }

    fn changes() -> Vec<Change> {
        vec![
            Change::Set("status".into(), Value::from("open")),
            Change::Increment("units".into(), 3),
            Change::Add("tags".into(), Value::from("urgent")),
        ]
    }

    fn operations() -> Vec<Operation> {
        vec![
            Operation::Add {
                field: "tags".into(),
                value: Value::from("urgent"),
            },
            Operation::Set {
                field: "status".into(),
                value: Value::from("open"),
            },
            Operation::Increment {
                field: "units".into(),
                by: 3,
            },
        ]
    }

    fn prepare(operations: Vec<Operation>, scope: &str, author: &Did, chain: ChainId) -> Prepared {
        let schema = Schema::from_json(
            r#"{"fields": {"status": {"kind": "register"}, "units": {"kind": "counter"}, "tags": {"kind": "set"}}}"#,
        )
        .unwrap();
        Draft {
            chain,
            document: DocumentRef::First(DocumentPreimage {
                collection: CollectionId(*collection().id().cid()),
                scope: Scope::new("cell", scope).unwrap(),
                author: author.clone(),
                nonce: [1; 16],
            }),
            schema_version: 1,
            parents: Vec::new(),
            author: author.clone(),
            claimed_time_ms: 1,
            authority: Authority {
                revision: 1,
                height: 2,
            },
            salt: [2; 16],
            operations,
        }
        .prepare(&schema)
        .unwrap()
    }

    fn wanted() -> Wanted {
        Wanted::Create {
            collection: collection(),
            scope: "cell:1".into(),
            changes: changes(),
        }
    }

    fn checked(prepared: &Prepared) -> anyhow::Result<HeaderBlock> {
        check(
            &wanted(),
            &author(),
            &chain(),
            prepared.header.bytes().to_vec(),
            prepared.body.bytes(),
        )
    }

    #[test]
    fn what_was_asked_for_is_signed_in_any_order() {
        checked(&prepare(operations(), "1", &author(), chain())).unwrap();
    }

    #[test]
    fn a_sidecar_cannot_slip_anything_else_under_the_signature() {
        let other = SecretKey::from_seed(KeyKind::Ed25519, [8; 32])
            .unwrap()
            .did();
        let with = |change: &dyn Fn(&mut Vec<Operation>)| {
            let mut list = operations();
            change(&mut list);
            prepare(list, "1", &author(), chain())
        };
        let units = |by| Operation::Increment {
            field: "units".into(),
            by,
        };
        for (what, prepared) in [
            ("more", with(&|list| list.push(units(1000)))),
            (
                "less",
                with(&|list| {
                    list.pop();
                }),
            ),
            ("other", with(&|list| list[2] = units(4))),
            ("twice", with(&|list| list.push(list[2].clone()))),
            ("delete", with(&|list| list.push(Operation::Delete))),
            ("scope", prepare(operations(), "2", &author(), chain())),
            ("author", prepare(operations(), "1", &other, chain())),
            (
                "chain",
                prepare(
                    operations(),
                    "1",
                    &author(),
                    ChainId::parse("plant-2").unwrap(),
                ),
            ),
        ] {
            assert!(checked(&prepared).is_err(), "{what}");
        }
        let good = prepare(operations(), "1", &author(), chain());
        let mut body = good.body.bytes().to_vec();
        body[20] ^= 1;
        assert!(check(
            &wanted(),
            &author(),
            &chain(),
            good.header.bytes().to_vec(),
            &body
        )
        .is_err());
        let id = DocumentId(*collection().id().cid());
        for other in [
            Wanted::Delete { document: id },
            Wanted::Update {
                document: id,
                changes: changes(),
            },
            Wanted::Rollback {
                document: id,
                target: None,
            },
        ] {
            let header = good.header.bytes().to_vec();
            assert!(check(&other, &author(), &chain(), header, good.body.bytes()).is_err());
        }
    }

    #[test]
    fn values_are_json_where_they_read_as_json_and_text_otherwise() {
        for (text, value) in [
            ("open", Value::from("open")),
            ("\"7\"", Value::from("7")),
            ("7", Value::Integer(7)),
            (
                "-1.5",
                Value::Float(Float::from_bits((-1.5_f64).to_bits()).unwrap()),
            ),
            ("true", Value::Boolean(true)),
            ("null", Value::Null),
            ("", Value::from("")),
            ("a=b", Value::from("a=b")),
        ] {
            assert_eq!(parse_value(text).unwrap(), value, "{text}");
        }
        assert!(parse_value("[1]").is_err());
        assert!(parse_value("18446744073709551615").is_err());
        assert_eq!(parse_assignment("a=b=c").unwrap().1, Value::from("b=c"));
        assert!(parse_assignment("ab").is_err());
    }

    #[test]
    fn fields_that_are_given_twice_are_refused() {
        let set = |name: &str| Change::Set(name.into(), Value::Null);
        let add = |name: &str| Change::Add(name.into(), Value::Null);
        assert!(creation_fields(&[set("a"), set("a")]).is_err());
        assert!(creation_fields(&[set("a"), add("a")]).is_err());
        assert!(update_changes(&[set("a"), set("a")]).is_err());
        let both = creation_fields(&[add("a"), add("a")]).unwrap();
        assert_eq!(both["a"], json!([null, null]));
    }
}
