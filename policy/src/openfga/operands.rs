//! What a relation names that is not there, or may not stand where it does.

use alloc::{format, vec::Vec};

use super::{
    error::Class,
    model::{Relation, Restriction, Rewrite, Subjects, TypeDefinition, Word},
    validate::{source_file, span_of, Validator},
};
use crate::name::excerpt;

impl Validator<'_> {
    pub(super) fn operands(&mut self, definition: &TypeDefinition, relation: &Relation) {
        let mut operands = Vec::new();
        relation
            .rewrite
            .each_operand(&mut |operand| operands.push(operand));
        for operand in operands {
            match operand {
                Rewrite::Assigned => self.entries(definition, relation),
                Rewrite::Computed(name) => {
                    if !self.has(&definition.name.text, &name.text) {
                        let (text, kind) = (excerpt(&name.text), excerpt(&definition.name.text));
                        self.report(
                            name.span,
                            source_file(definition, relation),
                            Class::MissingDefinition,
                            format!("type {kind:?} has no relation {text:?}; define it"),
                        );
                    }
                }
                Rewrite::From {
                    relation: name,
                    tupleset,
                } => self.from(definition, relation, name, tupleset),
                Rewrite::Union(_) | Rewrite::Intersection(_) | Rewrite::Difference(..) => {}
            }
        }
    }

    fn has(&self, kind: &str, relation: &str) -> bool {
        self.types
            .get(kind)
            .is_some_and(|known| known.relations.contains_key(relation))
    }

    fn entries(&mut self, definition: &TypeDefinition, relation: &Relation) {
        let file = source_file(definition, relation);
        if relation.types.is_empty() {
            let name = excerpt(&relation.name.text);
            self.report(
                relation.name.span,
                file,
                Class::NoAssignableType,
                format!("the relation {name:?} is assignable, but to no type; name one"),
            );
        }
        for Restriction {
            name,
            subjects,
            condition,
            span,
        } in &relation.types
        {
            let kind = excerpt(&name.text);
            if !self.types.contains_key(name.text.as_str()) {
                let message = format!("there is no type {kind:?}; define it");
                self.report(name.span, file, Class::InvalidType, message);
            } else if let Subjects::Usersets(userset) = subjects {
                if !self.has(&name.text, &userset.text) {
                    let text = excerpt(&userset.text);
                    let message = format!("type {kind:?} has no relation {text:?}; define it");
                    self.report(*span, file, Class::InvalidRelation, message);
                }
            }
            let Some(condition) = condition else { continue };
            if !self.conditions.contains(condition.text.as_str()) {
                let text = excerpt(&condition.text);
                let message = format!("there is no condition {text:?}; define it");
                self.report(condition.span, file, Class::ConditionNotDefined, message);
            }
        }
    }

    fn from(
        &mut self,
        definition: &TypeDefinition,
        relation: &Relation,
        name: &Word,
        tupleset: &Word,
    ) {
        let file = source_file(definition, relation);
        let span = span_of(name, tupleset);
        let kind = excerpt(&definition.name.text);
        let (text, over) = (excerpt(&name.text), excerpt(&tupleset.text));
        let own = self.types.get(definition.name.text.as_str());
        let Some(assigned) = own.and_then(|known| known.relations.get(tupleset.text.as_str()))
        else {
            let message = format!("type {kind:?} has no relation {over:?}; define it");
            return self.report(span, file, Class::InvalidRelation, message);
        };
        if !is_direct(assigned) {
            let message = format!(
                "the relation {over:?} stands behind `from`, so it must be a plain list of types; \
                 let it have no operators, `#` and `*`"
            );
            return self.report(tupleset.span, file, Class::TuplesetNotDirect, message);
        }
        let kinds: Vec<&str> = assigned
            .types
            .iter()
            .map(|entry| entry.name.text.as_str())
            .collect();
        if kinds.iter().any(|kind| self.has(kind, &name.text)) {
            return;
        }
        for other in kinds {
            let other = excerpt(other);
            self.report(
                span,
                file,
                Class::InvalidRelationOnTupleset,
                format!(
                    "{over:?} leads to type {other:?}, which has no relation {text:?}; define it there"
                ),
            );
        }
    }
}

/// Whether a relation may stand behind `from`.
fn is_direct(relation: &Relation) -> bool {
    let plain = |entry: &Restriction| entry.subjects == Subjects::Objects;
    relation.rewrite == Rewrite::Assigned && relation.types.iter().all(plain)
}
