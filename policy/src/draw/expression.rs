//! A permission's expression as text in tones, and how each of its operands counts.

use alloc::{format, vec::Vec};

use super::{
    facts::{Facts, Step},
    picture::{Gap, Mark, Piece, Tone},
};
use crate::outline::name_in_expression;

/// An expression, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Expression {
    pub pieces: Vec<Piece>,
    pub operands: Vec<Operand>,
}

#[derive(Debug, Clone)]
pub(crate) struct Operand {
    /// A [`Step::Name`], [`Step::Arrow`] or [`Step::Itself`].
    pub step: Step,
    pub mark: Mark,
}

/// What stands on the stack: where its pieces and operands begin, and whether an operator joins them.
struct Term {
    pieces: usize,
    operands: usize,
    compound: bool,
}

impl Expression {
    /// Writes postfix `steps` with as few parentheses as they need: all operators bind alike and to
    /// the left, so only a compound right side has them.
    pub fn of(facts: &Facts, steps: &[Step]) -> Self {
        let mut all = Self::default();
        let mut stack: Vec<Term> = Vec::new();
        for step in steps {
            let (sign, tone) = match step {
                Step::Union => ("+", Tone::Plain),
                Step::Intersection => ("&", Tone::Intersected),
                Step::Difference => ("-", Tone::Subtracted),
                operand => {
                    stack.push(all.push(facts, operand));
                    continue;
                }
            };
            if let (Some(right), Some(left)) = (stack.pop(), stack.last_mut()) {
                all.join(sign, tone, left, &right);
            }
        }
        all
    }

    fn push(&mut self, facts: &Facts, step: &Step) -> Term {
        let name = |at: &usize| {
            let node = facts.nodes.get(*at);
            node.map_or_else(Default::default, |node| name_in_expression(&node.name))
        };
        let text = match step {
            Step::Name(at) => name(at),
            Step::Arrow {
                relation,
                every,
                targets,
            } => {
                let arrow = if *every { "&->" } else { "->" };
                let target = targets.first().map(name).unwrap_or_default();
                format!("{}{arrow}{target}", name(relation))
            }
            _ => "self".into(),
        };
        let term = Term {
            pieces: self.pieces.len(),
            operands: self.operands.len(),
            compound: false,
        };
        self.pieces.push(Piece::new(text, Tone::Plain, Gap::Break));
        self.operands.push(Operand {
            step: step.clone(),
            mark: Mark::Plain,
        });
        term
    }

    fn join(&mut self, sign: &str, tone: Tone, left: &mut Term, right: &Term) {
        if right.compound {
            self.close(right.pieces);
        }
        if let Some(first) = self.pieces.get_mut(right.pieces) {
            first.gap = Gap::Space;
        }
        self.pieces
            .insert(right.pieces, Piece::new(sign, tone, Gap::Break));
        let marked = match tone {
            Tone::Subtracted => right.operands,
            Tone::Intersected => left.operands,
            _ => self.operands.len(),
        };
        for operand in self.operands.iter_mut().skip(marked) {
            operand.mark = match (tone, operand.mark) {
                (Tone::Subtracted, Mark::Subtracted) => Mark::Plain,
                (Tone::Subtracted, _) => Mark::Subtracted,
                (_, Mark::Subtracted) => Mark::Subtracted,
                (_, _) => Mark::Intersected,
            };
        }
        if tone == Tone::Subtracted {
            self.pieces
                .iter_mut()
                .skip(right.pieces)
                .for_each(|piece| piece.tone = tone);
        }
        left.compound = true;
    }

    /// Puts what begins at `from` in parentheses.
    fn close(&mut self, from: usize) {
        if let Some(first) = self.pieces.get_mut(from) {
            first.gap = Gap::None;
        }
        self.pieces
            .insert(from, Piece::new("(", Tone::Plain, Gap::Break));
        self.pieces.push(Piece::new(")", Tone::Plain, Gap::None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{draw::facts::NodeKind, Policy};
    use alloc::string::String;

    fn text(pieces: &[Piece]) -> String {
        let mut text = String::new();
        for piece in pieces {
            if !text.is_empty() && piece.gap != Gap::None {
                text.push(' ');
            }
            text.push_str(&piece.text);
        }
        text
    }

    #[test]
    fn text_keeps_its_meaning_and_operands_their_marks() {
        use Mark::{Intersected as I, Plain as P, Subtracted as S};
        for (given, written, marks) in [
            ("a", "a", [P].as_slice()),
            ("(a + b) + c", "a + b + c", &[P, P, P]),
            ("a + (b & c)", "a + (b & c)", &[P, I, I]),
            ("a & (b + c) - d", "a & (b + c) - d", &[I, I, I, S]),
            ("a - (b - c)", "a - (b - c)", &[P, S, P]),
            ("a - b & c", "a - b & c", &[I, S, I]),
            ("((a - (b + (c & d))))", "a - (b + (c & d))", &[P, S, S, S]),
            ("a->e + b", "a->e + b", &[P, P]),
        ] {
            let policy = Policy::parse(&format!(
                "resources:\n  t:\n    relations:\n      a: {{types: [t]}}\n      b:\n      c:\n      d:\n    permissions:\n      e:\n        expr: {given}\n"
            ))
            .unwrap();
            let facts = Facts::of(&policy);
            let node = facts
                .nodes
                .iter()
                .find(|node| node.kind == NodeKind::Permission)
                .unwrap();
            let expression = Expression::of(&facts, &node.steps);
            assert_eq!(text(&expression.pieces), written);
            let found: Vec<Mark> = expression.operands.iter().map(|o| o.mark).collect();
            assert_eq!(found, marks, "{given}");
        }
    }
}
