//! Reads a statement: `document:x#write & !document:x#banned => document:x#read`.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    limits::{STATEMENT_NAMES_MAX, STATEMENT_TOKENS_MAX},
    name::Name,
    theorems::{
        formula::{Formula, Step},
        parse::{Parser, Wrong},
        text::Statement,
        token::Placed,
    },
};

/// What a parenthesis was opened in, and the whole.
struct Level {
    /// The operator that waits for its right side.
    operator: Option<Step>,
    /// Whether what stands in the parentheses is turned round.
    not: bool,
}

/// About whom all parts of a statement speak.
#[derive(Clone, PartialEq, Eq)]
struct Topic {
    resource: Name,
    variable: String,
    subject: Option<(Name, String)>,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.variable)?;
        match &self.subject {
            Some((resource, variable)) => write!(f, " and {resource}:{variable}"),
            None => f.write_str(" and every actor"),
        }
    }
}

impl<'a> Parser<'a> {
    /// `formula [=> formula]`, where
    /// `formula := part { ("&" | "+") part }`, `part := ["!"] (answer | "(" formula ")")`.
    pub(super) fn statement(&mut self, first: Placed<'a>) -> Result<Statement, Wrong> {
        let mut steps: Vec<Step> = Vec::new();
        let mut topic: Option<Topic> = None;
        let mut implied = false;
        let mut levels = alloc::vec![Level {
            operator: None,
            not: false
        }];
        let mut tokens = 0;
        loop {
            // A part, or an opening parenthesis.
            let mut not = false;
            while self.takes('!') {
                not = !not;
                tokens += 1;
            }
            tokens += 1;
            if tokens > STATEMENT_TOKENS_MAX {
                return Err(self.wrong(format!(
                    "a statement has at most {STATEMENT_TOKENS_MAX} words and signs; part it"
                )));
            }
            if self.takes('(') {
                levels.push(Level {
                    operator: None,
                    not,
                });
                continue;
            }
            self.answer(&mut topic, &mut steps)?;
            if not {
                steps.push(Step::Not);
            }
            // The part is complete: combine, close parentheses, then an operator or the end.
            loop {
                steps.extend(levels.last_mut().and_then(|level| level.operator.take()));
                let operator = if self.takes('&') {
                    Step::And
                } else if self.takes('+') {
                    Step::Or
                } else if levels.len() > 1 {
                    self.expect(')', "a formula in parentheses, or `&`, or `+`")?;
                    if levels.pop().is_some_and(|level| level.not) {
                        steps.push(Step::Not);
                    }
                    continue;
                } else if self.takes_implies() {
                    if implied {
                        self.back_to(self.at() - 1);
                        return Err(self.wrong("a second `=>`: write two statements"));
                    }
                    implied = true;
                    steps.push(Step::Not);
                    break;
                } else {
                    if implied {
                        steps.push(Step::Or);
                    }
                    return self.complete(first, topic, steps);
                };
                if let Some(level) = levels.last_mut() {
                    level.operator = Some(operator);
                }
                break;
            }
        }
    }

    fn complete(
        &self,
        first: Placed<'a>,
        topic: Option<Topic>,
        steps: Vec<Step>,
    ) -> Result<Statement, Wrong> {
        let formula = Formula(steps);
        let Some(topic) = topic else {
            return Err(self.wrong("a statement speaks of an object"));
        };
        if formula.names().len() > STATEMENT_NAMES_MAX {
            return Err(Wrong {
                position: first.position,
                message: Some(format!(
                    "a statement names at most {STATEMENT_NAMES_MAX} relations and permissions; part it"
                )),
            });
        }
        Ok(Statement {
            source: self.source(first),
            resource: topic.resource,
            variable: topic.variable,
            subject: topic.subject.map(|(resource, _)| resource),
            formula,
        })
    }

    /// `resource:variable#name [@resource:variable]`
    fn answer(&mut self, topic: &mut Option<Topic>, steps: &mut Vec<Step>) -> Result<(), Wrong> {
        let here = self.wrong("").position;
        let (resource, variable) = self.variable("an object")?;
        self.expect('#', "an object")?;
        let name = self.node()?;
        let subject = match self.takes('@') {
            true => Some(self.variable("a subject")?),
            false => None,
        };
        let this = Topic {
            resource,
            variable,
            subject,
        };
        let first = topic.get_or_insert_with(|| this.clone());
        if *first != this {
            return Err(Wrong {
                position: here,
                message: Some(format!(
                    "all parts of a statement speak of one object and one subject, here of {first}"
                )),
            });
        }
        steps.push(Step::Allowed(name));
        Ok(())
    }

    /// `resource:word`, which stands for every object of the resource.
    fn variable(&mut self, what: &str) -> Result<(Name, String), Wrong> {
        let before = self.at();
        let (resource, variable) = self.object_parts()?;
        let name = Name::new(resource).map_err(|error| error.to_string());
        let wrong = match name {
            _ if resource == "did" => {
                "a statement speaks of every actor where it names no subject; leave this one out"
                    .into()
            }
            Err(error) => error,
            Ok(_) if variable.is_empty() => format!(
                "a word belongs behind `{resource}:`, such as {resource}:x; it stands for {what}, whichever it is"
            ),
            Ok(name) => return Ok((name, variable.to_string())),
        };
        self.back_to(before);
        Err(self.wrong(wrong))
    }
}
