//! Translates a native policy to a model, where OpenFGA can express it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    error::{Class, Error},
    model::{
        Comments, Condition, Model, Parameter, Relation, Restriction, Rewrite, Source, Subjects,
        TypeDefinition, Word,
    },
    native_expression,
    validate::validate,
    writable::{is_declared_name, is_dsl_expression, is_dsl_name, is_parameter_type},
};
use crate::{
    name::excerpt,
    outline::{Outline, OutlineCondition, OutlineRelation, OutlineResource},
};

/// What an actor is called where the policy does not say.
const ACTOR: &str = "actor";

/// The relation that every resource has unless the policy says `implicit_owner: false`.
const OWNER: &str = "owner";

/// What may be done about what OpenFGA does not have. Nothing, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Leave management rules (`manages`) out: who may write tuples is no matter of OpenFGA's models.
    pub drop_management: bool,
    /// Write the implicit owner out: a relation `owner` on each type, and `owner or …` in each
    /// permission. The tuples of owners must be written too.
    pub write_owner: bool,
}

/// The model that means what the policy means (docs/spec/openfga.md). Relations and permissions
/// become relations; actors become a type of their own.
///
/// # Errors
/// With [`Class::NotExpressible`] each part that OpenFGA cannot express, by name; what [`validate`]
/// says of the model that comes out.
pub fn export(outline: &Outline, options: ExportOptions) -> Result<Model, Vec<Error>> {
    let mut exporter = Exporter {
        outline,
        options,
        actors_used: false,
        errors: Vec::new(),
    };
    let model = exporter.model();
    if !exporter.errors.is_empty() {
        return Err(exporter.errors);
    }
    let mut errors = validate(&model);
    errors.retain(|error| error.class != Class::ConditionNotUsed);
    if errors.is_empty() {
        Ok(model)
    } else {
        Err(errors)
    }
}

struct Exporter<'a> {
    outline: &'a Outline,
    options: ExportOptions,
    actors_used: bool,
    errors: Vec<Error>,
}

fn comments(doc: &str) -> Comments {
    Comments {
        before: lines(doc),
        beside: None,
    }
}

fn lines(doc: &str) -> Vec<String> {
    let lines = doc.split('\n').map(ToString::to_string);
    lines.filter(|_| !doc.is_empty()).collect()
}

impl<'a> Exporter<'a> {
    fn refuse(&mut self, message: String) {
        self.errors
            .push(Error::new(None, Class::NotExpressible, message));
    }

    fn name(&mut self, name: &str, what: &str) {
        if !is_dsl_name(name) {
            let name = excerpt(name);
            self.refuse(format!(
                "{what} {name:?} cannot be named so in OpenFGA; rename it"
            ));
        }
    }

    fn actor(&self) -> &'a str {
        self.outline.actor.as_deref().unwrap_or(ACTOR)
    }

    fn model(&mut self) -> Model {
        let outline = self.outline;
        let has_permissions = |resource: &OutlineResource| !resource.permissions.is_empty();
        if !outline.without_owner
            && !self.options.write_owner
            && outline.resources.iter().any(has_permissions)
        {
            self.refuse(
                "the implicit owner has every permission here, which OpenFGA does not have; write \
                 `implicit_owner: false`, or have the owner written out"
                    .into(),
            );
        }
        let conditions = outline.conditions.iter();
        let conditions = conditions.map(|it| self.condition(it)).collect();
        let resources = outline.resources.iter();
        let mut types: Vec<TypeDefinition> = resources.map(|it| self.resource(it)).collect();
        if self.actors_used {
            self.name(self.actor(), "the actor type");
            types.insert(
                0,
                TypeDefinition {
                    name: Word::new(self.actor()),
                    ..TypeDefinition::default()
                },
            );
        }
        Model {
            comments: lines(&outline.description),
            schema: Some(Word::new("1.1")),
            types,
            conditions,
            ..Model::default()
        }
    }

    fn condition(&mut self, condition: &OutlineCondition) -> Condition {
        let name = condition.name.as_str();
        let shown = excerpt(name);
        if !is_declared_name(name) {
            self.refuse(format!(
                "condition {shown:?} cannot be named so in OpenFGA; rename it"
            ));
        }
        if condition.parameters.is_empty() {
            self.refuse(format!(
                "condition {shown:?} has no parameters, and OpenFGA's have at least one; add one"
            ));
        }
        let mut parameters = Vec::new();
        for (parameter, kind) in &condition.parameters {
            let text = excerpt(parameter);
            if !is_declared_name(parameter) {
                self.refuse(format!(
                    "parameter {text:?} of condition {shown:?} cannot be named so in OpenFGA; rename it"
                ));
            }
            if !is_parameter_type(kind) {
                let kind = excerpt(kind);
                self.refuse(format!(
                    "parameter {text:?} of condition {shown:?} has the type {kind:?}, which OpenFGA's \
                     DSL does not have"
                ));
            }
            parameters.push(Parameter {
                name: Word::new(parameter),
                kind: kind.clone(),
            });
        }
        if !is_dsl_expression(&condition.expression) {
            self.refuse(format!(
                "OpenFGA's DSL would not read the expression of condition {shown:?} as it is; write it \
                 without `}}`, `#` and the word `condition` outside of texts"
            ));
        }
        Condition {
            name: Word::new(name),
            parameters,
            expression: condition.expression.clone(),
            comments: comments(&condition.doc),
            ..Condition::default()
        }
    }

    fn resource(&mut self, resource: &OutlineResource) -> TypeDefinition {
        self.name(&resource.name, "resource");
        let owner = !self.outline.without_owner && self.options.write_owner;
        let mut relations = Vec::new();
        if owner && resource.relations.iter().all(|it| it.name != OWNER) {
            relations.push(self.relation(
                resource,
                &OutlineRelation {
                    name: OWNER.into(),
                    ..OutlineRelation::default()
                },
            ));
        }
        for relation in &resource.relations {
            relations.push(self.relation(resource, relation));
        }
        for permission in &resource.permissions {
            let place = format!(
                "permission {:?} of {:?}",
                excerpt(&permission.name),
                excerpt(&resource.name)
            );
            self.name(&permission.name, "permission");
            let own = permission.expression.as_deref();
            let own = own.and_then(|text| self.expression(text, None, resource, &place));
            let rewrite = match (own, owner) {
                (Some(own), false) => own,
                (Some(own), true) => {
                    Rewrite::Union(alloc::vec![Rewrite::Computed(Word::new(OWNER)), own])
                }
                (None, true) => Rewrite::Computed(Word::new(OWNER)),
                (None, false) => {
                    if permission.expression.is_none() {
                        self.refuse(format!(
                            "{place} is never granted, which OpenFGA does not allow; remove it"
                        ));
                    }
                    continue;
                }
            };
            relations.push(Relation {
                name: Word::new(&permission.name),
                types: Vec::new(),
                rewrite,
                comments: comments(&permission.doc),
                source: Source::default(),
            });
        }
        TypeDefinition {
            name: Word::new(&resource.name),
            relations,
            comments: comments(&resource.doc),
            ..TypeDefinition::default()
        }
    }

    fn relation(&mut self, resource: &OutlineResource, relation: &OutlineRelation) -> Relation {
        let name = &relation.name;
        let place = format!(
            "relation {:?} of {:?}",
            excerpt(name),
            excerpt(&resource.name)
        );
        self.name(name, "relation");
        if !relation.manages.is_empty() && !self.options.drop_management {
            self.refuse(format!(
                "{place} manages others, which OpenFGA does not have; have management left out"
            ));
        }
        let rewrite = relation.expression.as_deref();
        let rewrite = rewrite.map(|text| self.expression(text, Some(name), resource, &place));
        let rewrite = rewrite.unwrap_or(Some(Rewrite::Assigned));
        let rewrite = rewrite.unwrap_or(Rewrite::Assigned);
        let mut types = Vec::new();
        if rewrite.assigned_count() > 0 {
            for entry in &relation.types {
                types.extend(self.entry(entry, &place));
            }
            if relation.types.is_empty() {
                types.extend(self.entry(self.actor(), &place));
            }
        }
        Relation {
            name: Word::new(name),
            types,
            rewrite,
            comments: comments(&relation.doc),
            source: Source::default(),
        }
    }

    fn expression(
        &mut self,
        text: &str,
        own: Option<&str>,
        resource: &OutlineResource,
        place: &str,
    ) -> Option<Rewrite> {
        let known = |name: &str| {
            let relations = resource.relations.iter().map(|relation| &relation.name);
            let permissions = resource.permissions.iter().map(|it| &it.name);
            relations.chain(permissions).any(|known| known == name)
        };
        match native_expression::read(text, own, &known) {
            Ok(rewrite) => Some(rewrite),
            Err(message) => {
                self.refuse(format!("{place}: {message}"));
                None
            }
        }
    }

    /// An entry of `types`.
    fn entry(&mut self, entry: &str, place: &str) -> Option<Restriction> {
        let (subject, traits) = match entry.split_once(" with ") {
            Some((subject, traits)) => (subject.trim(), traits),
            None => (entry.trim(), ""),
        };
        let mut condition = None;
        for one in traits.split(" and ").map(str::trim) {
            match one {
                "" => {}
                "expiration" => {
                    let entry = excerpt(entry);
                    self.refuse(format!(
                        "{place} admits {entry:?}, and OpenFGA's tuples do not expire; use a condition"
                    ));
                    return None;
                }
                one => {
                    self.name(one, "the condition");
                    condition = Some(Word::new(one));
                }
            }
        }
        let (name, subjects) = if subject == "*" {
            (self.actor(), Subjects::All)
        } else if let Some(name) = subject.strip_suffix(":*") {
            (name, Subjects::All)
        } else if let Some((name, relation)) = subject.split_once("->") {
            (name, Subjects::Usersets(Word::new(relation)))
        } else {
            (subject, Subjects::Objects)
        };
        self.actors_used |= name == self.actor();
        Some(Restriction {
            name: Word::new(name),
            subjects,
            condition,
            span: None,
        })
    }
}
