//! Reads a native expression (docs/spec/policy.md §1) as one of OpenFGA's: operators of equal
//! precedence from left to right become nested ones, which OpenFGA writes with parentheses.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::model::{Rewrite, Word};
use crate::{
    limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX},
    name::excerpt,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    Arrow,
    ArrowAll,
    Union,
    Intersection,
    Difference,
    Open,
    Close,
}

/// Reads `text`. `own` is the relation whose expression it is: its own name stands for what is
/// recorded in it. `known` tells which names the resource has.
///
/// # Errors
/// In words: what OpenFGA cannot express, or what is no expression.
pub(super) fn read(
    text: &str,
    own: Option<&str>,
    known: &dyn Fn(&str) -> bool,
) -> Result<Rewrite, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        operands: 0,
        own,
        known,
    };
    let (rewrite, _) = parser.expression(0)?;
    match parser.peek() {
        None => Ok(rewrite),
        Some(_) => Err("an operator is missing, or a `)` is too many".into()),
    }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let marks = [
            ("&->", Token::ArrowAll),
            ("->", Token::Arrow),
            ("+", Token::Union),
            ("&", Token::Intersection),
            ("-", Token::Difference),
            ("(", Token::Open),
            (")", Token::Close),
        ];
        // OpenFGA asks for a relation where it is defined, without saying so.
        if let Some(behind) = rest.strip_prefix('?') {
            rest = behind.trim_start();
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mark = marks.iter().find(|(mark, _)| rest.starts_with(mark));
        let (token, behind) = if let Some((mark, token)) = mark {
            (*token, rest.get(mark.len()..))
        } else if let Some(quoted) = rest.strip_prefix('`') {
            let (name, behind) = quoted
                .split_once('`')
                .ok_or("a backtick does not end; add one")?;
            (Token::Name(name), Some(behind))
        } else if is_name(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            (Token::Name(rest.get(..end).unwrap_or("")), rest.get(end..))
        } else {
            return Err(format!("{first:?} has no meaning in an expression"));
        };
        tokens.push(token);
        rest = behind.unwrap_or("").trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    operands: usize,
    own: Option<&'a str>,
    known: &'a dyn Fn(&str) -> bool,
}

/// A rewrite and how deeply it nests.
type Nested = (Rewrite, usize);

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn expression(&mut self, depth: usize) -> Result<Nested, String> {
        let (mut left, mut nested) = self.operand(depth)?;
        let mut last = None;
        while let Some(operator @ (Token::Union | Token::Intersection | Token::Difference)) =
            self.peek()
        {
            self.take();
            let (right, below) = self.operand(depth)?;
            let goes_on = last == Some(operator);
            last = Some(operator);
            match &mut left {
                Rewrite::Union(children) | Rewrite::Intersection(children)
                    if goes_on && operator != Token::Difference =>
                {
                    children.push(right);
                    nested = nested.max(below + 1);
                }
                _ => {
                    nested = nested.max(below) + 1;
                    left = match operator {
                        Token::Union => Rewrite::Union(alloc::vec![left, right]),
                        Token::Intersection => Rewrite::Intersection(alloc::vec![left, right]),
                        _ => Rewrite::Difference(Box::new(left), Box::new(right)),
                    };
                }
            }
            if nested > EXPRESSION_DEPTH_MAX {
                return Err(deep());
            }
        }
        Ok((left, nested))
    }

    fn operand(&mut self, depth: usize) -> Result<Nested, String> {
        self.operands += 1;
        if depth > EXPRESSION_DEPTH_MAX || self.operands > 2 * EXPRESSION_OPERANDS_MAX {
            return Err(deep());
        }
        match self.take() {
            Some(Token::Open) => {
                let inner = self.expression(depth + 1)?;
                match self.take() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err("a `)` is missing".into()),
                }
            }
            Some(Token::Name(name)) => self.named(name).map(|rewrite| (rewrite, 0)),
            _ => Err("a name or `(` is missing".into()),
        }
    }

    fn named(&mut self, name: &str) -> Result<Rewrite, String> {
        match self.peek() {
            Some(Token::ArrowAll) => Err(format!(
                "`&->` behind {:?} asks for all, and OpenFGA's `from` for one",
                excerpt(name)
            )),
            Some(Token::Arrow) => {
                self.take();
                let Some(Token::Name(relation)) = self.take() else {
                    return Err("a name is missing behind `->`".into());
                };
                Ok(Rewrite::From {
                    relation: Word::new(relation),
                    tupleset: Word::new(name),
                })
            }
            _ if Some(name) == self.own => Ok(Rewrite::Assigned),
            _ if name == "self" && !(self.known)(name) => {
                Err("OpenFGA has no `self` for the object itself".into())
            }
            _ => Ok(Rewrite::Computed(Word::new(name))),
        }
    }
}

fn deep() -> String {
    format!(
        "it has more than {EXPRESSION_OPERANDS_MAX} operands, or nests deeper than \
         {EXPRESSION_DEPTH_MAX} levels once all parentheses are written; split it"
    )
}
