//! Writes a model in the DSL.

use alloc::{format, string::String, vec::Vec};

use super::{
    error::{Class, Error},
    model::{Comments, Model, Relation, Restriction, Rewrite, Source},
};
use crate::name::excerpt;

/// How a model is written in the DSL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DslOptions {
    /// Whether comments say which module and file each part came from.
    pub with_sources: bool,
}

impl Model {
    /// The model in the DSL, as OpenFGA's own transformer writes it: parts in the order in which the
    /// model has them, one blank line between them, parentheses around operators of another kind.
    /// `[…]`, which may only stand first in a definition, is moved there where order does not matter.
    ///
    /// # Errors
    /// [`Class::NotExpressible`] for each relation that the DSL cannot express: `[…]` more than once
    /// or on a side of `but not` where it cannot stand first.
    pub fn to_dsl(&self, options: DslOptions) -> Result<String, Vec<Error>> {
        let mut writer = Writer {
            out: String::new(),
            errors: Vec::new(),
            options,
        };
        writer.model(self);
        if writer.errors.is_empty() {
            Ok(writer.out)
        } else {
            Err(writer.errors)
        }
    }
}

struct Writer {
    out: String,
    errors: Vec<Error>,
    options: DslOptions,
}

impl Writer {
    fn line(&mut self, indent: &str, text: &str) {
        self.out.push_str(indent);
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn comments(&mut self, indent: &str, lines: &[String]) {
        for line in lines {
            let text = format!("# {line}");
            self.line(indent, text.trim_end());
        }
    }

    /// What stands behind a part on its line.
    fn beside(&self, comments: &Comments, source: &Source, before: &str) -> String {
        let mut out = String::new();
        if let Some(comment) = &comments.beside {
            out = format!(" # {comment}");
        }
        if self.options.with_sources && !source.is_empty() {
            let module = source.module.as_deref().unwrap_or("");
            let file = source.file.as_deref().unwrap_or("");
            out += &format!(" # {before}module: {module}, file: {file}");
        }
        out
    }

    fn model(&mut self, model: &Model) {
        self.comments("", &model.comments);
        if let Some(module) = &model.module {
            self.line("", &format!("module {}", module.text));
        } else {
            self.line("", "model");
            let schema = model.schema.as_ref().map_or("", |schema| &schema.text);
            self.line("  ", &format!("schema {schema}"));
        }
        for definition in &model.types {
            self.out.push('\n');
            self.comments("", &definition.comments.before);
            let extend = if definition.extends { "extend " } else { "" };
            let beside = self.beside(&definition.comments, &definition.source, "");
            self.line(
                "",
                &format!("{extend}type {}{beside}", definition.name.text),
            );
            if !definition.relations.is_empty() {
                self.line("  ", "relations");
            }
            for relation in &definition.relations {
                self.comments("    ", &relation.comments.before);
                let beside = self.beside(&relation.comments, &relation.source, "extended by: ");
                match rewrite(relation) {
                    Some(text) => self.line(
                        "    ",
                        &format!("define {}: {text}{beside}", relation.name.text),
                    ),
                    None => self.errors.push(Error::new(
                        relation.name.span,
                        Class::NotExpressible,
                        format!(
                            "relation {:?} of type {:?} has its assigned types where the DSL cannot \
                             write them; they can stand once, and first",
                            excerpt(&relation.name.text),
                            excerpt(&definition.name.text)
                        ),
                    )),
                }
            }
        }
        for condition in &model.conditions {
            self.out.push('\n');
            self.comments("", &condition.comments.before);
            let parameters: Vec<String> = condition
                .parameters
                .iter()
                .map(|parameter| format!("{}: {}", parameter.name.text, parameter.kind))
                .collect();
            let name = &condition.name.text;
            self.line(
                "",
                &format!("condition {name}({}) {{", parameters.join(", ")),
            );
            self.line("  ", &condition.expression);
            let beside = self.beside(&condition.comments, &condition.source, "");
            self.line("", &format!("}}{beside}"));
        }
        if !model.end_comments.is_empty() {
            self.out.push('\n');
        }
        self.comments("", &model.end_comments);
    }
}

/// What stands behind `define name:`; `None` if the DSL cannot say it.
fn rewrite(relation: &Relation) -> Option<String> {
    if relation.rewrite.assigned_count() > 1 {
        return None;
    }
    let mut out = String::new();
    expression(&mut out, &relation.rewrite, &relation.types, true)?;
    Some(out)
}

fn expression(out: &mut String, of: &Rewrite, types: &[Restriction], first: bool) -> Option<()> {
    match of {
        Rewrite::Assigned if !first => return None,
        Rewrite::Assigned => {
            let entries: Vec<String> = types.iter().map(restriction).collect();
            out.push('[');
            out.push_str(&entries.join(", "));
            out.push(']');
        }
        Rewrite::Computed(relation) => out.push_str(&relation.text),
        Rewrite::From { relation, tupleset } => {
            out.push_str(&relation.text);
            out.push_str(" from ");
            out.push_str(&tupleset.text);
        }
        Rewrite::Union(children) => chain(out, children, " or ", types, first)?,
        Rewrite::Intersection(children) => chain(out, children, " and ", types, first)?,
        Rewrite::Difference(base, subtracted) => {
            operand(out, base, types, first)?;
            out.push_str(" but not ");
            operand(out, subtracted, types, false)?;
        }
    }
    Some(())
}

/// Operands whose order does not matter; the one with the assigned types comes first.
fn chain(
    out: &mut String,
    children: &[Rewrite],
    operator: &str,
    types: &[Restriction],
    first: bool,
) -> Option<()> {
    let assigned = children
        .iter()
        .position(|child| child.assigned_count() > 0)
        .unwrap_or(0);
    let others = children
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != assigned);
    let head = children.get(assigned).into_iter();
    for (at, child) in head.chain(others.map(|(_, child)| child)).enumerate() {
        if at > 0 {
            out.push_str(operator);
        }
        operand(out, child, types, first && at == 0)?;
    }
    Some(())
}

/// An operand: in parentheses if it has operators itself.
fn operand(out: &mut String, of: &Rewrite, types: &[Restriction], first: bool) -> Option<()> {
    let plain = matches!(
        of,
        Rewrite::Assigned | Rewrite::Computed(_) | Rewrite::From { .. }
    );
    if plain {
        return expression(out, of, types, first);
    }
    out.push('(');
    expression(out, of, types, first)?;
    out.push(')');
    Some(())
}

fn restriction(restriction: &Restriction) -> String {
    let subject = restriction.subject_text();
    match &restriction.condition {
        Some(condition) => format!("{subject} with {}", condition.text),
        None => subject,
    }
}
