//! Splits a text in the DSL into tokens, each with its place; comments go aside.
//!
//! White space is a token: the language is told apart by it. A run of line ends, blank lines,
//! comments and indentation is one token, [`Kind::Line`]. Facts: openfga/language,
//! `OpenFGALexer.g4`, and its rule that `#` begins a comment at the start of a line or behind white
//! space (elsewhere it parts a type from a relation).

use alloc::{string::String, vec::Vec};

use super::{
    error::Span,
    scan::{extended_length, is_word_byte, number_length, string_length},
};
use crate::schema::Position;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Line,
    Space,
    /// A name; with `extended`, one that holds `.` or `/`.
    Name {
        extended: bool,
    },
    And,
    Or,
    ButNot,
    From,
    Module,
    Model,
    Schema,
    Extend,
    Type,
    Condition,
    Relations,
    Relation,
    Define,
    With,
    /// `in`, `true`, `false`, `null`: words that CEL keeps for itself.
    Reserved,
    Version,
    /// `bool`, `int`, …, only between `condition` and its `)`.
    ParameterType,
    /// `list` and `map`, only there.
    Container,
    Hash,
    Colon,
    Comma,
    Less,
    Greater,
    Star,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    OpenParenthesis,
    CloseParenthesis,
    /// A number, a text or an operator: only expressions of conditions hold them.
    Cel,
    /// Nothing that the language knows.
    Unknown,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub span: Span,
    /// Byte offset of its start.
    pub offset: usize,
}

/// A comment: from `#` to the end of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub line: usize,
    /// What follows `#`, without the space that mostly stands there.
    pub text: String,
    /// Whether something else stands before it on its line.
    pub beside: bool,
    /// Byte offsets.
    pub start: usize,
    pub end: usize,
}

pub(super) struct Tokens<'a> {
    pub tokens: Vec<Token<'a>>,
    pub comments: Vec<Comment>,
}

/// The tokens of `text`; the last one is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Tokens<'_> {
    let mut lexer = Lexer {
        text,
        at: 0,
        place: Position { line: 1, column: 1 },
        in_parameters: false,
        out: Tokens {
            tokens: Vec::new(),
            comments: Vec::new(),
        },
    };
    while lexer.at < text.len() {
        lexer.next();
    }
    lexer.push(Kind::End, 0);
    lexer.out
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    place: Position,
    in_parameters: bool,
    out: Tokens<'a>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Goes over `length` bytes.
    fn skip(&mut self, length: usize) {
        let passed = self.rest().get(..length).unwrap_or("");
        for character in passed.chars() {
            if character == '\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else {
                self.place.column += 1;
            }
        }
        self.at += passed.len();
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let (start, offset) = (self.place, self.at);
        self.skip(length);
        self.out.tokens.push(Token {
            kind,
            text: self.text.get(offset..self.at).unwrap_or(""),
            span: Span {
                start,
                end: self.place,
            },
            offset,
        });
    }

    fn next(&mut self) {
        let rest = self.rest();
        let byte = rest.bytes().next().unwrap_or(b' ');
        if matches!(byte, b' ' | b'\t' | 0x0c | b'\n' | b'\r') || self.comment_begins(false) {
            self.blank();
        } else if rest.starts_with("//") {
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        } else if let Some((length, ends)) = string_length(rest) {
            self.push(if ends { Kind::Cel } else { Kind::Unknown }, length);
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            self.word();
        } else if byte.is_ascii_digit() {
            let length = number_length(rest);
            let (whole, fraction) = rest
                .get(..length)
                .and_then(|number| number.split_once('.'))
                .unwrap_or_default();
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if digits(whole) && digits(fraction) {
                self.push(Kind::Version, length);
            } else {
                self.push(Kind::Cel, length);
            }
        } else {
            self.mark();
        }
    }

    /// Whether a comment begins here. `#` parts a type from a relation unless it stands at the start
    /// of a line or behind white space.
    fn comment_begins(&self, behind_space: bool) -> bool {
        let line_start = || match self.out.tokens.last() {
            None => true,
            Some(last) => last.kind == Kind::Line,
        };
        self.rest().starts_with('#') && (behind_space || line_start())
    }

    /// White space, line ends and comments: one token, or none at the end of the text.
    fn blank(&mut self) {
        let (start, offset) = (self.place, self.at);
        let something_before = !self.out.tokens.is_empty();
        let mut lines = 0usize;
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\u{c}', '\r']).len();
            self.skip(blanks);
            let behind_space = self.at > offset;
            if self.rest().starts_with('\n') {
                self.skip(1);
                lines += 1;
            } else if self.comment_begins(behind_space) {
                let rest = self.rest();
                let length = rest.find('\n').unwrap_or(rest.len());
                let text = rest.get(1..length).unwrap_or("").trim_end();
                self.out.comments.push(Comment {
                    line: self.place.line,
                    text: text.strip_prefix(' ').unwrap_or(text).into(),
                    beside: something_before && lines == 0,
                    start: self.at,
                    end: self.at + length,
                });
                self.skip(length);
            } else {
                break;
            }
        }
        if self.at < self.text.len() || lines > 0 {
            self.out.tokens.push(Token {
                kind: if lines > 0 { Kind::Line } else { Kind::Space },
                text: self.text.get(offset..self.at).unwrap_or(""),
                span: Span {
                    start,
                    end: self.place,
                },
                offset,
            });
        }
    }

    fn word(&mut self) {
        let rest = self.rest();
        if rest.starts_with("but not") && !rest.as_bytes().get(7).copied().is_some_and(is_word_byte)
        {
            return self.push(Kind::ButNot, 7);
        }
        let plain = rest
            .bytes()
            .take_while(|b| is_word_byte(*b) || *b == b'-')
            .count();
        let extended = extended_length(rest);
        if extended > plain && !self.in_parameters {
            return self.push(Kind::Name { extended: true }, extended);
        }
        let text = rest.get(..plain).unwrap_or("");
        let kind = if self.in_parameters {
            match text {
                "map" | "list" => Kind::Container,
                "bool" | "string" | "int" | "uint" | "double" | "duration" | "timestamp"
                | "ipaddress" => Kind::ParameterType,
                _ => Kind::Name { extended: false },
            }
        } else {
            keyword(text).unwrap_or(Kind::Name { extended: false })
        };
        self.in_parameters |= kind == Kind::Condition;
        self.push(kind, plain);
    }

    fn mark(&mut self) {
        let rest = self.rest();
        let two = ["==", "!=", "<=", ">=", "&&", "||"];
        if !self.in_parameters && two.iter().any(|mark| rest.starts_with(mark)) {
            return self.push(Kind::Cel, 2);
        }
        let first = rest.chars().next().unwrap_or(' ');
        let kind = match first {
            '#' => Kind::Hash,
            ':' => Kind::Colon,
            ',' => Kind::Comma,
            '<' => Kind::Less,
            '>' => Kind::Greater,
            '*' => Kind::Star,
            '[' => Kind::OpenBracket,
            ']' => Kind::CloseBracket,
            '{' => Kind::OpenBrace,
            '}' => Kind::CloseBrace,
            '(' => Kind::OpenParenthesis,
            ')' => Kind::CloseParenthesis,
            '.' | '-' | '!' | '?' | '+' | '/' | '%' => Kind::Cel,
            _ => Kind::Unknown,
        };
        self.in_parameters &= kind != Kind::CloseParenthesis;
        self.push(kind, first.len_utf8());
    }
}

fn keyword(text: &str) -> Option<Kind> {
    Some(match text {
        "and" => Kind::And,
        "or" => Kind::Or,
        "from" => Kind::From,
        "module" => Kind::Module,
        "model" => Kind::Model,
        "schema" => Kind::Schema,
        "extend" => Kind::Extend,
        "type" => Kind::Type,
        "condition" => Kind::Condition,
        "relations" => Kind::Relations,
        "relation" => Kind::Relation,
        "define" => Kind::Define,
        "with" => Kind::With,
        "in" | "true" | "false" | "null" => Kind::Reserved,
        _ => return None,
    })
}
