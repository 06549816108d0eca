//! Permission expressions: `+` binds tighter than `&`, which binds tighter than `-` (SpiceDB,
//! "Schema language: union precedence"); each associates to the left.
//!
//! Read with a stack of our own into postfix form (Dijkstra's shunting yard), so that hostile
//! nesting meets a bound; written with parentheses wherever operators differ, so that it means the
//! same to a reader who knows no precedence.

use alloc::{format, string::String, vec::Vec};

use super::{
    ast::{Operand, OperandKind, Operator, Step},
    error::{refuse, ErrorClass, SpicedbError},
    lexer::Kind,
    parser::Parser,
};
use crate::{
    limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX},
    schema::Position,
};

enum Waiting {
    Operator(Operator),
    Open(Position),
}

fn tightness(operator: Operator) -> u8 {
    match operator {
        Operator::Exclusion => 0,
        Operator::Intersection => 1,
        Operator::Union => 2,
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Vec<Step>, SpicedbError> {
        let mut steps: Vec<Step> = Vec::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut depth = 0;
        let mut operands = 0;
        loop {
            let position = self.token.position;
            if self.token.kind == Kind::Sign("(") {
                depth += 1;
                if depth > EXPRESSION_DEPTH_MAX {
                    return Err(refuse(
                        position,
                        ErrorClass::TooLarge,
                        format!("parentheses nest deeper than {EXPRESSION_DEPTH_MAX} levels; name parts of it"),
                    ));
                }
                waiting.push(Waiting::Open(position));
                self.advance()?;
                continue;
            }
            operands += 1;
            if operands > EXPRESSION_OPERANDS_MAX {
                return Err(refuse(
                    position,
                    ErrorClass::TooLarge,
                    format!("an expression has at most {EXPRESSION_OPERANDS_MAX} operands; name parts of it"),
                ));
            }
            steps.push(Step::Operand(self.operand()?));
            // Behind an operand: closing parentheses, then an operator or the end.
            while self.token.kind == Kind::Sign(")") && depth > 0 {
                depth -= 1;
                while let Some(Waiting::Operator(operator)) = waiting.pop() {
                    steps.push(Step::Operator(operator));
                }
                self.advance()?;
                if matches!(self.token.kind, Kind::Sign("->" | ".")) {
                    return Err(self.unexpected(
                        "an arrow leads from one relation; name it, without parentheses",
                    ));
                }
            }
            let operator = match self.token.kind {
                Kind::Sign("+") => Operator::Union,
                Kind::Sign("&") => Operator::Intersection,
                Kind::Sign("-") => Operator::Exclusion,
                _ => break,
            };
            if self.token.line_start {
                return Err(self.unexpected(
                    "the end of a line ends the permission; put the operator at the end of the line before",
                ));
            }
            while let Some(Waiting::Operator(top)) = waiting.last() {
                if tightness(*top) < tightness(operator) {
                    break;
                }
                steps.push(Step::Operator(*top));
                waiting.pop();
            }
            waiting.push(Waiting::Operator(operator));
            self.advance()?;
        }
        while let Some(top) = waiting.pop() {
            match top {
                Waiting::Operator(operator) => steps.push(Step::Operator(operator)),
                Waiting::Open(position) => {
                    return Err(refuse(
                        position,
                        ErrorClass::Syntax,
                        "this parenthesis is not closed; write `)`",
                    ))
                }
            }
        }
        Ok(steps)
    }

    fn operand(&mut self) -> Result<Operand, SpicedbError> {
        let position = self.token.position;
        let kind = match self.token.kind {
            Kind::Word("nil") => {
                self.advance()?;
                OperandKind::Nil
            }
            Kind::Word("self") if self.flags.itself => {
                self.advance()?;
                OperandKind::Itself
            }
            Kind::Word(_) => self.name_or_arrow()?,
            _ => return Err(self.unexpected(
                "an operand is missing here; write the name of a relation or permission, or `nil`",
            )),
        };
        if matches!(self.token.kind, Kind::Sign("->" | ".")) && !self.token.line_start {
            return Err(self.unexpected(
                "an arrow takes one step from a relation; name the rest as a permission of its target",
            ));
        }
        Ok(Operand { position, kind })
    }

    fn name_or_arrow(&mut self) -> Result<OperandKind, SpicedbError> {
        let relation = self.name("a relation or permission")?.text;
        if self.token.line_start {
            return Ok(OperandKind::Name(relation));
        }
        let all = match self.token.kind {
            Kind::Sign("->") => {
                self.advance()?;
                let target = self.name("the arrow's target")?;
                return Ok(OperandKind::Arrow {
                    relation,
                    all: false,
                    target,
                });
            }
            Kind::Sign(".") => {
                self.advance()?;
                match self.token.kind {
                    Kind::Word("any") => false,
                    Kind::Word("all") => true,
                    _ => return Err(self.unexpected("behind `.` stands `any(…)` or `all(…)`")),
                }
            }
            _ => return Ok(OperandKind::Name(relation)),
        };
        self.advance()?;
        self.expect("(")?;
        let target = self.name("the arrow's target")?;
        self.expect(")")?;
        Ok(OperandKind::Arrow {
            relation,
            all,
            target,
        })
    }
}

/// Writes steps with parentheses wherever an operator stands beside another one; `a + b + c` needs
/// none, because every operator of both languages associates to the left. `Err` is how deep the
/// parentheses would nest if that is deeper than policies allow.
pub(crate) fn written(
    steps: &[Step],
    mut operand: impl FnMut(&OperandKind) -> String,
) -> Result<String, usize> {
    struct Part {
        text: String,
        operator: Option<Operator>,
        depth: usize,
    }
    let mut stack: Vec<Part> = Vec::new();
    for step in steps {
        let operator = match step {
            Step::Operand(found) => {
                stack.push(Part {
                    text: operand(&found.kind),
                    operator: None,
                    depth: 0,
                });
                continue;
            }
            Step::Operator(operator) => *operator,
        };
        let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
            continue;
        };
        let part = |part: Part, bare: bool| {
            if bare {
                (part.text, part.depth)
            } else {
                (format!("({})", part.text), part.depth + 1)
            }
        };
        let bare = left.operator.is_none_or(|inner| inner == operator);
        let (left, left_depth) = part(left, bare);
        let bare = right.operator.is_none();
        let (right, right_depth) = part(right, bare);
        let depth = left_depth.max(right_depth);
        if depth > EXPRESSION_DEPTH_MAX {
            return Err(depth);
        }
        stack.push(Part {
            text: format!("{left} {} {right}", operator.sign()),
            operator: Some(operator),
            depth,
        });
    }
    Ok(stack.pop().map_or_else(String::new, |part| part.text))
}

/// The same set without `nil`: `x + nil` and `x - nil` are *x*, `x & nil` and `nil - x` are `nil`.
/// `None` where nothing is left, which is `nil` itself.
///
/// This holds for every value of *x*, unknown and failing ones included: a false side decides an
/// intersection, and a union or exclusion with it is the other side (docs/spec/policy.md §3).
pub(crate) fn without_nil(steps: &[Step]) -> Option<Vec<Step>> {
    let mut stack: Vec<Option<Vec<Step>>> = Vec::new();
    for step in steps {
        match step {
            Step::Operand(Operand {
                kind: OperandKind::Nil,
                ..
            }) => stack.push(None),
            Step::Operand(_) => stack.push(Some(alloc::vec![step.clone()])),
            Step::Operator(operator) => {
                let (right, left) = (stack.pop().flatten(), stack.pop().flatten());
                stack.push(match (operator, left, right) {
                    (_, Some(mut left), Some(right)) => {
                        left.extend(right);
                        left.push(step.clone());
                        Some(left)
                    }
                    (Operator::Union, left, right) => left.or(right),
                    (Operator::Intersection, ..) => None,
                    (Operator::Exclusion, left, _) => left,
                });
            }
        }
    }
    stack.pop().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Step>, SpicedbError> {
        let mut parser = Parser::new(text)?;
        parser.flags.itself = true;
        let steps = parser.expression()?;
        if parser.token.kind != Kind::End {
            return Err(parser.unexpected("the end"));
        }
        Ok(steps)
    }

    fn show(steps: &[Step]) -> String {
        let operand = |kind: &OperandKind| match kind {
            OperandKind::Nil => "nil".into(),
            OperandKind::Itself => "self".into(),
            OperandKind::Name(name) => name.clone(),
            OperandKind::Arrow {
                relation,
                all,
                target,
            } => format!(
                "{relation}{}{}",
                if *all { "=>" } else { "->" },
                target.text
            ),
        };
        written(steps, operand).unwrap()
    }

    #[test]
    fn union_binds_tighter_than_intersection_than_exclusion() {
        for (text, expected) in [
            ("a", "a"),
            ("((a))", "a"),
            ("a + b & c", "(a + b) & c"),
            ("a & b + c", "a & (b + c)"),
            ("a + b & c - d", "((a + b) & c) - d"),
            ("a - b & c + d", "a - (b & (c + d))"),
            ("a - b - c", "a - b - c"),
            ("a - (b - c)", "a - (b - c)"),
            ("a + (b + c)", "a + (b + c)"),
            ("a + b + c", "a + b + c"),
            ("a->b + c.any(d) & e.all(f)", "(a->b + c->d) & e=>f"),
            ("self + nil +\n a", "self + nil + a"),
        ] {
            assert_eq!(show(&parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn nil_folds_away() {
        for (text, expected) in [
            ("nil", None),
            ("a + nil", Some("a")),
            ("nil + a", Some("a")),
            ("a & nil", None),
            ("nil & a", None),
            ("a - nil", Some("a")),
            ("nil - a", None),
            ("a + (b & nil) - c", Some("a - c")),
            ("(a - nil) & (nil + nil - b) + c", Some("a & c")),
            ("a & (nil - b) + c", Some("a & c")),
        ] {
            let folded = without_nil(&parse(text).unwrap());
            assert_eq!(
                folded.map(|steps| show(&steps)).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_expressions_name_their_place() {
        for (text, column, expected) in [
            ("", 1, "operand is missing"),
            ("a +", 4, "operand is missing"),
            ("+ a", 1, "operand is missing"),
            ("(a", 1, "not closed"),
            ("a)", 2, "the end"),
            ("a->", 4, "the arrow's target"),
            ("a->nil", 4, "`nil` is a word of the language"),
            ("a->b->c", 5, "one step"),
            ("(a)->b", 4, "without parentheses"),
            ("a.some(b)", 3, "`any(…)` or `all(…)`"),
            ("a.all b", 7, "`(` belongs here"),
            ("a\n+ b", 1, "end of the line before"),
            ("é", 1, "no name"),
        ] {
            let failure = parse(text).expect_err(text);
            assert_eq!(failure.position.column, column, "{text}: {failure}");
            assert!(failure.message.contains(expected), "{text}: {failure}");
        }
        assert!(parse(&"(".repeat(50_000)).is_err());
        assert!(parse(&"a+".repeat(50_000)).is_err());
    }
}
