//! The parser: cel-spec langdef, "Syntax". Gives a tree whose every node has its place.
//!
//! Invariant: neither the tree nor the parser's own recursion is deeper than
//! [`CONDITION_DEPTH_MAX`]; chains of `&&` and of `||` are one node however long they are.

use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};

use super::{
    form::{Form, Tree},
    operation::{Arithmetic, Comparison, Constant},
    tokens::{is_keyword, is_reserved, tokens, Token},
};
use crate::{
    limits::CONDITION_DEPTH_MAX,
    name::excerpt,
    schema::{PolicyError, Position},
    yaml::error,
};

/// What binds two operands; a higher number binds tighter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Infix {
    Any,
    All,
    Compare(Comparison),
    In,
    Compute(Arithmetic),
}

impl Infix {
    fn of(token: &Token) -> Option<Self> {
        Some(match token {
            Token::Word(word) if word == "in" => Self::In,
            Token::Symbol(symbol) => match *symbol {
                "||" => Self::Any,
                "&&" => Self::All,
                "==" => Self::Compare(Comparison::Equal),
                "!=" => Self::Compare(Comparison::NotEqual),
                "<" => Self::Compare(Comparison::Less),
                "<=" => Self::Compare(Comparison::LessOrEqual),
                ">" => Self::Compare(Comparison::Greater),
                ">=" => Self::Compare(Comparison::GreaterOrEqual),
                "+" => Self::Compute(Arithmetic::Add),
                "-" => Self::Compute(Arithmetic::Subtract),
                "*" => Self::Compute(Arithmetic::Multiply),
                "/" => Self::Compute(Arithmetic::Divide),
                "%" => Self::Compute(Arithmetic::Remainder),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn binding(self) -> u8 {
        match self {
            Self::Any => 1,
            Self::All => 2,
            Self::Compare(_) | Self::In => 3,
            Self::Compute(Arithmetic::Add | Arithmetic::Subtract) => 4,
            Self::Compute(_) => 5,
        }
    }
}

/// Parses `text`, which starts at `start` of the policy.
pub(super) fn parse(text: &str, start: Position) -> Result<Tree, PolicyError> {
    let mut parser = Parser {
        tokens: tokens(text, start)?,
        at: 0,
        depth: 0,
    };
    let tree = parser.expression()?;
    match parser.next() {
        (Token::End, _) => Ok(tree),
        (token, position) => Err(error(position, unexpected(&token))),
    }
}

fn unexpected(token: &Token) -> String {
    match token {
        Token::End => "the expression ends too early; an operand is missing".to_owned(),
        Token::Symbol(symbol @ (")" | "]" | "}")) => format!("`{symbol}` closes what never opened"),
        Token::Symbol(symbol) => format!("`{symbol}` cannot stand here"),
        Token::Word(word) if is_reserved(word) => format!("`{word}` is a word that CEL keeps"),
        Token::Word(word) => format!("an operator is missing before `{}`", excerpt(word)),
        _ => "an operator is missing before this value".to_owned(),
    }
}

struct Parser {
    tokens: Vec<(Token, Position)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.at)
            .map_or(&Token::End, |(token, _)| token)
    }

    /// The next token; the last one, [`Token::End`], for ever.
    fn next(&mut self) -> (Token, Position) {
        let found = self.tokens.get(self.at).or(self.tokens.last()).cloned();
        self.at += 1;
        found.unwrap_or((Token::End, Position { line: 1, column: 1 }))
    }

    fn position(&self) -> Position {
        let found = self.tokens.get(self.at).or(self.tokens.last());
        found.map_or(Position { line: 1, column: 1 }, |(_, position)| *position)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str, after: &str) -> Result<(), PolicyError> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(error(
            self.position(),
            format!("`{symbol}` is missing here, after {after}"),
        ))
    }

    fn tree(&self, position: Position, form: Form) -> Result<Tree, PolicyError> {
        let below = form.children().into_iter().map(|child| child.depth).max();
        let depth = below.unwrap_or(0) + 1;
        if depth > CONDITION_DEPTH_MAX {
            return Err(too_deep(position));
        }
        Ok(Tree {
            position,
            form,
            depth,
        })
    }

    /// Runs `parse` one level deeper.
    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, PolicyError>,
    ) -> Result<T, PolicyError> {
        if self.depth >= CONDITION_DEPTH_MAX {
            return Err(too_deep(self.position()));
        }
        self.depth += 1;
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// Expr = ConditionalOr ["?" ConditionalOr ":" Expr]
    fn expression(&mut self) -> Result<Tree, PolicyError> {
        self.nested(|parser| {
            let condition = parser.infix(1)?;
            let position = parser.position();
            if !parser.take("?") {
                return Ok(condition);
            }
            let then = parser.infix(1)?;
            parser.expect(":", "the value for true of `?`")?;
            let otherwise = parser.expression()?;
            let parts = Box::new([condition, then, otherwise]);
            parser.tree(position, Form::Choice(parts))
        })
    }

    /// Operands with operators that bind at least as tightly as `least`; all of them to the left.
    fn infix(&mut self, least: u8) -> Result<Tree, PolicyError> {
        let mut left = self.prefixed()?;
        // The chain that `left` is, while no parenthesis closed it.
        let mut chain = None;
        while let Some(infix) = Infix::of(self.peek()) {
            if infix.binding() < least {
                break;
            }
            let (_, position) = self.next();
            let right = self.infix(infix.binding() + 1)?;
            if let (Form::All(operands) | Form::Any(operands), true) =
                (&mut left.form, chain == Some(infix))
            {
                left.depth = left.depth.max(right.depth + 1);
                if left.depth > CONDITION_DEPTH_MAX {
                    return Err(too_deep(position));
                }
                operands.push(right);
                continue;
            }
            let form = match infix {
                Infix::Any => Form::Any([left, right].into()),
                Infix::All => Form::All([left, right].into()),
                Infix::Compare(comparison) => Form::Compare(comparison, Box::new([left, right])),
                Infix::In => Form::In(Box::new([left, right])),
                Infix::Compute(arithmetic) => Form::Compute(arithmetic, Box::new([left, right])),
            };
            left = self.tree(position, form)?;
            chain = Some(infix);
        }
        Ok(left)
    }

    /// Unary = Member | "!" Unary | "-" Unary; a minus before a number is part of it.
    fn prefixed(&mut self) -> Result<Tree, PolicyError> {
        let position = self.position();
        if self.take("!") {
            let operand = self.nested(Self::prefixed)?;
            return self.tree(position, Form::Not(Box::new(operand)));
        }
        if !self.take("-") {
            return self.member();
        }
        let constant = match *self.peek() {
            Token::Int(magnitude) => {
                let value = 0i64.checked_sub_unsigned(magnitude);
                Some(
                    value
                        .map(Constant::Int)
                        .ok_or("the number does not fit an int"),
                )
            }
            Token::Double(magnitude) => Some(Ok(Constant::Double(magnitude.negated()))),
            _ => None,
        };
        if let Some(constant) = constant {
            self.at += 1;
            let constant = constant.map_err(|message| error(position, message))?;
            let number = self.tree(position, Form::Constant(constant))?;
            return self.members_of(number);
        }
        let operand = self.nested(Self::prefixed)?;
        self.tree(position, Form::Negate(Box::new(operand)))
    }

    fn member(&mut self) -> Result<Tree, PolicyError> {
        let primary = self.primary()?;
        self.members_of(primary)
    }

    /// What follows a value: `.name`, `.name(…)`, `[…]`.
    fn members_of(&mut self, mut of: Tree) -> Result<Tree, PolicyError> {
        loop {
            let position = self.position();
            if self.take(".") {
                let (name, position) = match self.next() {
                    (Token::Word(word), position) if !is_keyword(&word) => (word, position),
                    (Token::Symbol("?"), position) => {
                        return Err(error(position, "optional fields are not supported; test with has(m.field)"))
                    }
                    (_, position) => {
                        return Err(error(position, "the name of a field or function must follow `.`; write other keys as m[\"key\"]"))
                    }
                };
                let form = if self.take("(") {
                    Form::Call {
                        receiver: Some(Box::new(of)),
                        function: name,
                        arguments: self.until(")")?,
                    }
                } else {
                    Form::Select(Box::new(of), name)
                };
                of = self.tree(position, form)?;
            } else if self.take("[") {
                if matches!(self.peek(), Token::Symbol("?")) {
                    return Err(error(
                        position,
                        "optional indices are not supported; test with `in`",
                    ));
                }
                let index = self.expression()?;
                self.expect("]", "the index")?;
                of = self.tree(position, Form::Index(Box::new([of, index])))?;
            } else if self.take("{") {
                return Err(error(
                    position,
                    "messages are not supported; write a map {\"name\": value}",
                ));
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Result<Tree, PolicyError> {
        let (token, position) = self.next();
        let form = match token {
            Token::Symbol("(") => {
                let inner = self.expression()?;
                self.expect(")", "what `(` opened")?;
                return Ok(inner);
            }
            Token::Symbol("[") => Form::List(self.until("]")?),
            Token::Symbol("{") => Form::Map(self.entries()?),
            Token::Symbol(".") => {
                return Err(error(
                    position,
                    "names have no leading dot here; write the parameter's name alone",
                ))
            }
            Token::Word(word) => match word.as_str() {
                "true" => Form::Constant(Constant::Bool(true)),
                "false" => Form::Constant(Constant::Bool(false)),
                "null" => Form::Constant(Constant::Null),
                reserved if is_reserved(reserved) => {
                    return Err(error(position, unexpected(&Token::Word(word))))
                }
                _ if self.take("(") => Form::Call {
                    receiver: None,
                    function: word,
                    arguments: self.until(")")?,
                },
                _ => Form::Name(word),
            },
            Token::Int(magnitude) => {
                let value = i64::try_from(magnitude);
                let value = value.map_err(|_| {
                    error(
                        position,
                        "the number does not fit an int; write it with a `u` behind it",
                    )
                })?;
                Form::Constant(Constant::Int(value))
            }
            Token::Uint(value) => Form::Constant(Constant::Uint(value)),
            Token::Double(value) => Form::Constant(Constant::Double(value)),
            Token::String(value) => Form::Constant(Constant::String(value)),
            Token::Bytes(value) => Form::Constant(Constant::Bytes(value)),
            token @ (Token::Symbol(_) | Token::End) => {
                let message = match token {
                    Token::End => unexpected(&token),
                    _ => "an operand is missing here".to_owned(),
                };
                return Err(error(position, message));
            }
        };
        self.tree(position, form)
    }

    /// Expressions with commas between them, up to `close`; one comma may trail in a list.
    fn until(&mut self, close: &str) -> Result<Vec<Tree>, PolicyError> {
        let mut trees = Vec::new();
        while !self.take(close) {
            trees.push(self.expression()?);
            if !self.take(",") {
                self.expect(close, "the last value")?;
                break;
            }
            if close == ")" && matches!(self.peek(), Token::Symbol(")")) {
                return Err(error(
                    self.position(),
                    "an argument is missing after the comma",
                ));
            }
        }
        Ok(trees)
    }

    /// The entries of a map, up to its `}`.
    fn entries(&mut self) -> Result<Vec<(Tree, Tree)>, PolicyError> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let key = self.expression()?;
            self.expect(":", "a map's key")?;
            entries.push((key, self.expression()?));
            if !self.take(",") {
                self.expect("}", "the last entry")?;
                break;
            }
        }
        Ok(entries)
    }
}

fn too_deep(position: Position) -> PolicyError {
    error(
        position,
        format!(
            "the condition nests deeper than {CONDITION_DEPTH_MAX} levels; split it into several"
        ),
    )
}
