//! Reads the DSL: header, types, and what of them is not an expression.
//!
//! Facts: openfga/language, `OpenFGAParser.g4`. A text is read to its end whatever is wrong with it,
//! so that all errors come at once: a definition that cannot be read is left for the next line, and
//! only where a line does not end when it should nothing more is tried.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{
    error::{Class, Error},
    model::{Comments, Model, Relation, Rewrite, Source, TypeDefinition, Word},
    parser::{is_name, word, Lost, Parser},
    token::{tokens, Kind},
};
use crate::{limits::OPENFGA_MODEL_BYTES_MAX, name::excerpt};

/// Reads a model or a module written in the DSL, versions 1.1 and 1.2. Only its form is checked
/// here; [`super::validate`] checks the rest.
///
/// # Errors
/// All places where the text departs from the grammar, and names that are defined twice in one
/// relation list, condition list or parameter list; [`Class::Limit`] for what is beyond the bounds.
pub fn parse_dsl(text: &str) -> Result<Model, Vec<Error>> {
    if text.len() > OPENFGA_MODEL_BYTES_MAX {
        let message = format!("the model is longer than {OPENFGA_MODEL_BYTES_MAX} bytes; split it");
        return Err(alloc::vec![Error::new(None, Class::Limit, message)]);
    }
    let mut parser = Parser::new(text, tokens(text));
    let mut model = Model::default();
    // Who gives up has said why.
    let _ = parser.model(&mut model);
    parser.finish(model)
}

impl Parser<'_> {
    fn model(&mut self, model: &mut Model) -> Result<(), Lost> {
        self.header(model)?;
        let mut extended = BTreeSet::new();
        while self.kind() == Kind::Line && matches!(self.next_kind(), Kind::Type | Kind::Extend) {
            let definition = self.type_definition(model, &mut extended);
            if let Ok(definition) = definition {
                model.types.push(definition);
            } else {
                self.skip_to(|kind| kind == Kind::Line);
            }
            self.line_end()?;
        }
        let mut conditions = BTreeSet::new();
        while self.kind() == Kind::Line && self.next_kind() == Kind::Condition {
            self.take();
            let before = self.comments_before(self.current().span.start.line);
            if let Ok(mut condition) = self.condition() {
                // What stands in the condition went with its expression.
                let line = self.current().span.start.line;
                self.comments_before(line);
                condition.comments = Comments {
                    before,
                    beside: self.comment_beside(),
                };
                if !conditions.insert(condition.name.text.clone()) {
                    let name = excerpt(&condition.name.text);
                    self.twice(
                        &condition.name,
                        format!("the condition {name:?} is defined for the second time"),
                    );
                }
                model.conditions.push(condition);
                self.line_end()?;
            } else {
                self.skip_to(|kind| kind == Kind::Line);
            }
        }
        self.take_if(Kind::Line);
        model.end_comments = self.comments_before(usize::MAX);
        if self.kind() == Kind::End {
            return Ok(());
        }
        let expected = if model.conditions.is_empty() {
            "a type, `relations` or `define` where it belongs, or a condition"
        } else {
            "a condition; types stand before conditions"
        };
        Err(self.unexpected(expected))
    }

    /// end: what such a line was meant to be, nobody knows, and the next one may hang on it.
    fn line_end(&mut self) -> Result<(), Lost> {
        let expected = "nothing more on this line; put operators of two kinds into parentheses";
        let is_end = |kind| matches!(kind, Kind::Line | Kind::End);
        self.drop_before(is_end, expected);
        if is_end(self.kind()) {
            return Ok(());
        }
        let lost = self.unexpected(expected);
        self.skip_to(|_| false);
        Err(lost)
    }

    fn header(&mut self, model: &mut Model) -> Result<(), Lost> {
        let expected = "`model`, or `module` and its name, at the start of the text";
        let is_start = |kind| matches!(kind, Kind::Line | Kind::Model | Kind::Module);
        self.drop_before(|kind| is_start(kind) || kind == Kind::Space, expected);
        self.take_if(Kind::Space);
        self.drop_before(is_start, expected);
        self.take_if(Kind::Line);
        model.comments = self.comments_before(self.current().span.start.line);
        if self.take_if(Kind::Module) {
            let name = self
                .expect(|kind| kind == Kind::Space, "the module's name")
                .and_then(|_| self.expect(is_name, "the module's name"));
            match name {
                Ok(name) => model.module = Some(word(name)),
                Err(Lost) => self.skip_to(|kind| kind == Kind::Line),
            }
            return self.line_end();
        }
        if !self.take_if(Kind::Model) {
            return Err(self.unexpected(expected));
        }
        match self.schema() {
            Ok(version) => model.schema = Some(version),
            Err(Lost) => self.skip_to(|kind| kind == Kind::Line),
        }
        let line = self.current().span.start.line;
        let more = self.comments_before(line);
        model.comments.extend(more);
        model.comments.extend(self.comment_beside());
        self.line_end()
    }

    fn schema(&mut self) -> Result<Word, Lost> {
        let expected = "`schema 1.1` on a line of its own";
        self.expect(|kind| kind == Kind::Line, expected)?;
        self.expect(|kind| kind == Kind::Schema, expected)?;
        self.expect(|kind| kind == Kind::Space, expected)?;
        Ok(word(self.expect(
            |kind| kind == Kind::Version,
            "a version such as 1.1",
        )?))
    }

    fn type_definition(
        &mut self,
        model: &Model,
        extended: &mut BTreeSet<String>,
    ) -> Result<TypeDefinition, Lost> {
        self.take();
        let mut comments = Comments {
            before: self.comments_before(self.current().span.start.line),
            beside: None,
        };
        let extends = self.take_if(Kind::Extend);
        if extends {
            self.expect(|kind| kind == Kind::Space, "`extend type` and its name")?;
        }
        self.expect(|kind| kind == Kind::Type, "`type` and its name")?;
        self.expect(|kind| kind == Kind::Space, "the type's name")?;
        let name = word(self.expect(is_name, "the type's name")?);
        comments.beside = self.comment_beside();
        if extends && model.module.is_none() {
            self.twice(
                &name,
                "only a module can extend a type; begin the text with `module`".into(),
            );
        } else if extends && !extended.insert(name.text.clone()) {
            let text = excerpt(&name.text);
            self.twice(
                &name,
                format!("the type {text:?} is extended for the second time in this file"),
            );
        }
        let mut definition = TypeDefinition {
            name,
            extends,
            comments,
            ..TypeDefinition::default()
        };
        let relations =
            |parser: &Self| parser.kind() == Kind::Line && parser.next_kind() == Kind::Relations;
        if relations(self) {
            self.take();
            self.take();
            self.relations(&mut definition)?;
        }
        Ok(definition)
    }

    fn relations(&mut self, definition: &mut TypeDefinition) -> Result<(), Lost> {
        let mut names = BTreeSet::new();
        if self.kind() == Kind::Line && self.next_kind() != Kind::Define {
            self.take();
            return Err(self.unexpected("`define` and a relation"));
        }
        while self.kind() == Kind::Line && self.next_kind() == Kind::Define {
            self.take();
            let before = self.comments_before(self.current().span.start.line);
            self.take();
            match self.relation() {
                Ok(mut relation) => {
                    relation.comments = Comments {
                        before,
                        beside: self.comment_beside(),
                    };
                    if !names.insert(relation.name.text.clone()) {
                        let name = excerpt(&relation.name.text);
                        let kind = excerpt(&definition.name.text);
                        self.twice(
                            &relation.name,
                            format!("type {kind:?} defines {name:?} for the second time"),
                        );
                    }
                    definition.relations.push(relation);
                }
                Err(Lost) => self.skip_to(|kind| kind == Kind::Line),
            }
            self.line_end()?;
        }
        Ok(())
    }

    /// What follows `define`.
    fn relation(&mut self) -> Result<Relation, Lost> {
        let expected = "the relation's name";
        self.expect(|kind| kind == Kind::Space, expected)?;
        let name = word(self.expect(is_name, expected)?);
        self.take_if(Kind::Space);
        let starts = |kind| {
            is_name(kind)
                || matches!(
                    kind,
                    Kind::Space | Kind::OpenBracket | Kind::OpenParenthesis
                )
        };
        let expected = "`:` behind the relation's name";
        if self.kind() != Kind::Colon && self.next_kind() != Kind::Colon && starts(self.kind()) {
            // Only the colon is missing.
            self.unexpected(expected);
        } else {
            self.expect(|kind| kind == Kind::Colon, expected)?;
        }
        self.take_if(Kind::Space);
        let mut types = Vec::new();
        let rewrite: Rewrite = self.rewrite(&mut types)?;
        Ok(Relation {
            name,
            types,
            rewrite,
            comments: Comments::default(),
            source: Source::default(),
        })
    }
}
