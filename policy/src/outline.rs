//! A policy as data, to be written in the native notation: what importers make and `fmt` rewrites.
//!
//! Nothing is checked here: the text goes through [`crate::Policy::parse`] like anybody's.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use crate::{
    definition::{
        self, ConditionDefinition, PermissionDefinition, RelationDefinition, ResourceDefinition,
        Spelled,
    },
    expression::{parse, Operand, Step, Target},
    schema::{Policy, PolicyError, Position},
    yaml,
};

/// A policy before it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// `name`; left out if empty.
    pub name: String,
    /// `description`; left out if empty.
    pub description: String,
    /// `meta`, in the order in which it is written.
    pub meta: Vec<(String, String)>,
    /// What `types` call an actor; `actor` if nothing else is said.
    pub actor: Option<String>,
    /// Whether `implicit_owner: false` is written.
    pub without_owner: bool,
    /// Conditions, in the order in which they are written.
    pub conditions: Vec<OutlineCondition>,
    /// Resources, in the order in which they are written.
    pub resources: Vec<OutlineResource>,
}

/// A condition before it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutlineCondition {
    /// Its name.
    pub name: String,
    /// `doc`; left out if empty.
    pub doc: String,
    /// Names and types.
    pub parameters: Vec<(String, String)>,
    /// The expression in CEL.
    pub expression: String,
}

/// A resource before it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutlineResource {
    /// Its name.
    pub name: String,
    /// `doc`; left out if empty.
    pub doc: String,
    /// Relations, in the order in which they are written.
    pub relations: Vec<OutlineRelation>,
    /// Permissions, in the order in which they are written.
    pub permissions: Vec<OutlinePermission>,
}

/// A relation before it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutlineRelation {
    /// Its name.
    pub name: String,
    /// `doc`; left out if empty.
    pub doc: String,
    /// Entries of `types`.
    pub types: Vec<String>,
    /// Entries of `manages`.
    pub manages: Vec<String>,
    /// `expr`; left out if there is none.
    pub expression: Option<String>,
}

/// A permission before it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutlinePermission {
    /// Its name.
    pub name: String,
    /// `doc`; left out if empty.
    pub doc: String,
    /// `expr`; left out if there is none.
    pub expression: Option<String>,
}

/// A name as it stands in an expression: in backticks where it would read as something else.
#[must_use]
pub fn name_in_expression(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        name.into()
    } else {
        format!("`{name}`")
    }
}

impl Outline {
    /// Puts a `?` behind the target of each arrow that some resource which it leads to does not
    /// define: other languages ask for it there and get nothing.
    pub(crate) fn relax_arrows(&mut self) {
        let defined: BTreeMap<String, BTreeSet<String>> = self
            .resources
            .iter()
            .map(|resource| {
                let relations = resource.relations.iter().map(|r| r.name.clone());
                let permissions = resource.permissions.iter().map(|p| p.name.clone());
                (
                    resource.name.clone(),
                    relations.chain(permissions).collect(),
                )
            })
            .collect();
        for resource in &mut self.resources {
            let types: BTreeMap<String, Vec<String>> = resource
                .relations
                .iter()
                .map(|relation| (relation.name.clone(), relation.types.clone()))
                .collect();
            let relations = resource.relations.iter_mut().map(|r| &mut r.expression);
            let permissions = resource.permissions.iter_mut().map(|p| &mut p.expression);
            for expression in relations.chain(permissions).flatten() {
                relax(expression, &types, &defined);
            }
        }
    }

    /// Reads a policy's text, in the order in which it is written; comments are left out.
    ///
    /// # Errors
    /// [`PolicyError`] where it is no policy.
    pub fn read(definition: &str) -> Result<Self, PolicyError> {
        Policy::parse(definition)?;
        let read = definition::read(yaml::read(definition)?)?;
        let words = |words: Vec<Spelled>| words.into_iter().map(|word| word.text).collect();
        let written = |text: String, has: bool| has.then_some(text);
        let condition = |condition: ConditionDefinition| OutlineCondition {
            name: condition.name.text,
            doc: condition.doc,
            parameters: condition
                .parameters
                .into_iter()
                .map(|(name, kind)| (name.text, kind.text))
                .collect(),
            expression: condition.expression.text,
        };
        let relation = |relation: RelationDefinition| OutlineRelation {
            name: relation.name.text,
            doc: relation.doc,
            types: words(relation.types),
            manages: words(relation.manages),
            expression: written(relation.text, relation.expression.is_some()),
        };
        let permission = |permission: PermissionDefinition| OutlinePermission {
            name: permission.name.text,
            doc: permission.doc,
            expression: written(permission.text, permission.expression.is_some()),
        };
        let resource = |resource: ResourceDefinition| OutlineResource {
            name: resource.name.text,
            doc: resource.doc,
            relations: resource.relations.into_iter().map(relation).collect(),
            permissions: resource.permissions.into_iter().map(permission).collect(),
        };
        Ok(Self {
            name: read.name,
            description: read.description,
            meta: read.meta,
            actor: read.actor.map(|actor| actor.text),
            without_owner: read.without_owner,
            conditions: read.conditions.into_iter().map(condition).collect(),
            resources: read.resources.into_iter().map(resource).collect(),
        })
    }

    /// The policy in the native notation: two spaces a level, lists of maps, plain scalars where they
    /// read as themselves and double quotes elsewhere.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut yaml = Yaml::default();
        yaml.text(0, "name", &self.name);
        yaml.text(0, "description", &self.description);
        if !self.meta.is_empty() {
            yaml.line(0, "meta:");
            for (key, value) in &self.meta {
                yaml.line(1, &format!("{}: {}", scalar(key), scalar(value)));
            }
        }
        if let Some(actor) = &self.actor {
            yaml.line(0, "actor:");
            yaml.line(1, &format!("name: {}", scalar(actor)));
        }
        if self.without_owner {
            yaml.line(0, "implicit_owner: false");
        }
        if !self.conditions.is_empty() {
            yaml.line(0, "conditions:");
        }
        for condition in &self.conditions {
            yaml.line(0, &format!("- name: {}", scalar(&condition.name)));
            yaml.text(1, "doc", &condition.doc);
            if !condition.parameters.is_empty() {
                yaml.line(1, "parameters:");
                for (name, kind) in &condition.parameters {
                    yaml.line(2, &format!("{}: {}", scalar(name), scalar(kind)));
                }
            }
            yaml.text(1, "expr", &condition.expression);
        }
        yaml.line(0, "resources:");
        for resource in &self.resources {
            yaml.line(0, &format!("- name: {}", scalar(&resource.name)));
            yaml.text(1, "doc", &resource.doc);
            if !resource.relations.is_empty() {
                yaml.line(1, "relations:");
            }
            for relation in &resource.relations {
                yaml.line(1, &format!("- name: {}", scalar(&relation.name)));
                yaml.text(2, "doc", &relation.doc);
                yaml.list(2, "types", &relation.types);
                yaml.list(2, "manages", &relation.manages);
                yaml.text(2, "expr", relation.expression.as_deref().unwrap_or(""));
            }
            if !resource.permissions.is_empty() {
                yaml.line(1, "permissions:");
            }
            for permission in &resource.permissions {
                yaml.line(1, &format!("- name: {}", scalar(&permission.name)));
                yaml.text(2, "doc", &permission.doc);
                yaml.text(2, "expr", permission.expression.as_deref().unwrap_or(""));
            }
        }
        yaml.0
    }
}

fn relax(
    expression: &mut String,
    types: &BTreeMap<String, Vec<String>>,
    defined: &BTreeMap<String, BTreeSet<String>>,
) {
    // What does not parse is refused when the policy is.
    let Ok(steps) = parse(expression, Position { line: 1, column: 1 }) else {
        return;
    };
    let lacks = |operand: &Operand, target: &Target| {
        let entries = types.get(&operand.name).into_iter().flatten();
        let resources = entries.filter_map(|entry| {
            let subject = entry.split(" with ").next()?;
            let resource = subject.split("->").next()?.trim();
            defined.get(resource)
        });
        resources
            .map(|names| names.contains(&target.name))
            .any(|known| !known)
    };
    let mut ends: Vec<usize> = Vec::new();
    for step in steps {
        let Step::Operand(operand) = step else {
            continue;
        };
        if let Some(target) = operand.arrow.as_ref().filter(|t| !t.optional) {
            if lacks(&operand, target) {
                // Names are ASCII, so columns are bytes; one line is what importers write.
                let start = target.position.column.saturating_sub(1);
                ends.push(start + name_in_expression(&target.name).len());
            }
        }
    }
    for end in ends.into_iter().rev() {
        if expression.is_char_boundary(end) {
            expression.insert(end, '?');
        }
    }
}

#[derive(Default)]
struct Yaml(String);

impl Yaml {
    fn line(&mut self, level: usize, text: &str) {
        (0..level).for_each(|_| self.0.push_str("  "));
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn text(&mut self, level: usize, key: &str, value: &str) {
        if !value.is_empty() {
            self.line(level, &format!("{key}: {}", scalar(value)));
        }
    }

    fn list(&mut self, level: usize, key: &str, entries: &[String]) {
        if entries.is_empty() {
            return;
        }
        self.line(level, &format!("{key}:"));
        for entry in entries {
            self.line(level, &format!("- {}", scalar(entry)));
        }
    }
}

/// A text as a YAML scalar (YAML 1.2 §7.3): plain if nobody can read it as anything else.
pub(crate) fn scalar(text: &str) -> String {
    let plain_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+./()<>= ".contains(&byte);
    let plain = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && text.bytes().all(plain_byte)
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        return text.into();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\U{:08x}", control as u32));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_is_written_reads_as_the_same_policy() {
        let outline = Outline {
            name: "fi\"les: all\\ \u{1}\nof them".into(),
            description: "no".into(),
            meta: vec![("key".into(), "- value # no comment".into())],
            actor: Some("user".into()),
            resources: vec![OutlineResource {
                name: "file".into(),
                relations: vec![OutlineRelation {
                    name: "reader".into(),
                    types: vec!["user".into(), "*".into()],
                    ..Default::default()
                }],
                permissions: vec![OutlinePermission {
                    name: "read".into(),
                    expression: Some("(reader & owner) - reader".into()),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let text = outline.to_yaml();
        assert_eq!(Outline::read(&text), Ok(outline.clone()));
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.name(), outline.name);
        assert_eq!(policy.description(), "no");
        assert_eq!(policy.meta(), outline.meta);
        assert_eq!(
            policy.expression("file", "read"),
            Some("(reader & owner) - reader")
        );
    }

    #[test]
    fn names_that_expressions_would_tear_are_quoted() {
        assert_eq!(name_in_expression("can_read"), "can_read");
        assert_eq!(name_in_expression("can-read"), "`can-read`");
    }
}
