//! Words and signs of a schema, with their places, and the comments between them.

use alloc::{format, vec::Vec};

use super::{
    comments::Comment,
    error::{refuse, ErrorClass, SpicedbError},
};
use crate::schema::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    Word(&'a str),
    Sign(&'static str),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub kind: Kind<'a>,
    pub position: Position,
    /// Whether a line break stands before it: the end of a line ends a statement.
    pub line_start: bool,
}

/// Longest first, so that `->` is not read as `-`.
const SIGNS: [&str; 21] = [
    "...", "->", "{", "}", "(", ")", "|", "+", "-", "&", "/", "=", ":", ";", "#", "*", ",", ".",
    "<", ">", "@",
];

pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    position: Position,
    /// How many tokens were read.
    count: usize,
    /// Comments that nobody took yet.
    pub comments: Vec<Comment<'a>>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            position: Position { line: 1, column: 1 },
            count: 0,
            comments: Vec::new(),
        }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Number of the token that was read last, from 1.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Goes on by `bytes`, which end between characters.
    pub(crate) fn skip(&mut self, bytes: usize) {
        for character in self.rest().get(..bytes).unwrap_or("").chars() {
            if character == '\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        self.at += bytes;
    }

    pub(crate) fn next(&mut self) -> Result<Token<'a>, SpicedbError> {
        let line_start = self.skip_space_and_comments()?;
        self.count += 1;
        let (rest, position) = (self.rest(), self.position);
        let token = |kind| Token {
            kind,
            position,
            line_start,
        };
        let Some(first) = rest.chars().next() else {
            return Ok(token(Kind::End));
        };
        let word = |character: char| character.is_alphanumeric() || character == '_';
        if word(first) {
            let length = rest
                .find(|character| !word(character))
                .unwrap_or(rest.len());
            self.skip(length);
            return Ok(token(Kind::Word(rest.get(..length).unwrap_or(""))));
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.skip(sign.len());
            return Ok(token(Kind::Sign(sign)));
        }
        Err(refuse(
            position,
            ErrorClass::Syntax,
            format!("{first:?} has no meaning in a schema; remove it"),
        ))
    }

    /// Whether a line break was among what was skipped.
    fn skip_space_and_comments(&mut self) -> Result<bool, SpicedbError> {
        let mut breaks_since_token = 0;
        let mut breaks = 0;
        loop {
            let rest = self.rest();
            let space = rest
                .find(|character: char| !matches!(character, ' ' | '\t' | '\r' | '\n'))
                .unwrap_or(rest.len());
            let found = rest.get(..space).unwrap_or("").matches('\n').count();
            breaks += found;
            breaks_since_token += found;
            self.skip(space);
            let rest = self.rest();
            let length = if rest.starts_with("//") {
                rest.find(['\n', '\r']).unwrap_or(rest.len())
            } else if let Some(inner) = rest.strip_prefix("/*") {
                match inner.find("*/") {
                    Some(length) => length + 4,
                    None => {
                        return Err(refuse(
                            self.position,
                            ErrorClass::Syntax,
                            "this comment does not end; close it with `*/`",
                        ))
                    }
                }
            } else {
                0
            };
            let before = self.count + 1;
            if let Some(last) = self
                .comments
                .last_mut()
                .filter(|last| last.before == before)
            {
                last.blank_behind |= breaks > 1;
            }
            if length == 0 {
                return Ok(breaks_since_token > 0);
            }
            breaks = 0;
            let text = rest.get(..length).unwrap_or("");
            self.comments.push(Comment {
                text,
                position: self.position,
                before,
                trailing: breaks_since_token == 0 && self.count > 0,
                blank_behind: false,
            });
            breaks_since_token += text.matches('\n').count();
            self.skip(length);
        }
    }
}
