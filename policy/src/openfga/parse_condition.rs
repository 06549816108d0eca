//! Reads a condition.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{
    error::Span,
    model::{Condition, Parameter},
    parser::{word, Lost, Parser},
    token::Kind,
};
use crate::name::excerpt;

fn is_plain_name(kind: Kind) -> bool {
    matches!(kind, Kind::Name { extended: false })
}

impl Parser<'_> {
    /// A condition from its first word to its `}`.
    pub(super) fn condition(&mut self) -> Result<Condition, Lost> {
        self.take();
        let expected = "the condition's name";
        self.expect(|kind| kind == Kind::Space, expected)?;
        let name = word(self.expect(is_plain_name, expected)?);
        self.take_if(Kind::Space);
        self.expect(
            |kind| kind == Kind::OpenParenthesis,
            "`(` and the condition's parameters",
        )?;
        let starts = |kind| is_plain_name(kind) || matches!(kind, Kind::Space | Kind::Line);
        if !starts(self.kind()) {
            return Err(self.unexpected("a parameter's name, `:` and its type"));
        }
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut names = BTreeSet::new();
        loop {
            self.take_if(Kind::Space);
            let parameter = self.parameter()?;
            if !names.insert(parameter.name.text.clone()) {
                let (condition, text) = (excerpt(&name.text), excerpt(&parameter.name.text));
                self.twice(
                    &parameter.name,
                    format!(
                        "condition {condition:?} has the parameter {text:?} for the second time"
                    ),
                );
            }
            parameters.push(parameter);
            self.take_if(Kind::Space);
            if !self.take_if(Kind::Comma) {
                break;
            }
        }
        self.take_if(Kind::Line);
        self.expect(|kind| kind == Kind::CloseParenthesis, "`,` or `)`")?;
        self.take_if(Kind::Space);
        self.expect(|kind| kind == Kind::OpenBrace, "`{` and the expression")?;
        while matches!(self.kind(), Kind::Line | Kind::Space) {
            self.take();
        }
        let start = self.current();
        let mut end = start.span.start;
        while !matches!(self.kind(), Kind::CloseBrace | Kind::End) {
            if self.kind() == Kind::Unknown {
                self.unexpected("what CEL knows");
            }
            let token = self.take();
            if !matches!(token.kind, Kind::Line | Kind::Space) {
                end = token.span.end;
            }
        }
        let expression = self.without_comments(start.offset, self.current().offset);
        self.expect(|kind| kind == Kind::CloseBrace, "`}` behind the expression")?;
        Ok(Condition {
            name,
            parameters,
            expression: expression.trim().into(),
            expression_span: Some(Span {
                start: start.span.start,
                end,
            }),
            ..Condition::default()
        })
    }

    fn parameter(&mut self) -> Result<Parameter, Lost> {
        self.take_if(Kind::Line);
        let name = word(self.expect(is_plain_name, "a parameter's name")?);
        self.take_if(Kind::Space);
        self.expect(|kind| kind == Kind::Colon, "`:` and the parameter's type")?;
        self.take_if(Kind::Space);
        let kind = self.parameter_type().unwrap_or_else(|Lost| {
            self.skip_to(|kind| {
                matches!(
                    kind,
                    Kind::Space | Kind::Comma | Kind::CloseParenthesis | Kind::Line
                )
            });
            String::new()
        });
        Ok(Parameter { name, kind })
    }

    fn parameter_type(&mut self) -> Result<String, Lost> {
        let scalar = "bool, int, uint, double, string, duration, timestamp or ipaddress";
        if self.kind() != Kind::Container {
            let kind = self.expect(|kind| kind == Kind::ParameterType, scalar)?;
            return Ok(kind.text.into());
        }
        let container = self.take();
        self.expect(
            |kind| kind == Kind::Less,
            "`<` and the type of the elements",
        )?;
        let element = self.expect(|kind| kind == Kind::ParameterType, scalar)?;
        self.expect(|kind| kind == Kind::Greater, "`>`")?;
        Ok(format!("{}<{}>", container.text, element.text))
    }

    /// The text between two offsets without the comments of the DSL that stand in it.
    fn without_comments(&self, start: usize, end: usize) -> String {
        let mut out = String::new();
        let mut at = start;
        let first = self
            .comments
            .partition_point(|comment| comment.start < start);
        for comment in self.comments.iter().skip(first) {
            if comment.start >= end {
                break;
            }
            out.push_str(
                self.text
                    .get(at..comment.start)
                    .unwrap_or("")
                    .trim_end_matches([' ', '\t']),
            );
            at = comment.end;
        }
        out.push_str(self.text.get(at..end).unwrap_or(""));
        out
    }
}
