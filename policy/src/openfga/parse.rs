//! Reads the DSL: header, types, and what of them is not an expression.
//!
//! Facts: openfga/language, `OpenFGAParser.g4`. A text is read to its end whatever is wrong with it,
//! so that all errors come at once, and places are those that OpenFGA's own parser names: it takes
//! away a single word too many or thinks one up that is missing, leaves a definition that it cannot
//! read for the next line, and gives up where a line does not end when it should.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{
    error::{Class, Error, Span},
    model::{Comments, Model, Relation, Rewrite, Source, TypeDefinition, Word},
    token::{tokens, Comment, Kind, Token},
};
use crate::{
    limits::{OPENFGA_ERRORS_MAX, OPENFGA_MODEL_BYTES_MAX},
    name::excerpt,
    schema::Position,
};

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
    let lexed = tokens(text);
    let mut parser = Parser {
        text,
        tokens: lexed.tokens,
        comments: lexed.comments,
        at: 0,
        comment_at: 0,
        quiet: false,
        errors: Vec::new(),
    };
    let mut model = Model::default();
    // Who gives up has said why.
    let _ = parser.model(&mut model);
    if parser.errors.is_empty() {
        Ok(model)
    } else {
        Err(parser.errors)
    }
}

/// The rule at hand cannot go on; the error is recorded. Its caller goes on behind it.
#[derive(Debug)]
pub(super) struct Lost;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token<'a>>,
    pub(super) comments: Vec<Comment>,
    at: usize,
    comment_at: usize,
    /// Nothing is reported between an error and the next token that is as it should be.
    quiet: bool,
    errors: Vec<Error>,
}

pub(super) fn is_name(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Name { .. }
            | Kind::Module
            | Kind::Model
            | Kind::Schema
            | Kind::Extend
            | Kind::Type
            | Kind::Relation
    )
}

pub(super) fn word(token: Token<'_>) -> Word {
    Word {
        text: token.text.into(),
        span: Some(token.span),
    }
}

impl<'a> Parser<'a> {
    fn token(&self, ahead: usize) -> Token<'a> {
        let nowhere = Position { line: 1, column: 1 };
        let end = Token {
            kind: Kind::End,
            text: "",
            span: Span {
                start: nowhere,
                end: nowhere,
            },
            offset: self.text.len(),
        };
        let last = self.tokens.last().copied().unwrap_or(end);
        self.tokens.get(self.at + ahead).copied().unwrap_or(last)
    }

    pub(super) fn current(&self) -> Token<'a> {
        self.token(0)
    }

    pub(super) fn kind(&self) -> Kind {
        self.current().kind
    }

    pub(super) fn next_kind(&self) -> Kind {
        self.token(1).kind
    }

    /// Takes a token that is as it should be.
    pub(super) fn take(&mut self) -> Token<'a> {
        let token = self.current();
        self.at += 1;
        self.quiet = false;
        token
    }

    pub(super) fn take_if(&mut self, kind: Kind) -> bool {
        let is = self.kind() == kind;
        if is {
            self.take();
        }
        is
    }

    pub(super) fn report(&mut self, span: Span, message: String) {
        if self.errors.len() < OPENFGA_ERRORS_MAX {
            self.errors
                .push(Error::new(Some(span), Class::Syntax, message));
        }
    }

    /// Reports that the current token is not `expected`.
    pub(super) fn unexpected(&mut self, expected: &str) -> Lost {
        let token = self.current();
        if !self.quiet {
            let found = match token.kind {
                Kind::End => "the text ends here".into(),
                Kind::Line => "the line ends here".into(),
                Kind::Space => format!(
                    "{:?} stands here",
                    excerpt(self.token(1).text.lines().next().unwrap_or(""))
                ),
                _ => format!("{:?} stands here", excerpt(token.text)),
            };
            self.report(token.span, format!("{found}; write {expected}"));
        }
        self.quiet = true;
        Lost
    }

    /// Reports the current token as one too many and goes over it.
    pub(super) fn drop_token(&mut self, expected: &str) {
        self.unexpected(expected);
        self.at += 1;
        self.quiet = false;
    }

    /// Drops the current token if the one behind it is right and it is not.
    pub(super) fn drop_before(&mut self, is: impl Fn(Kind) -> bool, expected: &str) {
        if !is(self.kind()) && self.kind() != Kind::End && is(self.next_kind()) {
            self.drop_token(expected);
        }
    }

    /// Takes a token for which `is` holds.
    pub(super) fn expect(
        &mut self,
        is: impl Fn(Kind) -> bool,
        expected: &str,
    ) -> Result<Token<'a>, Lost> {
        self.drop_before(&is, expected);
        if is(self.kind()) {
            Ok(self.take())
        } else {
            Err(self.unexpected(expected))
        }
    }

    /// Goes on to the first token for which `is` holds, or to the end.
    pub(super) fn skip_to(&mut self, is: impl Fn(Kind) -> bool) {
        while self.kind() != Kind::End && !is(self.kind()) {
            self.at += 1;
        }
    }

    /// The comments before `line` that nobody has taken yet.
    fn comments_before(&mut self, line: usize) -> Vec<String> {
        let rest = self.comments.get(self.comment_at..).unwrap_or_default();
        let count = rest
            .iter()
            .take_while(|comment| comment.line < line)
            .count();
        let texts = rest
            .iter()
            .take(count)
            .map(|comment| comment.text.clone())
            .collect();
        self.comment_at += count;
        texts
    }

    /// The comment behind what was taken last, if it is on the same line.
    fn comment_beside(&mut self) -> Option<String> {
        let last = self.tokens.get(self.at.checked_sub(1)?)?;
        let comment = self.comments.get(self.comment_at)?;
        if !comment.beside || comment.line != last.span.end.line {
            return None;
        }
        self.comment_at += 1;
        Some(comment.text.clone())
    }

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

    pub(super) fn twice(&mut self, word: &Word, message: String) {
        if let Some(span) = word.span {
            self.report(span, message + "; remove one");
        }
    }

    /// What should be the end of a line; a single word too many is taken away. More of them are the
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
