//! Writes a model in the DSL.

use alloc::{format, string::String, vec::Vec};

use super::{
    error::{Class, Error, Span},
    model::{Comments, Condition, Model, Relation, Restriction, Rewrite, Source, Subjects, Word},
    writable::{is_declared_name, is_dsl_expression, is_dsl_name, is_parameter_type, is_version},
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
    /// or on a side of `but not` where it cannot stand first; and for names, types of parameters and
    /// expressions that JSON can hold and the DSL cannot.
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
            let text = comment(line);
            self.line(indent, &text);
        }
    }

    /// What stands behind a part on its line.
    fn beside(&self, comments: &Comments, source: &Source, before: &str) -> String {
        let mut out = String::new();
        if let Some(text) = &comments.beside {
            out = format!(" {}", comment(text));
        }
        if self.options.with_sources && !source.is_empty() {
            let module = source.module.as_deref().unwrap_or("");
            let file = source.file.as_deref().unwrap_or("");
            out.push(' ');
            out += &comment(&format!("{before}module: {module}, file: {file}"));
        }
        out
    }

    fn refuse(&mut self, span: Option<Span>, message: String) {
        self.errors
            .push(Error::new(span, Class::NotExpressible, message));
    }

    /// Refuses a name that the DSL would read as something else.
    fn name(&mut self, word: &Word, what: &str) {
        if !is_dsl_name(&word.text) {
            let text = excerpt(&word.text);
            let message = format!("{what} {text:?} cannot be named so in the DSL; rename it");
            self.refuse(word.span, message);
        }
    }

    fn names_of(&mut self, relation: &Relation) {
        self.name(&relation.name, "relation");
        for entry in &relation.types {
            self.name(&entry.name, "type");
            if let Subjects::Usersets(userset) = &entry.subjects {
                self.name(userset, "relation");
            }
            if let Some(condition) = &entry.condition {
                self.name(condition, "condition");
            }
        }
        relation.rewrite.each_operand(&mut |operand| match operand {
            Rewrite::Computed(relation) => self.name(relation, "relation"),
            Rewrite::From { relation, tupleset } => {
                self.name(relation, "relation");
                self.name(tupleset, "relation");
            }
            _ => {}
        });
    }

    fn condition(&mut self, condition: &Condition) {
        let Condition {
            name,
            parameters,
            expression,
            ..
        } = condition;
        let shown = excerpt(&name.text);
        let names = parameters.iter().map(|parameter| &parameter.name);
        for name in core::iter::once(name).chain(names) {
            if !is_declared_name(&name.text) {
                let text = excerpt(&name.text);
                let message = format!("condition {shown:?}: the DSL reads {text:?} as no name");
                self.refuse(name.span, message);
            }
        }
        let kinds = parameters.iter().map(|parameter| &parameter.kind);
        if !kinds.clone().all(|kind| is_parameter_type(kind)) || parameters.is_empty() {
            let message = format!(
                "condition {shown:?} has no parameters, or some of types that the DSL does not have"
            );
            self.refuse(name.span, message);
        }
        if !is_dsl_expression(expression) {
            let message =
                format!("the DSL would not read the expression of condition {shown:?} as it is");
            self.refuse(condition.expression_span, message);
        }
        let parameters = parameters.iter();
        let parameters: Vec<String> = parameters
            .map(|parameter| format!("{}: {}", parameter.name.text, parameter.kind))
            .collect();
        let head = format!("condition {}({}) {{", name.text, parameters.join(", "));
        self.line("", &head);
        self.line("  ", expression.trim());
        let beside = self.beside(&condition.comments, &condition.source, "");
        self.line("", &format!("}}{beside}"));
    }

    fn model(&mut self, model: &Model) {
        self.comments("", &model.comments);
        if let Some(module) = &model.module {
            self.name(module, "module");
            self.line("", &format!("module {}", module.text));
        } else {
            self.line("", "model");
            let schema = model.schema.as_ref().map_or("", |schema| &schema.text);
            if !is_version(schema) {
                let span = model.schema.as_ref().and_then(|schema| schema.span);
                let version = excerpt(schema);
                self.refuse(span, format!("{version:?} is no schema version; write 1.1"));
            }
            self.line("  ", &format!("schema {schema}"));
        }
        for definition in &model.types {
            self.name(&definition.name, "type");
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
                self.names_of(relation);
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
            self.condition(condition);
        }
        if !model.end_comments.is_empty() {
            self.out.push('\n');
        }
        self.comments("", &model.end_comments);
    }
}

/// A comment: one line, whatever was given.
fn comment(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let line = format!("# {text}");
    line.trim_end().into()
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
