//! The words and signs of a theorem text, with their places.
//!
//! White space and comments (`//` to the end of the line) part tokens and mean nothing else. What
//! is no token is reported once and stands as [`Token::Broken`], so that the parser passes over the
//! theorem that it spoils without reporting it again.

use alloc::{format, vec::Vec};

use crate::{schema::Position, theorems::error::Errors};

/// One word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, `resource:id`, a DID, `*`.
    Word(&'a str),
    /// What stands between two quotes on one line.
    Quoted(&'a str),
    /// `{ } ( ) ! # @ > & +`.
    Sign(char),
    /// `=>`.
    Implies,
    /// Reported already.
    Broken,
}

/// A token, its place, and the bytes of the text that it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    pub token: Token<'a>,
    pub position: Position,
    pub from: usize,
    pub to: usize,
}

/// Parts `text` into tokens.
pub(super) fn tokens<'a>(text: &'a str, errors: &mut Errors) -> Vec<Placed<'a>> {
    let mut all = Vec::new();
    let mut position = Position { line: 1, column: 1 };
    let mut at = 0;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, length) = match first {
            '\n' => {
                position.line += 1;
                position.column = 1;
                at += 1;
                continue;
            }
            _ if first.is_whitespace() => {
                position.column += 1;
                at += first.len_utf8();
                continue;
            }
            '=' if rest.starts_with("=>") => (Token::Implies, 2),
            '{' | '}' | '(' | ')' | '!' | '#' | '@' | '>' | '&' | '+' => (Token::Sign(first), 1),
            '"' => quoted(rest, position, errors),
            _ => match word(rest) {
                "" => {
                    errors.add(
                        position,
                        format!("{first:?} has no meaning here; put an id that holds it in double quotes"),
                    );
                    (Token::Broken, first.len_utf8())
                }
                word => (Token::Word(word), word.len()),
            },
        };
        all.push(Placed {
            token,
            position,
            from: at,
            to: at + length,
        });
        position.column += rest[..length].chars().count();
        at += length;
    }
    all
}

/// An id in quotes, which ends on its line.
fn quoted<'a>(rest: &'a str, position: Position, errors: &mut Errors) -> (Token<'a>, usize) {
    let line = rest.lines().next().unwrap_or(rest);
    match line.get(1..).and_then(|inner| inner.split_once('"')) {
        Some((inner, _)) => (Token::Quoted(inner), inner.len() + 2),
        None => {
            errors.add(
                position,
                "the quote does not close on this line; add the second one",
            );
            (Token::Broken, line.len())
        }
    }
}

/// The word that `rest` starts with: letters, digits and `_ . : / % ~ * -`, up to a comment.
fn word(rest: &str) -> &str {
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.:/%~*-".contains(byte))
        .count();
    let word = rest.get(..length).unwrap_or_default();
    word.split_once("//").map_or(word, |(before, _)| before)
}
