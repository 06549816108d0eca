//! Walks over the tokens of a text in the DSL, and says where they are not what they should be.
//!
//! Errors are found and overcome as OpenFGA's own parser does it, so that places agree: a single
//! token too many is taken away, and nothing is said between an error and the next token that is as
//! it should be.

use alloc::{format, string::String, vec::Vec};

use super::{
    error::{Class, Error, Span},
    model::Word,
    token::{Comment, Kind, Token, Tokens},
};
use crate::{limits::OPENFGA_ERRORS_MAX, name::excerpt, schema::Position};

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
    pub(super) fn new(text: &'a str, lexed: Tokens<'a>) -> Self {
        Self {
            text,
            tokens: lexed.tokens,
            comments: lexed.comments,
            at: 0,
            comment_at: 0,
            quiet: false,
            errors: Vec::new(),
        }
    }

    /// `value` if nothing was reported, else what was.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Error>> {
        if self.errors.is_empty() {
            Ok(value)
        } else {
            Err(self.errors)
        }
    }

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
    pub(super) fn comments_before(&mut self, line: usize) -> Vec<String> {
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
    pub(super) fn comment_beside(&mut self) -> Option<String> {
        let last = self.tokens.get(self.at.checked_sub(1)?)?;
        let comment = self.comments.get(self.comment_at)?;
        if !comment.beside || comment.line != last.span.end.line {
            return None;
        }
        self.comment_at += 1;
        Some(comment.text.clone())
    }
    /// Reports that `word` stands for the second time.
    pub(super) fn twice(&mut self, word: &Word, message: String) {
        if let Some(span) = word.span {
            self.report(span, message + "; remove one");
        }
    }
}
