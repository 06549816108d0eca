//! Expressions: `+`, `&`, `-` of equal precedence from left to right, `->`, `&->`, parentheses.
//! A name that holds `.`, `/` or `-` stands in backticks. A `?` behind an arrow's target lets
//! resources lack it.
//!
//! Parsed with a stack of our own into postfix form with jumps: the form that the walk runs, once
//! names are ids. A jump past an operand stands where the left side can decide alone.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use crate::{
    limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX},
    name::{excerpt, is_name, is_plain_byte},
    schema::{PolicyError, Position},
    yaml::error,
};

/// One step of an expression; `T` is how operands are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<T> {
    /// Pushes the operand's value.
    Operand(T),
    /// Goes on at the given step if the top is *true*; else on.
    SkipIfTrue(u16),
    /// Goes on at the given step if the top is *false*; else on.
    SkipIfFalse(u16),
    /// Replaces the two topmost values by their union.
    Union,
    /// Replaces the two topmost values by their intersection.
    Intersection,
    /// Replaces the two topmost values by the lower one without the upper one.
    Difference,
}

/// An operand as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub position: Position,
    pub name: String,
    /// What stands right of `->` or `&->`.
    pub arrow: Option<Target>,
}

/// What an arrow asks of the objects that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub name: String,
    pub position: Position,
    /// `&->`: all of them must grant.
    pub all: bool,
    /// `?`: where it is not defined, it is not granted.
    pub optional: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token<'a> {
    Name(&'a str),
    /// `->`, or `&->` where all must grant.
    Arrow {
        all: bool,
    },
    Operator(Operator),
    Open,
    Close,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operator {
    Union,
    Intersection,
    Difference,
}

/// Parses `text`, which starts at `start` of the policy.
pub(crate) fn parse(text: &str, start: Position) -> Result<Vec<Step<Operand>>, PolicyError> {
    let mut tokens = Tokens { text, at: 0, start };
    let mut steps: Vec<Step<Operand>> = Vec::new();
    // For each open parenthesis, and for the whole: the operator that waits for its right side, and
    // the jump to be aimed behind it.
    let mut waiting: Vec<Option<(Operator, usize)>> = alloc::vec![None];
    let mut operands = 0;
    loop {
        // An operand, or an opening parenthesis.
        let (token, position) = tokens
            .next()?
            .ok_or_else(|| error(tokens.place(), "an operand is missing at the end"))?;
        match token {
            Token::Open => {
                if waiting.len() > EXPRESSION_DEPTH_MAX {
                    return Err(error(
                        position,
                        format!("parentheses nest deeper than {EXPRESSION_DEPTH_MAX} levels"),
                    ));
                }
                waiting.push(None);
                continue;
            }
            Token::Name(name) => {
                operands += 1;
                if operands > EXPRESSION_OPERANDS_MAX {
                    return Err(error(position, format!("an expression has at most {EXPRESSION_OPERANDS_MAX} operands; name parts of it")));
                }
                let arrow = tokens.arrow_target()?;
                steps.push(Step::Operand(Operand {
                    position,
                    name: name.to_owned(),
                    arrow,
                }));
            }
            Token::Arrow { .. } | Token::Operator(_) | Token::Close => {
                return Err(error(
                    position,
                    "an operand is missing here; write the name of a relation or permission",
                ))
            }
        }
        // The operand is complete: combine, close parentheses, then an operator or the end.
        loop {
            if let Some(Some((operator, jump))) = waiting.last_mut().map(Option::take) {
                steps.push(match operator {
                    Operator::Union => Step::Union,
                    Operator::Intersection => Step::Intersection,
                    Operator::Difference => Step::Difference,
                });
                let target = steps.len() as u16;
                match steps.get_mut(jump) {
                    Some(Step::SkipIfTrue(to) | Step::SkipIfFalse(to)) => *to = target,
                    _ => unreachable!("a waiting operator points at its jump"),
                }
            }
            match tokens.next()? {
                None if waiting.len() == 1 => return Ok(steps),
                None => return Err(error(tokens.place(), "a parenthesis is not closed")),
                Some((Token::Close, position)) => {
                    if waiting.len() == 1 {
                        return Err(error(position, "a parenthesis closes that never opened"));
                    }
                    waiting.pop();
                }
                Some((Token::Operator(operator), _)) => {
                    let jump = steps.len();
                    steps.push(match operator {
                        Operator::Union => Step::SkipIfTrue(0),
                        Operator::Intersection | Operator::Difference => Step::SkipIfFalse(0),
                    });
                    if let Some(last) = waiting.last_mut() {
                        *last = Some((operator, jump));
                    }
                    break;
                }
                Some((Token::Arrow { .. }, position)) => {
                    return Err(error(position, "`->` follows a relation's name, once; name the rest as a permission of the target"))
                }
                Some((Token::Name(_) | Token::Open, position)) => {
                    return Err(error(position, "an operator is missing here; write `+`, `&`, `-` or `->`"))
                }
            }
        }
    }
}

struct Tokens<'a> {
    text: &'a str,
    at: usize,
    start: Position,
}

impl<'a> Tokens<'a> {
    /// Where the next token is, in the policy's text. Exact within the first line of a plain
    /// scalar; further lines of a folded one are counted on.
    fn place(&self) -> Position {
        Position {
            line: self.start.line,
            column: self.start.column + self.at,
        }
    }

    fn next(&mut self) -> Result<Option<(Token<'a>, Position)>, PolicyError> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let place = self.place();
        let Some(byte) = bytes.get(self.at) else {
            return Ok(None);
        };
        let rest = &bytes[self.at..];
        let (token, length) = match byte {
            b'-' if rest.get(1) == Some(&b'>') => (Token::Arrow { all: false }, 2),
            b'&' if rest.starts_with(b"&->") => (Token::Arrow { all: true }, 3),
            b'+' => (Token::Operator(Operator::Union), 1),
            b'&' => (Token::Operator(Operator::Intersection), 1),
            b'-' => (Token::Operator(Operator::Difference), 1),
            b'(' => (Token::Open, 1),
            b')' => (Token::Close, 1),
            b'`' => {
                let quoted = &self.text[self.at + 1..];
                let name = quoted.find('`').and_then(|end| quoted.get(..end));
                match name.filter(|name| is_name(name)) {
                    Some(name) => (Token::Name(name), name.len() + 2),
                    None => return Err(error(place, "a name between two backticks belongs here")),
                }
            }
            byte if is_plain_byte(*byte) => {
                let length = rest.iter().take_while(|b| is_plain_byte(**b)).count();
                let name = &self.text[self.at..self.at + length];
                if !is_name(name) {
                    return Err(error(place, format!("{:?} is no name", excerpt(name))));
                }
                (Token::Name(name), length)
            }
            _ => {
                let found = self
                    .text
                    .get(self.at..)
                    .and_then(|rest| rest.chars().next())
                    .unwrap_or('?');
                return Err(error(place, format!("{found:?} has no meaning here; use names, `+`, `&`, `-`, `->`, `&->` and parentheses")));
            }
        };
        self.at += length;
        Ok(Some((token, place)))
    }

    /// What follows an arrow, if that comes next.
    fn arrow_target(&mut self) -> Result<Option<Target>, PolicyError> {
        let before = self.at;
        let Some((Token::Arrow { all }, _)) = self.next()? else {
            self.at = before;
            return Ok(None);
        };
        match self.next()? {
            Some((Token::Name(name), position)) => {
                let optional = self.text.as_bytes().get(self.at) == Some(&b'?');
                self.at += usize::from(optional);
                Ok(Some(Target {
                    name: name.to_owned(),
                    position,
                    all,
                    optional,
                }))
            }
            other => {
                let position = other.map_or_else(|| self.place(), |(_, position)| position);
                Err(error(
                    position,
                    "the name of a relation or permission must follow `->`",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const START: Position = Position { line: 1, column: 1 };

    /// Writes steps back with every parenthesis, so that grouping can be seen.
    fn grouped(text: &str) -> String {
        let mut stack: Vec<String> = Vec::new();
        for step in parse(text, START).unwrap() {
            let operator = match step {
                Step::Operand(Operand {
                    name, arrow: None, ..
                }) => {
                    stack.push(name);
                    continue;
                }
                Step::Operand(Operand {
                    name,
                    arrow: Some(target),
                    ..
                }) => {
                    let arrow = if target.all { "&->" } else { "->" };
                    stack.push(format!("{name}{arrow}{}", target.name));
                    continue;
                }
                Step::SkipIfTrue(_) | Step::SkipIfFalse(_) => continue,
                Step::Union => '+',
                Step::Intersection => '&',
                Step::Difference => '-',
            };
            let (right, left) = (stack.pop().unwrap(), stack.pop().unwrap());
            stack.push(format!("({left}{operator}{right})"));
        }
        assert_eq!(stack.len(), 1);
        stack.remove(0)
    }

    #[test]
    fn operators_bind_alike_and_to_the_left() {
        for (text, expected) in [
            ("a", "a"),
            ("((a))", "a"),
            ("a + b - c", "((a+b)-c)"),
            ("a - b + c & d", "(((a-b)+c)&d)"),
            ("a - (b + c) & d", "((a-(b+c))&d)"),
            ("a->b+c-d->e", "((a->b+c)-d->e)"),
            ("(a -> b)", "a->b"),
            ("a-b->c", "(a-b->c)"),
            ("a&->b & c&->`d-e`", "(a&->b&c&->d-e)"),
            ("a->b? + a&->`b-c`?", "(a->b+a&->b-c)"),
            ("`a-b`-`c/d`->e", "(a-b-c/d->e)"),
            ("a\n + b", "(a+b)"),
        ] {
            assert_eq!(grouped(text), expected, "{text}");
        }
    }

    #[test]
    fn jumps_lead_behind_the_operator() {
        let steps = parse("a + (b & c) - d", START).unwrap();
        let jumps: Vec<_> = steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| match step {
                Step::SkipIfTrue(to) | Step::SkipIfFalse(to) => Some((at, *to as usize)),
                _ => None,
            })
            .collect();
        for (at, to) in jumps {
            assert!(
                to > at
                    && matches!(
                        steps[to - 1],
                        Step::Union | Step::Intersection | Step::Difference
                    ),
                "{steps:?}"
            );
        }
    }

    #[test]
    fn malformed_expressions_name_their_place() {
        for (text, column, expected) in [
            ("", 1, "operand is missing"),
            ("a +", 4, "operand is missing"),
            ("+ a", 1, "operand is missing"),
            ("a b", 3, "operator is missing"),
            ("(a", 3, "not closed"),
            ("a)", 2, "never opened"),
            ("()", 2, "operand is missing"),
            ("a->", 4, "must follow"),
            ("a->b->c", 5, "once"),
            ("(a)->b", 4, "once"),
            ("a | b", 3, "no meaning"),
            ("a + é", 5, "no meaning"),
            ("a + 9b", 5, "no name"),
            ("a + `b", 5, "backticks"),
            ("a?", 2, "no meaning"),
            ("a->b ?", 6, "no meaning"),
            ("a + ``", 5, "backticks"),
            ("a + `b c`", 5, "backticks"),
        ] {
            let failure = parse(text, START).unwrap_err();
            assert_eq!(failure.position.column, column, "{text}: {failure}");
            assert!(failure.to_string().contains(expected), "{text}: {failure}");
        }
        assert!(parse(&"(".repeat(50_000), START).is_err());
        assert!(parse(&"a+".repeat(30_000), START).is_err());
    }
}
