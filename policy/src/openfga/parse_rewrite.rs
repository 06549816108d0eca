//! Reads what follows `define name:`.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    error::Span,
    model::{Restriction, Rewrite, Subjects},
    parser::{is_name, word, Lost, Parser},
    token::Kind,
};
use crate::limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX, OPENFGA_RESTRICTIONS_MAX};

/// Where in a definition an operand stands.
#[derive(Clone, Copy)]
struct Spot {
    /// Whether `[…]` may stand here: it may be the very first operand only.
    first: bool,
    depth: usize,
}

impl Parser<'_> {
    /// A whole definition; what `[…]` in it admits goes to `types`.
    pub(super) fn rewrite(&mut self, types: &mut Vec<Restriction>) -> Result<Rewrite, Lost> {
        let mut operands = 0;
        self.expression(
            Spot {
                first: true,
                depth: 0,
            },
            types,
            &mut operands,
        )
    }

    /// Operands with one kind of operator between them.
    fn expression(
        &mut self,
        spot: Spot,
        types: &mut Vec<Restriction>,
        operands: &mut usize,
    ) -> Result<Rewrite, Lost> {
        let first = self.operand(spot, types, operands)?;
        let operator = self.next_kind();
        let goes_on =
            |parser: &Self| parser.kind() == Kind::Space && parser.next_kind() == operator;
        if self.kind() != Kind::Space || !matches!(operator, Kind::Or | Kind::And | Kind::ButNot) {
            return Ok(first);
        }
        let spot = Spot {
            first: false,
            ..spot
        };
        let mut children = alloc::vec![first];
        while goes_on(self) {
            self.take();
            self.take();
            self.expect(|kind| kind == Kind::Space, "a space behind the operator")?;
            children.push(self.operand(spot, types, operands)?);
            if operator == Kind::ButNot {
                break;
            }
        }
        Ok(match operator {
            Kind::Or => Rewrite::Union(children),
            Kind::And => Rewrite::Intersection(children),
            _ => {
                let subtracted = children.pop().ok_or(Lost)?;
                let base = children.pop().ok_or(Lost)?;
                Rewrite::Difference(Box::new(base), Box::new(subtracted))
            }
        })
    }

    fn operand(
        &mut self,
        spot: Spot,
        types: &mut Vec<Restriction>,
        operands: &mut usize,
    ) -> Result<Rewrite, Lost> {
        let expected = if spot.first {
            "a relation, `[` or `(`"
        } else {
            "a relation or `(`; `[…]` stands first in a definition"
        };
        let starts = |kind| {
            is_name(kind)
                || kind == Kind::OpenParenthesis
                || (kind == Kind::OpenBracket && spot.first)
        };
        self.drop_before(starts, expected);
        *operands += 1;
        if *operands > EXPRESSION_OPERANDS_MAX {
            let span = self.current().span;
            self.report(
                span,
                format!("a definition has at most {EXPRESSION_OPERANDS_MAX} operands; split it"),
            );
            return Err(Lost);
        }
        match self.kind() {
            Kind::OpenBracket if spot.first => {
                self.restrictions(types)?;
                Ok(Rewrite::Assigned)
            }
            Kind::OpenParenthesis => self.parentheses(spot, types, operands),
            kind if is_name(kind) => {
                let relation = word(self.take());
                if self.kind() != Kind::Space || self.next_kind() != Kind::From {
                    return Ok(Rewrite::Computed(relation));
                }
                self.take();
                self.take();
                let expected = "the relation behind `from`";
                self.expect(|kind| kind == Kind::Space, expected)?;
                let tupleset = word(self.expect(is_name, expected)?);
                Ok(Rewrite::From { relation, tupleset })
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    fn parentheses(
        &mut self,
        spot: Spot,
        types: &mut Vec<Restriction>,
        operands: &mut usize,
    ) -> Result<Rewrite, Lost> {
        let open = self.take();
        if spot.depth >= EXPRESSION_DEPTH_MAX {
            self.report(
                open.span,
                format!("parentheses nest deeper than {EXPRESSION_DEPTH_MAX} levels; split it"),
            );
            return Err(Lost);
        }
        while self.take_if(Kind::Space) {}
        let spot = Spot {
            depth: spot.depth + 1,
            ..spot
        };
        // Parentheses are no operand of their own.
        *operands = operands.saturating_sub(1);
        let inner = self.expression(spot, types, operands)?;
        let closes = |kind| matches!(kind, Kind::Space | Kind::CloseParenthesis);
        loop {
            self.drop_before(closes, "`)`; put operators of two kinds into parentheses");
            match self.kind() {
                Kind::Space => self.take(),
                Kind::CloseParenthesis => {
                    self.take();
                    return Ok(inner);
                }
                _ => return Err(self.unexpected("`)`")),
            };
        }
    }

    /// `[…]`.
    fn restrictions(&mut self, types: &mut Vec<Restriction>) -> Result<(), Lost> {
        self.take();
        loop {
            let starts = |kind| is_name(kind) || matches!(kind, Kind::Space | Kind::Line);
            self.drop_before(starts, "a type; `[]` admits nobody");
            self.take_if(Kind::Space);
            self.drop_before(
                |kind| is_name(kind) || kind == Kind::Line,
                "a type; `[]` admits nobody",
            );
            match self.restriction() {
                Ok(restriction) => types.push(restriction),
                Err(Lost) => self.skip_to(|kind| {
                    matches!(
                        kind,
                        Kind::Comma | Kind::CloseBracket | Kind::Space | Kind::Line | Kind::With
                    )
                }),
            }
            if types.len() > OPENFGA_RESTRICTIONS_MAX {
                let span = self.current().span;
                self.report(
                    span,
                    format!("a relation admits at most {OPENFGA_RESTRICTIONS_MAX} types"),
                );
                return Err(Lost);
            }
            self.take_if(Kind::Space);
            let goes_on = |kind| matches!(kind, Kind::Comma | Kind::CloseBracket);
            if self.expect(goes_on, "`,` or `]`")?.kind == Kind::CloseBracket {
                return Ok(());
            }
        }
    }

    fn restriction(&mut self) -> Result<Restriction, Lost> {
        self.take_if(Kind::Line);
        if !is_name(self.kind()) {
            return Err(self.unexpected("a type"));
        }
        let name = self.take();
        let mut end = name.span.end;
        let mut subjects = Subjects::Objects;
        if self.kind() == Kind::Colon && self.next_kind() == Kind::Star {
            self.take();
            end = self.take().span.end;
            subjects = Subjects::All;
        } else if self.take_if(Kind::Hash) {
            let relation = self.expect(is_name, "a relation behind `#`")?;
            end = relation.span.end;
            subjects = Subjects::Usersets(word(relation));
        }
        let mut condition = None;
        if self.kind() == Kind::Space && self.next_kind() == Kind::With {
            self.take();
            self.take();
            let expected = "a condition's name behind `with`";
            self.expect(|kind| kind == Kind::Space, expected)?;
            condition = Some(word(self.expect(is_name, expected)?));
        }
        self.take_if(Kind::Line);
        Ok(Restriction {
            name: word(name),
            subjects,
            condition,
            span: Some(Span {
                start: name.span.start,
                end,
            }),
        })
    }
}
