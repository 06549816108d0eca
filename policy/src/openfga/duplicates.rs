//! What stands twice in a model. The place of the error is that of the first.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::{
    error::{Class, Span},
    model::{Model, Relation, Rewrite, TypeDefinition},
    validate::{source_file, span_of, Validator},
};
use crate::name::excerpt;

impl<'a> Validator<'a> {
    pub(super) fn duplicates(&mut self, model: &'a Model) {
        let mut seen: BTreeMap<&str, Option<Span>> = BTreeMap::new();
        for definition in &model.types {
            let name = &definition.name;
            if let Some(first) = seen.get(name.text.as_str()).copied() {
                let text = excerpt(&name.text);
                self.report(
                    first,
                    definition.source.file.as_deref(),
                    Class::Duplicate,
                    format!("the type {text:?} is defined more than once; remove one"),
                );
            }
            seen.entry(&name.text).or_insert(name.span);
        }
        self.each_relation(model, |this, definition, relation| {
            this.duplicate_entries(definition, relation);
            this.duplicate_operands(definition, relation);
        });
    }

    fn twice(
        &mut self,
        span: Option<Span>,
        definition: &TypeDefinition,
        relation: &Relation,
        what: &str,
    ) {
        let (what, name) = (excerpt(what), excerpt(&relation.name.text));
        self.report(
            span,
            source_file(definition, relation),
            Class::Duplicate,
            format!("{what:?} stands more than once in the relation {name:?}; remove one"),
        );
    }

    fn duplicate_entries(&mut self, definition: &TypeDefinition, relation: &Relation) {
        let mut seen: BTreeMap<(String, Option<&str>), Option<Span>> = BTreeMap::new();
        for entry in &relation.types {
            let text = entry.subject_text();
            let condition = entry.condition.as_ref().map(|word| word.text.as_str());
            if let Some(first) = seen.get(&(text.clone(), condition)) {
                self.twice(*first, definition, relation, &text);
            }
            seen.entry((text, condition)).or_insert(entry.span);
        }
    }

    /// Operands of the outermost operator.
    fn duplicate_operands(&mut self, definition: &TypeDefinition, relation: &Relation) {
        let mut seen: BTreeMap<(&str, Option<&str>), Option<Span>> = BTreeMap::new();
        let children: Vec<&Rewrite> = match &relation.rewrite {
            Rewrite::Union(children) | Rewrite::Intersection(children) => children.iter().collect(),
            Rewrite::Difference(base, subtracted) => alloc::vec![&**base, &**subtracted],
            _ => return,
        };
        for child in children {
            let (key, span) = match child {
                Rewrite::Computed(name) => ((name.text.as_str(), None), name.span),
                Rewrite::From { relation, tupleset } => (
                    (relation.text.as_str(), Some(tupleset.text.as_str())),
                    span_of(relation, tupleset),
                ),
                _ => continue,
            };
            if let Some(first) = seen.get(&key) {
                let text = match key {
                    (name, None) => name.into(),
                    (name, Some(tupleset)) => format!("{name} from {tupleset}"),
                };
                self.twice(*first, definition, relation, &text);
            }
            seen.entry(key).or_insert(span);
        }
    }
}
