//! Expressions of our own language, read for the export: `+ & -` of equal precedence from left to
//! right, `->`, `&->`, `?`, parentheses, `self`, names in backticks.
//!
//! What is read here was a policy's expression before, so errors only say what is wrong.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::ast::{Operand, OperandKind, Operator, Step, Word};
use crate::{
    limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX},
    schema::Position,
};

const NOWHERE: Position = Position { line: 1, column: 1 };

enum Waiting {
    Operator(Operator),
    Open,
}

/// Reads an expression. `itself` says whether `self` means the object itself.
pub(super) fn parse(text: &str, itself: bool) -> Result<Vec<Step>, &'static str> {
    let mut tokens = Tokens { rest: text };
    let mut steps: Vec<Step> = Vec::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    let (mut operands, mut depth) = (0, 0);
    loop {
        while tokens.accept("(") {
            depth += 1;
            if depth > EXPRESSION_DEPTH_MAX {
                return Err("parentheses nest too deep; name parts of it");
            }
            waiting.push(Waiting::Open);
        }
        operands += 1;
        if operands > EXPRESSION_OPERANDS_MAX {
            return Err("it has too many operands; name parts of it");
        }
        let name = tokens.name().ok_or("an operand is missing")?;
        let all = tokens.accept("&->");
        let kind = if all || tokens.accept("->") {
            let target = tokens.name().ok_or("a name must follow the arrow")?;
            // SpiceDB asks for it where it is defined, without saying so.
            tokens.accept("?");
            OperandKind::Arrow {
                relation: name,
                all,
                target: Word {
                    text: target,
                    position: NOWHERE,
                },
            }
        } else if itself && name == "self" {
            OperandKind::Itself
        } else {
            OperandKind::Name(name)
        };
        steps.push(Step::Operand(Operand {
            position: NOWHERE,
            kind,
        }));
        loop {
            if let Some(Waiting::Operator(operator)) = waiting.last() {
                steps.push(Step::Operator(*operator));
                waiting.pop();
            }
            if depth == 0 || !tokens.accept(")") {
                break;
            }
            depth -= 1;
            waiting.pop();
        }
        let operator = if tokens.accept("+") {
            Operator::Union
        } else if tokens.accept("&") {
            Operator::Intersection
        } else if tokens.accept("-") {
            Operator::Exclusion
        } else if depth > 0 {
            return Err("a parenthesis is not closed");
        } else if tokens.rest.trim().is_empty() {
            return Ok(steps);
        } else {
            return Err("an operator is missing");
        };
        waiting.push(Waiting::Operator(operator));
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Tokens<'_> {
    fn accept(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        // `-` is not the beginning of `->`, nor `&` that of `&->`.
        let arrow = ["->", "&->"]
            .iter()
            .find(|arrow| self.rest.starts_with(**arrow));
        if arrow.is_some_and(|arrow| *arrow != sign) {
            return false;
        }
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let name = match self.rest.strip_prefix('`') {
            Some(quoted) => {
                let (name, rest) = quoted.split_once('`')?;
                self.rest = rest;
                name
            }
            None => {
                let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
                let length = self.rest.find(|character| !word(character));
                let (name, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
                self.rest = rest;
                name
            }
        };
        (!name.is_empty()).then(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::written;
    use super::*;
    use alloc::format;

    fn show(text: &str) -> Result<String, &'static str> {
        let steps = parse(text, true)?;
        let operand = |kind: &OperandKind| match kind {
            OperandKind::Nil => "nil".into(),
            OperandKind::Itself => "SELF".into(),
            OperandKind::Name(name) => name.clone(),
            OperandKind::Arrow {
                relation,
                all,
                target,
            } => format!("{relation}{}{}", if *all { "=>" } else { ">" }, target.text),
        };
        Ok(written(&steps, operand).unwrap())
    }

    #[test]
    fn operators_bind_alike_and_to_the_left() {
        for (text, expected) in [
            ("a", "a"),
            ("a + b & c", "(a + b) & c"),
            ("a - b + c & d", "((a - b) + c) & d"),
            ("a - (b + c) & d", "(a - (b + c)) & d"),
            ("((a + b)) + c", "a + b + c"),
            ("a->b+c&->d-e->f", "(a>b + c=>d) - e>f"),
            ("`a-b`->`c.d` & self", "a-b>c.d & SELF"),
            ("a\n +b", "a + b"),
        ] {
            assert_eq!(show(text).unwrap(), expected, "{text}");
        }
        for text in [
            "", "a +", "(a", "a)", "a b", "a->", "a->b->c", "`a", "é", "a | b",
        ] {
            assert!(show(text).is_err(), "{text}");
        }
        assert!(parse(&"(".repeat(50_000), true).is_err());
        assert!(parse(&"a+".repeat(50_000), true).is_err());
    }
}
