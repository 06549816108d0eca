//! Reads store files.

use alloc::{format, string::String, vec::Vec};

use serde_json::Value;

use super::{
    data::{describe, read, span, to_json},
    error::Error,
    reader::{Fields, Reader},
    store::{
        Store, StoreCheck, StoreListObjects, StoreListUsers, StoreModel, StoreTest, UserFilter,
    },
    tuples::tuples,
};
use crate::yaml::Node;

/// Reads a store file. The model in it is not looked at.
///
/// # Errors
/// All fields that are unknown, missing or not of their form, with places.
pub fn parse_store(text: &str) -> Result<Store, Vec<Error>> {
    let root = read(text)?;
    let mut reader = Reader::default();
    let store = store(&mut reader, &root);
    reader.finish(store)
}

fn store(reader: &mut Reader, root: &Node) -> Option<Store> {
    let known = [
        "name",
        "model",
        "model_file",
        "tuples",
        "tuple_file",
        "tuple_files",
        "tests",
    ];
    let fields = reader.fields(root, "the store", &known)?;
    let name = fields
        .get("name")
        .and_then(|node| reader.text(node, "name"));
    let model = match (fields.get("model"), fields.get("model_file")) {
        (Some(node), _) => reader.text(node, "model").map(|text| StoreModel::Inline {
            text,
            position: node.position,
        }),
        (None, Some(node)) => reader.text(node, "model_file").map(StoreModel::File),
        (None, None) => {
            let message = "the store has no model; add `model` or `model_file`";
            reader.report(span(root), message.into());
            None
        }
    };
    let mut tests = Vec::new();
    for node in reader.list(fields.get("tests").copied(), "tests") {
        tests.extend(test(reader, node));
    }
    Some(Store {
        name: name.unwrap_or_default(),
        tuples: tuples(reader, fields.get("tuples").copied()),
        tuple_files: tuple_files(reader, &fields),
        tests,
        model: model?,
    })
}

fn tuple_files(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let one = fields.get("tuple_file");
    let one = one.and_then(|node| reader.text(node, "tuple_file"));
    let more = reader.texts(fields.get("tuple_files").copied(), "tuple_files");
    one.into_iter().chain(more).collect()
}

fn test(reader: &mut Reader, node: &Node) -> Option<StoreTest> {
    let known = [
        "name",
        "description",
        "tuples",
        "tuple_file",
        "tuple_files",
        "check",
        "list_objects",
        "list_users",
    ];
    let fields = reader.fields(node, "the test", &known)?;
    let mut text = |key: &str| {
        let node = fields.get(key);
        node.and_then(|node| reader.text(node, key))
            .unwrap_or_default()
    };
    let (name, description) = (text("name"), text("description"));
    let list = |reader: &mut Reader, key: &str| reader.list(fields.get(key).copied(), key);
    let checks = list(reader, "check").iter();
    let checks = checks.filter_map(|node| check(reader, node)).collect();
    let objects = list(reader, "list_objects").iter();
    let objects = objects
        .filter_map(|node| list_objects(reader, node))
        .collect();
    let users = list(reader, "list_users").iter();
    let users = users.filter_map(|node| list_users(reader, node)).collect();
    Some(StoreTest {
        name,
        description,
        tuples: tuples(reader, fields.get("tuples").copied()),
        tuple_files: tuple_files(reader, &fields),
        checks,
        list_objects: objects,
        list_users: users,
        position: node.position,
    })
}

/// `user`, or all of `users`.
fn one_or_more(
    reader: &mut Reader,
    node: &Node,
    fields: &Fields<'_>,
    one: &str,
    more: &str,
) -> Option<Vec<String>> {
    match (fields.get(one), fields.get(more)) {
        (Some(node), None) => reader.text(node, one).map(|text| alloc::vec![text]),
        (None, Some(node)) => Some(reader.texts(Some(node), more)),
        (Some(_), Some(_)) => {
            let message = format!("both {one:?} and {more:?} stand here; remove one");
            reader.report(span(node), message);
            None
        }
        (None, None) => {
            reader.report(span(node), format!("the check has no {one:?}; add it"));
            None
        }
    }
}

fn check(reader: &mut Reader, node: &Node) -> Option<StoreCheck> {
    let known = [
        "user",
        "users",
        "object",
        "objects",
        "context",
        "assertions",
    ];
    let fields = reader.fields(node, "the check", &known)?;
    let users = one_or_more(reader, node, &fields, "user", "users");
    let objects = one_or_more(reader, node, &fields, "object", "objects");
    let mut assertions = Vec::new();
    for (relation, node) in asserted(reader, node, &fields) {
        match to_json(node) {
            Value::Bool(expected) => assertions.push((relation.into(), expected)),
            _ => {
                let found = describe(node);
                reader.report(
                    span(node),
                    format!("{found} stands here; write true or false"),
                );
            }
        }
    }
    Some(StoreCheck {
        users: users?,
        objects: objects?,
        context: reader.object(fields.get("context").copied(), "context"),
        assertions,
        position: node.position,
    })
}

fn asserted<'a>(reader: &mut Reader, node: &Node, fields: &Fields<'a>) -> Vec<(&'a str, &'a Node)> {
    if !fields.contains_key("assertions") {
        reader.report(span(node), "nothing is asserted; add `assertions`".into());
    }
    reader.entries(fields.get("assertions").copied(), "assertions")
}

fn list_objects(reader: &mut Reader, node: &Node) -> Option<StoreListObjects> {
    // `relation` may stand here and says nothing: the assertions name relations.
    let known = ["user", "type", "relation", "context", "assertions"];
    let fields = reader.fields(node, "the question", &known)?;
    let user = reader.needed(node, &fields, "user", "the question");
    let object_type = reader.needed(node, &fields, "type", "the question");
    let mut assertions = Vec::new();
    for (relation, node) in asserted(reader, node, &fields) {
        let objects = reader.texts(Some(node), "the list of objects");
        assertions.push((relation.into(), objects));
    }
    Some(StoreListObjects {
        user: user?,
        object_type: object_type?,
        context: reader.object(fields.get("context").copied(), "context"),
        assertions,
        position: node.position,
    })
}

fn list_users(reader: &mut Reader, node: &Node) -> Option<StoreListUsers> {
    let known = ["object", "user_filter", "context", "assertions"];
    let fields = reader.fields(node, "the question", &known)?;
    let object = reader.needed(node, &fields, "object", "the question");
    if !fields.contains_key("user_filter") {
        let message = "the question asks for no users; add `user_filter`";
        reader.report(span(node), message.into());
    }
    let mut filters = Vec::new();
    for node in reader.list(fields.get("user_filter").copied(), "user_filter") {
        filters.extend(user_filter(reader, node));
    }
    let mut assertions = Vec::new();
    for (relation, node) in asserted(reader, node, &fields) {
        let Some(fields) = reader.fields(node, "the assertion", &["users"]) else {
            continue;
        };
        let users = reader.texts(fields.get("users").copied(), "users");
        assertions.push((relation.into(), users));
    }
    Some(StoreListUsers {
        object: object?,
        filters,
        context: reader.object(fields.get("context").copied(), "context"),
        assertions,
        position: node.position,
    })
}

fn user_filter(reader: &mut Reader, node: &Node) -> Option<UserFilter> {
    let fields = reader.fields(node, "the filter", &["type", "relation"])?;
    let relation = fields.get("relation");
    Some(UserFilter {
        relation: relation.and_then(|node| reader.text(node, "relation")),
        user_type: reader.needed(node, &fields, "type", "the filter")?,
    })
}
