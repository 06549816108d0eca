//! Reads a model from JSON: the form of OpenFGA's API, with its names in snake or camel case.
//!
//! JSON objects have no order, so relations and conditions come out sorted: first what belongs to
//! its type's own module, then by module, file and name; types keep their order, or are sorted
//! alike where they say which module they came from. That is the order in which OpenFGA writes the
//! DSL.

use alloc::{format, vec::Vec};

use serde_json::Value;

use super::{
    error::{Class, Error},
    json_reader::JsonReader,
    model::{Comments, Model, Relation, Restriction, Source, Subjects, TypeDefinition, Word},
};
use crate::{
    limits::{OPENFGA_MODEL_BYTES_MAX, OPENFGA_RESTRICTIONS_MAX},
    name::excerpt,
};

/// Reads a model in whichever of the two notations it is: only JSON begins with `{`.
///
/// # Errors
/// As [`parse_json`] and [`super::parse_dsl`].
pub fn parse_model(text: &str) -> Result<Model, Vec<Error>> {
    if text.trim_start().starts_with('{') {
        parse_json(text)
    } else {
        super::parse_dsl(text)
    }
}

/// Reads a model in JSON. Only its form is checked here; [`super::validate`] checks the rest.
///
/// # Errors
/// All fields that are unknown or not of their form, with their path, and conditions that call
/// themselves otherwise than their key.
pub fn parse_json(text: &str) -> Result<Model, Vec<Error>> {
    if text.len() > OPENFGA_MODEL_BYTES_MAX {
        let message = format!("the model is longer than {OPENFGA_MODEL_BYTES_MAX} bytes; split it");
        return Err(alloc::vec![Error::new(None, Class::Limit, message)]);
    }
    let value: Value = serde_json::from_str(text).map_err(|json| {
        alloc::vec![Error::new(
            None,
            Class::Form,
            format!("this is not JSON: {json}")
        )]
    })?;
    model_from_json(&value)
}

/// A model from JSON that is already data, as [`parse_json`] does it from text.
///
/// # Errors
/// As [`parse_json`].
pub fn model_from_json(value: &Value) -> Result<Model, Vec<Error>> {
    let mut reader = JsonReader::default();
    let mut model = Model::default();
    if let Some(root) = reader.object(value, "the model") {
        for (key, value) in root {
            match key.as_str() {
                // What the API says of a stored model, not of the model.
                "id" => {}
                "schema_version" | "schemaVersion" => {
                    model.schema = reader.text(value, key).map(Word::new);
                }
                "type_definitions" | "typeDefinitions" => {
                    for (at, value) in reader.list(value, key).iter().enumerate() {
                        let path = format!("type_definitions[{at}]");
                        model.types.extend(reader.type_definition(value, &path));
                    }
                }
                "conditions" => {
                    for (name, value) in reader.object_or_null(value, key) {
                        let path = format!("conditions.{}", excerpt(name));
                        model
                            .conditions
                            .extend(reader.condition(name, value, &path));
                    }
                }
                _ => reader.unknown(key, "the model"),
            }
        }
    }
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    if model.types.iter().any(|kind| !kind.source.is_empty()) {
        model.types.sort_by(|a, b| {
            (&a.source.module, &a.name.text).cmp(&(&b.source.module, &b.name.text))
        });
    }
    model
        .conditions
        .sort_by(|a, b| (&a.source, &a.name.text).cmp(&(&b.source, &b.name.text)));
    Ok(model)
}
impl JsonReader {
    fn type_definition(&mut self, value: &Value, path: &str) -> Option<TypeDefinition> {
        let object = self.object(value, path)?;
        let mut definition = TypeDefinition::default();
        let mut metadata = None;
        for (key, value) in object {
            match key.as_str() {
                "type" => definition.name = Word::new(self.text(value, &format!("{path}.type"))?),
                "relations" => {
                    for (name, value) in self.object_or_null(value, &format!("{path}.relations")) {
                        let path = format!("{path}.relations.{}", excerpt(name));
                        definition
                            .relations
                            .extend(self.relation(name, value, &path));
                    }
                }
                "metadata" => metadata = Some(value),
                _ => self.unknown(key, path),
            }
        }
        if !object.contains_key("type") {
            self.report(format!("{path} has no \"type\"; name the type"));
        }
        if let Some(value) = metadata {
            self.type_metadata(&mut definition, value, &format!("{path}.metadata"));
        }
        definition
            .relations
            .sort_by(|a, b| (&a.source, &a.name.text).cmp(&(&b.source, &b.name.text)));
        Some(definition)
    }

    fn type_metadata(&mut self, definition: &mut TypeDefinition, value: &Value, path: &str) {
        for (key, value) in self.object_or_null(value, path) {
            if key != "relations" {
                self.source(&mut definition.source, key, value, path);
                continue;
            }
            for (name, value) in self.object_or_null(value, &format!("{path}.relations")) {
                let path = format!("{path}.relations.{}", excerpt(name));
                let found = definition
                    .relations
                    .iter_mut()
                    .find(|relation| relation.name.text == *name);
                let Some(relation) = found else {
                    self.report(format!("{path} describes a relation that is not defined"));
                    continue;
                };
                for (key, value) in self.object_or_null(value, &path) {
                    match key.as_str() {
                        "directly_related_user_types" | "directlyRelatedUserTypes" => {
                            relation.types = self.restrictions(value, &format!("{path}.{key}"));
                        }
                        _ => self.source(&mut relation.source, key, value, &path),
                    }
                }
            }
        }
    }

    pub(super) fn source(&mut self, source: &mut Source, key: &str, value: &Value, path: &str) {
        match key {
            "module" => {
                let module = self.text(value, &format!("{path}.module"));
                source.module = module.filter(|module| !module.is_empty());
            }
            "source_info" | "sourceInfo" => {
                for (key, value) in self.object_or_null(value, &format!("{path}.{key}")) {
                    if key == "file" {
                        source.file = self.text(value, &format!("{path}.source_info.file"));
                    } else {
                        self.unknown(key, &format!("{path}.source_info"));
                    }
                }
            }
            _ => self.unknown(key, path),
        }
    }

    fn restrictions(&mut self, value: &Value, path: &str) -> Vec<Restriction> {
        let list = self.list(value, path);
        if list.len() > OPENFGA_RESTRICTIONS_MAX {
            self.report(format!(
                "{path}: a relation admits at most {OPENFGA_RESTRICTIONS_MAX} types"
            ));
            return Vec::new();
        }
        list.iter()
            .enumerate()
            .filter_map(|(at, value)| self.restriction(value, &format!("{path}[{at}]")))
            .collect()
    }

    fn restriction(&mut self, value: &Value, path: &str) -> Option<Restriction> {
        let (mut name, mut relation, mut condition, mut all) = (None, None, None, false);
        for (key, value) in self.object(value, path)? {
            let text = |reader: &mut Self| reader.text(value, &format!("{path}.{key}"));
            match key.as_str() {
                "type" => name = text(self),
                "relation" => relation = text(self).filter(|text| !text.is_empty()),
                "condition" => condition = text(self).filter(|text| !text.is_empty()),
                "wildcard" => all = !value.is_null(),
                // Restrictions say where they came from only in what OpenFGA writes itself.
                "source_info" | "sourceInfo" | "module" => {}
                _ => self.unknown(key, path),
            }
        }
        let Some(name) = name else {
            self.report(format!("{path} has no \"type\"; name the type"));
            return None;
        };
        let subjects = match (relation, all) {
            (None, false) => Subjects::Objects,
            (None, true) => Subjects::All,
            (Some(relation), false) => Subjects::Usersets(Word::new(relation)),
            (Some(_), true) => {
                let message = format!("{path} has a wildcard and a relation; remove one");
                self.errors
                    .push(Error::new(None, Class::WildcardRelation, message));
                return None;
            }
        };
        Some(Restriction {
            name: Word::new(name),
            subjects,
            condition: condition.map(Word::new),
            span: None,
        })
    }

    fn relation(&mut self, name: &str, value: &Value, path: &str) -> Option<Relation> {
        let mut operands = 0;
        let rewrite = self.rewrite(value, path, 0, &mut operands)?;
        Some(Relation {
            name: Word::new(name),
            types: Vec::new(),
            rewrite,
            comments: Comments::default(),
            source: Source::default(),
        })
    }
}
