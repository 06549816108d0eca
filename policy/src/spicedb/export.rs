//! A policy as a schema, where SpiceDB can say it.
//!
//! What is written goes through the importer's own reader and rules before it is given out, so that
//! no name or expression can break out of its place in the text.

use alloc::{borrow::ToOwned, collections::BTreeSet, format, string::String, vec::Vec};

use super::{
    ast::{OperandKind, Step},
    comments::as_comment,
    expression::written,
    native_expression,
    parser::parse,
    validate::validate,
    words::KEYWORDS,
};
use crate::outline::{Outline, OutlineCondition, OutlineRelation, OutlineResource};

/// What may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Leave `manages` out: SpiceDB does not say who may write relationships.
    pub drop_management: bool,
}

/// Why a policy cannot be said in SpiceDB's language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {message}")]
pub struct ExportError {
    /// Which part of the policy: `relation "reader" of resource "document"`.
    pub part: String,
    /// What is wrong and what to do next.
    pub message: String,
}

type Exported<T> = Result<T, ExportError>;

fn refuse<T>(part: impl Into<String>, message: impl Into<String>) -> Exported<T> {
    Err(ExportError {
        part: part.into(),
        message: message.into(),
    })
}

/// Writes a policy as a schema that gives the same answers. The policy's name and `meta` have no
/// place there and are left out; documentation becomes comments.
///
/// # Errors
/// [`ExportError`] names the first part that SpiceDB's language cannot say.
pub fn export(outline: &Outline, options: &ExportOptions) -> Exported<String> {
    if !outline.without_owner {
        return refuse(
            "the policy",
            "SpiceDB knows no implicit owner; write `implicit_owner: false` and name an owner where one is meant",
        );
    }
    let actor = outline.actor.as_deref().unwrap_or("actor");
    let mut exporter = Exporter {
        options,
        actor,
        uses_actor: false,
        flags: BTreeSet::new(),
        conditions: outline
            .conditions
            .iter()
            .map(|condition| condition.name.as_str())
            .collect(),
    };
    let mut body = String::new();
    for condition in &outline.conditions {
        body.push_str(&caveat(condition)?);
    }
    let mut definitions = String::new();
    for resource in &outline.resources {
        definitions.push_str(&exporter.definition(resource)?);
    }
    // Where a resource took the name `actor`, the import gave the actors another one.
    let renamed = outline
        .resources
        .iter()
        .any(|resource| resource.name == "actor");
    if exporter.uses_actor || (outline.actor.is_some() && !renamed) {
        check_name(actor, true, "the actor type")?;
        body.push_str(&format!("definition {actor} {{}}\n\n"));
    }
    body.push_str(&definitions);

    let mut schema = String::new();
    if !outline.description.is_empty() {
        schema.push_str(&as_comment(&outline.description, ""));
        schema.push('\n');
    }
    for flag in &exporter.flags {
        schema.push_str(&format!("use {flag}\n"));
    }
    if !exporter.flags.is_empty() {
        schema.push('\n');
    }
    schema.push_str(body.trim_end());
    schema.push('\n');
    check(&schema, outline)?;
    Ok(schema)
}

/// Reads what was written.
fn check(schema: &str, outline: &Outline) -> Exported<()> {
    let part = "the policy";
    let failed = |error: super::SpicedbError| ExportError {
        part: part.into(),
        message: format!("SpiceDB would refuse it: {}", error.message),
    };
    let read = parse(schema).map_err(failed)?;
    validate(&read).map_err(failed)?;
    let mut caveats = read.caveats.iter();
    for condition in &outline.conditions {
        let same = caveats
            .next()
            .is_some_and(|caveat| caveat.expression == condition.expression.trim());
        if !same {
            return refuse(
                format!("condition {:?}", condition.name),
                "its expression does not end where a caveat's would; balance its braces and quotes",
            );
        }
    }
    Ok(())
}

/// `[a-z][a-z0-9_]{1,62}[a-z0-9]`, with prefixes if it is a path (`pkg/tuple` of SpiceDB).
fn check_name(name: &str, path: bool, part: &str) -> Exported<()> {
    let fits = |name: &str| {
        let byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        (3..=64).contains(&name.len())
            && name.bytes().all(byte)
            && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && !name.ends_with('_')
            && !KEYWORDS.contains(&name)
    };
    let whole = if path {
        name.split('/').all(fits)
    } else {
        fits(name)
    };
    if whole {
        return Ok(());
    }
    refuse(
        part,
        "SpiceDB refuses this name; use 3 to 64 lower-case letters, digits and underscores, the first one a letter, the last one no underscore",
    )
}

fn caveat(condition: &OutlineCondition) -> Exported<String> {
    let part = format!("condition {:?}", condition.name);
    check_name(&condition.name, true, &part)?;
    if condition.parameters.is_empty() {
        return refuse(part, "a caveat has at least one parameter; add one");
    }
    let mut parameters = Vec::new();
    for (name, kind) in &condition.parameters {
        if !is_plain(name, "_") || !is_plain(kind, "<>") {
            return refuse(
                part,
                format!("parameter {name:?} of type {kind:?} has no form in SpiceDB; rename it"),
            );
        }
        if kind == "clock" {
            return refuse(
                part,
                format!("parameter {name:?} is the time of the check, which SpiceDB does not give; make it a `timestamp` that the caller gives"),
            );
        }
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if !condition
            .expression
            .split(|character| !word(character))
            .any(|found| found == name)
        {
            return refuse(
                part,
                format!("SpiceDB refuses parameter {name:?}, which the expression does not use; remove it"),
            );
        }
        parameters.push(format!("{name} {kind}"));
    }
    Ok(format!(
        "{}caveat {}({}) {{\n  {}\n}}\n\n",
        as_comment(&condition.doc, ""),
        condition.name,
        parameters.join(", "),
        condition.expression.trim()
    ))
}

/// Letters, digits and the given signs: nothing that ends a line or a statement.
fn is_plain(text: &str, signs: &str) -> bool {
    text.chars()
        .all(|character| character.is_ascii_alphanumeric() || signs.contains(character))
}

struct Exporter<'a> {
    options: &'a ExportOptions,
    actor: &'a str,
    uses_actor: bool,
    flags: BTreeSet<&'static str>,
    conditions: BTreeSet<&'a str>,
}

impl Exporter<'_> {
    fn definition(&mut self, resource: &OutlineResource) -> Exported<String> {
        let name = &resource.name;
        check_name(name, true, &format!("resource {name:?}"))?;
        let relations = resource
            .relations
            .iter()
            .map(|relation| relation.name.as_str());
        let permissions = resource
            .permissions
            .iter()
            .map(|permission| permission.name.as_str());
        let own_self = relations.chain(permissions).any(|name| name == "self");

        let mut text = as_comment(&resource.doc, "");
        if resource.relations.is_empty() && resource.permissions.is_empty() {
            text.push_str(&format!("definition {name} {{}}\n\n"));
            return Ok(text);
        }
        text.push_str(&format!("definition {name} {{\n"));
        for relation in &resource.relations {
            let part = format!("relation {:?} of resource {name:?}", relation.name);
            check_name(&relation.name, false, &part)?;
            if !relation.manages.is_empty() && !self.options.drop_management {
                return refuse(part, "SpiceDB does not say who may write relationships; remove `manages`, or drop management on export");
            }
            text.push_str(&as_comment(&relation.doc, "  "));
            text.push_str(&self.relation(relation, own_self, &part)?);
        }
        for permission in &resource.permissions {
            let part = format!("permission {:?} of resource {name:?}", permission.name);
            check_name(&permission.name, false, &part)?;
            text.push_str(&as_comment(&permission.doc, "  "));
            let expression = match &permission.expression {
                None => "nil".to_owned(),
                Some(expression) => self.expression(expression, own_self, &part)?,
            };
            text.push_str(&format!(
                "  permission {} = {expression}\n",
                permission.name
            ));
        }
        text.push_str("}\n\n");
        Ok(text)
    }

    fn relation(
        &mut self,
        relation: &OutlineRelation,
        own_self: bool,
        part: &str,
    ) -> Exported<String> {
        let name = &relation.name;
        let expression = relation.expression.as_deref().map(str::trim);
        if let Some(expression) = expression.filter(|expression| expression != name) {
            if !relation.types.is_empty() {
                return refuse(part, "SpiceDB's relations have either types or an expression; make the expression a permission of another name");
            }
            let expression = self.expression(expression, own_self, part)?;
            return Ok(format!("  permission {name} = {expression}\n"));
        }
        let mut types = Vec::new();
        for entry in &relation.types {
            types.push(self.allowed(entry, part)?);
        }
        if types.is_empty() {
            self.uses_actor = true;
            types.push(self.actor.to_owned());
        }
        Ok(format!("  relation {name}: {}\n", types.join(" | ")))
    }

    /// An entry of `types`.
    fn allowed(&mut self, entry: &str, part: &str) -> Exported<String> {
        let (subject, traits) = match entry.split_once(" with ") {
            Some((subject, traits)) => (subject.trim(), Some(traits)),
            None => (entry.trim(), None),
        };
        let mut allowed = if subject == "*" {
            self.uses_actor = true;
            format!("{}:*", self.actor)
        } else if let Some((resource, relation)) = subject.split_once("->") {
            format!("{}#{}", resource.trim(), relation.trim())
        } else {
            self.uses_actor |= subject == self.actor;
            subject.to_owned()
        };
        let (mut condition, mut expires) = (None, false);
        for found in traits.into_iter().flat_map(|traits| traits.split(" and ")) {
            let found = found.trim();
            if found == "expiration" && !self.conditions.contains(found) {
                expires = true;
            } else if condition.replace(found).is_some() {
                return refuse(
                    part,
                    format!("type {entry:?} has two conditions; join them into one"),
                );
            }
        }
        if let Some(condition) = condition {
            allowed.push_str(&format!(" with {condition}"));
        }
        if expires {
            self.flags.insert("expiration");
            allowed.push_str(if condition.is_some() {
                " and "
            } else {
                " with "
            });
            allowed.push_str("expiration");
        }
        if !is_plain(&allowed, "_/#:* ") {
            return refuse(part, format!("type {entry:?} has no form in SpiceDB; use names of letters, digits and underscores"));
        }
        Ok(allowed)
    }

    fn expression(&mut self, text: &str, own_self: bool, part: &str) -> Exported<String> {
        let steps = match native_expression::parse(text, !own_self) {
            Ok(steps) => steps,
            Err(message) => {
                return refuse(part, format!("its expression cannot be read: {message}"))
            }
        };
        let itself = |step: &Step| matches!(step, Step::Operand(operand) if operand.kind == OperandKind::Itself);
        if steps.iter().any(itself) {
            self.flags.insert("self");
        }
        for step in &steps {
            let Step::Operand(operand) = step else {
                continue;
            };
            let names = match &operand.kind {
                OperandKind::Name(name) => [Some(name), None],
                OperandKind::Arrow {
                    relation, target, ..
                } => [Some(relation), Some(&target.text)],
                OperandKind::Nil | OperandKind::Itself => [None, None],
            };
            for name in names.into_iter().flatten() {
                check_name(name, false, &format!("{name:?} in {part}"))?;
            }
        }
        let operand = |kind: &OperandKind| match kind {
            OperandKind::Nil => "nil".to_owned(),
            OperandKind::Itself => "self".to_owned(),
            OperandKind::Name(name) => name.clone(),
            OperandKind::Arrow {
                relation,
                all,
                target,
            } => {
                let target = &target.text;
                if *all {
                    format!("{relation}.all({target})")
                } else {
                    format!("{relation}->{target}")
                }
            }
        };
        match written(&steps, operand) {
            Ok(text) => Ok(text),
            Err(depth) => refuse(
                part,
                format!("its parentheses nest {depth} deep; name parts of it"),
            ),
        }
    }
}
