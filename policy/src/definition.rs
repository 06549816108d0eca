//! The policy notation: which keys there are, and what stands under them. Names are read here and
//! resolved in `compile`.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use crate::{
    expression::{self, Operand, Step},
    limits::{
        CONDITIONS_MAX, ENTRIES_PER_RELATION_MAX, NAMES_PER_RESOURCE_MAX, RESOURCES_MAX,
        TEXT_BYTES_MAX,
    },
    name::{excerpt, is_name},
    schema::{PolicyError, Position},
    suggest::suggestion,
    yaml::{error, Entry, Node, Value},
};

/// A policy as written.
#[derive(Debug, Default)]
pub(crate) struct Definition {
    pub name: String,
    pub description: String,
    pub meta: Vec<(String, String)>,
    pub actor: Option<Spelled>,
    /// `implicit_owner: false`.
    pub without_owner: bool,
    pub conditions: Vec<ConditionDefinition>,
    pub resources: Vec<ResourceDefinition>,
}

#[derive(Debug)]
pub(crate) struct ConditionDefinition {
    pub name: Spelled,
    pub doc: String,
    /// Names, and the types as written.
    pub parameters: Vec<(Spelled, Spelled)>,
    pub expression: Spelled,
}

#[derive(Debug)]
pub(crate) struct ResourceDefinition {
    pub name: Spelled,
    pub doc: String,
    pub relations: Vec<RelationDefinition>,
    pub permissions: Vec<PermissionDefinition>,
}

#[derive(Debug)]
pub(crate) struct RelationDefinition {
    pub name: Spelled,
    pub doc: String,
    pub types: Vec<Spelled>,
    pub manages: Vec<Spelled>,
    pub text: String,
    /// `None`: whoever stands in it.
    pub expression: Option<Expression>,
}

#[derive(Debug)]
pub(crate) struct PermissionDefinition {
    pub name: Spelled,
    pub doc: String,
    pub text: String,
    /// `None`: the owner alone.
    pub expression: Option<Expression>,
}

/// A word and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spelled {
    pub text: String,
    pub position: Position,
}

/// Reads a definition from YAML.
pub(crate) fn read(root: Node) -> Result<Definition, PolicyError> {
    let position = root.position;
    let mut definition = Definition::default();
    let mut resources = None;
    for entry in map(
        root,
        "a policy",
        &[
            "name",
            "description",
            "meta",
            "actor",
            "implicit_owner",
            "conditions",
            "resources",
        ],
    )? {
        match entry.key.as_str() {
            "name" => definition.name = text(entry)?,
            "description" => definition.description = text(entry)?,
            "meta" => definition.meta = read_meta(entry)?,
            "actor" => definition.actor = read_actor(entry)?,
            "implicit_owner" => definition.without_owner = !truth(entry)?,
            "conditions" => {
                definition.conditions =
                    named(entry.node, "condition", CONDITIONS_MAX, read_condition)?
            }
            _ => resources = Some(entry.node),
        }
    }
    let resources =
        resources.ok_or_else(|| error(position, "the policy defines no `resources`"))?;
    let resources_position = resources.position;
    definition.resources = named(resources, "resource", RESOURCES_MAX, read_resource)?;
    if definition.resources.is_empty() {
        return Err(error(
            resources_position,
            "the policy defines no resource; add one under `resources`",
        ));
    }
    Ok(definition)
}

fn read_meta(entry: Entry) -> Result<Vec<(String, String)>, PolicyError> {
    let mut meta = Vec::new();
    if let Value::Null = entry.node.value {
        return Ok(meta);
    }
    let Value::Map(entries) = entry.node.value else {
        return Err(error(
            entry.node.position,
            "`meta` is a map of words to texts",
        ));
    };
    for entry in entries {
        bounded(&entry.key, entry.position)?;
        let key = entry.key.clone();
        meta.push((key, text(entry)?));
    }
    meta.sort();
    Ok(meta)
}

fn read_actor(entry: Entry) -> Result<Option<Spelled>, PolicyError> {
    let mut name = None;
    for entry in map(entry.node, "`actor`", &["name", "doc"])? {
        if entry.key == "name" {
            name = Some(word(entry.node, "the actor's name")?);
        } else {
            text(entry)?;
        }
    }
    Ok(name)
}

fn read_condition(name: Spelled, entries: Vec<Entry>) -> Result<ConditionDefinition, PolicyError> {
    let missing = error(
        name.position,
        format!(
            "condition {:?} has no `expr`; write what must hold",
            name.text
        ),
    );
    let mut doc = String::new();
    let mut parameters: Vec<(Spelled, Spelled)> = Vec::new();
    let mut expression = None;
    for entry in known(entries, "a condition", &["doc", "parameters", "expr"])? {
        match entry.key.as_str() {
            "doc" => doc = text(entry)?,
            "expr" => expression = Some(word(entry.node, "`expr`")?),
            _ => {
                for entry in optional_map(entry.node, "parameters")? {
                    let name = Spelled {
                        text: entry.key,
                        position: entry.position,
                    };
                    parameters.push((name, word(entry.node, "a parameter's type")?));
                }
            }
        }
    }
    Ok(ConditionDefinition {
        name,
        doc,
        parameters,
        expression: expression.ok_or(missing)?,
    })
}

fn read_resource(name: Spelled, entries: Vec<Entry>) -> Result<ResourceDefinition, PolicyError> {
    let mut resource = ResourceDefinition {
        name,
        doc: String::new(),
        relations: Vec::new(),
        permissions: Vec::new(),
    };
    for entry in known(entries, "a resource", &["doc", "relations", "permissions"])? {
        match entry.key.as_str() {
            "doc" => resource.doc = text(entry)?,
            "relations" => {
                resource.relations = named(
                    entry.node,
                    "relation",
                    NAMES_PER_RESOURCE_MAX,
                    read_relation,
                )?
            }
            _ => {
                resource.permissions = named(
                    entry.node,
                    "permission",
                    NAMES_PER_RESOURCE_MAX,
                    read_permission,
                )?
            }
        }
    }
    Ok(resource)
}

fn read_relation(name: Spelled, entries: Vec<Entry>) -> Result<RelationDefinition, PolicyError> {
    let mut relation = RelationDefinition {
        name,
        doc: String::new(),
        types: Vec::new(),
        manages: Vec::new(),
        text: String::new(),
        expression: None,
    };
    for entry in known(entries, "a relation", &["doc", "types", "manages", "expr"])? {
        match entry.key.as_str() {
            "doc" => relation.doc = text(entry)?,
            "types" => relation.types = words(entry.node, "`types`")?,
            "manages" => relation.manages = words(entry.node, "`manages`")?,
            _ => (relation.text, relation.expression) = read_expression(entry)?,
        }
    }
    Ok(relation)
}

fn read_permission(
    name: Spelled,
    entries: Vec<Entry>,
) -> Result<PermissionDefinition, PolicyError> {
    let mut permission = PermissionDefinition {
        name,
        doc: String::new(),
        text: String::new(),
        expression: None,
    };
    for entry in known(entries, "a permission", &["doc", "expr"])? {
        if entry.key == "doc" {
            permission.doc = text(entry)?;
            continue;
        }
        (permission.text, permission.expression) = read_expression(entry)?;
    }
    Ok(permission)
}

/// An expression in postfix order.
type Expression = Vec<Step<Operand>>;

/// An expression as written, and its steps; none where nothing is written.
fn read_expression(entry: Entry) -> Result<(String, Option<Expression>), PolicyError> {
    match entry.node.value {
        Value::Null => Ok((String::new(), None)),
        Value::Text(text) => {
            let steps = expression::parse(&text, entry.node.position)?;
            Ok((text, Some(steps)))
        }
        Value::List(_) | Value::Map(_) => Err(error(
            entry.node.position,
            "`expr` is one line of text such as `reader + writer - banned`",
        )),
    }
}

/// Reads things that have a name: a list of maps with `name`, or a map from name to the rest.
fn named<T>(
    node: Node,
    what: &'static str,
    max: usize,
    mut read: impl FnMut(Spelled, Vec<Entry>) -> Result<T, PolicyError>,
) -> Result<Vec<T>, PolicyError> {
    let position = node.position;
    let mut all: Vec<T> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: Spelled, entries| {
        if !is_name(&name.text) {
            let found = excerpt(&name.text);
            return Err(error(
                name.position,
                format!("{found:?} is no name of a {what}: use letters, digits and underscores, within it also '.', '/' and '-'"),
            ));
        }
        if names.contains(&name.text) {
            return Err(error(
                name.position,
                format!(
                    "{what} {:?} is defined for the second time; remove one",
                    name.text
                ),
            ));
        }
        if names.len() >= max {
            return Err(error(
                name.position,
                format!("there are more than {max} {what}s here"),
            ));
        }
        names.push(name.text.clone());
        all.push(read(name, entries)?);
        Ok(())
    };
    match node.value {
        Value::Null => {}
        Value::Map(entries) => {
            for Entry {
                key,
                position,
                node,
            } in entries
            {
                add(
                    Spelled {
                        text: key,
                        position,
                    },
                    optional_map(node, what)?,
                )?;
            }
        }
        Value::List(items) => {
            for item in items {
                let position = item.position;
                let mut entries = optional_map(item, what)?;
                let at = entries.iter().position(|entry| entry.key == "name");
                let Some(at) = at else {
                    return Err(error(position, format!("this {what} has no `name`")));
                };
                let name = word(entries.remove(at).node, "a name")?;
                add(name, entries)?;
            }
        }
        Value::Text(_) => {
            return Err(error(
                position,
                format!("a list or a map of {what}s belongs here"),
            ))
        }
    }
    Ok(all)
}

fn optional_map(node: Node, what: &str) -> Result<Vec<Entry>, PolicyError> {
    match node.value {
        Value::Null => Ok(Vec::new()),
        Value::Map(entries) => Ok(entries),
        Value::Text(_) | Value::List(_) => Err(error(
            node.position,
            format!("a {what} is a map; write its keys below it"),
        )),
    }
}

fn map(node: Node, what: &str, keys: &[&str]) -> Result<Vec<Entry>, PolicyError> {
    match node.value {
        Value::Null => Ok(Vec::new()),
        Value::Map(entries) => known(entries, what, keys),
        Value::Text(_) | Value::List(_) => Err(error(
            node.position,
            format!("{what} is a map with the keys {}", keys.join(", ")),
        )),
    }
}

/// Refuses keys that the notation does not have.
fn known(entries: Vec<Entry>, what: &str, keys: &[&str]) -> Result<Vec<Entry>, PolicyError> {
    match entries
        .iter()
        .find(|entry| !keys.contains(&entry.key.as_str()))
    {
        None => Ok(entries),
        Some(entry) => {
            let near = suggestion(&entry.key, keys.iter().copied());
            let all = keys.join(", ");
            Err(error(
                entry.position,
                format!(
                    "{what} has no key {:?}{near} (it has {all})",
                    excerpt(&entry.key)
                ),
            ))
        }
    }
}

fn truth(entry: Entry) -> Result<bool, PolicyError> {
    match entry.node.value {
        Value::Text(text) if text == "true" => Ok(true),
        Value::Text(text) if text == "false" => Ok(false),
        _ => Err(error(
            entry.node.position,
            format!("`{}` is `true` or `false`", entry.key),
        )),
    }
}

fn text(entry: Entry) -> Result<String, PolicyError> {
    match entry.node.value {
        Value::Null => Ok(String::new()),
        Value::Text(text) => {
            bounded(&text, entry.node.position)?;
            Ok(text)
        }
        Value::List(_) | Value::Map(_) => Err(error(
            entry.node.position,
            format!("`{}` is a text", entry.key),
        )),
    }
}

fn bounded(text: &str, position: Position) -> Result<(), PolicyError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(error(
            position,
            format!("this text is longer than {TEXT_BYTES_MAX} bytes"),
        ));
    }
    Ok(())
}

fn word(node: Node, what: &str) -> Result<Spelled, PolicyError> {
    match node.value {
        Value::Text(text) => Ok(Spelled {
            text,
            position: node.position,
        }),
        Value::Null | Value::List(_) | Value::Map(_) => {
            Err(error(node.position, format!("{what} is one word")))
        }
    }
}

fn words(node: Node, what: &'static str) -> Result<Vec<Spelled>, PolicyError> {
    let position = node.position;
    let items = match node.value {
        Value::Null => Vec::new(),
        Value::List(items) => items,
        Value::Text(_) | Value::Map(_) => {
            return Err(error(position, format!("{what} is a list of words")))
        }
    };
    if items.len() > ENTRIES_PER_RELATION_MAX {
        return Err(error(
            position,
            format!("{what} lists more than {ENTRIES_PER_RELATION_MAX} entries"),
        ));
    }
    let mut all: Vec<Spelled> = Vec::new();
    for item in items {
        let word = word(item, "each entry")?;
        if all.iter().any(|other| other.text == word.text) {
            return Err(error(
                word.position,
                format!(
                    "{:?} stands here for the second time; remove one",
                    excerpt(&word.text)
                ),
            ));
        }
        all.push(Spelled {
            text: word.text.to_owned(),
            position: word.position,
        });
    }
    Ok(all)
}
