//! What is wrong with a model that has the right form.
//!
//! Follows OpenFGA's own validators, whose suites we read (openfga/language,
//! `dsl-semantic-validation-cases.yaml` and its neighbours): the same classes, at the same places.
//! Names come first, then what stands twice, then what is named but does not exist; only where all
//! of that is well is it asked whether anybody can ever have each relation.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use super::{
    entry,
    error::{Class, Error, Span},
    model::{Model, Relation, Source, TypeDefinition, Word},
};
use crate::{limits::OPENFGA_ERRORS_MAX, name::excerpt, schema::Position};

/// Longest name of a type in characters, and of a relation (OpenFGA's naming rules).
const TYPE_NAME_MAX: usize = 254;
const RELATION_NAME_MAX: usize = 50;

/// All that is wrong with `model`; nothing if OpenFGA would take it.
#[must_use]
pub fn validate(model: &Model) -> Vec<Error> {
    let mut validator = Validator::new(model);
    if !validator.schema(model) {
        return validator.errors;
    }
    validator.each_relation(model, Validator::relation_name);
    validator.duplicates(model);
    validator.each_relation(model, Validator::operands);
    if validator.errors.is_empty() {
        for (definition, relation) in entry::without(model, &validator.types) {
            validator.report(
                relation.name.span,
                source_file(definition, relation),
                Class::NoEntryPoint,
                format!(
                    "nobody can ever be {:?} of {:?}: it hangs on itself alone; let it admit a type",
                    excerpt(&relation.name.text),
                    excerpt(&definition.name.text)
                ),
            );
        }
    }
    validator.conditions(model);
    validator.files(model);
    validator.errors
}

/// A type and its relations by name.
pub(super) struct Known<'a> {
    pub(super) definition: &'a TypeDefinition,
    pub(super) relations: BTreeMap<&'a str, &'a Relation>,
}

pub(super) type Types<'a> = BTreeMap<&'a str, Known<'a>>;

/// The types of a model; those of one name (which is an error) taken together, so that the error is
/// the only one.
pub(super) fn types(model: &Model) -> Types<'_> {
    let mut types = Types::new();
    for definition in &model.types {
        let known = types.entry(&definition.name.text).or_insert_with(|| Known {
            definition,
            relations: BTreeMap::new(),
        });
        for relation in &definition.relations {
            known
                .relations
                .entry(&relation.name.text)
                .or_insert(relation);
        }
    }
    types
}

pub(super) struct Validator<'a> {
    pub(super) types: Types<'a>,
    pub(super) conditions: BTreeSet<&'a str>,
    errors: Vec<Error>,
}

pub(super) fn source_file<'a>(
    definition: &'a TypeDefinition,
    relation: &'a Relation,
) -> Option<&'a str> {
    let own = relation.source.file.as_deref();
    own.or(definition.source.file.as_deref())
}

/// The place of `viewer from parent`.
pub(super) fn span_of(first: &Word, last: &Word) -> Option<Span> {
    Some(Span {
        start: first.span?.start,
        end: last.span?.end,
    })
}

fn fits(name: &str, length_max: usize) -> bool {
    !name.is_empty()
        && name.chars().count() <= length_max
        && !name.contains(|c: char| matches!(c, ':' | '#' | '@' | '*') || c.is_whitespace())
}

impl<'a> Validator<'a> {
    fn new(model: &'a Model) -> Self {
        Self {
            types: types(model),
            conditions: model
                .conditions
                .iter()
                .map(|condition| condition.name.text.as_str())
                .collect(),
            errors: Vec::new(),
        }
    }

    pub(super) fn report(
        &mut self,
        span: Option<Span>,
        file: Option<&str>,
        class: Class,
        message: String,
    ) {
        if self.errors.len() < OPENFGA_ERRORS_MAX {
            self.errors
                .push(Error::new(span, class, message).in_file(file));
        }
    }

    pub(super) fn each_relation(
        &mut self,
        model: &'a Model,
        check: impl Fn(&mut Self, &'a TypeDefinition, &'a Relation),
    ) {
        for definition in &model.types {
            for relation in &definition.relations {
                check(self, definition, relation);
            }
        }
    }

    fn schema(&mut self, model: &Model) -> bool {
        let Some(schema) = &model.schema else {
            let start = Position { line: 1, column: 1 };
            let span = model.module.as_ref().map(|_| Span { start, end: start });
            let message = "the model has no schema version; begin with `model` and `schema 1.1`";
            self.report(span, None, Class::SchemaVersionRequired, message.into());
            return false;
        };
        let known = matches!(schema.text.as_str(), "1.1" | "1.2");
        if !known {
            let version = excerpt(&schema.text);
            self.report(
                schema.span,
                None,
                Class::InvalidSchema,
                format!("schema {version:?} is not supported; write 1.1 or 1.2"),
            );
        }
        for definition in &model.types {
            if known {
                self.type_name(definition);
            }
        }
        known
    }

    fn type_name(&mut self, definition: &TypeDefinition) {
        let (name, file) = (&definition.name, definition.source.file.as_deref());
        let text = excerpt(&name.text);
        if matches!(name.text.as_str(), "self" | "this") {
            let message = format!("no type can be named {text:?}; take another name");
            self.report(name.span, file, Class::ReservedType, message);
        } else if !fits(&name.text, TYPE_NAME_MAX) {
            let message = format!(
                "{text:?} is no name of a type: use 1 to {TYPE_NAME_MAX} characters without `:`, \
                 `#`, `@`, `*` and white space"
            );
            self.report(name.span, file, Class::InvalidName, message);
        }
    }

    fn relation_name(&mut self, definition: &TypeDefinition, relation: &Relation) {
        let (name, file) = (&relation.name, source_file(definition, relation));
        let text = excerpt(&name.text);
        if matches!(name.text.as_str(), "self" | "this") {
            let message = format!("no relation can be named {text:?}; take another name");
            self.report(name.span, file, Class::ReservedRelation, message);
        } else if !fits(&name.text, RELATION_NAME_MAX) {
            let message = format!(
                "{text:?} is no name of a relation: use 1 to {RELATION_NAME_MAX} characters \
                 without `:`, `#`, `@`, `*` and white space"
            );
            self.report(name.span, file, Class::InvalidName, message);
        }
    }

    fn conditions(&mut self, model: &Model) {
        let relations = model
            .types
            .iter()
            .flat_map(|definition| &definition.relations);
        let used: BTreeSet<&str> = relations
            .flat_map(|relation| &relation.types)
            .filter_map(|entry| Some(entry.condition.as_ref()?.text.as_str()))
            .collect();
        for condition in &model.conditions {
            if !used.contains(condition.name.text.as_str()) {
                let name = excerpt(&condition.name.text);
                self.report(
                    condition.name.span,
                    condition.source.file.as_deref(),
                    Class::ConditionNotUsed,
                    format!("the condition {name:?} is not used; remove it"),
                );
            }
        }
    }

    /// A file holds one module.
    fn files(&mut self, model: &Model) {
        let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut sources: Vec<&Source> = Vec::new();
        for definition in &model.types {
            sources.push(&definition.source);
            sources.extend(definition.relations.iter().map(|relation| &relation.source));
        }
        sources.extend(model.conditions.iter().map(|condition| &condition.source));
        for source in sources {
            let (Some(file), Some(module)) = (&source.file, &source.module) else {
                continue;
            };
            let of_file = modules.entry(file).or_default();
            if !of_file.contains(&module.as_str()) {
                of_file.push(module);
            }
        }
        for (file, modules) in modules {
            if modules.len() > 1 {
                let (file, names) = (excerpt(file), excerpt(&modules.join(", ")));
                self.report(
                    None,
                    None,
                    Class::MultipleModulesInFile,
                    format!(
                        "file {file:?} would hold several modules ({names}); give each its own"
                    ),
                );
            }
        }
    }
}
