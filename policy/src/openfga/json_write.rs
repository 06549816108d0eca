//! Writes a model as JSON: the form of OpenFGA's API.

use alloc::{format, string::String, vec::Vec};

use serde_json::{json, Map, Value};

use super::model::{Condition, Model, Restriction, Rewrite, Source, Subjects, TypeDefinition};

impl Model {
    /// The model in the JSON of OpenFGA's API, field by field what OpenFGA's own transformer gives.
    /// Comments have no place in it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut root = Map::new();
        if let Some(schema) = &self.schema {
            root.insert("schema_version".into(), json!(schema.text));
        }
        if !self.types.is_empty() {
            let types: Vec<Value> = self.types.iter().map(type_definition).collect();
            root.insert("type_definitions".into(), Value::Array(types));
        }
        if !self.conditions.is_empty() {
            let conditions = self
                .conditions
                .iter()
                .map(|it| (it.name.text.clone(), condition(it)));
            root.insert("conditions".into(), Value::Object(conditions.collect()));
        }
        Value::Object(root)
    }
}

fn add_source(object: &mut Map<String, Value>, source: &Source) {
    if let Some(module) = &source.module {
        object.insert("module".into(), json!(module));
    }
    if let Some(file) = &source.file {
        object.insert("source_info".into(), json!({ "file": file }));
    }
}

fn type_definition(definition: &TypeDefinition) -> Value {
    let mut metadata = Map::new();
    add_source(&mut metadata, &definition.source);
    let (mut relations, mut described) = (Map::new(), Map::new());
    for relation in &definition.relations {
        relations.insert(relation.name.text.clone(), rewrite(&relation.rewrite));
        let mut description = Map::new();
        let types: Vec<Value> = relation.types.iter().map(restriction).collect();
        description.insert("directly_related_user_types".into(), Value::Array(types));
        add_source(&mut description, &relation.source);
        described.insert(relation.name.text.clone(), Value::Object(description));
    }
    if !described.is_empty() {
        metadata.insert("relations".into(), Value::Object(described));
    }
    let metadata = if metadata.is_empty() {
        Value::Null
    } else {
        Value::Object(metadata)
    };
    json!({
        "type": definition.name.text,
        "relations": relations,
        "metadata": metadata,
    })
}

fn restriction(restriction: &Restriction) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), json!(restriction.name.text));
    match &restriction.subjects {
        Subjects::Objects => {}
        Subjects::All => {
            object.insert("wildcard".into(), json!({}));
        }
        Subjects::Usersets(relation) => {
            object.insert("relation".into(), json!(relation.text));
        }
    }
    if let Some(condition) = &restriction.condition {
        object.insert("condition".into(), json!(condition.text));
    }
    Value::Object(object)
}

fn rewrite(of: &Rewrite) -> Value {
    let children = |children: &[Rewrite]| json!({ "child": children.iter().map(rewrite).collect::<Vec<Value>>() });
    match of {
        Rewrite::Assigned => json!({ "this": {} }),
        Rewrite::Computed(relation) => json!({ "computedUserset": { "relation": relation.text } }),
        Rewrite::From { relation, tupleset } => json!({
            "tupleToUserset": {
                "computedUserset": { "relation": relation.text },
                "tupleset": { "relation": tupleset.text },
            }
        }),
        Rewrite::Union(operands) => json!({ "union": children(operands) }),
        Rewrite::Intersection(operands) => json!({ "intersection": children(operands) }),
        Rewrite::Difference(base, subtracted) => json!({
            "difference": { "base": rewrite(base), "subtract": rewrite(subtracted) }
        }),
    }
}

fn condition(condition: &Condition) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), json!(condition.name.text));
    object.insert("expression".into(), json!(condition.expression));
    let parameters = condition
        .parameters
        .iter()
        .map(|parameter| (parameter.name.text.clone(), parameter_type(&parameter.kind)));
    object.insert("parameters".into(), Value::Object(parameters.collect()));
    if !condition.source.is_empty() {
        let mut metadata = Map::new();
        add_source(&mut metadata, &condition.source);
        object.insert("metadata".into(), Value::Object(metadata));
    }
    Value::Object(object)
}

fn parameter_type(kind: &str) -> Value {
    let name = |kind: &str| format!("TYPE_NAME_{}", kind.to_ascii_uppercase());
    match kind.trim_end_matches('>').split_once('<') {
        Some((container, element)) => json!({
            "type_name": name(container),
            "generic_types": [{ "type_name": name(element) }],
        }),
        None => json!({ "type_name": name(kind) }),
    }
}
