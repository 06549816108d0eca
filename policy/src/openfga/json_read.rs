//! Reads a model from JSON: the form of OpenFGA's API, with its names in snake or camel case.
//!
//! JSON objects have no order, so relations and conditions come out sorted: first what belongs to
//! its type's own module, then by module, file and name; types keep their order, or are sorted
//! alike where they say which module they came from. That is the order in which OpenFGA writes the
//! DSL.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::{
    error::{Class, Error},
    model::{
        Comments, Condition, Model, Parameter, Relation, Restriction, Rewrite, Source, Subjects,
        TypeDefinition, Word,
    },
};
use crate::{
    limits::{
        EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX, OPENFGA_ERRORS_MAX, OPENFGA_MODEL_BYTES_MAX,
        OPENFGA_RESTRICTIONS_MAX,
    },
    name::excerpt,
};

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
    let mut reader = Reader::default();
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

#[derive(Default)]
struct Reader {
    errors: Vec<Error>,
}

impl Reader {
    fn report(&mut self, message: String) {
        if self.errors.len() < OPENFGA_ERRORS_MAX {
            self.errors.push(Error::new(None, Class::Form, message));
        }
    }

    fn unknown(&mut self, key: &str, path: &str) {
        self.report(format!("{path}: {:?} is unknown; remove it", excerpt(key)));
    }

    fn object<'a>(&mut self, value: &'a Value, path: &str) -> Option<&'a Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.report(format!("{path} is no object; write {{…}}"));
        }
        object
    }

    fn object_or_null<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let object = if value.is_null() {
            None
        } else {
            self.object(value, path)
        };
        object.into_iter().flatten()
    }

    fn list<'a>(&mut self, value: &'a Value, path: &str) -> &'a [Value] {
        if value.is_null() {
            return &[];
        }
        let list = value.as_array();
        if list.is_none() {
            self.report(format!("{path} is no list; write […]"));
        }
        list.map_or(&[], Vec::as_slice)
    }

    fn text(&mut self, value: &Value, path: &str) -> Option<String> {
        let text = value.as_str().map(Into::into);
        if text.is_none() {
            self.report(format!("{path} is no text; put it into quotes"));
        }
        text
    }

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

    fn source(&mut self, source: &mut Source, key: &str, value: &Value, path: &str) {
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

    fn rewrite(
        &mut self,
        value: &Value,
        path: &str,
        depth: usize,
        operands: &mut usize,
    ) -> Option<Rewrite> {
        *operands += 1;
        if depth > EXPRESSION_DEPTH_MAX || *operands > 2 * EXPRESSION_OPERANDS_MAX {
            self.report(format!(
                "{path} has more than {EXPRESSION_OPERANDS_MAX} operands or nests deeper than \
                 {EXPRESSION_DEPTH_MAX} levels; split it"
            ));
            return None;
        }
        let object = self.object(value, path)?;
        let mut fields = object.iter();
        let (Some((key, value)), None) = (fields.next(), fields.next()) else {
            self.report(format!(
                "{path} needs exactly one of this, computedUserset, tupleToUserset, union, \
                 intersection, difference"
            ));
            return None;
        };
        let path = format!("{path}.{key}");
        match key.as_str() {
            "this" => self.object(value, &path).map(|_| Rewrite::Assigned),
            "computedUserset" | "computed_userset" => {
                self.object_relation(value, &path).map(Rewrite::Computed)
            }
            "tupleToUserset" | "tuple_to_userset" => self.from(value, &path),
            "union" => self
                .children(value, &path, depth, operands)
                .map(Rewrite::Union),
            "intersection" => self
                .children(value, &path, depth, operands)
                .map(Rewrite::Intersection),
            "difference" => {
                let (mut base, mut subtracted) = (None, None);
                for (key, value) in self.object(value, &path)? {
                    let side = match key.as_str() {
                        "base" => &mut base,
                        "subtract" => &mut subtracted,
                        _ => {
                            self.unknown(key, &path);
                            continue;
                        }
                    };
                    *side =
                        Some(self.rewrite(value, &format!("{path}.{key}"), depth + 1, operands)?);
                }
                if base.is_none() || subtracted.is_none() {
                    self.report(format!("{path} needs \"base\" and \"subtract\""));
                }
                Some(Rewrite::Difference(Box::new(base?), Box::new(subtracted?)))
            }
            _ => {
                self.unknown(key, &path);
                None
            }
        }
    }

    fn children(
        &mut self,
        value: &Value,
        path: &str,
        depth: usize,
        operands: &mut usize,
    ) -> Option<Vec<Rewrite>> {
        let mut children = Vec::new();
        for (key, value) in self.object(value, path)? {
            if key != "child" {
                self.unknown(key, path);
                continue;
            }
            for (at, value) in self
                .list(value, &format!("{path}.child"))
                .iter()
                .enumerate()
            {
                let path = format!("{path}.child[{at}]");
                children.push(self.rewrite(value, &path, depth + 1, operands)?);
            }
        }
        if children.is_empty() {
            self.report(format!("{path} needs at least one \"child\""));
            return None;
        }
        Some(children)
    }

    fn from(&mut self, value: &Value, path: &str) -> Option<Rewrite> {
        let (mut relation, mut tupleset) = (None, None);
        for (key, value) in self.object(value, path)? {
            let path = format!("{path}.{key}");
            match key.as_str() {
                "tupleset" => tupleset = self.object_relation(value, &path),
                "computedUserset" | "computed_userset" => {
                    relation = self.object_relation(value, &path);
                }
                _ => self.unknown(key, &path),
            }
        }
        if relation.is_none() || tupleset.is_none() {
            self.report(format!("{path} needs \"tupleset\" and \"computedUserset\""));
        }
        Some(Rewrite::From {
            relation: relation?,
            tupleset: tupleset?,
        })
    }

    /// `{"relation": …}`; an `object` may stand beside it and is empty in a model.
    fn object_relation(&mut self, value: &Value, path: &str) -> Option<Word> {
        let mut relation = None;
        for (key, value) in self.object(value, path)? {
            match key.as_str() {
                "relation" => relation = self.text(value, &format!("{path}.relation")),
                "object" if value.as_str() == Some("") => {}
                _ => self.unknown(key, path),
            }
        }
        if relation.is_none() {
            self.report(format!("{path} needs a \"relation\""));
        }
        relation.map(Word::new)
    }

    fn condition(&mut self, name: &str, value: &Value, path: &str) -> Option<Condition> {
        let mut condition = Condition {
            name: Word::new(name),
            ..Condition::default()
        };
        for (key, value) in self.object(value, path)? {
            match key.as_str() {
                "name" => {
                    let own = self.text(value, &format!("{path}.name"))?;
                    if own != name {
                        let (name, own) = (excerpt(name), excerpt(&own));
                        let message = format!(
                            "the condition under the key {name:?} calls itself {own:?}; use one name"
                        );
                        self.errors
                            .push(Error::new(None, Class::ConditionName, message));
                    }
                }
                "expression" => {
                    condition.expression = self.text(value, &format!("{path}.expression"))?;
                }
                "parameters" => {
                    for (name, value) in self.object_or_null(value, &format!("{path}.parameters")) {
                        let path = format!("{path}.parameters.{}", excerpt(name));
                        if let Some(kind) = self.parameter_type(value, &path) {
                            condition.parameters.push(Parameter {
                                name: Word::new(name),
                                kind,
                            });
                        }
                    }
                }
                "metadata" => {
                    let path = format!("{path}.metadata");
                    for (key, value) in self.object_or_null(value, &path) {
                        self.source(&mut condition.source, key, value, &path);
                    }
                }
                _ => self.unknown(key, path),
            }
        }
        condition
            .parameters
            .sort_by(|a, b| a.name.text.cmp(&b.name.text));
        Some(condition)
    }

    fn parameter_type(&mut self, value: &Value, path: &str) -> Option<String> {
        let (mut name, mut elements) = (None, Vec::new());
        for (key, value) in self.object(value, path)? {
            match key.as_str() {
                "type_name" | "typeName" => name = self.text(value, &format!("{path}.{key}")),
                "generic_types" | "genericTypes" => {
                    let path = format!("{path}.{key}");
                    for value in self.list(value, &path) {
                        let element = value.as_object().and_then(|element| {
                            element.get("type_name").or_else(|| element.get("typeName"))
                        });
                        let element = element.and_then(Value::as_str).and_then(scalar);
                        if element.is_none() {
                            self.report(format!(
                                "{path} is no type that elements can have; use a simple one"
                            ));
                        }
                        elements.push(element?);
                    }
                }
                _ => self.unknown(key, path),
            }
        }
        let name = name.unwrap_or_default();
        let kind = match (name.as_str(), elements.as_slice()) {
            ("TYPE_NAME_LIST", [element]) => Some(format!("list<{element}>")),
            ("TYPE_NAME_MAP", [element]) => Some(format!("map<{element}>")),
            (name, []) => scalar(name).map(Into::into),
            _ => None,
        };
        if kind.is_none() {
            let name = excerpt(&name);
            self.report(format!("{path}: {name:?} is no type of a parameter"));
        }
        kind
    }
}

fn scalar(name: &str) -> Option<&'static str> {
    Some(match name {
        "TYPE_NAME_BOOL" => "bool",
        "TYPE_NAME_STRING" => "string",
        "TYPE_NAME_INT" => "int",
        "TYPE_NAME_UINT" => "uint",
        "TYPE_NAME_DOUBLE" => "double",
        "TYPE_NAME_DURATION" => "duration",
        "TYPE_NAME_TIMESTAMP" => "timestamp",
        "TYPE_NAME_IPADDRESS" => "ipaddress",
        "TYPE_NAME_ANY" => "any",
        _ => return None,
    })
}
