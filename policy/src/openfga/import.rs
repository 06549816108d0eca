//! Translates a model to the native language.
//!
//! Types become resources and relations relations: in OpenFGA all relations may stand in usersets,
//! so none becomes a permission. No resource has an implicit owner. What is assigned to a relation
//! is what native calls its recorded members, which its own name stands for in its expression.

use alloc::{format, string::String, vec::Vec};

use super::{
    error::{Class, Error, Span},
    model::{
        Comments, Condition, Model, Relation, Restriction, Rewrite, Subjects, TypeDefinition, Word,
    },
    native::{is_name, is_parameter},
    validate::validate,
};
use crate::{
    limits::TEXT_BYTES_MAX,
    name::excerpt,
    outline::{name_in_expression, Outline, OutlineCondition, OutlineRelation, OutlineResource},
};

/// The native policy that means what `model` means (docs/spec/openfga.md).
///
/// Without `actor` the objects of OpenFGA's types are the subjects (`user:anne`). With it that type
/// becomes the native actor type: it is no resource then, and the ids of its objects must be DIDs.
///
/// # Errors
/// What [`validate`] says, unless it is only that a condition is not used or that files hold several
/// modules; and with [`Class::NotExpressible`] each part that the native language
/// cannot express, by name.
pub fn import(model: &Model, actor: Option<&str>) -> Result<Outline, Vec<Error>> {
    let mut errors = validate(model);
    // What is superfluous, or cannot be parted into files again, means the same here.
    errors.retain(|error| {
        !matches!(
            error.class,
            Class::ConditionNotUsed | Class::MultipleModulesInFile
        )
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut importer = Importer {
        actor,
        errors: Vec::new(),
    };
    let outline = importer.model(model);
    if importer.errors.is_empty() {
        Ok(outline)
    } else {
        Err(importer.errors)
    }
}

struct Importer<'a> {
    actor: Option<&'a str>,
    errors: Vec<Error>,
}

/// Comments as one text, cut where the native language would refuse it.
fn doc(lines: &[String], beside: Option<&String>) -> String {
    let lines: Vec<&str> = lines.iter().chain(beside).map(String::as_str).collect();
    let mut doc = lines.join("\n");
    let mut end = doc.len().min(TEXT_BYTES_MAX);
    while !doc.is_char_boundary(end) {
        end -= 1;
    }
    doc.truncate(end);
    doc
}

fn doc_of(comments: &Comments) -> String {
    doc(&comments.before, comments.beside.as_ref())
}

impl Importer<'_> {
    fn refuse(&mut self, span: Option<Span>, file: Option<&str>, message: String) {
        self.errors
            .push(Error::new(span, Class::NotExpressible, message).in_file(file));
    }

    fn name(&mut self, word: &Word, what: &str, file: Option<&str>) {
        if !is_name(&word.text) {
            let text = excerpt(&word.text);
            let message = format!(
                "{what} {text:?} cannot be named so here: use 1 to 128 letters, digits and `_./-`, \
                 the first a letter or `_`, the last a letter, a digit or `_`"
            );
            self.refuse(word.span, file, message);
        }
    }

    fn model(&mut self, model: &Model) -> Outline {
        let mut actor = self.actor.map(String::from);
        let is_type = |name: &str| model.types.iter().any(|it| it.name.text == name);
        match &actor {
            Some(name) if !is_type(name) => {
                let text = excerpt(name);
                let message = format!("there is no type {text:?} that could be the actors");
                self.refuse(None, None, message);
            }
            None if is_type("actor") => {
                // Nobody is called an actor here, but the word needs another one beside that type.
                let mut name = String::from("actor_");
                while is_type(&name) {
                    name.push('_');
                }
                actor = Some(name);
            }
            _ => {}
        }
        let mut outline = Outline {
            description: doc(&model.comments, None),
            actor,
            without_owner: true,
            ..Outline::default()
        };
        for condition in &model.conditions {
            outline.conditions.push(self.condition(condition));
        }
        for definition in &model.types {
            outline.resources.extend(self.resource(definition));
        }
        outline.relax_arrows();
        outline
    }

    fn condition(&mut self, condition: &Condition) -> OutlineCondition {
        let file = condition.source.file.as_deref();
        self.name(&condition.name, "condition", file);
        if condition.name.text == "expiration" {
            let message = "a condition cannot be named \"expiration\" here: that is when a \
                           relationship ends; rename it";
            self.refuse(condition.name.span, file, message.into());
        }
        let mut parameters = Vec::new();
        for parameter in &condition.parameters {
            let name = &parameter.name;
            if !is_parameter(&name.text) {
                let text = excerpt(&name.text);
                let message = format!(
                    "parameter {text:?} cannot be named so here: CEL cannot read it; rename it"
                );
                self.refuse(name.span, file, message);
            }
            parameters.push((name.text.clone(), parameter.kind.clone()));
        }
        OutlineCondition {
            name: condition.name.text.clone(),
            doc: doc_of(&condition.comments),
            parameters,
            expression: condition.expression.clone(),
        }
    }

    fn resource(&mut self, definition: &TypeDefinition) -> Option<OutlineResource> {
        let (name, file) = (&definition.name, definition.source.file.as_deref());
        self.name(name, "type", file);
        if Some(name.text.as_str()) == self.actor {
            if !definition.relations.is_empty() {
                let text = excerpt(&name.text);
                let message = format!(
                    "type {text:?} has relations, so it cannot be the actors: an actor is no object"
                );
                self.refuse(name.span, file, message);
            }
            return None;
        }
        if name.text == "did" {
            let message = "a type cannot be named \"did\" here: its objects would read as actors; \
                           rename it";
            self.refuse(name.span, file, message.into());
        }
        let relations = definition.relations.iter();
        Some(OutlineResource {
            name: name.text.clone(),
            doc: doc_of(&definition.comments),
            relations: relations.map(|it| self.relation(definition, it)).collect(),
            permissions: Vec::new(),
        })
    }

    fn relation(&mut self, definition: &TypeDefinition, relation: &Relation) -> OutlineRelation {
        let own = relation.source.file.as_deref();
        let file = own.or(definition.source.file.as_deref());
        let name = &relation.name;
        self.name(name, "relation", file);
        let mut itself = None;
        relation.rewrite.each_operand(&mut |operand| match operand {
            Rewrite::Computed(operand) if operand.text == name.text => itself = Some(operand.span),
            _ => {}
        });
        if let Some(span) = itself {
            let text = excerpt(&name.text);
            let message = format!(
                "the relation {text:?} is computed from itself on the same object; here its own name \
                 stands for who is recorded in it; remove that operand"
            );
            self.refuse(span, file, message);
        }
        let assignable = relation.rewrite.assigned_count() > 0;
        let entries = relation.types.iter().filter(|_| assignable);
        OutlineRelation {
            name: name.text.clone(),
            doc: doc_of(&relation.comments),
            types: entries.map(|entry| self.entry(entry)).collect(),
            manages: Vec::new(),
            expression: match &relation.rewrite {
                Rewrite::Assigned => None,
                rewrite => {
                    let mut text = String::new();
                    expression(&mut text, rewrite, &name.text);
                    Some(text)
                }
            },
        }
    }

    fn entry(&self, entry: &Restriction) -> String {
        let is_actor = Some(entry.name.text.as_str()) == self.actor;
        let subject = match &entry.subjects {
            Subjects::All if is_actor => "*".into(),
            Subjects::Objects | Subjects::All => entry.subject_text(),
            Subjects::Usersets(relation) => format!("{}->{}", entry.name.text, relation.text),
        };
        match &entry.condition {
            Some(condition) => format!("{subject} with {}", condition.text),
            None => subject,
        }
    }
}

/// Writes `rewrite` of the relation `own` in the native notation. Operators of one kind stand side
/// by side; everything else is in parentheses, since native operators have equal precedence.
fn expression(out: &mut String, rewrite: &Rewrite, own: &str) {
    match rewrite {
        Rewrite::Assigned => out.push_str(&name_in_expression(own)),
        Rewrite::Computed(relation) => out.push_str(&name_in_expression(&relation.text)),
        Rewrite::From { relation, tupleset } => {
            out.push_str(&name_in_expression(&tupleset.text));
            out.push_str("->");
            out.push_str(&name_in_expression(&relation.text));
        }
        Rewrite::Union(children) => chain(out, children.iter(), " + ", own),
        Rewrite::Intersection(children) => chain(out, children.iter(), " & ", own),
        Rewrite::Difference(base, subtracted) => {
            chain(out, [&**base, &**subtracted].into_iter(), " - ", own);
        }
    }
}

fn chain<'a>(
    out: &mut String,
    children: impl Iterator<Item = &'a Rewrite>,
    operator: &str,
    own: &str,
) {
    for (at, child) in children.enumerate() {
        if at > 0 {
            out.push_str(operator);
        }
        let plain = matches!(
            child,
            Rewrite::Assigned | Rewrite::Computed(_) | Rewrite::From { .. }
        );
        if plain {
            expression(out, child, own);
        } else {
            out.push('(');
            expression(out, child, own);
            out.push(')');
        }
    }
}
