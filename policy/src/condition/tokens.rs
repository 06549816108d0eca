//! The words of a condition: cel-spec langdef, "Syntax". Places are kept, so that every later error
//! can name its own.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{literal, Double};
use crate::{
    limits::{CONDITION_BYTES_MAX, CONDITION_NAME_BYTES_MAX},
    name::excerpt,
    schema::{PolicyError, Position},
    yaml::error,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a word such as `in`, or a reserved one.
    Word(String),
    /// The magnitude of an integer; its sign is an operator's.
    Int(u64),
    Uint(u64),
    Double(Double),
    String(String),
    Bytes(Vec<u8>),
    Symbol(&'static str),
    End,
}

/// Longest first, so that the first that fits is the one meant.
const SYMBOLS: [&str; 24] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// Parts `text`, which starts at `start` of the policy; the last token is [`Token::End`].
pub(super) fn tokens(text: &str, start: Position) -> Result<Vec<(Token, Position)>, PolicyError> {
    if text.len() > CONDITION_BYTES_MAX {
        return Err(error(
            start,
            format!("a condition has at most {CONDITION_BYTES_MAX} bytes; split it into several"),
        ));
    }
    let mut words = Words {
        text,
        at: 0,
        position: start,
    };
    let mut tokens = Vec::new();
    loop {
        words.skip_space();
        let position = words.position;
        let token = words.next()?;
        let end = token == Token::End;
        tokens.push((token, position));
        if end {
            return Ok(tokens);
        }
    }
}

struct Words<'a> {
    text: &'a str,
    at: usize,
    /// Place of `at`.
    position: Position,
}

impl<'a> Words<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn advance(&mut self, bytes: usize) {
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

    /// Skips white space and comments, which run from `//` to the end of the line.
    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let comment = rest.starts_with("//");
            let length = if comment {
                rest.find('\n').unwrap_or(rest.len())
            } else {
                let space = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c);
                rest.bytes().take_while(space).count()
            };
            if length == 0 {
                return;
            }
            self.advance(length);
        }
    }

    fn next(&mut self) -> Result<Token, PolicyError> {
        let rest = self.rest();
        let Some(first) = rest.bytes().next() else {
            return Ok(Token::End);
        };
        if let Some(prefix) = literal::quote(rest) {
            let (token, length) = prefix.read().map_err(|(at, message)| {
                self.advance(at);
                error(self.position, message)
            })?;
            self.advance(length);
            return Ok(token);
        }
        let digit_follows = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if first.is_ascii_digit() || (first == b'.' && digit_follows) {
            let (token, length) =
                literal::number(rest).map_err(|message| error(self.position, message))?;
            self.advance(length);
            return Ok(token);
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
            let length = rest.bytes().take_while(part).count();
            self.advance(length);
            return Ok(Token::Word(rest.get(..length).unwrap_or("").to_owned()));
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            self.advance(symbol.len());
            return Ok(Token::Symbol(symbol));
        }
        let found: String = rest.chars().take(1).collect();
        Err(error(
            self.position,
            match first {
                b'=' => "`=` has no meaning here; compare with `==`".to_owned(),
                b'&' => "`&` has no meaning here; write `&&`".to_owned(),
                b'|' => "`|` has no meaning here; write `||`".to_owned(),
                b'`' => "quoted field names are not supported; write m[\"name\"]".to_owned(),
                _ => format!("{:?} has no meaning in a condition", excerpt(&found)),
            },
        ))
    }
}

/// Whether a parameter or variable may have this name: an identifier (langdef, "Syntax": IDENT) that
/// is not too long and that CEL does not keep for itself.
pub(super) fn is_identifier(text: &str) -> bool {
    let first = text.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text.len() <= CONDITION_NAME_BYTES_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_reserved(text)
}

/// Whether CEL keeps `word` for itself (langdef, "Syntax": RESERVED), or gives it a meaning.
pub(super) fn is_reserved(word: &str) -> bool {
    is_keyword(word)
        || matches!(
            word,
            "as" | "break"
                | "const"
                | "continue"
                | "else"
                | "for"
                | "function"
                | "if"
                | "import"
                | "let"
                | "loop"
                | "package"
                | "namespace"
                | "return"
                | "var"
                | "void"
                | "while"
        )
}

/// Words that stand for values and an operator.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(word, "true" | "false" | "null" | "in")
}
