//! Puts modules together into one model (schema 1.2).

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    error::{Class, Error, Span},
    model::{Model, Source, TypeDefinition, Word},
    parse::parse_dsl,
    validate::validate,
};
use crate::{
    limits::{OPENFGA_MODEL_BYTES_MAX, OPENFGA_MODULES_MAX},
    name::excerpt,
    schema::Position,
};

/// One file of a model in modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleFile<'a> {
    /// Its name, as the list of modules gives it.
    pub name: &'a str,
    /// What it says.
    pub text: &'a str,
}

/// The model that `files` are together, with `schema` as its version. Each part remembers its module
/// and file; what extends a type stands behind the type's own relations.
///
/// # Errors
/// All errors of all files, each with its file: of their form, of parts that stand twice or extend
/// what is not there, and what [`validate`] says of the whole.
pub fn combine(files: &[ModuleFile<'_>], schema: &str) -> Result<Model, Vec<Error>> {
    if files.len() > OPENFGA_MODULES_MAX {
        let message = format!("a model has at most {OPENFGA_MODULES_MAX} modules");
        return Err(alloc::vec![Error::new(None, Class::Limit, message)]);
    }
    if files.iter().map(|file| file.text.len()).sum::<usize>() > OPENFGA_MODEL_BYTES_MAX {
        let message =
            format!("the modules together are longer than {OPENFGA_MODEL_BYTES_MAX} bytes");
        return Err(alloc::vec![Error::new(None, Class::Limit, message)]);
    }
    let mut whole = Whole::default();
    whole.model.schema = Some(Word::new(schema));
    for file in files {
        match parse_dsl(file.text) {
            Ok(module) => whole.add(file.name, module),
            Err(errors) => {
                let errors = errors.into_iter();
                whole
                    .errors
                    .extend(errors.map(|error| error.in_file(Some(file.name))));
            }
        }
    }
    for extension in core::mem::take(&mut whole.extensions) {
        whole.extend(extension);
    }
    let Whole {
        model, mut errors, ..
    } = whole;
    errors.extend(validate(&model));
    if errors.is_empty() {
        Ok(model)
    } else {
        Err(errors)
    }
}

#[derive(Default)]
struct Whole {
    model: Model,
    errors: Vec<Error>,
    extensions: Vec<TypeDefinition>,
    /// Where each type stands in the model.
    types: BTreeMap<String, usize>,
}

impl Whole {
    fn report(&mut self, file: Option<&str>, span: Option<Span>, message: String) {
        self.errors
            .push(Error::new(span, Class::Modules, message).in_file(file));
    }

    fn add(&mut self, file: &str, module: Model) {
        let Some(name) = module.module else {
            let start = Position { line: 1, column: 1 };
            let span = Span { start, end: start };
            let message = "this file is no module; begin it with `module` and a name";
            return self.report(Some(file), Some(span), message.into());
        };
        let source = Source {
            module: Some(name.text),
            file: Some(file.into()),
        };
        self.model.comments.extend(module.comments);
        for mut definition in module.types {
            definition.source = source.clone();
            if definition.extends {
                self.extensions.push(definition);
            } else if self.types.contains_key(&definition.name.text) {
                let text = excerpt(&definition.name.text);
                let message =
                    format!("the type {text:?} is defined in another module too; extend it there");
                self.report(Some(file), definition.name.span, message);
            } else {
                self.types
                    .insert(definition.name.text.clone(), self.model.types.len());
                self.model.types.push(definition);
            }
        }
        for mut condition in module.conditions {
            let name = &condition.name;
            if self
                .model
                .conditions
                .iter()
                .any(|it| it.name.text == name.text)
            {
                let text = excerpt(&name.text);
                let message = format!("the condition {text:?} is defined in another module too");
                self.report(Some(file), name.span, message + "; remove one");
                continue;
            }
            condition.source = source.clone();
            self.model.conditions.push(condition);
        }
        self.model.end_comments.extend(module.end_comments);
    }

    fn extend(&mut self, extension: TypeDefinition) {
        let TypeDefinition {
            name,
            relations,
            source,
            ..
        } = extension;
        let file = source.file.as_deref();
        let at = self.types.get(&name.text).copied();
        if at.is_none() {
            let text = excerpt(&name.text);
            let message = format!("there is no type {text:?} to extend; define it in a module");
            return self.report(file, name.span, message);
        }
        for mut relation in relations {
            let Some(definition) = at.and_then(|at| self.model.types.get_mut(at)) else {
                return;
            };
            let own = &definition.relations;
            if own.iter().any(|it| it.name.text == relation.name.text) {
                let (text, kind) = (excerpt(&relation.name.text), excerpt(&name.text));
                let message = format!("type {kind:?} has a relation {text:?} already; remove one");
                self.report(file, relation.name.span, message);
                continue;
            }
            relation.source = source.clone();
            definition.relations.push(relation);
        }
    }
}
